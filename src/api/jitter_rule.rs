//! A jitter that is longer than the way from slot to slot, as far as CEL can see it.
//!
//! Takes nothing, gives a rule. Never refuses what the parser in `schedule` would take: what is not read off here (lists, ranges,
//! unions, blackouts) is told by the `Ready` condition.

use super::rules::is_no_duration;
use kube::core::{Message, Rule};

/// Longer than any jitter: of an expression that CEL cannot read.
const UNKNOWN: &str = "2000000h";

/// The time that lies between some two slots of the expression `s`, in CEL. The shortest unit comes first.
fn spacing() -> String {
    // Field, how many follow it, its unit, and steps that leave room for two values wherever `H` begins.
    let fields = [
        (5, "s", "[1-9]|[12][0-9]|30", ""),
        (4, "m", "[1-9]|[12][0-9]|30", ""),
        (3, "h", "[1-9]|1[0-2]", r"|^\s*@hourly\s*$"),
    ];
    let mut cel = r"s.matches(r'^\s*@every\s+([0-9]{1,5}[hms]){1,3}\s*$') ? s.find(r'[0-9]\w*') : ".to_owned();
    for (after, unit, steps, word) in fields {
        let rest = format!(r"(\s+\S+){{{after}}}\s*$");
        cel += &format!(r"s.matches(r'(^|\s)[*?]{rest}{word}') ? '1{unit}' : ");
        cel += &format!(r"s.matches(r'(?i)(^|\s)([*?h]|0+)/0*({steps}){rest}') ? ");
        cel += &format!(r"s.find(r'\S+{rest}').find(r'/[0-9]+').find(r'[0-9]+') + '{unit}' : ");
    }
    cel += r"s.matches(r'\s[*?]\s+[*?]\s+[*?]\s*$|^\s*@(daily|midnight)\s*$') ? '24h' : ";
    cel += r"s.matches(r'\s[*?]\s+[*?]\s+[^#lL\s]+\s*$|^\s*@weekly\s*$') ? '168h' : ";
    format!("({cel}'{UNKNOWN}')")
}

/// Blackouts and an end can take away the slots that lie close together: then CEL cannot know.
pub fn jitter_is_not_longer_than_the_spacing() -> Rule {
    let expressions = "(has(self.schedule) ? [self.schedule] : has(self.schedules) ? self.schedules : [])";
    let unread = format!("{} || has(self.exclude) || has(self.endAt)", is_no_duration("jitter"));
    let spacing = spacing();
    let message = format!(
        r#"{expressions}.filter(s, duration(self.jitter) > duration({spacing})).map(s, 'jitter "' + self.jitter + '" is longer than the ' + {spacing} + ' that lie between two slots of "' + s.trim() + '": write at most that')[0]"#
    );
    Rule::new(format!(
        "{unread} || {expressions}.all(s, duration(self.jitter) <= duration({spacing}))"
    ))
    .message(Message::Expression(message))
    .field_path(".jitter")
}
