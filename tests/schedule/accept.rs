//! Recorded decisions of a strict parser of CronJob's grammar, and where Punctual deliberately differs.

use std::collections::BTreeSet;

use punctual::schedule::{DaylightSaving, Schedule, ScheduleError};

const DECISIONS: &str = include_str!("../cron/cron-accept.tsv");

/// Accepted here, refused by CronJob: a leading seconds field, 7 for Sunday, blanks around an `@` word, `H`, `L`, `W`, `#`.
const MORE: [&str; 38] = [
    "* * * * * *",
    "*\u{2003}* * * * *",
    "0 * * * * *",
    "0 15 10 ? * MON-FRI",
    "* ? 7 5-7 7 0",
    "*/2 ? 0  * ? 5-7",
    "0 1 */2 */2 7 ?",
    "43 2-4 1 11 * 0/1",
    "5-7 7 5-7 1 5-7",
    " 5-7 1  * 1 7",
    "1 5-7 5-7 7 7",
    "* * * * 7",
    "* * * * 0,7",
    "* * * * 6,7",
    "* * * * 7,1",
    "* * * * 0-7",
    "* * * * 1-7",
    "* * * * 5-7",
    "* * * * 7-7",
    "* * * * SUN-7",
    "0 0 * * 7",
    "0 0 * * 07",
    " @daily",
    "@daily ",
    "@every  10m",
    "@every 10m ",
    "H * * * *",
    "H/5 * * * *",
    "28 * */7 mar H",
    "* * L * *",
    "1 1 L 1 *",
    "*/2 7 L */2 mon",
    "5-7 1 0 L * 1",
    "* * LW * *",
    "* * 15W * *",
    "* * * * 5L",
    "* * * * 5#2",
    "* * * * mon#1",
];

/// Refused here, accepted by CronJob, which rounds each of them to a whole number of seconds that nobody wrote.
const LESS: [&str; 8] = [
    "@every -5m",
    "@every 0",
    "@every 0s",
    "@every 1.5s",
    "@every 1ms",
    "@every 1us",
    "@every 1µs",
    "@every 1μs",
];

#[test]
fn decisions_equal_the_recorded_ones_except_those_listed() {
    let (mut more, mut less) = (BTreeSet::new(), BTreeSet::new());
    let mut decisions = 0;
    for line in DECISIONS.lines().filter(|line| !is_comment(line)) {
        let (rest, strict) = line.rsplit_once('\t').unwrap();
        let (expression, _robfig) = rest.rsplit_once('\t').unwrap();
        match (accepted(&unescaped(expression)), strict) {
            (true, "reject") => drop(more.insert(expression)),
            (false, "accept") => drop(less.insert(expression)),
            _ => {}
        }
        decisions += 1;
    }
    assert_eq!(decisions, 2196);
    assert_eq!(more, BTreeSet::from(MORE));
    assert_eq!(less, BTreeSet::from(LESS));
}

/// Whether the expression is valid; one that never runs is, and CronJob accepts it.
fn accepted(expression: &str) -> bool {
    match Schedule::parse(expression, "UTC", DaylightSaving::default()) {
        Ok(_) | Err(ScheduleError::Never { .. }) => true,
        Err(_) => false,
    }
}

/// The head line; some expressions begin with `#` as well.
fn is_comment(line: &str) -> bool {
    line.starts_with("# expr")
}

pub fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('\\')) => out.push('\\'),
            _ => {
                out.push(c);
                continue;
            }
        }
        chars.next();
    }
    out
}

#[test]
fn errors_name_the_value_and_a_fix() {
    for (expression, message) in [
        ("60 * * * *", r#"schedule "60 * * * *": minute 60 is out of range 0-59"#),
        (
            "@every 7d",
            r#"schedule "@every 7d": invalid duration "7d": use h, m, s and at least 1s, for example 168h"#,
        ),
        (
            "*/0 * * * *",
            r#"schedule "*/0 * * * *": minute "*/0" has an invalid step "0": use a whole number of at least 1"#,
        ),
        (
            "0 0 * * fri-mon",
            r#"schedule "0 0 * * fri-mon": day of week range "fri-mon" runs backwards: use two items, 5-6 and 0-1"#,
        ),
        (
            "TZ=UTC 0 3 * * *",
            r#"schedule "TZ=UTC 0 3 * * *": contains a time zone: use timeZone"#,
        ),
        (
            "0 0 31 2 *",
            r#"schedule "0 0 31 2 *": never matches a date (for example 31 February): fix day of month or month"#,
        ),
        (
            "@every 5",
            r#"schedule "@every 5": invalid duration "5": use h, m, s and at least 1s, for example 5s"#,
        ),
        (
            "0 3 * *",
            r#"schedule "0 3 * *": has 4 fields: use five (minute, hour, day of month, month, day of week), or six with seconds first"#,
        ),
    ] {
        let refused = Schedule::parse(expression, "UTC", DaylightSaving::default());
        assert_eq!(refused.unwrap_err().to_string(), message);
    }
}

#[test]
fn blanks_around_an_expression_are_ignored() {
    for expression in ["\t0 0 * * 0", " 0 0 * * 0\n", "0 0 * * 0"] {
        let schedule = Schedule::parse(expression, "UTC", DaylightSaving::default()).unwrap();
        assert_eq!(schedule.expression(), "0 0 * * 0");
    }
}
