//! Scenarios of runs whose Jobs have finished or are gone, whoever deleted them and whenever the operator notices.

use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::HEALTHY;
use crate::plan::Exit;
use crate::plan::scenarios::story::{given, time};

/// L2
#[test]
fn a_failure_records_exit_code_and_termination_message() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .fails("2026-11-23T09:00:00Z", 42)
        .has_condition(HEALTHY, "False JobFailed")
        .then(|world| {
            let run = &world.status().recent_runs[0];
            assert_eq!((run.exit_code, run.message.as_deref()), (Some(42), Some("no space left")));
            assert_eq!(world.status().consecutive_failures, 1);
        })
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .succeeds("2026-11-23T10:00:00Z")
        .has_condition(HEALTHY, "True JobCompleted")
        .then(|world| assert_eq!(world.status().consecutive_failures, 0));
}

/// D2
#[test]
fn a_finished_job_that_is_deleted_is_not_run_again() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .succeeds("2026-11-23T09:00:00Z")
            .job_deleted("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:00:30Z")
            .starts_nothing()
            .operator_stops()
            .at("2026-11-23T09:01:00Z")
            .operator_starts()
            .starts_nothing()
            .counts("started 1, succeeded 1");
    }
}

/// D2
#[test]
fn a_job_finished_and_deleted_between_reconciles_counts_as_succeeded() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .when(|world| {
            world.end(time("2026-11-23T09:00:00Z"), true, Exit::Unknown);
            world.remove("report-1795424400");
        })
        .starts_nothing()
        .counts("started 1, succeeded 1");
}

/// D2: Its slot is not run again.
#[test]
fn a_running_job_that_is_deleted_is_cancelled() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:10:00Z")
            .job_deleted("2026-11-23T09:00:00Z")
            .starts_nothing()
            .latest_record("Cancelled JobDeleted")
            .at("2026-11-23T10:00:00Z")
            .starts("2026-11-23T10:00:00Z")
            .counts("started 2, cancelled 1");
    }
}

/// D2
#[test]
fn a_job_deleted_while_the_operator_is_down_is_not_rerun() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .operator_stops()
        .job_deleted("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:20:00Z")
        .operator_starts()
        .starts_nothing()
        .counts("started 1, cancelled 1");
}

/// S3
#[test]
fn an_active_entry_of_a_finished_job_is_repaired() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .operator_stops()
        .succeeds("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .operator_starts()
        .starts("2026-11-23T10:00:00Z")
        .active(&["2026-11-23T10:00:00Z"])
        .counts("started 2, succeeded 1");
}

/// S3
#[test]
fn an_active_entry_of_a_deleted_job_is_repaired() {
    given("0 * * * *")
        .policy(Forbid)
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

/// S3
#[test]
fn an_active_entry_of_a_foreign_job_is_repaired() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .operator_stops()
        .job_deleted("2026-11-23T09:00:00Z")
        .foreign_job_takes_name_of("2026-11-23T09:00:00Z", "somebody-else")
        .operator_starts()
        .active(&[])
        .latest_record("Cancelled JobDeleted")
        .then(|world| {
            assert!(
                world.jobs.values().any(|object| object.job.uid == "stranger"),
                "the stranger is left alone"
            )
        })
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z");
}
