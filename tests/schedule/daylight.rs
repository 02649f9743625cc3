//! Slots where the clock changes, Z1 to Z4 of the acceptance list: cases by hand, then every minute by the oracle.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use punctual::schedule::{DaylightSaving, Gap, Overlap, Schedule};

use super::oracle::{Judge, scan};
use super::{CRON_JOB, at, schedule};

const DAY: i64 = 86_400;

/// The zones of the acceptance list, each with years in which something rare happens.
const ZONES: [(&str, &[i16]); 8] = [
    ("America/New_York", &[2026]),
    ("Europe/London", &[2026]),
    ("Australia/Lord_Howe", &[2026]),
    ("America/Sao_Paulo", &[2018]),
    ("Africa/Cairo", &[2026]),
    ("Pacific/Apia", &[2011]),
    ("Antarctica/Troll", &[2026]),
    ("Africa/Casablanca", &[2024]),
];

/// Fixed times in and around gaps and overlaps, wildcards, dates.
const EXPRESSIONS: [&str; 13] = [
    "0 0 * * *",
    "30 2 * * *",
    "0,30 1,2 * * *",
    "59 23 * * 0",
    "15 0-3 28-31,1-8 3,4,9-12 *",
    "0 12 30 12 *",
    "45 1 1-7 * 6",
    "0 9-17/4 * * 1-5",
    "*/15 * * * *",
    "0 */2 * * *",
    "0 0-23 * * *",
    "30 0/3 * * *",
    "*/20 1,2 * * *",
];

const POLICIES: [DaylightSaving; 4] = [
    policy(Gap::RunAfter, Overlap::First),
    policy(Gap::RunAfter, Overlap::Both),
    policy(Gap::Skip, Overlap::First),
    policy(Gap::Skip, Overlap::Both),
];

const fn policy(gap: Gap, overlap: Overlap) -> DaylightSaving {
    DaylightSaving { gap, overlap }
}

/// The slots of an expression in `(from, until]` under a policy, in UTC.
fn slots(expression: &str, zone: &str, policy: DaylightSaving, from: &str, until: &str) -> Vec<String> {
    let schedule = Schedule::parse(expression, zone, policy).unwrap();
    let slots = schedule.slots(at(from)).take_while(|slot| *slot <= at(until));
    slots.map(|slot| slot.to_string()).collect()
}

/// The slots under the default policy.
fn default_slots(expression: &str, zone: &str, from: &str, until: &str) -> Vec<String> {
    slots(expression, zone, DaylightSaving::default(), from, until)
}

/// Z1
#[test]
fn a_fixed_time_in_a_gap_runs_once_after_it_or_never() {
    // New York, 2026-03-08: 02:00 to 03:00 do not exist; the gap ends at 07:00Z.
    let (from, until) = ("2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00");
    let run_after = |expression| default_slots(expression, "America/New_York", from, until);
    let skip = |expression| slots(expression, "America/New_York", CRON_JOB, from, until);
    assert_eq!(run_after("30 2 * * *"), ["2026-03-08T07:00:00Z"]);
    assert!(skip("30 2 * * *").is_empty());
    // Several lost times are one slot, and one that meets a slot due anyway is that slot.
    assert_eq!(run_after("0,30 2 * * *"), ["2026-03-08T07:00:00Z"]);
    assert_eq!(run_after("0 2,3 * * *"), ["2026-03-08T07:00:00Z"]);
    assert_eq!(run_after("* 30 2 * * *"), ["2026-03-08T07:00:00Z"]);
    assert_eq!(run_after("30 2,3 * * *"), ["2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z"]);
}

/// Z1
#[test]
fn gaps_of_any_length_and_time_are_gaps() {
    let once = |expression, zone, from, until, slot| assert_eq!(default_slots(expression, zone, from, until), [slot], "{zone}");
    let sunday = ("2018-11-04T02:00:00Z", "2018-11-05T01:59:59Z");
    once("0 0 * * *", "America/Sao_Paulo", sunday.0, sunday.1, "2018-11-04T03:00:00Z");
    once("0 0 * 11 0", "America/Sao_Paulo", sunday.0, sunday.1, "2018-11-04T03:00:00Z");
    let friday = ("2026-04-23T21:00:00Z", "2026-04-24T20:59:59Z");
    once("30 0 * * *", "Africa/Cairo", friday.0, friday.1, "2026-04-23T22:00:00Z");
    let october = ("2026-10-03T12:00:00Z", "2026-10-04T12:00:00Z");
    once("15 2 * * *", "Australia/Lord_Howe", october.0, october.1, "2026-10-03T15:30:00Z");
    let march = ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
    once("30 1,2 * * *", "Antarctica/Troll", march.0, march.1, "2026-03-29T01:00:00Z");
}

/// Z1
#[test]
fn a_whole_day_skipped_is_made_up_for_at_its_end() {
    // 2011-12-30 does not exist; the 31st begins at 10:00Z of the 30th.
    let (from, until) = ("2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00");
    let apia = |expression| default_slots(expression, "Pacific/Apia", from, until);
    assert_eq!(apia("0 12 30 12 *"), ["2011-12-30T10:00:00Z"]);
    assert_eq!(apia("0 9 * * 5"), ["2011-12-30T10:00:00Z"]);
    assert_eq!(apia("0 0 * * *"), ["2011-12-30T10:00:00Z"]);
    assert_eq!(apia("0 9 * * *"), ["2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z"]);
    assert!(slots("0 12 30 12 *", "Pacific/Apia", CRON_JOB, from, until).is_empty());
}

/// Z1
#[test]
fn every_question_finds_a_slot_made_up_for() {
    for (expression, zone, slot) in [
        ("30 2 * * *", "America/New_York", "2026-03-08T07:00:00Z"),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-30T10:00:00Z"),
    ] {
        let (schedule, slot) = (schedule(expression, zone), at(slot));
        let (instant, second) = (SignedDuration::from_nanos(1), SignedDuration::from_secs(1));
        for before in [slot - instant, slot - second] {
            assert_eq!(schedule.next(before), Some(slot), "{expression}");
            assert_eq!(schedule.latest(before, slot), Some(slot), "{expression}");
            assert_eq!(schedule.count(before, slot), 1, "{expression}");
        }
        assert!(schedule.next(slot) > Some(slot));
        assert_eq!(schedule.previous(slot + instant), Some(slot));
        assert!(schedule.previous(slot) < Some(slot));
        assert_eq!(schedule.latest(slot, slot + second), None);
        assert_eq!(schedule.count(slot, slot + second), 0);
        assert_eq!(schedule.count(slot - second, slot - instant), 0);
    }
}

/// Z2
#[test]
fn a_fixed_time_in_an_overlap_runs_once_or_twice() {
    // New York, 2026-11-01: 01:00 to 02:00 come twice.
    let (from, until) = ("2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00");
    assert_eq!(
        default_slots("30 1 * * *", "America/New_York", from, until),
        ["2026-11-01T05:30:00Z"]
    );
    assert_eq!(
        slots("30 1 * * *", "America/New_York", CRON_JOB, from, until),
        ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"]
    );
    // The second occurrence is not a slot, although the clock shows it.
    let once = schedule("30 1 * * *", "America/New_York");
    assert_eq!(once.count(at("2026-11-01T05:30:00Z"), at("2026-11-01T07:00:00Z")), 0);
    assert_eq!(once.latest(at(from), at("2026-11-01T06:45:00Z")), Some(at("2026-11-01T05:30:00Z")));
}

/// Z3
#[test]
fn wildcards_have_no_hole_and_no_burst() {
    for policy in POLICIES {
        for (zone, day) in [
            ("America/New_York", "2026-03-08T00:00:00Z"),
            ("America/New_York", "2026-11-01T00:00:00Z"),
            ("Africa/Casablanca", "2024-03-10T00:00:00Z"),
        ] {
            for (expression, period) in [("*/15 * * * *", 900), ("0 * * * *", 3600), ("@hourly", 3600), ("* * * * *", 60)] {
                let schedule = Schedule::parse(expression, zone, policy).unwrap();
                let from = at(day).as_second();
                let slots: Vec<i64> = schedule.slots(at(day)).map(Timestamp::as_second).take(24).collect();
                let expected: Vec<i64> = (1..=24).map(|n| from + n * period).collect();
                assert_eq!(slots, expected, "{expression} in {zone}");
            }
        }
    }
}

/// Z3
#[test]
fn every_other_hour_follows_the_wall_clock() {
    // Berlin: 02:00 is lost on 2026-03-29 and comes twice on 2026-10-25. No more than one slot an hour, no more than three apart.
    let berlin = |from, until| default_slots("0 */2 * * *", "Europe/Berlin", from, until);
    assert_eq!(
        berlin("2026-03-28T22:59:59Z", "2026-03-29T04:00:00Z"),
        ["2026-03-28T23:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T04:00:00Z"]
    );
    assert_eq!(
        berlin("2026-10-24T21:59:59Z", "2026-10-25T03:00:00Z"),
        [
            "2026-10-24T22:00:00Z",
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T03:00:00Z"
        ]
    );
}

/// Z4
#[test]
fn whole_years_agree_with_a_scan_in_unusual_zones() {
    for (zone, years) in ZONES {
        for year in years {
            let from = at(&format!("{year}-01-01T00:00:00Z")).as_second();
            agree(zone, &EXPRESSIONS, from, from + 366 * DAY);
        }
    }
}

/// Z4
#[test]
fn every_zone_agrees_with_a_scan_around_changes() {
    // Three changes of each zone from 1970 to 2100, shifted by the position of the zone so that all years are met.
    for (n, zone) in zones().into_iter().enumerate() {
        let changes = changes(&zone);
        let step = (changes.len() / 3).max(1);
        for change in changes.iter().skip(n % step).step_by(step) {
            let from = change.div_euclid(60) * 60 - DAY / 12;
            agree(&zone, &EXPRESSIONS, from, from + DAY / 4);
        }
    }
}

/// Z4
#[test]
fn the_switch_from_table_to_rule_agrees_with_a_scan() {
    // jiff 0.2.46 returns a wrong preceding transition there, see `src/schedule/zone.rs`.
    for (zone, day) in [
        ("Europe/London", "1996-01-01T00:00:00Z"),
        ("America/Ciudad_Juarez", "2022-11-30T06:00:00Z"),
    ] {
        let change = at(day).as_second();
        agree(zone, &EXPRESSIONS, change - 30 * DAY, change + 30 * DAY);
    }
}

/// Z4
#[test]
fn seconds_agree_with_a_scan_around_changes() {
    for (zone, change) in [
        ("America/New_York", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T06:00:00Z"),
        ("Africa/Monrovia", "1972-01-07T00:44:00Z"),
    ] {
        let from = at(change).as_second() - 7200;
        agree(
            zone,
            &["*/7 * * * * *", "30 */5 * * * *", "*/20 0,30 0-3 * * *", "5 59 1 * * *"],
            from,
            from + 14_400,
        );
    }
}

/// Z4. Two minutes in a release build: `cargo test --release --test schedule -- --ignored every_change`.
#[test]
#[ignore = "takes minutes; the tests above scan a sample of it"]
fn every_change_of_every_zone_agrees_with_a_scan() {
    for zone in zones() {
        for change in changes(&zone) {
            let from = change.div_euclid(60) * 60 - DAY / 12;
            agree(&zone, &EXPRESSIONS, from, from + DAY / 4);
        }
    }
}

/// Z4. Minutes in a release build: `cargo test --release --test schedule -- --ignored every_minute`.
#[test]
#[ignore = "takes minutes; the tests above scan a sample of it"]
fn every_minute_from_1970_to_2100_agrees_with_a_scan() {
    for (zone, _) in ZONES {
        for year in 1971..2100 {
            let from = at(&format!("{year}-01-01T00:00:00Z")).as_second();
            agree(zone, &EXPRESSIONS, from, from + 366 * DAY);
        }
    }
}

/// Asserts that next, latest and count find what the oracle found in `from..to` (Unix seconds), with each policy.
fn agree(zone: &str, expressions: &[&str], from: i64, to: i64) {
    let tz = TimeZoneDatabase::bundled().get(zone).unwrap();
    let judges: Vec<Judge> = expressions.iter().map(|expression| Judge::new(expression)).collect();
    let judged = scan(&judges, &POLICIES, &tz, from, to);
    for (expression, judged) in expressions.iter().zip(judged) {
        for (policy, judged) in POLICIES.iter().zip(judged) {
            let case = format!("{expression} in {zone} from {from} to {to} under {policy:?}");
            let schedule = Schedule::parse(expression, zone, *policy).unwrap();
            let (before, last) = (second(from - 1), second(to - 1));
            let slots = schedule.slots(before).map(Timestamp::as_second);
            let found: Vec<i64> = slots.take_while(|slot| *slot < to).collect();
            assert_eq!(found, judged, "{case}");
            assert_eq!(schedule.count(before, last), judged.len() as u64, "{case}");
            let latest = schedule.latest(before, last).map(Timestamp::as_second);
            assert_eq!(latest, judged.last().copied(), "{case}");
        }
    }
}

fn zones() -> Vec<String> {
    let database = TimeZoneDatabase::bundled();
    let names = database.available().map(|name| name.to_string());
    names.filter(|name| Schedule::parse("@daily", name, CRON_JOB).is_ok()).collect()
}

/// The changes of a zone's clock from 1970 to 2100, in Unix seconds.
fn changes(zone: &str) -> Vec<i64> {
    let tz: TimeZone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let changes = tz.following(second(2 * DAY)).map(|change| change.timestamp().as_second());
    changes.take_while(|change| *change < 4_133_800_000).collect()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
