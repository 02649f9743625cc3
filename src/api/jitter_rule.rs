//! The CEL rule that a jitter is not longer than the interval between two slots, as far as CEL can compute it.
//!
//! It accepts more than the parser in `schedule`: for lists, ranges, several schedules and blackouts the `Ready` condition has the error.

use super::rules::is_not_a_duration;
use kube::core::{Message, Rule};

/// Longer than any jitter: for a schedule whose interval CEL cannot compute.
const UNKNOWN: &str = "2000000h";

/// A CEL expression for the interval between two slots of the schedule `s`. The shortest unit comes first.
fn interval() -> String {
    // Number of fields after it, unit, steps with two values in the field wherever `H` begins, and a macro.
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

/// The rule. It accepts tasks with blackouts or an end, which can remove the slots that are close to each other.
pub fn jitter_is_not_longer_than_the_interval() -> Rule {
    let expressions = "(has(self.schedule) ? [self.schedule] : has(self.schedules) ? self.schedules : [])";
    let unknown = format!("{} || has(self.exclude) || has(self.endAt)", is_not_a_duration("jitter"));
    let interval = interval();
    let message = format!(
        r#"{expressions}.filter(s, duration(self.jitter) > duration({interval})).map(s, 'jitter "' + self.jitter + '" is longer than the ' + {interval} + ' between two slots of "' + s.trim() + '": use at most that')[0]"#
    );
    Rule::new(format!(
        "{unknown} || {expressions}.all(s, duration(self.jitter) <= duration({interval}))"
    ))
    .message(Message::Expression(message))
    .field_path(".jitter")
}
