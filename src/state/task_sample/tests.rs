//! What is shown of tasks in good and in bad order.

use super::*;
use crate::state::RawTask;
use serde_json::{Value, json};

fn sample(spec: &Value, status: &Value) -> TaskSample {
    let metadata = json!({"name": "t", "namespace": "n", "uid": "task", "resourceVersion": "7", "generation": 1});
    let raw: RawTask = serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap();
    TaskSample::of(&raw.to_task(None))
}

fn spec() -> Value {
    json!({"schedules": ["*/5 * * * *", "H 3 L * *"], "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid", "jobTemplate": {}})
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2027-01-01T00:00:00Z"})
}

fn active(slot: &str, started: Option<&str>) -> Value {
    json!({"slot": slot, "trigger": "Schedule", "attempt": 1, "job": "t-1", "started": started})
}

#[test]
fn a_task_shows_its_status() {
    let failed = json!({"slot": "2027-01-01T10:00:00Z", "slots": 1, "trigger": "Schedule", "attempts": 2, "outcome": "Failed",
        "reason": "JobFailed", "started": "2027-01-01T10:00:01Z", "finished": "2027-01-01T10:01:31Z"});
    let skipped = json!({"slot": "2027-01-01T10:05:00Z", "slots": 1, "trigger": "Schedule", "attempts": 0, "outcome": "Skipped",
        "reason": "PreviousRunActive"});
    let shown = sample(
        &spec(),
        &json!({"started": 7, "succeeded": 1, "failed": 2, "cancelled": 3, "missed": 4, "skipped": 5, "retried": 6, "running": 2,
            "active": [active("2027-01-01T10:05:00Z", Some("2027-01-01T10:05:02Z")), active("2027-01-01T10:10:00Z", Some("2027-01-01T10:00:30Z")),
                active("2027-01-01T10:15:00Z", None)], "recentRunSeconds": [9, 3, 5, 4, 10],
            "queued": [{"slot": "2027-01-01T10:00:00Z", "trigger": "Schedule", "job": "t-1"}], "consecutiveFailures": 2,
            "nextRuns": ["2027-01-01T10:10:00Z"], "lastScheduleTime": "2027-01-01T10:00:00Z", "lastSuccessfulTime": "2027-01-01T09:00:00Z",
            "recentRuns": [skipped, failed], "conditions": [condition("Ready", "True", "Accepted"), condition("Healthy", "False", "JobFailed")]}),
    );
    assert_eq!((&*shown.namespace, &*shown.task), ("n", "t"));
    assert_eq!((&*shown.schedule, &*shown.time_zone), ("*/5 * * * * | H 3 L * *", "Europe/Berlin"));
    assert_eq!((shown.concurrency_policy, shown.is_suspended), ("Forbid", false));
    assert_eq!(shown.slots, [7, 1, 2, 3, 4, 5, 6]);
    assert_eq!((shown.active, shown.queued, shown.consecutive_failures), (2, 1, 2));
    let ten = 1_798_797_600;
    assert_eq!((shown.active_since, shown.typical_run), (Some(ten + 30), Some(5)));
    assert_eq!(shown.next_run, Some(ten + 600));
    assert_eq!((shown.last_schedule, shown.last_success), (Some(ten), Some(ten - 3_600)));
    let last = LastRun {
        duration: Some(90),
        start_delay: Some(1),
        is_success: false,
    };
    assert_eq!(shown.last_run, Some(last), "a skipped slot is not a run");
    let shown: Vec<_> = shown.conditions.iter().map(|it| (it.kind, it.reason, it.holds)).collect();
    assert_eq!(shown, [("Ready", "Accepted", true), ("Healthy", "JobFailed", false)]);
}

#[test]
fn what_is_not_known_is_not_shown() {
    let unknown = json!({"nextRuns": ["soon"], "active": [active("2027-01-01T10:00:00Z", None)], "recentRunSeconds": [1, 2, 3, 4],
            "conditions": [condition("Healthy", "Unknown", "NoRunYet"), condition("Ready", "True", "New")]});
    let shown = sample(&json!({"schedule": 7}), &unknown);
    assert_eq!((&*shown.schedule, &*shown.time_zone, shown.concurrency_policy), ("", "", ""));
    assert_eq!(
        (shown.next_run, shown.last_schedule, shown.last_success, shown.last_run),
        (None, None, None, None)
    );
    assert_eq!((shown.active_since, shown.typical_run), (None, None));
    let unknown_reason = ConditionSample {
        kind: "Ready",
        reason: "",
        holds: true,
    };
    assert_eq!(*shown.conditions, [unknown_reason], "labels are bounded");
}

#[test]
fn a_task_is_suspended_by_its_spec_or_by_failures() {
    let suspension = |reason: &str| json!({"suspension": {"reason": reason, "since": "2027-01-01T10:00:00Z"}});
    assert!(sample(&spec(), &suspension("TooManyFailures")).is_suspended);
    let mut suspended = spec();
    suspended["suspend"] = true.into();
    assert!(sample(&suspended, &Value::Null).is_suspended);
    assert!(!sample(&spec(), &Value::Null).is_suspended);
}
