//! Scenarios of Jobs that the ledger does not know: of other owners, created by hand, or created before a crash.

use crate::api::ConcurrencyPolicy::*;
use crate::api::Trigger;
use crate::plan::scenarios::story::{Story, done, given, time};
use crate::plan::scenarios::world::Object;
use crate::plan::{Claim, Effect, Exit, Job, JobObject, Pods, plan};
use std::sync::Arc;

/// P2: It is neither counted nor deleted, and blocks no slot.
#[test]
fn a_job_of_another_owner_is_ignored() {
    given("0 * * * *")
        .policy(Forbid)
        .history_limits(0, 0)
        .since("2026-11-23T08:00:00Z")
        .foreign_job_takes_name_of("2026-11-23T08:59:00Z", "cronjob-with-the-same-name")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .succeeds("2026-11-23T09:00:00Z")
        .counts("started 1, succeeded 1")
        .then(|world| assert_eq!((world.jobs.len(), world.deleted.len()), (1, 1)));
}

/// P2
#[test]
fn an_owned_job_without_a_slot_is_left_alone() {
    given("0 * * * *")
        .policy(Forbid)
        .history_limits(0, 0)
        .since("2026-11-23T08:00:00Z")
        .when(|world| {
            let job = JobObject {
                name: "by-hand".into(),
                uid: "by-hand".into(),
                end: Some(done(world.now)),
                ..world.new_job()
            };
            let object = Object {
                job,
                owner: world.task.uid.clone(),
                hidden: false,
                pods: Exit::Unknown,
                waits: Pods::Began(None),
            };
            world.jobs.insert("by-hand".into(), object);
        })
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1")
        .then(|world| assert!(world.deleted.is_empty()));
}

/// S3
#[test]
fn a_job_recreated_by_hand_is_not_a_second_start() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .operator_stops()
        .job_deleted("2026-11-23T09:00:00Z")
        .foreign_job_takes_name_of("2026-11-23T09:00:00Z", "task-1")
        .operator_starts()
        .active(&[])
        .counts("started 1, cancelled 1");
}

/// The claims log names the slot; the process died before it created the Job.
fn committed_and_crashed() -> Story {
    given("*/10 * * * *")
        .since("2026-11-23T08:05:00Z")
        .crashes_after(1)
        .at("2026-11-23T08:10:00Z")
        .starts_nothing()
        .then(|world| assert!(!world.is_running && world.claims.len() == 1, "{:?}", world.claims))
}

#[test]
fn a_committed_slot_is_started_though_a_newer_one_is_due() {
    committed_and_crashed()
        .at("2026-11-23T08:25:00Z")
        .operator_starts()
        .starts("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:20:00Z")
        .counts("started 2")
        .then(|world| assert!(world.claims.is_empty(), "the status says it all: {:?}", world.claims));
}

#[test]
fn a_committed_slot_is_started_though_the_task_was_suspended_or_edited_since() {
    committed_and_crashed()
        .edited(|spec| spec.suspend = true)
        .operator_starts()
        .starts("2026-11-23T08:10:00Z")
        .counts("started 1");
    committed_and_crashed()
        .edited(|spec| spec.schedule = Some("7 * * * *".into()))
        .operator_starts()
        .starts("2026-11-23T08:10:00Z")
        .counts("started 1");
}

#[test]
fn a_committed_slot_that_is_refused_is_given_up_with_that_reason() {
    committed_and_crashed()
        .refuses_creates("exceeded quota: jobs")
        .operator_starts()
        .at("2026-11-23T08:20:00Z")
        .at("2026-11-23T08:31:00Z")
        .accepts_writes_again()
        .at("2026-11-23T08:40:00Z")
        .starts("2026-11-23T08:40:00Z")
        .counts("started 1, missed 3")
        .then(|world| assert!(world.claims.is_empty(), "{:?}", world.claims));
}

/// D4: A new leader with a stale watch must not count a run again that has ended and left `recentRuns` (simulation, seed 3549).
#[test]
fn a_job_known_only_from_a_stale_watch_is_verified_first() {
    given("0 * * * *")
        .run_history_limit(0)
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
            let expected = |job: &Job| Effect::VerifyDeleted {
                job: job.object.name.clone(),
                uid: job.object.uid.clone(),
            };
            assert_eq!(plan(&observed).effects, [expected(&observed.jobs[0])]);
            observed.jobs[0].confirmed = true;
            let written = |effect: &Effect| matches!(effect, Effect::WriteStatus { status, .. } if status.active.len() == 1);
            assert!(plan(&observed).effects.iter().any(written), "the active Job is adopted");
        })
        .succeeds("2026-11-23T09:00:00Z");
}

/// Whoever may write the claims log may lie in it.
#[test]
fn a_claim_that_no_operator_can_have_written_moves_no_ledger() {
    for (slot, job) in [
        ("2126-11-23T08:10:00Z", "report-4951066200"),
        ("2026-11-23T08:20:00Z", "report-1"),
        ("2026-11-23T08:20:00Z", "other-1795422000"),
    ] {
        let claim = Claim {
            slot: time(slot),
            trigger: Trigger::Schedule,
            attempt: 1,
            job: job.into(),
        };
        given("*/10 * * * *")
            .since("2026-11-23T08:05:00Z")
            .when(|world| world.claims.push(claim))
            .starts_nothing()
            .at("2026-11-23T08:10:00Z")
            .starts("2026-11-23T08:10:00Z")
            .counts("started 1");
    }
}
