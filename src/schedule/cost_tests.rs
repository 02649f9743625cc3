//! What questions cost, in steps: bounded for every accepted schedule, at any time.
//!
//! The bounds follow from the limits in [`super::budget`].

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::query::Query;
use super::{Definition, Exclusion, Expressions, Schedule, ScheduleError};

/// Steps of one `next`, `latest` or `previous`.
const QUESTION: u64 = 40_000;
/// Steps of a thousand `latest` one after the other, as when the operator catches up.
const THOUSAND: u64 = 15_000_000;
/// Steps of a count over 400 days, and over all 131 years.
const COUNT: (u64, u64) = (6_000_000, 14_000_000);

const FROM: i64 = 0;
const TO: i64 = 4_133_980_800;

fn definition(expressions: &[String], exclude: &[String], zone: &str) -> Definition {
    Definition {
        expressions: Expressions::Several(expressions.to_vec()),
        time_zone: zone.to_owned(),
        exclude: exclude.iter().cloned().map(Exclusion::Schedule).collect(),
        ..Definition::default()
    }
}

/// Steps of a question.
fn steps<T>(schedule: &Schedule, question: impl Fn(&Query) -> T) -> u64 {
    let query = schedule.inner.slots.query();
    let _ = question(&query);
    query.steps()
}

/// Asserts the cost of all that a plan asks, around an instant.
fn hold(schedule: &Schedule, at: i64) {
    let slots = &schedule.inner.slots;
    let next = steps(schedule, |query| slots.first(&(at..TO), query));
    let last = steps(schedule, |query| slots.last(&(FROM..at), query));
    assert!(
        next <= QUESTION && last <= QUESTION,
        "next {next}, last {last} at {at}: {}",
        schedule.expression()
    );
    let days = steps(schedule, |query| slots.count(&(at - 400 * 86_400..at), query));
    assert!(days <= COUNT.0, "400 days {days} at {at}: {}", schedule.expression());
}

fn hold_all(schedule: &Schedule) {
    let slots = &schedule.inner.slots;
    let years = steps(schedule, |query| slots.count(&(FROM..TO), query));
    assert!(years <= COUNT.1, "all years {years}: {}", schedule.expression());
    let thousand = steps(schedule, |query| {
        let mut before = 1_795_000_000;
        for _ in 0..1000 {
            let Some(slot) = slots.last(&(FROM..before), query) else { return };
            before = slot;
        }
    });
    assert!(thousand <= THOUSAND, "a thousand {thousand}: {}", schedule.expression());
}

/// A list of values with irregular holes: lists with different `from` differ in many places.
fn scattered(values: usize, from: usize, not_every: usize) -> String {
    let list = (0..values)
        .filter(|n| !(n * 7 + from).is_multiple_of(not_every))
        .map(|n| n.to_string());
    list.collect::<Vec<_>>().join(",")
}

/// Definitions that are expensive, found or constructed.
fn hostile() -> Vec<Definition> {
    let texts = |number: usize, text: &dyn Fn(usize) -> String| (0..number).map(text).collect::<Vec<String>>();
    let nine_dead = {
        let mut nine = texts(9, &|n| format!("* {n} 0-11 * * *"));
        nine.push("0 7 15 1 1 *".to_owned());
        let mut exclude = vec!["* 0-11 * * *".to_owned()];
        exclude.extend(texts(31, &|n| format!("{n} {n} 12-23 {} {} *", n % 28 + 1, n % 12 + 1)));
        definition(&nine, &exclude, "Europe/Paris")
    };
    let walls = texts(32, &|n| {
        format!("{} {} {} * * *", scattered(60, n, 5), scattered(60, n, 3), scattered(24, n, 4))
    });
    let days = texts(32, &|n| {
        format!("{n} * {} {} {}", scattered(28, n, 3).replacen("0,", "1,", 1), n % 12 + 1, n % 7)
    });
    let moving = (1..=31).map(|day| format!("{day}W")).chain((1..=30).map(|day| format!("L-{day}")));
    let moving = moving.collect::<Vec<_>>().join(",");
    let one = |text: &str| vec![text.to_owned()];
    let zones = "Africa/Casablanca";
    vec![
        nine_dead,
        definition(&texts(10, &|n| format!("{n} 0 * 2 MON#5")), &one("* 3 * * *"), zones),
        definition(&one("* * * * * *"), &walls, zones),
        definition(&texts(10, &|n| format!("{n} * * * * *")), &walls[..20], zones),
        definition(
            &texts(10, &|n| format!("{} * * {} * *", n, scattered(28, n, 4).replacen("0,", "1,", 1))),
            &days,
            zones,
        ),
        definition(&one(&format!("* * {moving} * *")), &one("* * * * 0"), zones),
        definition(&one("@every 1s"), &one("0-58 * * * * *"), zones),
        definition(&one("@every 1s"), &[one("* 0-22 * * *"), one("0-58 23 * * *")].concat(), zones),
        definition(&one("@every 2s"), &one("*/2 * * 1-30 * *"), zones),
        definition(&one("@every 100003s"), &one("* * 2-31 * *"), zones),
        definition(&one("@every 61s"), &one("* 1-23 * * *"), zones),
        definition(&one("@every 59s"), &one("1-59 * * * * *"), zones),
        definition(
            &texts(10, &|n| {
                format!("@every {}s", [601, 607, 613, 617, 619, 631, 641, 643, 647, 653][n])
            }),
            &one("* 3 * * *"),
            zones,
        ),
        definition(
            &texts(10, &|n| format!("@every {}s", [7, 11, 13, 17, 19, 23, 29, 31, 37, 41][n])),
            &one("* 3 * * *"),
            zones,
        ),
        definition(&texts(10, &|n| format!("@every {}s", 86_401 + 2 * n)), &one("* 0-22 * * *"), zones),
    ]
}

/// A3, A4
#[test]
fn hostile_schedules_are_refused_or_cheap() {
    for definition in hostile() {
        for jitter in [0, 2] {
            let jitter = SignedDuration::from_secs(jitter);
            let definition = Definition {
                jitter,
                ..definition.clone()
            };
            match Schedule::new(&definition, "shop/report") {
                Ok(schedule) => {
                    (0..40).for_each(|n| hold(&schedule, FROM + n * (TO - FROM) / 40));
                    hold_all(&schedule);
                }
                Err(ScheduleError::TooComplex { reason, suggestion, .. }) => assert!(!reason.is_empty() && !suggestion.is_empty()),
                Err(ScheduleError::Never { .. } | ScheduleError::Setting { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn field(min: usize, max: usize) -> impl Strategy<Value = String> {
    let list = prop::collection::vec(min..=max, 1..12);
    prop_oneof![
        3 => Just("*".to_owned()),
        2 => (min..=max).prop_map(|n| n.to_string()),
        1 => (min..=max, min..=max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        2 => list.prop_map(|list| list.iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
        1 => (1..30_usize).prop_map(|step| format!("*/{step}")),
    ]
}

fn crontab() -> impl Strategy<Value = String> {
    let day = prop_oneof![3 => field(1, 28), 1 => Just("L,15W,LW".to_owned()), 1 => Just("29".to_owned())];
    let weekday = prop_oneof![3 => field(0, 6), 1 => Just("MON#5".to_owned())];
    let second = prop_oneof![2 => Just(None), 1 => field(0, 59).prop_map(Some)];
    (second, field(0, 59), field(0, 23), day, field(1, 12), weekday).prop_map(|(second, minute, hour, day, month, weekday)| {
        let second = second.map_or_else(String::new, |second| format!("{second} "));
        format!("{second}{minute} {hour} {day} {month} {weekday}")
    })
}

fn any_definition() -> impl Strategy<Value = Definition> {
    let every = (1..200_000_u32).prop_map(|seconds| format!("@every {seconds}s"));
    let short = prop::sample::select(vec![1, 7, 11, 60, 61, 90, 420, 7200]).prop_map(|seconds| format!("@every {seconds}s"));
    let expression = prop_oneof![6 => crontab(), 1 => every, 1 => short];
    let zone = prop::sample::select(vec!["UTC", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe"]);
    let (expressions, exclude) = (prop::collection::vec(expression, 1..11), prop::collection::vec(crontab(), 0..33));
    (expressions, exclude, zone, 0..3_i64).prop_map(|(expressions, exclude, zone, jitter)| Definition {
        jitter: SignedDuration::from_secs(jitter),
        ..definition(&expressions, &exclude, zone)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// A3, A4
    #[test]
    fn accepted_schedules_are_cheap_at_any_time(definition in any_definition(), times in prop::collection::vec(FROM..TO, 6)) {
        match Schedule::new(&definition, "shop/report") {
            Ok(schedule) => {
                times.iter().for_each(|at| hold(&schedule, *at));
                hold_all(&schedule);
            }
            Err(error) => prop_assert!(error.to_string().len() < 600),
        }
    }
}

#[test]
fn parts_without_slots_between_intervals_are_skipped() {
    let day = |n: i64| Timestamp::from_second(1_780_000_000 + n * 86_400).unwrap();
    let noon = |n: i64| (day(n) - SignedDuration::from_hours(8), day(n) + SignedDuration::from_hours(8));
    let interval = |n: i64| Exclusion::Interval {
        from: noon(n).0.to_string(),
        until: noon(n).1.to_string(),
    };
    let mut definition = definition(&["26 20 * * *".to_owned(), "27 20 * * *".to_owned()], &[], "UTC");
    definition.exclude = (0..32).map(interval).collect();
    let schedule = Schedule::new(&definition, "").unwrap();
    assert_eq!(schedule.next(day(0)), Some("2026-06-29T20:26:00Z".parse().unwrap()));
    let slots = &schedule.inner.slots;
    let taken = steps(&schedule, |query| slots.first(&(day(0).as_second()..TO), query));
    assert!(taken < 2_000, "{taken}");
}
