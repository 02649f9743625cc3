//! Properties: next, latest, previous and count agree with each other, and no input panics.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use punctual::schedule::{DaylightSaving, Gap, Overlap, Schedule, ScheduleError};

use super::at;

const ZONES: [&str; 14] = [
    "UTC",
    "America/New_York",
    "Europe/London",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Pacific/Apia",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Africa/Monrovia",
    "America/Havana",
    "Pacific/Kwajalein",
];

fn field(min: u32, max: u32) -> impl Strategy<Value = String> {
    let range = move || (min..=max, min..=max).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let item = prop_oneof![
        3 => Just("*".to_owned()),
        4 => (min..=max).prop_map(|n| n.to_string()),
        2 => range().prop_map(|(a, b)| format!("{a}-{b}")),
        1 => (range(), 1..40_u32).prop_map(|((a, b), step)| format!("{a}-{b}/{step}")),
        1 => (1..40_u32).prop_map(|step| format!("*/{step}")),
        1 => (min..=max, 1..40_u32).prop_map(|(n, step)| format!("{n}/{step}")),
    ];
    prop::collection::vec(item, 1..3).prop_map(|items| items.join(","))
}

/// A field, often with a rule that only this field supports.
fn days(min: u32, max: u32, rules: &'static [&'static str]) -> impl Strategy<Value = String> {
    let rule = prop::sample::select(rules.to_vec());
    prop_oneof![
        4 => field(min, max),
        1 => rule.clone().prop_map(str::to_owned),
        1 => (field(min, max), rule).prop_map(|(field, rule)| format!("{field},{rule}")),
    ]
}

fn crontab() -> impl Strategy<Value = String> {
    let day = days(1, 31, &["L", "L-3", "L-29", "15W", "1W", "30W", "LW", "H"]);
    let weekday = days(0, 7, &["FRI#2", "1#5", "5L", "sunl", "H(1-5)"]);
    let minute = prop_oneof![9 => field(0, 59), 1 => Just("H/15".to_owned())];
    let fields = (minute, field(0, 23), day, field(1, 12), weekday);
    fields.prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

fn expression() -> impl Strategy<Value = String> {
    let seconds = (field(0, 59), crontab()).prop_map(|(second, rest)| format!("{second} {rest}"));
    let every = (1..1_000_000_u32).prop_map(|seconds| format!("@every {seconds}s"));
    prop_oneof![6 => crontab(), 2 => seconds, 1 => every]
}

fn policy() -> impl Strategy<Value = DaylightSaving> {
    let gap = prop_oneof![Just(Gap::RunAfter), Just(Gap::Skip)];
    let overlap = prop_oneof![Just(Overlap::First), Just(Overlap::Both)];
    (gap, overlap).prop_map(|(gap, overlap)| DaylightSaving { gap, overlap })
}

/// A schedule with slots.
fn any_schedule() -> impl Strategy<Value = Schedule> {
    let zone = prop::sample::select(ZONES.to_vec());
    (expression(), zone, policy()).prop_filter_map("never runs", |(expression, zone, policy)| {
        match Schedule::parse(&expression, zone, policy) {
            Ok(schedule) => Some(schedule),
            Err(ScheduleError::Never { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    })
}

/// From 1971 to 2096, where every schedule has slots on both sides, half of them within days of a change of the clock.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let (from, to) = (31_536_000_i64, 3_976_000_000_i64);
    let change = prop::sample::select(vec![
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-10-03T15:30:00Z",
        "2018-11-04T03:00:00Z",
        "2011-12-30T10:00:00Z",
        "1972-01-07T00:44:30Z",
    ]);
    let near = (change, -200_000_i64..200_000).prop_map(|(change, seconds)| at(change).as_second() + seconds);
    let second = prop_oneof![from..to, near];
    (second, prop_oneof![Just(0), 0..1_000_000_000_i32]).prop_map(|(second, nanos)| Timestamp::new(second, nanos).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_other_questions_agree_with_next(schedule in any_schedule(), after in any_instant()) {
        let instant = SignedDuration::from_nanos(1);
        let slots: Vec<Timestamp> = schedule.slots(after).take(12).collect();
        let mut before = None;
        for (n, slot) in slots.iter().copied().enumerate() {
            prop_assert!(slot > before.unwrap_or(after));
            prop_assert_eq!(slot.subsec_nanosecond(), 0);
            prop_assert_eq!(schedule.next(slot - instant), Some(slot));
            prop_assert_eq!(schedule.count(after, slot), n as u64 + 1);
            prop_assert_eq!(schedule.count(after, slot - instant), n as u64);
            prop_assert_eq!(schedule.latest(after, slot), Some(slot));
            prop_assert_eq!(schedule.latest(after, slot - instant), before);
            prop_assert_eq!(schedule.previous(slot + instant), Some(slot));
            if before.is_some() {
                prop_assert_eq!(schedule.previous(slot), before);
            }
            before = Some(slot);
        }
        if let Some(previous) = schedule.previous(after) {
            prop_assert!(previous < after);
            let next = schedule.next(previous).unwrap();
            prop_assert!(next >= after);
        }
    }

    #[test]
    fn counts_add_up_over_any_cut(schedule in any_schedule(), a in any_instant(), b in any_instant(), c in any_instant()) {
        let mut cuts = [a, b, c];
        cuts.sort();
        let [a, b, c] = cuts;
        prop_assert_eq!(schedule.count(a, b) + schedule.count(b, c), schedule.count(a, c));
        prop_assert_eq!(schedule.latest(a, c), schedule.latest(b, c).or(schedule.latest(a, b)));
    }

    #[test]
    fn no_text_panics_or_makes_a_long_message(expression in ".{0,80}", zone in ".{0,40}") {
        let refused = Schedule::parse(&expression, &zone, DaylightSaving::default());
        if let Err(error) = refused {
            prop_assert!(error.to_string().len() < 2_000);
        }
    }

    #[test]
    fn no_text_like_a_schedule_panics(expression in "[-0-9*/,?@ a-zLWH#+.]{0,40}", fields in prop::collection::vec("[-0-9*/,?]{1,6}|[0-9]{1,2}|\\*", 5..7)) {
        let _ = Schedule::parse(&expression, "UTC", DaylightSaving::default());
        let _ = Schedule::parse(&format!("@every {expression}"), "UTC", DaylightSaving::default());
        if let Ok(schedule) = Schedule::parse(&fields.join(" "), "Europe/Paris", DaylightSaving::default()) {
            let _ = schedule.next(Timestamp::MIN);
        }
    }
}
