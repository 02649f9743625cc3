//! Recorded answers of robfig/cron v3.0.1, mended by the wall-clock rule where robfig itself is wrong.

use jiff::tz::TimeZone;
use punctual::schedule::{Schedule, ScheduleError};

use super::{CRON_JOB, at};

const VECTORS: &str = include_str!("../cron/cron-golden.tsv");

/// The vectors were recorded with tzdata 2025b. These zones have got other rules since (in the bundled data), so
/// their vectors run on the rules of then.
const THEN: [(&str, &[u8]); 4] = [
    ("Africa/Casablanca", include_bytes!("../cron/tzdata-2025b/Africa/Casablanca")),
    ("America/Edmonton", include_bytes!("../cron/tzdata-2025b/America/Edmonton")),
    ("America/Havana", include_bytes!("../cron/tzdata-2025b/America/Havana")),
    ("America/Winnipeg", include_bytes!("../cron/tzdata-2025b/America/Winnipeg")),
];

#[test]
fn each_of_the_2350_golden_vectors_is_reproduced() {
    let mut wrong = Vec::new();
    let mut vectors = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let [expression, zone, start, robfig, rule] = columns(line);
        let expected = if rule == "=" { robfig } else { rule };
        let found = answer(&expression.replace("\\t", "\t"), zone, start, expected);
        if found != expected {
            wrong.push(format!("{line}\n  found {found}"));
        }
        vectors += 1;
    }
    assert_eq!(vectors, 2350);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// As many slots as the vector has, in its own notation.
fn answer(expression: &str, zone: &str, start: &str, expected: &str) -> String {
    let wanted = expected.split(',').count();
    let slots: Vec<String> = match read(expression, zone) {
        Ok(schedule) => {
            let slots = schedule.slots(at(start)).take(wanted);
            slots.map(|slot| slot.as_second().to_string()).collect()
        }
        Err(ScheduleError::Never { .. }) => Vec::new(),
        Err(error) => return error.to_string(),
    };
    if slots.is_empty() { "NEVER".to_owned() } else { slots.join(",") }
}

fn read(expression: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    match THEN.iter().find(|(name, _)| *name == zone) {
        Some((name, data)) => Schedule::in_time_zone(expression, TimeZone::tzif(name, data).unwrap(), CRON_JOB),
        None => Schedule::parse(expression, zone, CRON_JOB),
    }
}

fn columns(line: &str) -> [&str; 5] {
    let columns: Vec<&str> = line.split('\t').collect();
    columns.try_into().unwrap_or_else(|_| panic!("not five columns: {line}"))
}
