//! M1 and M2: slots that others lose, or fire in a burst when they come back.
//!
//! Takes stories of downtime, from a minute to 56 years. Never a second way to compute a slot but walking over them.

use super::story::{given, time};
use super::world::KEY;
use crate::api::{ConcurrencyPolicy::*, MissedRunPolicy, condition::OVERDUE};
use crate::plan::schedule_of;
use jiff::{SignedDuration, Timestamp};

#[test]
fn m1_a_windowed_schedule_finds_its_last_slot_after_a_night_of_downtime() {
    given("*/5 9-17 * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:05:00Z")
        .starts("2026-11-23T09:05:00Z")
        .newest("Missed Superseded")
        .succeeds("2026-11-23T09:05:00Z")
        .down()
        .at("2026-11-24T03:00:00Z")
        .up()
        .starts("2026-11-23T17:55:00Z")
        .starts_nothing()
        .newest("Missed Superseded x105")
        .counts("started 2, succeeded 1, missed 106");
}

#[test]
fn m1_whenever_it_comes_back_the_last_slot_is_the_one_that_starts() {
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
                    .down()
                    .at(&back.to_string())
                    .up();
                let known = schedule_of(&story.world.spec().unwrap().fields.observed_schedule(), KEY).unwrap();
                let passed: Vec<Timestamp> = known.slots(born).take_while(|slot| *slot <= back).collect();
                assert_eq!(story.world.made.last(), passed.last(), "{schedule} in {zone}, back at {back}");
                assert_eq!(
                    story.world.status().missed,
                    passed.len().saturating_sub(1) as i64,
                    "{schedule} in {zone}, back at {back}"
                );
            }
        }
    }
}

#[test]
fn m1_past_its_starting_deadline_the_last_slot_is_missed_as_well() {
    given("*/5 9-17 * * *")
        .deadline(3600)
        .since("2026-11-23T08:00:00Z")
        .down()
        .at("2026-11-23T18:55:01Z")
        .up()
        .starts_nothing()
        .newest("Missed StartingDeadlineExceeded x108")
        .counts("missed 108");
}

#[test]
fn m1_at_its_starting_deadline_to_the_second_the_last_slot_starts() {
    given("*/5 9-17 * * *")
        .deadline(3600)
        .since("2026-11-23T08:00:00Z")
        .down()
        .at("2026-11-23T18:55:00Z")
        .up()
        .starts("2026-11-23T17:55:00Z")
        .counts("started 1, missed 107");
}

#[test]
fn m2_two_years_of_minutes_are_counted_and_the_task_goes_on() {
    given("* * * * *")
        .since("2026-11-23T08:00:00Z")
        .down()
        .at("2028-11-23T08:00:00Z")
        .up()
        .starts("2028-11-23T08:00:00Z")
        .counts(&format!("started 1, missed {}", 731 * 24 * 60 - 1))
        .at("2028-11-23T08:01:00Z")
        .starts("2028-11-23T08:01:00Z")
        .newest(&format!("Missed Superseded x{}", 731 * 24 * 60 - 1));
}

#[test]
fn m2_seconds_since_1970_cost_nothing_and_every_policy_goes_on() {
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
            .starts_as_many_as((passed - missed) as usize)
            .then(|world| assert_eq!(world.status().missed, missed))
            .at("2026-11-23T08:00:01Z")
            .starts("2026-11-23T08:00:01Z");
        assert!(begun.elapsed().as_secs() < 5, "{policy:?} took {:?}", begun.elapsed());
    }
}

#[test]
fn m2_all_catches_up_the_newest_slots_up_to_its_limit_in_order() {
    given("*/10 * * * *")
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .when(|world| world.edit(|spec| spec.missed_run_limit = Some(3)))
        .down()
        .at("2026-11-23T09:00:00Z")
        .up()
        .starts("2026-11-23T08:40:00Z")
        .starts("2026-11-23T08:50:00Z")
        .starts("2026-11-23T09:00:00Z")
        .newest("Missed MissedRunLimitExceeded x3")
        .counts("started 3, missed 3");
}

#[test]
fn m2_all_under_forbid_catches_up_one_after_the_other() {
    given("*/10 * * * *")
        .missed(MissedRunPolicy::All)
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .down()
        .at("2026-11-23T08:35:00Z")
        .up()
        .starts("2026-11-23T08:10:00Z")
        .starts_nothing()
        .says(OVERDUE, "True Waiting")
        .succeeds("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:20:00Z")
        .succeeds("2026-11-23T08:20:00Z")
        .starts("2026-11-23T08:30:00Z")
        .succeeds("2026-11-23T08:30:00Z")
        .counts("started 3, succeeded 3");
}

#[test]
fn m2_a_late_slot_is_missed_under_none() {
    given("0 * * * *")
        .missed(MissedRunPolicy::None)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:01:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:01:01Z")
        .starts_nothing()
        .newest("Missed MissedRunPolicyNone")
        .counts("started 1, missed 1");
}
