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

/// F06: the pod of an `OnFailure` Job is gone when the Job is `Failed`.
#[test]
fn pods_are_read_while_the_job_is_about_to_fail() {
    let last_words = Exit::Known {
        code: Some(42),
        message: Some("disk full".into()),
    };
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .job_failing("2026-11-23T09:00:00Z", "BackoffLimitExceeded", last_words)
        .active(&["2026-11-23T09:00:00Z"])
        .when(|world| world.end(time("2026-11-23T09:00:00Z"), false, Exit::Unknown))
        .then(|world| {
            let run = &world.status().recent_runs[0];
            assert_eq!((run.exit_code, run.message.as_deref()), (Some(42), Some("disk full")));
        });
}

/// F20: `Failed` waits for pods that never go, because their node does not answer.
#[test]
fn a_job_whose_pods_do_not_go_fails_after_their_grace_period() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:30:00Z")
        .job_failing("2026-11-23T09:00:00Z", "DeadlineExceeded", Exit::Unknown)
        .at("2026-11-23T09:30:59Z")
        .active(&["2026-11-23T09:00:00Z"])
        .at("2026-11-23T09:31:00Z")
        .active(&[])
        .latest_record("Failed JobFailed")
        .with_message("DeadlineExceeded")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .counts("started 2, failed 1")
        // The node comes back: what was counted is not counted again.
        .when(|world| world.end(time("2026-11-23T09:00:00Z"), false, Exit::Unknown))
        .counts("started 2, failed 1");
}

/// F21: a watch by label reports a label's removal as a deletion.
#[test]
fn a_job_that_loses_its_label_is_still_running() {
    given("* * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:01:00Z")
        .starts("2026-11-23T08:01:00Z")
        .job_unlabelled("2026-11-23T08:01:00Z")
        .active(&["2026-11-23T08:01:00Z"])
        .at("2026-11-23T08:02:00Z")
        .starts_nothing()
        .latest_record("Skipped PreviousRunActive")
        // Its end is seen by the next read.
        .when(|world| world.end(time("2026-11-23T08:01:00Z"), true, Exit::Unknown))
        .at("2026-11-23T08:02:31Z")
        .counts("started 1, succeeded 1, skipped 1")
        .at("2026-11-23T08:03:00Z")
        .starts("2026-11-23T08:03:00Z");
}

/// F21: the time of the last read may lie in the future.
#[test]
fn a_job_without_its_label_is_read_after_the_clock_was_set_back() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .when(|world| world.now = time("2026-11-23T09:30:00Z"))
        .job_unlabelled("2026-11-23T09:00:00Z")
        .when(|world| world.now = time("2026-11-23T09:01:00Z"))
        .when(|world| world.end(time("2026-11-23T09:00:00Z"), true, Exit::Unknown))
        .at("2026-11-23T09:01:31Z")
        .counts("started 1, succeeded 1");
}

/// F28: a run that is terminated leaves its exit code and last words.
#[test]
fn the_last_words_of_a_terminated_run_are_kept() {
    let mut story = given("0 * * * *")
        .set("runTimeout", serde_json::json!("30m"))
        .since("2026-11-23T08:00:00Z");
    story.world.faults.deletions_linger = true;
    let mut story = story.at("2026-11-23T09:00:00Z").starts("2026-11-23T09:00:00Z");
    story.world.active_job(time("2026-11-23T09:00:00Z")).pods = Exit::Known {
        code: Some(75),
        message: Some("waiting for lock on table orders".into()),
    };
    story
        .at("2026-11-23T09:30:00Z")
        .at("2026-11-23T09:30:02Z")
        .job_deleted("2026-11-23T09:00:00Z")
        .latest_record("Failed RunTimeout")
        .with_message("runTimeout (30m); waiting for lock on table orders")
        .then(|world| assert_eq!(world.status().recent_runs[0].exit_code, Some(75)));
}
