//! The CEL rules of the CRD, by which the API server validates at admission. Each message names the value and the fix.
//!
//! CEL cannot know whether a time zone exists, or that a date never occurs: such errors are in the `Ready` condition, from the parser in
//! `schedule`.

use kube::core::{Message, Rule};

/// Five fields, or six with seconds.
const FIVE_OR_SIX: &str = r"^\s*(\S+\s+){4,5}\S+\s*$";
const MACRO: &str = r"^\s*@";
const ZONE_OR_QUOTES: &str = r"TZ=|[\x22\x27\x60]";
/// Go's syntax of durations in hours, minutes and seconds, short enough for CEL's durations (292 years).
const DURATION: &str = r"^([0-9]{1,6}([.][0-9]{1,3})?h)?([0-9]{1,7}([.][0-9]{1,3})?m)?([0-9]{1,9}([.][0-9]{1,3})?s)?$";
const STEP: &str = r"(/0*[1-9][0-9]*)?";

fn rule(rule: String, message: &str) -> Rule {
    Rule::new(rule).message(Message::Expression(message.to_owned()))
}

/// A list of values, ranges and steps of one field, hashed ones included, with steps within the field. The parser checks the parentheses
/// of `H`.
fn list(value: &str, steps: &str) -> String {
    list_with(value, steps, "")
}

/// The same with further alternatives, each after a `|`.
fn list_with(value: &str, steps: &str, more: &str) -> String {
    let item = format!(r"(h(/0*({steps}))?|(\*|\?|h\(\w+-\w+\)|({value})(-({value}))?){STEP}{more})");
    format!("{item}(,{item})*")
}

/// Also holds for macros, zones, quotes and another number of fields, which have rules of their own: one message is enough.
fn fields_match(pattern: &str) -> String {
    format!(
        "self.matches(r'{MACRO}') || self.matches(r'{ZONE_OR_QUOTES}') || !self.matches(r'{FIVE_OR_SIX}') || self.matches(r'(?i){pattern}')"
    )
}

/// Holds where a field is absent or not a duration, which has a message of its own.
pub fn is_not_a_duration(field: &str) -> String {
    format!("!has(self.{field}) || self.{field} == '' || !self.{field}.matches(r'{DURATION}')")
}

pub fn missed_run_limit_belongs_to_all() -> Rule {
    Rule::new("!has(self.missedRunLimit) || (has(self.missedRunPolicy) && self.missedRunPolicy == 'All')")
        .message("missedRunLimit requires missedRunPolicy: All: set the policy, or remove the limit")
}

pub fn one_of_schedule_and_schedules() -> Rule {
    Rule::new("has(self.schedule) != has(self.schedules)")
        .message("set exactly one of schedule and schedules")
        .field_path(".schedule")
}

pub fn start_before_end() -> Rule {
    Rule::new("!has(self.startAt) || !has(self.endAt) || self.startAt < self.endAt").message("endAt must be after startAt")
}

pub fn queue_limit_belongs_to_queue() -> Rule {
    Rule::new("!has(self.queueLimit) || (has(self.concurrencyPolicy) && self.concurrencyPolicy == 'Queue')")
        .message("queueLimit requires concurrencyPolicy: Queue: set the policy, or remove the limit")
}

pub fn max_concurrent_runs_belongs_to_allow_and_queue() -> Rule {
    Rule::new("!has(self.maxConcurrentRuns) || !has(self.concurrencyPolicy) || !(self.concurrencyPolicy in ['Forbid', 'Replace'])")
        .message("maxConcurrentRuns requires concurrencyPolicy Allow or Queue: under Forbid and Replace there is one run at a time")
}

pub fn max_delay_is_not_below_delay() -> Rule {
    Rule::new(format!(
        "{} || {} || duration(self.delay) <= duration(self.maxDelay)",
        is_not_a_duration("delay"),
        is_not_a_duration("maxDelay")
    ))
    .message("maxDelay must not be shorter than delay")
}

pub fn exclusion_is_one_of_two() -> Rule {
    Rule::new("has(self.schedule) ? !has(self.from) && !has(self.until) : has(self.from) && has(self.until)")
        .message("an entry of exclude must have either schedule, or both from and until")
}

/// A duration of at least a second.
pub fn duration() -> Rule {
    rule(
        format!("self != '' && self.matches(r'{DURATION}') && duration(self) >= duration('1s')"),
        r#"'invalid duration "' + self + '": use h, m, s and at least 1s, for example 90s, 15m, 168h'"#,
    )
}

/// All rules of a schedule.
pub fn schedule() -> [Rule; 10] {
    [
        schedule_is_not_empty(),
        schedule_names_no_zone(),
        schedule_has_no_quotes(),
        schedule_macro_is_known(),
        schedule_has_five_or_six_fields(),
        schedule_minutes(),
        schedule_hours(),
        schedule_days_of_month(),
        schedule_months(),
        schedule_days_of_week(),
    ]
}

fn schedule_is_not_empty() -> Rule {
    rule(
        r"self.matches(r'\S')".into(),
        r#"'schedule is empty: use five fields, for example "30 2 * * *" (02:30 every day), or "@daily"'"#,
    )
}

fn schedule_names_no_zone() -> Rule {
    rule(
        "!self.contains('TZ=')".into(),
        r#"'schedule "' + self.trim() + '" contains a time zone: remove TZ=… and set spec.timeZone'"#,
    )
}

fn schedule_has_no_quotes() -> Rule {
    rule(
        r#"!self.matches(r'["\x27\x60]')"#.into(),
        "'schedule ' + self.trim() + ' contains quotes: remove them'",
    )
}

fn schedule_macro_is_known() -> Rule {
    rule(
        format!(
            "!self.matches(r'{MACRO}') || self.matches(r'^\\s*@(hourly|daily|midnight|weekly|monthly|yearly|annually|every\\s+([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|ns))+)\\s*$')"
        ),
        r#"'schedule "' + self.trim() + '" is unknown: use @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually (lower case) or @every with a duration, for example "@every 90m"'"#,
    )
}

fn schedule_has_five_or_six_fields() -> Rule {
    rule(
        format!(r"!self.matches(r'\S') || self.matches(r'{MACRO}') || self.matches(r'{ZONE_OR_QUOTES}') || self.matches(r'{FIVE_OR_SIX}')"),
        r#"'schedule "' + self.trim() + '" must have five fields (minute hour day-of-month month day-of-week), or six with leading seconds'"#,
    )
}

fn schedule_minutes() -> Rule {
    let sixty = list("0*[0-5]?[0-9]", "[1-9]|[1-5][0-9]|60");
    rule(
        fields_match(&format!(r"^\s*({sixty}\s+)?{sixty}(\s+\S+){{4}}\s*$")),
        r#"'schedule "' + self.trim() + '": minutes (and leading seconds) are numbers from 0 to 59, ranges "0-29", lists "0,30" or steps "*/15"; or hashed "H", "H(0-29)", "H/15"'"#,
    )
}

fn schedule_hours() -> Rule {
    let hours = list("0*(1?[0-9]|2[0-3])", "[1-9]|1[0-9]|2[0-4]");
    rule(
        fields_match(&format!(r"(^|\s){hours}(\s+\S+){{3}}\s*$")),
        r#"'schedule "' + self.trim() + '": hours are numbers from 0 to 23, ranges "9-17", lists "6,18" or steps "*/2"; or hashed "H", "H(1-5)"'"#,
    )
}

fn schedule_days_of_month() -> Rule {
    let day = "0*([1-9]|[12][0-9]|3[01])";
    let days = list_with(day, "[1-9]|1[0-9]|2[0-8]", &format!("|l(w|-0*([1-9]|[12][0-9]|30))?|{day}w"));
    rule(
        fields_match(&format!(r"\s{days}(\s+\S+){{2}}\s*$")),
        r#"'schedule "' + self.trim() + '": days of the month are numbers from 1 to 31, ranges "1-7", lists "1,15" or steps "*/2"; or "L" (last), "L-3", "LW", "15W" (weekday nearest to the 15th), "H"'"#,
    )
}

fn schedule_months() -> Rule {
    let months = list("0*([1-9]|1[0-2])|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", "[1-9]|1[0-2]");
    rule(
        fields_match(&format!(r"\s{months}\s+\S+\s*$")),
        r#"'schedule "' + self.trim() + '": months are numbers from 1 to 12 or names of three letters, JAN to DEC; or hashed "H", "H/3"'"#,
    )
}

fn schedule_days_of_week() -> Rule {
    let day = "0*[0-7]|sun|mon|tue|wed|thu|fri|sat";
    let days = list_with(day, "[1-7]", &format!("|({day})(#[1-5]|l)"));
    rule(
        fields_match(&format!(r"\s{days}\s*$")),
        r#"'schedule "' + self.trim() + '": days of the week are numbers from 0 to 7 (0 and 7 are Sunday) or names of three letters, SUN to SAT; or "FRI#2" (second Friday), "FRIL" (last), "H"'"#,
    )
}

pub fn zone_is_not_empty() -> Rule {
    rule(
        "self != ''".into(),
        "'timeZone is empty: omit it for UTC, or use an IANA name, for example Europe/Paris'",
    )
}

pub fn zone_is_not_local() -> Rule {
    rule(
        "self.lowerAscii() != 'local'".into(),
        r#"'timeZone "' + self.trim() + '" depends on the machine that runs the operator: use an IANA name, for example Europe/Paris'"#,
    )
}

pub fn zone_has_plain_characters() -> Rule {
    rule(
        r"self == '' || self.matches(r'^[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*$')".into(),
        r#"'timeZone "' + self + '" is not a name of a time zone: use an IANA name, for example Europe/Paris'"#,
    )
}
