//! What a second reader found in the plan, each told as a story.

use super::story::{given, time};
use crate::api::condition::{OVERDUE, READY};
use serde_json::json;

/// `startAt` keeps its fraction in the spec and loses it in the status: each look found the schedule edited, and no slot ever ran.
#[test]
fn d2_a_fraction_of_a_second_in_start_at_and_end_at_is_no_edit() {
    given("0 * * * *")
        .set("startAt", json!("2026-11-23T08:59:59.500Z"))
        .set("endAt", json!("2026-11-23T10:00:00.001Z"))
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .at("2026-11-23T12:00:00Z")
        .says(READY, "True Ended")
        .counts("started 2");
}

/// Nobody asked the API server about a template whose task has no slot left, so `kubectl wait --for=condition=Ready` hung.
#[test]
fn s5_a_task_without_a_slot_left_is_ready_or_says_why_not() {
    given("0 9 1 1 *")
        .set("endAt", json!("2026-12-01T00:00:00Z"))
        .since("2026-11-23T08:00:00Z")
        .says(READY, "True Accepted")
        .then(|world| assert!(world.status().next_runs.is_empty()))
        .at("2026-12-01T00:00:00Z")
        .says(READY, "True Ended");
    given("0 9 1 1 *")
        .set("endAt", json!("2026-12-01T00:00:00Z"))
        .applied("2026-11-23T08:00:00Z")
        .refuses_creates("no latest tags")
        .says(READY, "False JobRefused");
}

/// A start that was on time by the jitter of its day was judged by the schedule of today.
#[test]
fn p5_taking_the_jitter_away_makes_no_start_late() {
    let mut due = None;
    let story = given("0 * * * *")
        .set("jitter", json!("50m"))
        .since("2026-11-23T08:30:00Z")
        .then(|world| due = world.wake_at);
    let due = due.expect("it wakes").to_string();
    assert!(time(&due) > time("2026-11-23T09:01:00Z"), "a jitter worth the story: {due}");
    story
        .at(&due)
        .starts("2026-11-23T09:00:00Z")
        .says(OVERDUE, "False OnTime")
        .edited(|spec| spec.jitter = None)
        .says(OVERDUE, "False OnTime");
}

/// Claims that were refused stood in the way of newer slots, as runs that "go on".
#[test]
fn s7_under_a_limit_a_refused_claim_makes_room_for_the_newest_slot() {
    given("0 * * * *")
        .set("maxConcurrentRuns", json!(1))
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota: jobs=10")
        .at("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:05:00Z")
        .newest("Missed JobRefused")
        .takes_everything_again()
        .at("2026-11-23T10:20:00Z")
        .starts("2026-11-23T10:00:00Z")
        .counts("started 1, missed 1");
}

/// The API server's clock was two seconds ahead: the turn of a Job that had waited half an hour was counted from its creation.
#[test]
fn m3_a_turn_that_begins_by_a_clock_that_is_ahead_has_all_its_time() {
    given("0 * * * *")
        .set("pendingTimeout", json!("10m"))
        .since("2026-11-23T08:30:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .never_gets_ready("2026-11-23T09:00:00Z", "ImagePullBackOff")
        .sees_held("2026-11-23T09:00:00Z", true)
        .at("2026-11-23T09:30:00Z")
        .when(|world| {
            let job = &mut world.going_on(time("2026-11-23T09:00:00Z")).job;
            (job.suspended, job.began) = (false, Some(time("2026-11-23T09:30:02Z")));
        })
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T09:31:02Z"))))
        .at("2026-11-23T09:31:02Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T09:40:02Z"))))
        .at("2026-11-23T09:40:02Z")
        .newest("Failed PendingTimeout");
}

/// Without `pendingTimeout`, nothing of the task said that its image cannot be pulled.
#[test]
fn s1_a_run_that_does_not_begin_says_what_it_waits_for_without_any_timeout() {
    let message = |world: &super::world::World| world.status().active[0].message.clone();
    given("0 * * * *")
        .policy(crate::api::ConcurrencyPolicy::Forbid)
        .since("2026-11-23T08:30:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .never_gets_ready("2026-11-23T09:00:00Z", "ImagePullBackOff: no such image")
        .then(|world| assert_eq!(message(world), None))
        .at("2026-11-23T09:01:00Z")
        .then(|world| {
            assert_eq!(
                message(world).as_deref(),
                Some("Pod has not started: ImagePullBackOff: no such image")
            );
            assert_eq!(world.wake_at, Some(time("2026-11-23T10:00:00Z")), "one look is enough");
        })
        .when(|world| world.going_on(time("2026-11-23T09:00:00Z")).job.ready = true)
        .then(|world| assert_eq!(message(world), None));
}

/// Sim, seed 84: a `pendingTimeout` shorter than the first look never came; and one that an edit brings asks anew before it ends
/// what began since.
#[test]
fn s1_a_pending_timeout_of_an_edit_looks_before_it_ends() {
    let story = || {
        given("0 * * * *")
            .since("2026-11-23T08:30:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .never_gets_ready("2026-11-23T09:00:00Z", "Unschedulable")
            .at("2026-11-23T09:01:00Z")
    };
    let edit = |spec: &mut crate::api::ScheduledTaskSpec| {
        let fields = json!({"schedule": "@daily", "jobTemplate": {}, "pendingTimeout": "15s"});
        spec.pending_timeout = crate::api::ScheduledTaskSpec::read(&fields).unwrap().pending_timeout;
    };
    story().at("2026-11-23T09:20:00Z").edited(edit).newest("Failed PendingTimeout");
    let mut began = story();
    began.world.going_on(time("2026-11-23T09:00:00Z")).waits = crate::plan::Pods::Began;
    began.at("2026-11-23T09:20:00Z").edited(edit).counts("started 1");
}
