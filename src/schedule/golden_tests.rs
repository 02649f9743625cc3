//! 2,350 recorded answers of robfig/cron v3.0.1, CronJob's parser, corrected by the wall-clock rule where robfig is wrong
//! (`tests/cron/cron-golden.tsv`).

use jiff::tz::TimeZone;

use super::zone::Zone;
use super::{DaylightSaving, Definition, Expressions, Schedule, ScheduleError};

const VECTORS: &str = include_str!("../../tests/cron/cron-golden.tsv");

/// The vectors were recorded with tzdata 2025b. The rules of these zones have changed since, so their vectors use the rules of
/// that time.
const THEN: [(&str, &[u8]); 4] = [
    (
        "Africa/Casablanca",
        include_bytes!("../../tests/cron/tzdata-2025b/Africa/Casablanca"),
    ),
    ("America/Edmonton", include_bytes!("../../tests/cron/tzdata-2025b/America/Edmonton")),
    ("America/Havana", include_bytes!("../../tests/cron/tzdata-2025b/America/Havana")),
    ("America/Winnipeg", include_bytes!("../../tests/cron/tzdata-2025b/America/Winnipeg")),
];

#[test]
fn golden_vectors_of_robfig_cron_are_reproduced() {
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
            let slots = schedule.slots(start.parse().unwrap()).take(wanted);
            slots.map(|slot| slot.as_second().to_string()).collect()
        }
        Err(ScheduleError::Never { .. }) => Vec::new(),
        Err(error) => return error.to_string(),
    };
    if slots.is_empty() { "NEVER".to_owned() } else { slots.join(",") }
}

fn read(expression: &str, zone: &str) -> Result<Schedule, ScheduleError> {
    let definition = Definition {
        expressions: Expressions::One(expression.to_owned()),
        time_zone: zone.to_owned(),
        daylight_saving: DaylightSaving::NONE,
        ..Definition::default()
    };
    Schedule::compile(&definition, "", |name| match THEN.iter().find(|(then, _)| *then == name) {
        Some((name, data)) => Ok(Zone::given(TimeZone::tzif(name, data).unwrap())),
        None => Zone::named(name),
    })
}

fn columns(line: &str) -> [&str; 5] {
    let columns: Vec<&str> = line.split('\t').collect();
    columns.try_into().unwrap_or_else(|_| panic!("expected five columns: {line}"))
}
