//! Scenarios of `concurrencyPolicy: Replace`: what is terminated for a newer run, when, and what if it cannot be.

use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::{OVERDUE, READY};
use crate::plan::scenarios::story::{given, time};

/// S4
#[test]
fn the_old_run_is_terminated_before_the_new_one_starts() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .latest_record("Cancelled Replaced")
        .counts("started 2, cancelled 1")
        .then(|world| assert_eq!(world.unfinished().len(), 1));
}

/// A request whose Job is refused waits when a slot comes: were that not written before the slot is tried, both would wait, and the
/// older one would be started first.
#[test]
fn a_refused_request_gives_way_to_the_slot() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:59:50Z")
        .refuses_creates("exceeded quota")
        .requests_run("2026-11-23T08:59:50Z")
        .starts_nothing()
        .at("2026-11-23T09:00:00Z")
        .starts_nothing()
        .at("2026-11-23T09:00:30Z")
        .starts_nothing()
        .counts("requested 1, missed 1")
        .accepts_writes_again()
        .at("2026-11-23T09:20:00Z")
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1, requested 1, missed 1");
}

/// S4
#[test]
fn a_run_whose_job_is_already_gone_is_no_obstacle() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .operator_stops()
        .job_deleted("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .operator_starts()
        .starts("2026-11-23T10:00:00Z")
        .counts("started 2, cancelled 1");
}

/// S4
#[test]
fn terminating_pods_are_awaited_for_a_bounded_time() {
    let mut story = given("0 * * * *").policy(Replace).since("2026-11-23T08:00:00Z");
    story.world.faults.deletions_linger = true;
    story
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts_nothing()
        .at("2026-11-23T10:00:05Z")
        .job_deleted("2026-11-23T09:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .counts("started 2, cancelled 1")
        // Its node does not answer: 30 s of grace are over, and 30 s more.
        .at("2026-11-23T11:00:00Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T11:01:00Z"))))
        .at("2026-11-23T11:01:00Z")
        .starts("2026-11-23T11:00:00Z")
        .counts("started 3, cancelled 1")
        .job_deleted("2026-11-23T10:00:00Z")
        .counts("started 3, cancelled 2");
}

/// S4: It is tried again, and the newest slot starts when it succeeds.
#[test]
fn a_refused_termination_backs_off_and_is_reported() {
    given("0 * * * *")
        .policy(Replace)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .refuses_deletes("jobs.batch is forbidden: cannot delete")
        .at("2026-11-23T10:00:00Z")
        .starts_nothing()
        .has_condition(READY, "False DeleteRefused")
        .then(|world| {
            assert_eq!(
                world.wake_at,
                Some(time("2026-11-23T10:00:01Z")),
                "the first retry is a second later"
            )
        })
        .at("2026-11-23T10:00:01Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T10:00:03Z")), "then two"))
        .at("2026-11-23T10:02:00Z")
        .starts_nothing()
        .has_condition(OVERDUE, "True DeleteRefused")
        .at("2026-11-23T11:00:00Z")
        .starts_nothing()
        .latest_record("Missed Superseded")
        .accepts_writes_again()
        .at("2026-11-23T11:05:00Z")
        .starts("2026-11-23T11:00:00Z")
        .has_condition(READY, "True Accepted")
        .counts("started 2, cancelled 1, missed 1");
}

/// S4: The claim that would replace it is past its deadline.
#[test]
fn a_run_is_not_terminated_for_an_abandoned_slot() {
    given("0 9,10 * * *")
        .policy(Replace)
        .deadline(300)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .refuses_deletes("jobs.batch is forbidden: cannot delete")
        .at("2026-11-23T10:00:00Z")
        .at("2026-11-23T10:05:01Z")
        .accepts_writes_again()
        .at("2026-11-23T10:20:00Z")
        .active(&["2026-11-23T09:00:00Z"])
        .counts("started 1, missed 1");
}

/// S4: They must not stay behind the newer run after an edit from Queue to Replace (simulation, seed 974).
#[test]
fn runs_left_by_a_former_queue_are_superseded() {
    given("0 * * * *")
        .policy(Queue)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .at("2026-11-23T11:00:00Z")
        .queued(&["2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"])
        .edited(|spec| (spec.concurrency_policy, spec.queue_limit) = (Replace, None))
        .at("2026-11-23T12:00:00Z")
        .starts("2026-11-23T12:00:00Z")
        .queued(&[])
        .counts("started 2, cancelled 1, skipped 2");
}
