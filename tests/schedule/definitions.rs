//! Whole definitions (several expressions, exclusions, `startAt` and `endAt`) against brute force: for every second of a few
//! days it asks jiff what the wall clock shows and [`Judge`] whether that is a slot.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use punctual::schedule::{DaylightSaving, Definition, Exclusion, Expressions, Gap, Overlap, Schedule, ScheduleError};

use super::at;
use super::oracle::Judge;

/// Zones and, for each, a day in which its clock changes.
const CHANGES: [(&str, &str); 10] = [
    ("UTC", "2026-06-01T00:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Europe/London", "2026-10-25T01:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00:00Z"),
];

/// Days before and after the change that are scanned.
const DAYS: i64 = 2;

/// The slots of a definition in `from..to`, second by second; the clock changes at `middle` only.
fn by_force(definition: &Definition, tz: &TimeZone, middle: i64, from: i64, to: i64) -> Vec<i64> {
    let Expressions::Several(expressions) = &definition.expressions else {
        panic!("several are asked for")
    };
    let blackouts: Vec<Judge> = definition.exclude.iter().filter_map(blackout).collect();
    let excluded = |local: DateTime| blackouts.iter().any(|judge| judge.shows(local));
    let periods: Vec<i64> = expressions.iter().filter_map(|text| period(text)).collect();
    let crontabs = expressions.iter().filter(|text| period(text).is_none());
    let judges: Vec<Judge> = crontabs.map(|text| Judge::new(text)).collect();
    let within = |second: i64| {
        let instant = Timestamp::from_second(second).unwrap();
        let alive = definition.start_at.is_none_or(|start| start <= instant) && definition.end_at.is_none_or(|end| instant < end);
        let open = definition.exclude.iter().all(|entry| match entry {
            Exclusion::Schedule(_) => true,
            Exclusion::Interval { from, until } => instant < at(from) || instant >= at(until),
        });
        alive && open && !excluded(tz.to_datetime(instant))
    };
    let is_slot = |second: &i64| {
        let local = tz.to_datetime(Timestamp::from_second(*second).unwrap());
        let judged = |judge: &Judge| {
            // Only a change of the clock makes slots that the clock does not show.
            (*second == middle || judge.shows(local)) && judge.is_slot_unless(tz, *second, &definition.daylight_saving, &excluded)
        };
        periods.iter().any(|period| second % period == 0) || judges.iter().any(judged)
    };
    (from..to).filter(|second| is_slot(second) && within(*second)).collect()
}

fn period(text: &str) -> Option<i64> {
    let seconds = text.strip_prefix("@every ")?.strip_suffix('s')?;
    seconds.parse().ok()
}

/// With five fields any second of the minute is excluded.
fn blackout(entry: &Exclusion) -> Option<Judge> {
    match entry {
        Exclusion::Schedule(text) if text.split(' ').count() == 5 => Some(Judge::new(&format!("* {text}"))),
        Exclusion::Schedule(text) => Some(Judge::new(text)),
        Exclusion::Interval { .. } => None,
    }
}

fn expression() -> impl Strategy<Value = String> {
    let second = prop::sample::select(vec!["0", "0", "30", "*/20", "*"]);
    let minute = prop::sample::select(vec!["0", "30", "*", "*/15", "0,45", "10-20", "59"]);
    let hour = prop::sample::select(vec!["*", "0", "2", "1-3", "0-23", "*/2", "22", "1,2,23"]);
    let day = prop::sample::select(vec!["*", "*", "1-8", "*/2", "25,29,30", "8"]);
    let weekday = prop::sample::select(vec!["*", "*", "0", "1-5", "6"]);
    let crontab = (second, minute, hour, day, weekday).prop_map(|(second, minute, hour, day, weekday)| match second {
        "0" => format!("{minute} {hour} {day} * {weekday}"),
        _ => format!("{second} {minute} {hour} {day} * {weekday}"),
    });
    let periods = vec![1, 7, 60, 90, 3600, 5400, 86_400, 100_000];
    let every = prop::sample::select(periods).prop_map(|period| format!("@every {period}s"));
    prop_oneof![4 => crontab, 1 => every]
}

fn exclusion(middle: i64) -> impl Strategy<Value = Exclusion> {
    let interval = (-200_000_i64..200_000, 1..100_000_i64).prop_map(move |(start, length)| {
        let instant = |second: i64| Timestamp::from_second(second).unwrap().to_string();
        Exclusion::Interval {
            from: instant(middle + start),
            until: instant(middle + start + length),
        }
    });
    let crontab = expression().prop_filter_map("no crontab", |text| (!text.starts_with('@')).then_some(Exclusion::Schedule(text)));
    prop_oneof![crontab, interval]
}

fn policy() -> impl Strategy<Value = DaylightSaving> {
    let gap = prop_oneof![Just(Gap::RunAfter), Just(Gap::Skip)];
    let overlap = prop_oneof![Just(Overlap::First), Just(Overlap::Both)];
    (gap, overlap).prop_map(|(gap, overlap)| DaylightSaving { gap, overlap })
}

/// A definition and an instant at which its zone's clock changes.
fn definition() -> impl Strategy<Value = (Definition, i64)> {
    prop::sample::select(CHANGES.to_vec()).prop_flat_map(|(zone, change)| {
        let middle = at(change).as_second();
        let end = move |sign: i64| prop::option::weighted(0.2, (0..200_000_i64).prop_map(move |n| middle + sign * n));
        (
            prop::collection::vec(expression(), 1..4),
            prop::collection::vec(exclusion(middle), 0..3),
            policy(),
            end(-1),
            end(1),
        )
            .prop_map(move |(expressions, exclude, daylight_saving, start, end)| {
                let instant = |second: i64| Timestamp::from_second(second).unwrap();
                let definition = Definition {
                    expressions: Expressions::Several(expressions),
                    time_zone: zone.to_owned(),
                    daylight_saving,
                    start_at: start.map(instant),
                    end_at: end.map(|end| instant(end + 1)),
                    exclude,
                    ..Definition::default()
                };
                (definition, middle)
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_question_agrees_with_brute_force((definition, middle) in definition()) {
        let (from, to) = (middle - DAYS * 86_400, middle + DAYS * 86_400 + 17);
        let tz = TimeZone::get(&definition.time_zone).unwrap();
        let expected = by_force(&definition, &tz, middle, from, to);
        let schedule = match Schedule::new(&definition, "default/backup") {
            Ok(schedule) => schedule,
            Err(ScheduleError::Never { .. }) => {
                prop_assert!(expected.is_empty());
                return Ok(());
            }
            Err(error) => panic!("{error}"),
        };
        let instant = |second: i64| Timestamp::from_second(second).unwrap();
        prop_assert_eq!(schedule.count(instant(from - 1), instant(to - 1)), expected.len() as u64);
        // Each slot costs several questions, so a sample of them, and all near the change, must do.
        let step = expected.len() / 200 + 1;
        let mut before = None;
        for (n, slot) in expected.iter().enumerate() {
            if n % step == 0 || (slot - middle).abs() < 100 {
                prop_assert_eq!(schedule.next(instant(before.unwrap_or(from - 1))), Some(instant(*slot)));
                prop_assert_eq!(schedule.latest(instant(from - 1), instant(slot - 1)), before.map(instant));
                prop_assert_eq!(schedule.latest(instant(from - 1), instant(*slot)), Some(instant(*slot)));
                prop_assert_eq!(schedule.previous(instant(slot + 1)), Some(instant(*slot)));
                prop_assert_eq!(schedule.count(instant(from - 1), instant(*slot)), n as u64 + 1);
            }
            before = Some(*slot);
        }
        prop_assert_eq!(schedule.latest(instant(from - 1), instant(to - 1)), before.map(instant));
    }

    #[test]
    fn runs_start_in_the_order_of_their_slots((mut definition, middle) in definition(), jitter in 1..4000_i64) {
        definition.jitter = SignedDuration::from_secs(jitter);
        let Ok(schedule) = Schedule::new(&definition, "default/backup") else { return Ok(()) };
        let slots: Vec<Timestamp> = schedule.slots(Timestamp::from_second(middle - 50_000).unwrap()).take(50).collect();
        let nanosecond = SignedDuration::from_nanos(1);
        for pair in slots.windows(2) {
            let [slot, next] = [pair[0], pair[1]];
            let start = schedule.starts_at(slot);
            prop_assert!(slot <= start && start < next && start.as_second() - slot.as_second() < jitter);
            prop_assert_eq!(schedule.starts_at(slot), start);
            prop_assert_eq!(schedule.started_by(start), start);
            prop_assert_eq!(schedule.started_by(next - nanosecond), next - nanosecond);
            if start > slot {
                prop_assert_eq!(schedule.started_by(slot), slot - nanosecond);
                prop_assert_eq!(schedule.started_by(start - nanosecond), slot - nanosecond);
            }
        }
    }
}
