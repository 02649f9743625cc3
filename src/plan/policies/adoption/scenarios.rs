//! Scenarios of Jobs that the ledger does not know: of other owners, created by hand, or created before a crash.

use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;
use crate::plan::scenarios::story::{done, given, time};
use crate::plan::scenarios::world::Object;
use crate::plan::{Effect, Exit, Job, JobObject, Pods, plan};
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

/// L2
#[test]
fn a_committed_slot_whose_job_is_not_there_is_started_by_whoever_leads() {
    given("*/10 * * * *")
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .at("2026-11-23T08:30:00Z")
        .when(|world| (world.is_running, world.crashes_in) = (true, Some(4)))
        .starts_jobs(3)
        .then(|world| {
            assert!(
                !world.is_running && world.status().started == 0,
                "crashed before anything was written"
            )
        })
        .job_deleted("2026-11-23T08:20:00Z")
        // Nobody can know that it was there: the audit of doubled slots has to forget it, too.
        .when(|world| world.started.retain(|slot| *slot != time("2026-11-23T08:20:00Z")))
        .operator_starts()
        .counts("started 3");
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
