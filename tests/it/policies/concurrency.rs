//! `maxConcurrentRuns` under Allow, and `Replace` beside pods that take their time to go. `Queue`: `queue.rs`.

use super::{daily_at, minutes, newest, seconds, soon};
use crate::harness::{Operator, World, at, until};
use jiff::Timestamp;
use punctual::plan::job_name;
use serde_json::json;

const FIRST: &str = "2027-01-01T10:01:00Z";

fn job(slot: Timestamp) -> String {
    job_name("task", slot, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn allow_runs_as_many_as_max_concurrent_runs_and_counts_the_others() {
    let world = World::new("room").await;
    world.task("task", json!({"maxConcurrentRuns": 2})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("task").await;
    let first = at(FIRST);
    for minute in 0..2 {
        operator.set_to(first + minutes(minute));
        world.job(&job(first + minutes(minute))).await;
        world.status("task", "one more run", |status| status.running == minute + 1).await;
    }
    operator.set_to(first + minutes(2));
    let status = world.status("task", "the slot's outcome", |status| status.skipped == 1).await;
    assert_eq!((newest(&status).as_str(), status.running), ("Skipped MaxConcurrentRuns", 2));
    assert_eq!(
        status.recent_runs[0].message.as_deref(),
        Some("slot 2027-01-01T10:03:00Z not started: as many runs are active as maxConcurrentRuns allows")
    );
    world.end_job(&job(first), 0, "").await;
    world.status("task", "its end", |status| status.running == 1).await;
    operator.set_to(first + minutes(3));
    let status = world.status("task", "room again", |status| status.running == 2).await;
    assert_eq!((status.started, status.skipped), (3, 1));
    operator.stop().await;
}

/// A run whose pod lingers is to be replaced: its Job is being deleted, and the next one, a minute later, is not made.
async fn replacing(world: &World, first: Timestamp, grace: i64) -> (Operator, String) {
    let schedules = [daily_at(first), daily_at(first + minutes(1))];
    let template = json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": grace}}}});
    let spec = json!({"schedule": null, "schedules": schedules, "concurrencyPolicy": "Replace", "jobTemplate": template});
    world.task("task", spec).await;
    let operator = world.operator(&(first - seconds(30)).to_string()).await;
    world.settled("task").await;
    operator.set_to(first);
    let pod = world.pin_pod(&job(first)).await;
    world.status("task", "the first run", |status| status.running == 1).await;
    operator.set_to(first + minutes(1));
    let jobs = world.jobs();
    until("the first Job to be ending", || async {
        jobs.get(&job(first)).await.expect("its pod is there").metadata.deletion_timestamp
    })
    .await;
    operator.rests().await;
    assert_eq!(world.job_names().await, [job(first)], "its pod is not gone");
    let status = world.tasks().get("task").await.unwrap().status.unwrap();
    assert_eq!((status.started, status.active.len()), (1, 2), "the next run is claimed, and waits");
    (operator, pod)
}

#[tokio::test(flavor = "multi_thread")]
async fn replace_waits_until_the_old_pods_are_gone() {
    let world = World::new("lingers").await;
    let first = soon();
    let (operator, pod) = replacing(&world, first, 600).await;
    // Not even a restart makes it hurry.
    operator.stop().await;
    let operator = world.operator(&(first + seconds(70)).to_string()).await;
    operator.rests().await;
    assert_eq!(world.job_names().await, [job(first)]);
    world.unpin_pod(&pod).await;
    world.job(&job(first + minutes(1))).await;
    let status = world
        .status("task", "the second run alone", |status| {
            status.running == 1 && status.cancelled == 1 && status.active[0].slot.0 == first + minutes(1)
        })
        .await;
    assert_eq!((newest(&status).as_str(), status.started), ("Cancelled Replaced", 2));
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replace_does_not_stand_still_for_a_pod_that_never_goes() {
    let world = World::new("never-goes").await;
    let first = soon();
    let (operator, pod) = replacing(&world, first, 0).await;
    // The grace period of the template is none; half a minute more is what a node gets to answer.
    operator.set_to(first + minutes(1) + seconds(29));
    operator.rests().await;
    assert_eq!(world.job_names().await, [job(first)]);
    operator.set_to(first + minutes(1) + seconds(30));
    world.job(&job(first + minutes(1))).await;
    world.status("task", "the second run", |status| status.started == 2).await;
    world.unpin_pod(&pod).await;
    let status = world.status("task", "the first one's end", |status| status.cancelled == 1).await;
    assert_eq!((newest(&status).as_str(), status.running), ("Cancelled Replaced", 1));
    operator.stop().await;
}
