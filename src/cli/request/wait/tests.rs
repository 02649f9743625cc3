//! Requests and statuses of the task.

use super::*;
use crate::cli::task::tests::{condition, task};
use serde_json::json;

const VALUE: &str = "2026-11-23T12:00:00.000000001Z";

fn seen(status: Value) -> Task {
    let mut task = task("nightly", json!({}), status);
    task.object["metadata"]["annotations"] = json!({RUN_NOW: VALUE});
    task
}

/// A request to a task with this status.
fn request(before: Value) -> Request {
    Request::new(VALUE.into(), &seen(before))
}

fn record(outcome: &str, more: Value) -> Value {
    let mut record = json!({"slot": "2026-11-23T12:00:01Z", "slots": 1, "trigger": "Manual", "attempts": 1, "outcome": outcome, "reason": "JobCompleted"});
    for (name, value) in more.as_object().unwrap() {
        record[name.as_str()] = value.clone();
    }
    record
}

fn waiting(text: &str) -> Progress {
    Progress::Waiting(text.into())
}

fn failed(text: &str) -> Progress {
    Progress::Failed(text.into())
}

#[test]
fn a_request_waits_for_operator_queue_job_and_end() {
    let mut request = request(json!({}));
    let active = |more: Value| {
        let mut run = json!({"slot": "2026-11-23T12:00:01Z", "trigger": "Manual", "attempt": 1, "job": "nightly-m012345678"});
        for (name, value) in more.as_object().unwrap() {
            run[name.as_str()] = value.clone();
        }
        json!({"lastHandledRunNow": VALUE, "active": [run]})
    };
    let queued =
        json!({"lastHandledRunNow": VALUE, "queued": [{"slot": "2026-11-23T12:00:01Z", "trigger": "Manual", "job": "nightly-m012345678"}]});
    let started = "2026-11-23T12:00:02Z";
    for (status, progress) in [
        (json!(null), waiting(NOT_PROCESSED)),
        (json!({"lastHandledRunNow": "older"}), waiting(NOT_PROCESSED)),
        (queued, waiting("the run is queued")),
        (active(json!({})), waiting("Job nightly-m012345678 is not created yet")),
        (active(json!({"started": started})), waiting("Job nightly-m012345678 is running")),
        (
            active(json!({"started": started, "message": "ImagePullBackOff"})),
            waiting("Job nightly-m012345678 is running: ImagePullBackOff"),
        ),
        (
            active(json!({"started": started, "attempt": 2, "job": "nightly-m012345678-2", "retryAt": "2026-11-23T12:01:00Z"})),
            waiting("attempt 2 starts at 2026-11-23T12:01:00Z"),
        ),
        (
            json!({"lastHandledRunNow": "newer", "recentRuns": [record("Succeeded",
                json!({"job": "nightly-m012345678-2", "attempts": 2, "started": started, "finished": "2026-11-23T12:01:14Z"}))]}),
            Progress::Succeeded("run succeeded after 72s (Job nightly-m012345678-2)".into()),
        ),
    ] {
        assert_eq!(request.progress(&seen(status.clone())), progress, "{status}");
    }
}

#[test]
fn an_end_without_success_says_why() {
    for (record, says) in [
        (
            record(
                "Failed",
                json!({"reason": "JobFailed", "exitCode": 3, "message": "disk full", "job": "nightly-m012345678"}),
            ),
            "run failed: JobFailed: exit code 3: disk full (Job nightly-m012345678)",
        ),
        (
            record("Cancelled", json!({"reason": "Replaced", "job": "nightly-m012345678"})),
            "run cancelled: Replaced (Job nightly-m012345678)",
        ),
        (
            record(
                "Skipped",
                json!({"reason": "PreviousRunActive", "message": "Job x is still running, and concurrencyPolicy is Forbid"}),
            ),
            "run refused: PreviousRunActive: Job x is still running, and concurrencyPolicy is Forbid",
        ),
    ] {
        let status = json!({"lastHandledRunNow": VALUE, "recentRuns": [record]});
        assert_eq!(request(json!({})).progress(&seen(status)), failed(says));
    }
}

#[test]
fn an_older_run_is_not_mistaken_for_the_requested_one() {
    let old = record("Failed", json!({"slot": "2026-11-23T11:00:00Z", "job": "nightly-maaaaaaaaa"}));
    let mut request = request(json!({"lastHandledRunNow": "older", "recentRuns": [old]}));
    let new = record("Succeeded", json!({"job": "nightly-m012345678"}));
    let newer = record("Failed", json!({"slot": "2026-11-23T12:30:00Z", "job": "nightly-mbbbbbbbbb"}));
    let status = json!({"lastHandledRunNow": VALUE, "recentRuns": [newer, new, old]});
    assert_eq!(
        request.progress(&seen(status)),
        Progress::Succeeded("run succeeded (Job nightly-m012345678)".into())
    );
}

#[test]
fn a_later_request_in_the_same_second_is_another_one() {
    let mut request = request(json!({}));
    let active = json!({"slot": "2026-11-23T12:00:01Z", "trigger": "Manual", "attempt": 1, "job": "nightly-m012345678"});
    let status = json!({"lastHandledRunNow": VALUE, "active": [active]});
    assert!(matches!(request.progress(&seen(status)), Progress::Waiting(_)));
    let refused = record("Skipped", json!({"reason": "PreviousRunActive"}));
    let status = json!({"lastHandledRunNow": "newer", "active": [active], "recentRuns": [refused]});
    assert!(matches!(request.progress(&seen(status)), Progress::Waiting(_)));
    let status = json!({"recentRuns": [record("Succeeded", json!({"job": "nightly-m012345678"})), refused]});
    assert!(matches!(request.progress(&seen(status)), Progress::Succeeded(_)));
}

#[test]
fn a_hopeless_request_fails_at_once() {
    let wrong = json!({"conditions": [condition("Ready", "False", "InvalidSpec")]});
    assert_eq!(
        request(json!({})).progress(&seen(wrong)),
        failed("no run starts until the spec is fixed (InvalidSpec): InvalidSpec it is")
    );
    let mut replaced = seen(json!({}));
    replaced.object["metadata"]["annotations"][RUN_NOW] = json!("another");
    assert_eq!(
        request(json!({})).progress(&replaced),
        failed("another request replaced this one before an operator processed it")
    );
    let refused = json!({"lastHandledRunNow": VALUE, "lastRefusedRequest": {
        "annotation": RUN_NOW, "value": VALUE, "at": "2026-11-23T12:00:01Z", "message": "it was there when the task was first seen"}});
    assert_eq!(
        request(json!({})).progress(&seen(refused)),
        failed("run refused: it was there when the task was first seen")
    );
    let pruned = json!({"lastHandledRunNow": VALUE});
    assert_eq!(
        request(json!({})).progress(&seen(pruned)),
        failed("the run is no longer in status.recentRuns: see runHistoryLimit")
    );
    let refused = json!({"lastHandledRunNow": VALUE, "conditions": [condition("Ready", "False", "JobRefused")],
        "active": [{"slot": "2026-11-23T12:00:01Z", "trigger": "Manual", "attempt": 1, "job": "nightly-m012345678"}]});
    assert_eq!(
        request(json!({})).progress(&seen(refused)),
        waiting("Job nightly-m012345678 is not created yet; the task is not ready (JobRefused): JobRefused it is")
    );
}
