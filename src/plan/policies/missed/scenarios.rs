//! Scenarios of downtime, from a minute to 56 years: which slot starts afterwards, and how many are counted as missed.
//!
//! The expected slots are found by walking over the schedule, not by the code under test.

use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;
use crate::api::condition::OVERDUE;
use crate::plan::scenarios::story::{given, time};
use crate::plan::scenarios::world::KEY;
use crate::plan::schedule_of;
use jiff::{SignedDuration, Timestamp};

/// M1
#[test]
fn a_windowed_schedule_starts_its_latest_slot_after_downtime() {
    given("*/5 9-17 * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:05:00Z")
        .starts("2026-11-23T09:05:00Z")
        .latest_record("Missed Superseded")
        .succeeds("2026-11-23T09:05:00Z")
        .operator_stops()
        .at("2026-11-24T03:00:00Z")
        .operator_starts()
        .starts("2026-11-23T17:55:00Z")
        .starts_nothing()
        .latest_record("Missed Superseded x105")
        .counts("started 2, succeeded 1, missed 106");
}

/// M1
#[test]
fn the_latest_slot_starts_after_downtime_of_any_length() {
    for schedule in [
        "*/5 9-17 * * *",
        "0 22-23 * * 1-5",
        "*/20 0 1 * *",
        "30 12 29 2 *",
        "7 7 7 7 *",
        "0 9-17/4 * * 6,0",
    ] {
        for zone in ["UTC", "America/New_York", "Australia/Lord_Howe"] {
            let born = time("2026-01-05T00:00:00Z");
            for step in 1..16_i64 {
                let back = born + SignedDuration::from_secs(step * step * step * 2_311);
                let story = given(schedule)
                    .zone(zone)
                    .since(&born.to_string())
                    .operator_stops()
                    .at(&back.to_string())
                    .operator_starts();
                let known = schedule_of(&story.world.spec().unwrap().fields.observed_schedule(), KEY).unwrap();
                let passed: Vec<Timestamp> = known.slots(born).take_while(|slot| *slot <= back).collect();
                assert_eq!(story.world.started.last(), passed.last(), "{schedule} in {zone}, back at {back}");
                assert_eq!(
                    story.world.status().missed,
                    passed.len().saturating_sub(1) as i64,
                    "{schedule} in {zone}, back at {back}"
                );
            }
        }
    }
}

/// M1
#[test]
fn a_slot_past_its_starting_deadline_is_missed() {
    given("*/5 9-17 * * *")
        .deadline(3600)
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .at("2026-11-23T18:55:01Z")
        .operator_starts()
        .starts_nothing()
        .latest_record("Missed StartingDeadlineExceeded x108")
        .counts("missed 108");
}

/// M1
#[test]
fn a_slot_exactly_at_its_starting_deadline_starts() {
    given("*/5 9-17 * * *")
        .deadline(3600)
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .at("2026-11-23T18:55:00Z")
        .operator_starts()
        .starts("2026-11-23T17:55:00Z")
        .counts("started 1, missed 107");
}

/// M2: The task continues with the latest slot.
#[test]
fn two_years_of_missed_minutes_are_counted() {
    given("* * * * *")
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .at("2028-11-23T08:00:00Z")
        .operator_starts()
        .starts("2028-11-23T08:00:00Z")
        .counts(&format!("started 1, missed {}", 731 * 24 * 60 - 1))
        .at("2028-11-23T08:01:00Z")
        .starts("2028-11-23T08:01:00Z")
        .latest_record(&format!("Missed Superseded x{}", 731 * 24 * 60 - 1));
}

/// M2: Under each `missedRunPolicy`.
#[test]
fn every_second_since_1970_is_counted_in_bounded_time() {
    let passed = time("2026-11-23T08:00:00Z").as_second() - 10;
    for (policy, missed) in [
        (MissedRunPolicy::Latest, passed - 1),
        (MissedRunPolicy::None, passed - 1),
        (MissedRunPolicy::All, passed - 10),
    ] {
        let begun = std::time::Instant::now();
        given("* * * * * *")
            .missed(policy)
            .since("1970-01-01T00:00:10Z")
            .at("2026-11-23T08:00:00Z")
            .starts_jobs((passed - missed) as usize)
            .then(|world| assert_eq!(world.status().missed, missed))
            .at("2026-11-23T08:00:01Z")
            .starts("2026-11-23T08:00:01Z");
        assert!(begun.elapsed().as_secs() < 5, "{policy:?} took {:?}", begun.elapsed());
    }
}

/// M2
#[test]
fn all_starts_the_newest_slots_in_order_up_to_its_limit() {
    given("*/10 * * * *")
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .when(|world| world.edit(|spec| spec.missed_run_limit = Some(3)))
        .operator_stops()
        .at("2026-11-23T09:00:00Z")
        .operator_starts()
        .starts("2026-11-23T08:40:00Z")
        .starts("2026-11-23T08:50:00Z")
        .starts("2026-11-23T09:00:00Z")
        .latest_record("Missed MissedRunLimitExceeded x3")
        .counts("started 3, missed 3");
}

/// M2
#[test]
fn all_under_forbid_starts_one_slot_at_a_time() {
    given("*/10 * * * *")
        .missed(MissedRunPolicy::All)
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .at("2026-11-23T08:35:00Z")
        .operator_starts()
        .starts("2026-11-23T08:10:00Z")
        .starts_nothing()
        .has_condition(OVERDUE, "True Waiting")
        .succeeds("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:20:00Z")
        .succeeds("2026-11-23T08:20:00Z")
        .starts("2026-11-23T08:30:00Z")
        .succeeds("2026-11-23T08:30:00Z")
        .counts("started 3, succeeded 3");
}

/// M2
#[test]
fn none_misses_a_late_slot() {
    given("0 * * * *")
        .missed(MissedRunPolicy::None)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:01:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:01:01Z")
        .starts_nothing()
        .latest_record("Missed MissedRunPolicyNone")
        .counts("started 1, missed 1");
}
