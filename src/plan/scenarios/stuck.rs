//! S3 to S6: what stands still elsewhere and must be healed, or said, here.
//!
//! Takes stories of foreign objects, Jobs that cannot be ended and schedules that cannot be. Never lets one end without its condition.

use super::story::{given, time};
use super::world::World;
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::{HEALTHY, OVERDUE, READY};

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
fn s4_replace_waits_for_the_pods_of_the_old_job_to_go_but_not_for_ever() {
    let mut story = given("0 * * * *").policy(Replace).since("2026-11-23T08:00:00Z");
    story.world.faults.deletions_linger = true;
    story
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts_nothing()
        .at("2026-11-23T10:00:05Z")
        .sees_deleted("2026-11-23T09:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .counts("started 2, cancelled 1")
        // Its node does not answer: 30 s of grace are over, and 30 s more.
        .at("2026-11-23T11:00:00Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T11:01:00Z"))))
        .at("2026-11-23T11:01:00Z")
        .starts("2026-11-23T11:00:00Z")
        .counts("started 3, cancelled 1")
        .sees_deleted("2026-11-23T10:00:00Z")
        .counts("started 3, cancelled 2");
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
            .edited(|spec| spec.schedule = Some("0 9 * * *".into()))
            .says(READY, "True Accepted")
            .at("2027-11-23T09:00:00Z")
            .starts("2027-11-23T09:00:00Z");
    }
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn s5_a_wrong_schedule_or_zone_is_said_with_its_reason_and_runs_go_on() {
    for (wrong, reason) in [
        ("61 * * * *", "InvalidSchedule"),
        ("every day", "InvalidSchedule"),
        ("", "InvalidSchedule"),
    ] {
        given(wrong)
            .since("2026-11-23T08:00:00Z")
            .says(READY, &format!("False {reason}"))
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
