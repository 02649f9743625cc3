//! `pendingTimeout`: a Job whose pods never begin is ended, and says what they waited for. On a real node: `node.rs`.

use super::{hourly_at, minutes, newest, now, seconds, soon};
use crate::harness::{World, until};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use punctual::api::{RUN_NOW, ScheduledTaskStatus};
use punctual::plan::job_name;
use serde_json::json;

/// Waits until the Job controller has begun with a Job; says when it did.
async fn begins(world: &World, job: &str) -> Timestamp {
    let jobs = world.jobs();
    until(&format!("Job {job} to begin"), || async {
        Some(jobs.get(job).await.expect("the Job").status?.start_time?.0)
    })
    .await
}

/// S1
#[tokio::test(flavor = "multi_thread")]
async fn forbid_with_pods_that_a_quota_refuses_is_ended_by_pending_timeout_and_the_next_slot_runs() {
    let world = World::new("s1-quota").await;
    let seen = world.recorder().await;
    let slot = soon();
    let spec = json!({"schedule": hourly_at(slot), "concurrencyPolicy": "Forbid", "pendingTimeout": "10m"});
    world.task("stuck", spec).await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("stuck").await;
    world.quota("no-pods", json!({"pods": "0"})).await;
    operator.set_to(slot);
    let first = job_name("stuck", slot, 1);
    world.job(&first).await;
    begins(&world, &first).await;
    world.status("stuck", "the run to go on", |status| status.running == 1).await;
    // Long before its time is over, people can read what it waits for.
    operator.set_to(slot + minutes(2));
    let waits = |status: &ScheduledTaskStatus| status.active.first().is_some_and(|run| run.message.is_some());
    let status = world.status("stuck", "the run to say what it waits for", waits).await;
    let why = "no pod was made: a quota or an admission policy may refuse it; see the events of the Job";
    let message = status.active[0].message.as_deref().unwrap();
    assert_eq!(message, format!("Pod has not started: {why}"));
    operator.set_to(slot + minutes(10) - seconds(1));
    operator.rests().await;
    assert_eq!(world.job_names().await, [first.as_str()], "it has its ten minutes");
    operator.set_to(slot + minutes(10));
    let status = world.status("stuck", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed PendingTimeout");
    let message = status.recent_runs[0].message.as_deref().unwrap();
    assert_eq!(message, format!("no pod started within pendingTimeout (10m): {why}"));
    world.is_told("stuck", "PendingTimeout", "no pod was made").await;
    operator.set_to(slot + minutes(60));
    let status = world.status("stuck", "the next run", |status| status.running == 1).await;
    assert_eq!((status.started, status.skipped, status.missed), (2, 0, 0));
    assert_eq!(world.job_names().await, [job_name("stuck", slot + minutes(60), 1)]);
    operator.stop().await;
    assert_eq!(seen.slots().await, [slot, slot + minutes(60)]);
}

/// S1
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_pending_is_tried_again_when_retries_are_left() {
    let world = World::new("s1-again").await;
    let slot = soon();
    let spec = json!({"schedule": hourly_at(slot), "pendingTimeout": "10m", "retryPolicy": {"limit": 1, "delay": "5m"}});
    world.task("stuck", spec).await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("stuck").await;
    operator.set_to(slot);
    let first = job_name("stuck", slot, 1);
    let pod = world.pod_of(&first).await.metadata.name.unwrap();
    operator.set_to(slot + minutes(10));
    let status = world
        .status("stuck", "the attempt to end", |status| {
            status.active.first().is_some_and(|run| run.retry_at.is_some())
        })
        .await;
    let message = status.active[0].message.as_deref().unwrap();
    assert_eq!(
        message,
        format!(
            "attempt 1 failed: no pod started within pendingTimeout (10m): pod {pod}: no scheduler has taken it; kubectl describe pod {pod}"
        )
    );
    let retry_at = status.active[0].retry_at.as_ref().unwrap().0;
    assert_eq!(retry_at, slot + minutes(15));
    operator.set_to(retry_at);
    let second = format!("{first}-2");
    world.end_job(&second, 0, "").await;
    let status = world.status("stuck", "the run to end", |status| status.succeeded == 1).await;
    assert_eq!(status.recent_runs[0].exit_codes, [None, Some(0)]);
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_has_begun_is_slow_and_not_pending() {
    let world = World::new("begun").await;
    let slot = soon();
    world
        .task("slow", json!({"schedule": hourly_at(slot), "pendingTimeout": "10m"}))
        .await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("slow").await;
    operator.set_to(slot);
    let job = job_name("slow", slot, 1);
    let pod = world.pod_of(&job).await.metadata.name.unwrap();
    let running = json!([{"name": "main", "image": "none", "imageID": "none", "ready": false, "restartCount": 0,
        "state": {"running": {"startedAt": slot.to_string()}}}]);
    let patch = Patch::Merge(json!({"status": {"phase": "Running", "containerStatuses": running}}));
    world
        .pods()
        .patch_status(&pod, &PatchParams::default(), &patch)
        .await
        .expect("taken");
    operator.set_to(slot + minutes(30));
    operator.rests().await;
    world.end_job(&job, 0, "").await;
    let status = world
        .status("slow", "the run to end", |status| !status.recent_runs.is_empty())
        .await;
    assert_eq!(newest(&status), "Succeeded JobCompleted");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_container_that_does_not_end_is_named() {
    let world = World::new("init").await;
    let slot = soon();
    let init = json!([{"name": "fetch", "image": "example.com/none:1"}]);
    let template = json!({"spec": {"template": {"spec": {"initContainers": init}}}});
    let spec = json!({"schedule": hourly_at(slot), "pendingTimeout": "10m", "jobTemplate": template});
    world.task("waits", spec).await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("waits").await;
    operator.set_to(slot);
    let pod = world.pod_of(&job_name("waits", slot, 1)).await.metadata.name.unwrap();
    let container = |name: &str, state: serde_json::Value| json!([{"name": name, "image": "none", "imageID": "none", "ready": false, "restartCount": 0, "state": state}]);
    let patch = Patch::Merge(json!({"status": {
        "initContainerStatuses": container("fetch", json!({"running": {"startedAt": slot.to_string()}})),
        "containerStatuses": container("main", json!({"waiting": {"reason": "PodInitializing"}}))}}));
    world
        .pods()
        .patch_status(&pod, &PatchParams::default(), &patch)
        .await
        .expect("taken");
    operator.set_to(slot + minutes(10));
    let status = world.status("waits", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed PendingTimeout");
    let message = status.recent_runs[0].message.as_deref().unwrap();
    assert!(message.contains("init container fetch"), "{message}");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_job_waits_its_turn_and_its_clock_begins_when_it_is_resumed() {
    let world = World::new("turn").await;
    // Half an hour ago by the API server's clock, which tells when a Job began.
    let now = now();
    let asked = now - minutes(30);
    let template = json!({"spec": {"suspend": true}});
    world
        .task(
            "held",
            json!({"schedule": "0 0 1 1 *", "pendingTimeout": "10m", "jobTemplate": template}),
        )
        .await;
    let operator = world.operator(&asked.to_string()).await;
    world.settled("held").await;
    world.annotate("held", RUN_NOW, Some("please")).await;
    let waits = |status: &ScheduledTaskStatus| status.active.first().is_some_and(|run| run.message.is_some());
    let status = world.status("held", "the run to say what it waits for", waits).await;
    assert_eq!(
        status.active[0].message.as_deref(),
        Some("Job is suspended: by its template, or by a queueing system")
    );
    let job = status.active[0].job.clone();
    operator.set_to(now);
    operator.rests().await;
    assert_eq!(world.job_names().await, [job.as_str()], "half an hour is nothing to one that waits");

    let resumed = Patch::Merge(json!({"spec": {"suspend": false}}));
    world.jobs().patch(&job, &PatchParams::default(), &resumed).await.expect("resumed");
    let began = begins(&world, &job).await;
    world.status("held", "the run to have its turn", |status| !waits(status)).await;
    operator.set_to(began + minutes(10) - seconds(1));
    operator.rests().await;
    assert_eq!(world.job_names().await, [job.as_str()], "its ten minutes begin when it is resumed");
    operator.set_to(began + minutes(10));
    let status = world.status("held", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed PendingTimeout");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_job_has_all_its_time_although_its_controller_is_slow_to_begin() {
    let world = World::new("slow-turn").await;
    let now = now();
    // Nobody here manages such a Job but the test.
    let template = json!({"spec": {"suspend": true, "managedBy": "example.com/queue"}});
    let spec = json!({"schedule": "0 0 1 1 *", "pendingTimeout": "10m", "jobTemplate": template});
    world.task("held", spec).await;
    world.task("other", json!({"schedule": "0 0 1 1 *"})).await;
    let operator = world.operator(&(now - minutes(30)).to_string()).await;
    for task in ["held", "other"] {
        world.settled(task).await;
        world.annotate(task, RUN_NOW, Some("please")).await;
    }
    let status = world.status("held", "the run to go on", |status| status.running == 1).await;
    let job = status.active[0].job.clone();
    let jobs = world.jobs();
    let turn = async |suspended: &str, start: Option<Timestamp>| {
        let condition = json!({"type": "Suspended", "status": suspended, "lastTransitionTime": now.to_string()});
        let start = start.map(|start| start.to_string());
        let patch = Patch::Merge(json!({"status": {"conditions": [condition], "startTime": start}}));
        jobs.patch_status(&job, &PatchParams::default(), &patch).await.expect("taken");
    };
    turn("True", None).await;
    operator.set_to(now);
    let resumed = Patch::Merge(json!({"spec": {"suspend": false}}));
    jobs.patch(&job, &PatchParams::default(), &resumed).await.expect("resumed");
    // What the operator is told after that, it is told after that.
    let other = world.status("other", "its run", |status| status.running == 1).await.active[0]
        .job
        .clone();
    world.end_job(&other, 0, "").await;
    world.status("other", "its end", |status| status.succeeded == 1).await;
    operator.rests().await;
    assert!(world.job_names().await.contains(&job), "it has not begun yet");
    turn("False", Some(now)).await;
    operator.set_to(now + minutes(10) - seconds(1));
    operator.rests().await;
    assert!(world.job_names().await.contains(&job), "its ten minutes begin now");
    operator.set_to(now + minutes(10));
    let status = world.status("held", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed PendingTimeout");
    operator.stop().await;
}
