//! What the simulation found (tests/sim), each told as a story: a seed says that, a story says what.

use super::super::{Effect, plan};
use super::story::{given, time};
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::READY;
use serde_json::json;
use std::sync::Arc;

/// Seed 974: what waited of a time when the policy was Queue stayed behind the newer run that replaced the older.
#[test]
fn s4_replace_supersedes_what_a_queue_of_before_left_waiting() {
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

/// Seed 588: the condition said that `endAt` had passed only when something else happened.
#[test]
fn d2_that_end_at_has_passed_is_told_when_it_passes_to_those_who_pause_as_well() {
    for suspend in [false, true] {
        given("0 * * * *")
            .set("endAt", json!("2026-11-23T09:30:00Z"))
            .set("suspend", json!(suspend))
            .since("2026-11-23T09:00:00Z")
            .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T09:30:00Z"))))
            .at("2026-11-23T09:30:00Z")
            .says(READY, "True Ended")
            .then(|world| assert_eq!(world.wake_at, None));
    }
}

/// Seed 682: a Job made while the clock was hours ahead had those hours more to get ready.
#[test]
fn m3_a_timeout_is_not_longer_for_a_clock_that_was_set_back() {
    given("0 * * * *")
        .set("pendingTimeout", json!("2m"))
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T12:00:00Z")
        .starts("2026-11-23T12:00:00Z")
        .never_gets_ready("2026-11-23T12:00:00Z", "ImagePullBackOff")
        .when(|world| {
            // By the API server's clock, which was right.
            world.going_on(time("2026-11-23T12:00:00Z")).job.began = Some(time("2026-11-23T08:50:00Z"));
            world.now = time("2026-11-23T08:50:01Z");
        })
        .at("2026-11-23T08:51:00Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T08:52:00Z"))))
        .at("2026-11-23T08:52:00Z")
        .newest("Failed PendingTimeout");
}

/// Seeds 260 and 3814: Ready stayed False although nothing was refused any more, until the next slot or the next process.
#[test]
fn s7_a_refusal_is_forgotten_when_its_slot_is_and_a_dry_run_says_otherwise() {
    given("0 * * * *")
        .policy(Forbid)
        .deadline(60)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T09:00:00Z")
        .says(READY, "False JobRefused")
        .at("2026-11-23T09:01:01Z")
        .newest("Missed JobRefused")
        .says(READY, "False JobRefused")
        .takes_everything_again()
        .at("2026-11-23T09:10:00Z")
        .says(READY, "True Accepted")
        .counts("missed 1");
}

/// Seed 3549: to a new leader whose watch was late a Job went on that had ended, was counted and fell off `recentRuns`.
#[test]
fn d4_a_job_that_only_a_watch_shows_going_on_is_looked_at_before_it_is_counted_again() {
    given("0 * * * *")
        .recording(0)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .then(|world| {
            let mut observed = world.clone().observe();
            let mut task = (*observed.task).clone();
            let status = Arc::make_mut(&mut task.status);
            (status.succeeded, status.running) = (1, 0);
            status.active.clear();
            observed.task = Arc::new(task);
            observed.jobs[0].confirmed = false;
            let expected = |job: &super::super::Job| Effect::VerifyDeleted {
                job: job.object.name.clone(),
                uid: job.object.uid.clone(),
            };
            assert_eq!(plan(&observed).effects, [expected(&observed.jobs[0])]);
            observed.jobs[0].confirmed = true;
            let written = |effect: &Effect| matches!(effect, Effect::WriteStatus { status, .. } if status.active.len() == 1);
            assert!(plan(&observed).effects.iter().any(written), "it goes on, and is taken in");
        })
        .succeeds("2026-11-23T09:00:00Z");
}

/// Seed 7496: a backfill of 24 days became one of 20,000 slots when `@daily` was edited to `@every 90s`.
#[test]
fn m2_an_edit_makes_no_flood_of_a_backfill() {
    given("@daily")
        .policy(Forbid)
        .since("2026-11-22T12:00:00Z")
        .at("2026-11-22T13:00:00Z")
        .asks_to_backfill("2026-11-01T00:00:00Z/2026-11-22T00:00:00Z")
        .asked(1)
        .then(|world| assert_eq!(world.status().backfill.as_ref().map(|backfill| backfill.remaining), Some(20)))
        .edited(|spec| spec.schedule = Some("@every 90s".into()))
        .told("after an edit it names 20159 more slots, and backfillLimit is 100")
        .then(|world| {
            assert_eq!(world.status().backfill, None);
            let refused = world.status().last_refused_request.as_ref().expect("it is told");
            assert_eq!(refused.annotation, "punctual.dev/backfill");
        })
        .succeeds("2026-11-01T00:00:00Z")
        .asked(1);
}
