//! `runTimeout`: a run that takes too long is ended.

use super::{newest, seconds};
use crate::harness::{World, at, until};
use punctual::plan::job_name;
use serde_json::json;

const TOO_LONG: &str = "the run took longer than runTimeout (1h 30m)";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_longer_than_run_timeout_is_ended_with_its_pods_and_the_next_slot_runs() {
    let world = World::new("run-timeout").await;
    world
        .task(
            "slow",
            json!({"schedule": "0 * * * *", "concurrencyPolicy": "Forbid", "runTimeout": "90m"}),
        )
        .await;
    let operator = world.operator("2027-01-01T09:59:30Z").await;
    world.settled("slow").await;
    let ten = at("2027-01-01T10:00:00Z");
    let job = job_name("slow", ten, 1);
    operator.set_to(ten);
    world.status("slow", "the run to go on", |status| status.running == 1).await;
    let pod = world.pin_pod(&job).await;
    operator.set("2027-01-01T11:29:59Z");
    let status = world.status("slow", "the slot of eleven", |status| status.skipped == 1).await;
    operator.rests().await;
    assert_eq!((newest(&status).as_str(), status.running), ("Skipped PreviousRunActive", 1));
    assert!(world.job(&job).await.metadata.deletion_timestamp.is_none());

    // Its pods get their time to go: until then it goes on, and says that it is being ended.
    operator.set("2027-01-01T11:30:00Z");
    let ends = |status: &punctual::api::ScheduledTaskStatus| status.active.first().is_some_and(|run| run.termination.is_some());
    let status = world.status("slow", "the run to be ended", ends).await;
    let ending = status.active[0].termination.as_ref().unwrap();
    assert_eq!(ending.reason, "RunTimeout");
    assert_eq!(ending.message.as_deref(), Some(TOO_LONG));
    let jobs = world.jobs();
    until("the Job to be ending", || async {
        jobs.get(&job).await.expect("its pod is there").metadata.deletion_timestamp
    })
    .await;
    operator.rests().await;
    assert_eq!(world.tasks().get("slow").await.unwrap().status.unwrap().failed, 0);
    world.unpin_pod(&pod).await;
    let status = world.status("slow", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed RunTimeout");
    assert_eq!(status.recent_runs[0].message.as_deref(), Some(TOO_LONG));
    until("the Job to be gone", || async {
        jobs.get_opt(&job).await.expect("an answer").is_none().then_some(())
    })
    .await;
    world.is_told("slow", "RunTimeout", TOO_LONG).await;
    operator.set("2027-01-01T12:00:00Z");
    let status = world.status("slow", "the next run", |status| status.running == 1).await;
    assert_eq!((status.started, status.failed, status.skipped, status.cancelled), (2, 1, 1, 0));
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_timeout_counts_from_the_start_also_over_a_restart() {
    let world = World::new("timeout-restart").await;
    world.task("slow", json!({"schedule": "0 * * * *", "runTimeout": "10m"})).await;
    let operator = world.operator("2027-01-01T09:59:30Z").await;
    world.settled("slow").await;
    let ten = at("2027-01-01T10:00:00Z");
    operator.set_to(ten);
    world.status("slow", "the run to go on", |status| status.running == 1).await;
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:09:00Z").await;
    operator.rests().await;
    assert_eq!(world.job_names().await, [job_name("slow", ten, 1)]);
    operator.set_to(ten + seconds(600));
    let status = world.status("slow", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed RunTimeout");
    operator.stop().await;
}

/// The run that hangs holds the very quota that the next one needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_hung_run_is_terminated_although_a_quota_refuses_new_jobs() {
    let world = World::new("run-timeout-quota").await;
    world.task("hung", json!({"schedule": "0 * * * *", "runTimeout": "90m"})).await;
    let operator = world.operator("2027-01-01T09:59:30Z").await;
    world.settled("hung").await;
    operator.set("2027-01-01T10:00:00Z");
    world.status("hung", "the run to start", |status| status.running == 1).await;
    world.quota("one", json!({"count/jobs.batch": "1"})).await;
    operator.set("2027-01-01T11:00:00Z");
    let is_refused =
        |status: &punctual::api::ScheduledTaskStatus| status.condition("Ready").is_some_and(|ready| ready.reason == "JobRefused");
    world.status("hung", "the next slot to be refused", is_refused).await;
    operator.set("2027-01-01T11:30:00Z");
    let status = world.status("hung", "the run to be terminated", |status| status.failed == 1).await;
    assert!(status.recent_runs.iter().any(|run| run.reason == "RunTimeout"), "{status:?}");
    // The quota is free again: the slot that waited starts.
    operator.set("2027-01-01T11:35:00Z");
    let status = world.status("hung", "the slot of eleven", |status| status.running == 1).await;
    assert_eq!((status.started, status.failed, status.missed), (2, 1, 0));
    operator.stop().await;
}
