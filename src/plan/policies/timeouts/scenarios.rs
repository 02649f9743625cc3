//! Scenarios of `pendingTimeout` and of pods that do not start. Those of `runTimeout` are in `plan/scenarios/pairs.rs`.

use crate::api::ConcurrencyPolicy::*;
use crate::api::ScheduledTaskSpec;
use crate::plan::Pods;
use crate::plan::scenarios::story::{given, time};
use crate::plan::scenarios::world::World;
use serde_json::json;

/// S1: Even without `pendingTimeout`.
#[test]
fn a_pending_run_says_what_it_waits_for() {
    let message = |world: &World| world.status().active[0].message.clone();
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:30:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .stays_pending("2026-11-23T09:00:00Z", "ImagePullBackOff: no such image")
        .then(|world| assert_eq!(message(world), None))
        .at("2026-11-23T09:01:00Z")
        .then(|world| {
            assert_eq!(
                message(world).as_deref(),
                Some("Pod has not started: ImagePullBackOff: no such image")
            );
            assert_eq!(world.wake_at, Some(time("2026-11-23T10:00:00Z")), "pods are read once");
        })
        .when(|world| world.active_job(time("2026-11-23T09:00:00Z")).job.ready = true)
        .then(|world| assert_eq!(message(world), None));
}

/// S1: A Job whose pods have started since is not terminated (simulation, seed 84).
#[test]
fn an_edited_pending_timeout_reads_pods_before_it_terminates() {
    let story = || {
        given("0 * * * *")
            .since("2026-11-23T08:30:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .stays_pending("2026-11-23T09:00:00Z", "Unschedulable")
            .at("2026-11-23T09:01:00Z")
    };
    let edit = |spec: &mut ScheduledTaskSpec| {
        let fields = json!({"schedule": "@daily", "jobTemplate": {}, "pendingTimeout": "15s"});
        spec.pending_timeout = ScheduledTaskSpec::read(&fields).unwrap().pending_timeout;
    };
    story()
        .at("2026-11-23T09:20:00Z")
        .edited(edit)
        .latest_record("Failed PendingTimeout");
    let mut began = story();
    began.world.active_job(time("2026-11-23T09:00:00Z")).waits = Pods::Began(None);
    began.at("2026-11-23T09:20:00Z").edited(edit).counts("started 1");
}

/// S1: Even if the API server's clock is two seconds ahead.
#[test]
fn pending_timeout_counts_from_when_a_job_was_unsuspended() {
    given("0 * * * *")
        .set("pendingTimeout", json!("10m"))
        .since("2026-11-23T08:30:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .stays_pending("2026-11-23T09:00:00Z", "ImagePullBackOff")
        .job_suspended("2026-11-23T09:00:00Z", true)
        .at("2026-11-23T09:30:00Z")
        .when(|world| {
            let job = &mut world.active_job(time("2026-11-23T09:00:00Z")).job;
            (job.suspended, job.began) = (false, Some(time("2026-11-23T09:30:02Z")));
        })
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T09:31:02Z"))))
        .at("2026-11-23T09:31:02Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T09:40:02Z"))))
        .at("2026-11-23T09:40:02Z")
        .latest_record("Failed PendingTimeout");
}

/// D6: Nor does a Job that was created while the clock was hours ahead get these hours (simulation, seed 682).
#[test]
fn a_clock_step_back_does_not_prolong_pending_timeout() {
    given("0 * * * *")
        .set("pendingTimeout", json!("2m"))
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T12:00:00Z")
        .starts("2026-11-23T12:00:00Z")
        .stays_pending("2026-11-23T12:00:00Z", "ImagePullBackOff")
        .when(|world| {
            // By the API server's clock, which was right.
            world.active_job(time("2026-11-23T12:00:00Z")).job.began = Some(time("2026-11-23T08:50:00Z"));
            world.now = time("2026-11-23T08:50:01Z");
        })
        .at("2026-11-23T08:51:00Z")
        .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T08:52:00Z"))))
        .at("2026-11-23T08:52:00Z")
        .latest_record("Failed PendingTimeout");
}
