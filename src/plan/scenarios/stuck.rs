//! S3, S4, S5, S7 and S8 on the pure plan: what stands still elsewhere and must be healed, or said, here.
//!
//! Takes stories of refusals, foreign objects and impossible schedules. Never lets one end without its condition.

use super::story::{given, time};
use super::world::World;
use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;
use crate::api::condition::{HEALTHY, OVERDUE, READY, SUSPENDED};

#[test]
fn s3_active_that_names_a_finished_job_is_healed_at_once() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .down()
        .succeeds("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .up()
        .starts("2026-11-23T10:00:00Z")
        .active(&["2026-11-23T10:00:00Z"])
        .counts("started 2, succeeded 1");
}

#[test]
fn s3_active_that_names_a_deleted_job_is_healed_at_once() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .down()
        .sees_deleted("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .up()
        .starts("2026-11-23T10:00:00Z")
        .counts("started 2, cancelled 1");
}

#[test]
fn s3_active_that_names_a_foreign_job_is_healed_at_once() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .down()
        .sees_deleted("2026-11-23T09:00:00Z")
        .a_stranger_has_the_name_of("2026-11-23T09:00:00Z", "somebody-else")
        .up()
        .active(&[])
        .newest("Cancelled JobDeleted")
        .then(|world| {
            assert!(
                world.jobs.values().any(|object| object.job.uid == "stranger"),
                "the stranger is left alone"
            )
        })
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z");
}

#[test]
fn s3_a_job_that_was_deleted_and_made_again_by_hand_is_no_second_start_of_its_slot() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .down()
        .sees_deleted("2026-11-23T09:00:00Z")
        .a_stranger_has_the_name_of("2026-11-23T09:00:00Z", "task-1")
        .up()
        .active(&[])
        .counts("started 1, cancelled 1");
}

#[test]
fn s4_replace_ends_the_old_run_before_it_starts_the_new_one() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .newest("Cancelled Replaced")
        .counts("started 2, cancelled 1")
        .then(|world| assert_eq!(world.unfinished().len(), 1));
}

#[test]
fn s4_replace_whose_old_job_is_already_gone_just_starts() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .down()
        .sees_deleted("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .up()
        .starts("2026-11-23T10:00:00Z")
        .counts("started 2, cancelled 1");
}

#[test]
fn s4_replace_does_not_wait_for_a_job_that_takes_its_time_to_go() {
    let mut story = given("0 * * * *").policy(Replace).since("2026-11-23T08:00:00Z");
    story.world.faults.deletions_linger = true;
    story
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .sees_deleted("2026-11-23T09:00:00Z")
        .counts("started 2, cancelled 1");
}

#[test]
fn s4_replace_that_may_not_delete_backs_off_says_so_and_goes_on_when_it_may() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .refuses_deletes("jobs.batch is forbidden: cannot delete")
        .at("2026-11-23T10:00:00Z")
        .starts_nothing()
        .says(READY, "False DeleteRefused")
        .then(|world| {
            assert_eq!(
                world.wake_at,
                Some(time("2026-11-23T10:00:01Z")),
                "the first look is a second later"
            )
        })
        .at("2026-11-23T10:00:01Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T10:00:03Z")), "then two"))
        .at("2026-11-23T10:02:00Z")
        .starts_nothing()
        .says(OVERDUE, "True DeleteRefused")
        .at("2026-11-23T11:00:00Z")
        .starts_nothing()
        .newest("Missed Superseded")
        .takes_everything_again()
        .at("2026-11-23T11:05:00Z")
        .starts("2026-11-23T11:00:00Z")
        .says(READY, "True Accepted")
        .counts("started 2, cancelled 1, missed 1");
}

#[test]
fn s5_a_schedule_that_names_no_day_is_said_at_once_and_costs_nothing() {
    let begun = std::time::Instant::now();
    for schedule in ["59 23 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *"] {
        given(schedule)
            .since("2026-11-23T08:00:00Z")
            .says(READY, "False NeverRuns")
            .at("2027-11-23T08:00:00Z")
            .starts_nothing()
            .then(|world| assert_eq!(world.wake_at, None))
            .edited(|spec| spec.schedule = "0 9 * * *".into())
            .says(READY, "True Accepted")
            .at("2027-11-23T09:00:00Z")
            .starts("2027-11-23T09:00:00Z");
    }
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn s5_a_wrong_schedule_or_zone_is_said_with_its_reason_and_runs_go_on() {
    for (wrong, because) in [
        ("61 * * * *", "InvalidSchedule"),
        ("every day", "InvalidSchedule"),
        ("", "InvalidSchedule"),
    ] {
        given(wrong)
            .since("2026-11-23T08:00:00Z")
            .says(READY, &format!("False {because}"))
            .starts_nothing();
    }
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .edited(|spec| spec.time_zone = "Mars/Olympus".into())
        .says(READY, "False UnknownTimeZone")
        .fails("2026-11-23T09:00:00Z", 3)
        .says(HEALTHY, "False JobFailed")
        .counts("started 1, failed 1");
}

#[test]
fn s6_a_spec_that_does_not_parse_says_so_keeps_its_books_and_goes_on_when_mended() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .when(World::garble)
        .says(READY, "False InvalidSpec")
        .succeeds("2026-11-23T09:00:00Z")
        .counts("started 1, succeeded 1")
        .at("2026-11-23T09:30:00Z")
        .edited(|_| ())
        .says(READY, "True Accepted")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z");
}

#[test]
fn s7_a_template_that_is_refused_is_said_before_its_first_slot() {
    given("0 * * * *")
        .applied("2026-11-23T08:00:00Z")
        .refuses_creates("admission webhook denied the request: no latest tags")
        .says(READY, "False JobRefused")
        .then(|world| assert_eq!((world.wake_at, world.tried), (Some(time("2026-11-23T08:05:00Z")), 1)))
        .takes_everything_again()
        .at("2026-11-23T08:05:00Z")
        .says(READY, "True Accepted");
}

#[test]
fn s7_a_refused_job_backs_off_and_starts_late_when_it_is_taken() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("exceeded quota: jobs=10")
            .at("2026-11-23T09:00:00Z")
            .says(READY, "False JobRefused")
            .at("2026-11-23T09:02:00Z")
            .says(OVERDUE, "True JobRefused")
            .takes_everything_again()
            .at("2026-11-23T09:06:00Z")
            .starts("2026-11-23T09:00:00Z")
            .says(READY, "True Accepted")
            .says(OVERDUE, "True StartedLate")
            .counts("started 1");
    }
}

#[test]
fn s7_a_slot_that_is_refused_until_the_next_one_is_missed_with_that_reason() {
    for policy in [Allow, Forbid] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("namespace shop is being terminated")
            .at("2026-11-23T09:00:00Z")
            .at("2026-11-23T10:05:00Z")
            .newest("Missed JobRefused")
            .takes_everything_again()
            .at("2026-11-23T10:10:00Z")
            .starts("2026-11-23T10:00:00Z")
            .counts("started 1, missed 1");
    }
}

#[test]
fn s7_a_slot_that_is_refused_past_its_deadline_is_missed_with_that_reason() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .deadline(300)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("pods is forbidden")
            .at("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:05:01Z")
            .starts_nothing()
            .newest("Missed JobRefused")
            .counts("missed 1")
            .then(|world| assert!(world.status().active.is_empty(), "the claim is given up"));
    }
}

#[test]
fn s7_under_all_and_forbid_a_refused_slot_costs_no_later_one() {
    given("*/10 * * * *")
        .policy(Forbid)
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T08:10:00Z")
        .at("2026-11-23T08:20:00Z")
        .takes_everything_again()
        .at("2026-11-23T08:29:00Z")
        .starts("2026-11-23T08:10:00Z")
        .succeeds("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:20:00Z")
        .counts("started 2, succeeded 1");
}

#[test]
fn s7_the_backoff_grows_to_its_limit_and_a_clock_set_back_does_not_prolong_it() {
    given("0 0 1 1 *")
        .since("2026-12-31T23:00:00Z")
        .refuses_creates("no")
        .at("2027-01-01T00:00:00Z")
        .then(|world| {
            let mut world: World = world.clone();
            let mut waits = Vec::new();
            for _ in 0..12 {
                let wake = world.wake_at.expect("it tries again");
                waits.push(wake.duration_since(world.now).as_secs());
                world.now = wake;
                world.settle(false);
            }
            assert_eq!(waits[..3], [1, 2, 4], "{waits:?}");
            assert!(waits.iter().all(|wait| *wait <= 300) && waits.contains(&256), "{waits:?}");
        })
        .takes_everything_again()
        .at("2026-12-31T20:00:00Z")
        .at("2027-01-01T00:00:02Z")
        .starts("2027-01-01T00:00:00Z");
}

#[test]
fn s8_a_name_that_a_stranger_has_is_a_conflict_that_is_said_and_never_adopted() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .a_stranger_has_the_name_of("2026-11-23T09:00:00Z", "somebody-else")
            .at("2026-11-23T09:00:00Z")
            .starts_nothing()
            .says(READY, "False NameConflict")
            .at("2026-11-23T10:01:00Z")
            .starts("2026-11-23T10:00:00Z")
            .says(READY, "True Accepted")
            .counts("started 1, missed 1");
    }
}

#[test]
fn s8_names_of_52_characters_and_more_run_as_any_other() {
    for length in [52, 63, 253] {
        given("0 * * * *")
            .named(&"n".repeat(length))
            .policy(Forbid)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .succeeds("2026-11-23T09:00:00Z")
            .then(|world| assert!(world.jobs.keys().all(|name| name.len() <= 63)))
            .says(SUSPENDED, "False NotSuspended")
            .counts("started 1, succeeded 1");
    }
}
