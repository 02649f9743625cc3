//! Questions whose size broke other schedulers: D5, S5, M1, M2. Each would take minutes to days slot by slot.

use jiff::{SignedDuration, Timestamp};
use punctual::schedule::{DaylightSaving, Schedule, ScheduleError};

use super::{at, schedule};

/// M1
#[test]
fn the_latest_slot_of_a_window_is_found_from_any_later_time() {
    let windowed = schedule("*/5 9-17 * * *", "Europe/Berlin");
    let since = at("2026-01-05T09:02:00+01:00");
    for (now, latest) in [
        ("2026-01-05T17:55:00+01:00", "2026-01-05T17:55:00+01:00"),
        ("2026-01-05T17:59:59+01:00", "2026-01-05T17:55:00+01:00"),
        ("2026-01-06T03:00:00+01:00", "2026-01-05T17:55:00+01:00"),
        ("2026-01-06T09:00:00+01:00", "2026-01-06T09:00:00+01:00"),
        ("2026-07-06T08:59:00+02:00", "2026-07-05T17:55:00+02:00"),
    ] {
        assert_eq!(windowed.latest(since, at(now)), Some(at(latest)), "{now}");
    }
    assert_eq!(windowed.latest(since, at("2026-01-05T09:04:59+01:00")), None);
}

/// M2
#[test]
fn two_years_and_a_clock_of_1970_are_counted() {
    let minutely = schedule("* * * * *", "America/New_York");
    let now = at("2026-11-23T15:00:30Z");
    assert_eq!(minutely.count(at("2024-11-23T15:00:30Z"), now), 730 * 1440);
    let in_utc = schedule("* * * * *", "UTC");
    assert_eq!(in_utc.count(Timestamp::UNIX_EPOCH, now), now.as_second() as u64 / 60);
    // The cron crate's years start with 1970 on the wall clock, which is five hours later in New York.
    assert_eq!(minutely.count(Timestamp::UNIX_EPOCH, now), now.as_second() as u64 / 60 - 299);
    assert_eq!(minutely.latest(Timestamp::UNIX_EPOCH, now), Some(at("2026-11-23T15:00:00Z")));
}

#[test]
fn four_hundred_days_of_every_second_are_counted() {
    let every_second = schedule("* * * * * *", "Europe/London");
    let start = at("2026-01-01T00:00:00Z");
    let end = start + SignedDuration::from_hours(24 * 400);
    assert_eq!(every_second.count(start, end), 400 * 86_400);
}

/// S5
#[test]
fn a_date_that_does_not_exist_is_refused() {
    for expression in ["59 23 31 2 *", "0 0 30,31 2 *", "0 0 31 4,6,9,11 *", "* * * 30 2 ?"] {
        let never = Schedule::parse(expression, "Europe/Paris", DaylightSaving::default());
        assert!(matches!(never.unwrap_err(), ScheduleError::Never { expression: named, .. } if named == expression));
    }
}

/// S5
#[test]
fn a_rare_date_is_found_years_later() {
    let leap_day = schedule("0 0 29 2 *", "UTC");
    let years: Vec<i16> = leap_day
        .slots(at("2088-03-01T00:00:00Z"))
        .map(|slot| leap_day.time_zone().to_datetime(slot).year())
        .collect();
    assert_eq!(years, [2092, 2096]);
    assert_eq!(leap_day.previous(at("1972-02-29T00:00:00Z")), None);
}

#[test]
fn there_are_no_slots_after_2100() {
    let daily = schedule("0 0 * * *", "Pacific/Kiritimati");
    let last = at("2100-12-31T00:00:00+14:00");
    assert_eq!(daily.next(last), None);
    assert_eq!(daily.previous(Timestamp::MAX), Some(last));
    assert_eq!(daily.next(Timestamp::MIN), Some(at("1970-01-01T00:00:00-10:40")));
    assert_eq!(daily.next(Timestamp::MAX), None);
    assert_eq!(daily.previous(Timestamp::MIN), None);
    assert_eq!(daily.count(Timestamp::MIN, Timestamp::MAX), 47_847 - 1);
    assert_eq!(daily.count(Timestamp::MAX, Timestamp::MIN), 0);
    assert_eq!(daily.latest(Timestamp::MAX, Timestamp::MIN), None);
}

/// D5
#[test]
fn every_keeps_its_phase_across_restarts() {
    let first = schedule("@every 48h", "UTC");
    let again = schedule(" @every 48h", "Asia/Tokyo");
    let slot = first.next(at("2026-11-23T15:00:00Z")).unwrap();
    assert_eq!(slot.as_second() % 172_800, 0);
    for hours in 0..48 {
        let asked = slot - SignedDuration::from_hours(hours) - SignedDuration::from_secs(1);
        assert_eq!(again.next(asked), Some(slot));
    }
    let year = first.slots(slot).nth(181).unwrap();
    assert_eq!(first.count(slot, year), 182);
    assert_eq!(first.latest(slot, year - SignedDuration::from_nanos(1)), first.previous(year));
}

#[test]
fn fractions_of_a_second_do_not_move_a_slot() {
    for expression in ["* * * * * *", "@every 1s"] {
        let every_second = schedule(expression, "UTC");
        for (asked, next, previous) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z"),
            ("2026-01-01T00:00:00.25Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(every_second.next(at(asked)), Some(at(next)));
            assert_eq!(every_second.previous(at(asked)), Some(at(previous)));
        }
    }
    let every_second = schedule("@every 1s", "UTC");
    assert_eq!(every_second.next(at("1969-12-31T23:59:58.5Z")), Some(at("1969-12-31T23:59:59Z")));
    assert_eq!(
        every_second.previous(at("1969-12-31T23:59:58.5Z")),
        Some(at("1969-12-31T23:59:58Z"))
    );
}
