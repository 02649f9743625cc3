//! P1: a run that somebody asks for (`punctual.dev/run-now`) is a run like any other.

use super::{daily_at, newest, seconds, soon};
use crate::harness::{World, annotation, told_as};
use kube::api::PostParams;
use punctual::api::{BACKFILL, CRONJOB_TIMESTAMP, RESUME, RUN_NOW, ScheduledTaskStatus, TRIGGER, Trigger};
use punctual::plan::attempt_name;
use serde_json::{Value, json};

const START: &str = "2027-01-01T10:00:30Z";

/// Asks for a run, and waits until it goes on; gives its Job.
async fn ask(world: &World, task: &str, value: &str) -> String {
    world.annotate(task, RUN_NOW, Some(value)).await;
    let goes_on = |status: &ScheduledTaskStatus| {
        let mut runs = status.active.iter();
        status.last_handled_run_now.as_deref() == Some(value) && runs.any(|run| run.trigger == Trigger::Manual && run.started.is_some())
    };
    let status = world.status(task, &format!("the run {value:?} to go on"), goes_on).await;
    let run = status.active.iter().rfind(|run| run.trigger == Trigger::Manual).unwrap();
    run.job.clone()
}

/// P1
#[tokio::test(flavor = "multi_thread")]
async fn one_value_is_one_run_over_restarts_and_another_value_is_another() {
    let world = World::new("p1-once").await;
    let seen = world.recorder().await;
    world.task("asked", json!({"schedule": "0 0 1 1 *"})).await;
    let operator = world.operator(START).await;
    world.settled("asked").await;
    let first = ask(&world, "asked", "first").await;
    let job = world.job(&first).await;
    assert_eq!(
        (annotation(&job, TRIGGER), told_as(&job, "PUNCTUAL_TRIGGER")),
        ("Manual".into(), "Manual".into())
    );
    assert_eq!(told_as(&job, "PUNCTUAL_SLOT"), START, "when it was asked for");
    assert_eq!(annotation(&job, CRONJOB_TIMESTAMP), "", "no slot names it");
    world
        .is_told(
            "asked",
            "Started",
            &format!("Created Job {first}, requested by punctual.dev/run-now"),
        )
        .await;
    operator.stop().await;
    // Twice, with the Job there and gone.
    let operator = world.operator("2027-01-01T10:00:40Z").await;
    operator.rests().await;
    operator.stop().await;
    world.end_job(&first, 0, "").await;
    world.delete_job(&first).await;
    let operator = world.operator("2027-01-01T10:00:50Z").await;
    let status = world.status("asked", "the run to end", |status| status.running == 0).await;
    operator.rests().await;
    assert_eq!((status.started, status.requested, status.skipped + status.missed), (1, 1, 0));
    assert_eq!(world.job_names().await, Vec::<String>::new());
    // The same value again is no request, an empty one neither.
    world.annotate("asked", RUN_NOW, None).await;
    world.annotate("asked", RUN_NOW, Some("")).await;
    world.annotate("asked", RUN_NOW, Some("first")).await;
    operator.rests().await;
    let second = ask(&world, "asked", "second").await;
    assert_ne!(first, second);
    let status = world.tasks().get("asked").await.unwrap().status.unwrap();
    assert_eq!((status.started, status.requested), (2, 2));
    operator.stop().await;
    assert_eq!(seen.slots().await.len(), 2);
}

/// P1
#[tokio::test(flavor = "multi_thread")]
async fn a_request_obeys_forbid_and_says_so_in_status_and_event() {
    let world = World::new("p1-forbid").await;
    world
        .task("asked", json!({"schedule": "1 10 * * *", "concurrencyPolicy": "Forbid"}))
        .await;
    let operator = world.operator(START).await;
    world.settled("asked").await;
    operator.set("2027-01-01T10:01:00Z");
    let status = world.status("asked", "the slot to run", |status| status.running == 1).await;
    let busy = status.active[0].job.clone();
    operator.set("2027-01-01T10:02:00Z");
    world.annotate("asked", RUN_NOW, Some("now")).await;
    let status = world.status("asked", "the answer", |status| status.requested == 1).await;
    assert_eq!(
        (newest(&status).as_str(), status.started, status.skipped),
        ("Skipped PreviousRunActive", 1, 1)
    );
    let why = format!("run requested at 2027-01-01T10:02:00Z not started: Job {busy} is still running, and concurrencyPolicy is Forbid");
    assert_eq!(
        (status.recent_runs[0].trigger, status.recent_runs[0].message.as_ref()),
        (Trigger::Manual, Some(&why))
    );
    world.is_told("asked", "PreviousRunActive", &why).await;
    world.end_job(&busy, 0, "").await;
    world.status("asked", "its end", |status| status.running == 0).await;
    operator.rests().await;
    assert_eq!(world.job_names().await, [busy], "a request that was refused is not made up for");
    // And the other way round: a slot finds the run that was asked for.
    let by_hand = ask(&world, "asked", "again").await;
    operator.set("2027-01-02T10:01:00Z");
    let status = world.status("asked", "the slot's outcome", |status| status.skipped == 2).await;
    assert!(status.recent_runs[0].message.as_ref().unwrap().contains(&by_hand), "{status:?}");
    assert_eq!(status.recent_runs[0].trigger, Trigger::Schedule);
    operator.stop().await;
}

/// P1
#[tokio::test(flavor = "multi_thread")]
async fn a_request_obeys_retries_and_history() {
    let world = World::new("p1-retries").await;
    let start = soon();
    let spec = json!({"schedule": daily_at(start - seconds(3600)), "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1,
        "retryPolicy": {"limit": 1, "delay": "10m"}});
    world.task("asked", spec).await;
    let operator = world.operator(&start.to_string()).await;
    world.settled("asked").await;
    let first = ask(&world, "asked", "fails").await;
    world.end_job(&first, 7, "full").await;
    let status = world
        .status("asked", "another attempt to be promised", |status| {
            status.active.first().is_some_and(|run| run.retry_at.is_some())
        })
        .await;
    operator.set_to(status.active[0].retry_at.as_ref().unwrap().0);
    let second = attempt_name(&first, 2);
    let job = world.job(&second).await;
    assert_eq!(
        (annotation(&job, TRIGGER), told_as(&job, "PUNCTUAL_ATTEMPT")),
        ("Manual".into(), "2".into())
    );
    assert_eq!(told_as(&job, "PUNCTUAL_SLOT"), start.to_string(), "still when it was asked for");
    world.end_job(&second, 8, "full").await;
    let status = world.status("asked", "the run to end", |status| status.failed == 1).await;
    assert_eq!(
        (status.requested, status.started, status.retried, status.consecutive_failures),
        (1, 1, 1, 1)
    );
    assert_eq!(status.recent_runs[0].exit_codes, [Some(7), Some(8)]);
    for (n, value) in [(1, "second"), (2, "third")] {
        let job = ask(&world, "asked", value).await;
        world.end_job(&job, 0, "").await;
        let status = world.status("asked", "the run to end", |status| status.succeeded == n).await;
        assert_eq!(status.consecutive_failures, 0);
        operator.set_to(status.recent_runs[0].started.as_ref().unwrap().0 + seconds(60));
    }
    operator.rests().await;
    let names = world.job_names().await;
    assert_eq!(names.len(), 2, "one failed, one successful: {names:?}");
    assert!(names.contains(&second));
    operator.stop().await;
}

/// P1
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_older_than_the_task_came_with_a_backup_and_is_not_run() {
    let world = World::new("p1-restored").await;
    let make = async |name: &str, value: &str| {
        let mut body = crate::harness::task_manifest(name, json!({"schedule": "0 0 1 1 *"}));
        body["metadata"]["annotations"] = json!({RUN_NOW: value});
        let task = serde_json::from_value(body).unwrap();
        world.tasks().create(&PostParams::default(), &task).await.expect("taken");
    };
    make("restored", "2025-01-01T00:00:00Z").await;
    make("wished", "2027-01-01T00:00:00Z").await;
    let operator = world.operator(START).await;
    world.status("wished", "the run", |status| status.started == 1).await;
    world.settled("restored").await;
    world
        .is_told(
            "restored",
            "RequestRefused",
            "was set before the task was first seen and is ignored: set another value to request a run",
        )
        .await;
    operator.rests().await;
    let status = world.tasks().get("restored").await.unwrap().status.unwrap();
    assert_eq!((status.started, status.requested), (0, 0));
    let refused = status.last_refused_request.unwrap();
    assert_eq!(
        (refused.annotation.as_str(), refused.value.as_str()),
        (RUN_NOW, "2025-01-01T00:00:00Z")
    );
    ask(&world, "restored", "now").await;
    operator.stop().await;
}

/// P1
#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_schedule_never_comes_runs_when_asked() {
    let world = World::new("p1-by-hand").await;
    world.task("never", json!({"schedule": "0 0 31 2 *"})).await;
    world.task("wrong", json!({"schedule": "5-1 * * * *"})).await;
    let operator = world.operator(START).await;
    assert_eq!(super::condition(&world.settled("never").await, "Ready"), "False NeverRuns");
    assert_eq!(super::condition(&world.settled("wrong").await, "Ready"), "False InvalidSchedule");
    // One that cannot be read may run as well, or say why not: it is not kept for the day when it is mended.
    world.annotate("wrong", RUN_NOW, Some("now")).await;
    world
        .status("wrong", "the request to be dealt with", |status| {
            status.last_handled_run_now.as_deref() == Some("now")
        })
        .await;
    let job = ask(&world, "never", "now").await;
    world.end_job(&job, 0, "").await;
    let status = world.status("never", "the run to end", |status| status.succeeded == 1).await;
    assert_eq!((newest(&status).as_str(), status.requested), ("Succeeded JobCompleted", 1));
    operator.stop().await;
}

/// L3
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_any_length_is_dealt_with_once_and_leaves_the_status_small() {
    let world = World::new("l3-request").await;
    world.task("asked", json!({"schedule": "0 0 1 1 *"})).await;
    let operator = world.operator(START).await;
    world.settled("asked").await;
    let long = "please ".repeat(10_000);
    for annotation in [RUN_NOW, RESUME, BACKFILL] {
        world.annotate("asked", annotation, Some(&long)).await;
    }
    let dealt_with = |status: &ScheduledTaskStatus| {
        let handled = [
            &status.last_handled_run_now,
            &status.last_handled_resume,
            &status.last_handled_backfill,
        ];
        handled.iter().all(|handled| handled.is_some()) && status.running == 1
    };
    world.status("asked", "the requests to be dealt with", dealt_with).await;
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:01:00Z").await;
    operator.rests().await;
    let status = world.tasks().get("asked").await.unwrap().status.unwrap();
    assert_eq!((status.requested, status.started), (1, 1));
    let size = serde_json::to_string(&status).unwrap().len();
    assert!(size < 16_384, "{size} bytes");
    operator.stop().await;
}

/// P5
#[tokio::test(flavor = "multi_thread")]
async fn requests_retries_and_pauses_write_no_field_of_the_spec() {
    let world = World::new("p5").await;
    let spec = json!({"schedule": "* * * * *", "suspendAfterFailures": 1});
    let before = world.task("gitops", spec).await;
    let operator = world.operator(START).await;
    world.settled("gitops").await;
    let job = ask(&world, "gitops", "now").await;
    world.end_job(&job, 1, "").await;
    world
        .status("gitops", "the pause", |status| {
            super::condition(status, "Suspended") == "True TooManyFailures"
        })
        .await;
    operator.rests().await;
    let after = world.tasks().get("gitops").await.unwrap();
    assert_eq!((&after.spec, after.metadata.generation), (&before.spec, before.metadata.generation));
    assert!(after.metadata.finalizers.is_none());
    let fields = after.metadata.managed_fields.unwrap();
    let ours: Vec<Value> = fields
        .into_iter()
        .filter(|entry| entry.manager.as_deref().is_some_and(|manager| manager.contains("punctual")))
        .map(|entry| {
            json!([
                entry.subresource,
                entry
                    .fields_v1
                    .map(|fields| fields.0.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>()))
            ])
        })
        .collect();
    assert_eq!(
        ours,
        [json!(["status", ["f:status"]])],
        "the operator owns the status and nothing else"
    );
    operator.stop().await;
}
