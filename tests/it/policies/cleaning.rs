//! What is kept of finished Jobs: count limits, `ttlAfterFinished`, and clean-up before anything else when a quota is full.

use super::{condition, daily_at, minutes, seconds, soon};
use crate::harness::{World, at};
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use punctual::plan::job_name;
use serde_json::{Value, json};

/// Runs a task once, and deletes its Job when its time is over, not earlier and without asking in between.
async fn is_kept_for_half_an_hour(name: &str, spec: Value) {
    let world = World::new(name).await;
    let slot = soon();
    let mut spec = spec;
    spec["schedule"] = json!(daily_at(slot));
    world.task("task", spec).await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("task").await;
    operator.set_to(slot);
    let name = job_name("task", slot, 1);
    let job = world.job(&name).await;
    assert_eq!(job.spec.unwrap().ttl_seconds_after_finished, None, "Punctual owns deletion");
    world.end_job(&name, 0, "").await;
    let status = world.status("task", "the run to end", |status| status.succeeded == 1).await;
    let finished = status.recent_runs[0].finished.as_ref().unwrap().0;
    operator.rests().await;
    let (asked, version) = (
        operator.requests(),
        world.tasks().get("task").await.unwrap().metadata.resource_version,
    );
    for part in 1..=29 {
        operator.set_to(finished + minutes(part));
        operator.rests().await;
    }
    operator.set_to(finished + minutes(30) - seconds(1));
    operator.rests().await;
    assert!((operator.requests() - asked).abs() < 0.5, "nothing is due, and nothing is asked");
    assert_eq!(world.tasks().get("task").await.unwrap().metadata.resource_version, version);
    assert_eq!(world.job_names().await, [name.as_str()]);
    // A restart does not make it forget.
    operator.stop().await;
    let operator = world.operator(&(finished + minutes(30) - seconds(1)).to_string()).await;
    operator.rests().await;
    assert_eq!(world.job_names().await, [name.as_str()]);
    operator.set_to(finished + minutes(30));
    let jobs = world.jobs();
    crate::harness::until("the Job to be gone", || async {
        jobs.get_opt(&name).await.expect("an answer").is_none().then_some(())
    })
    .await;
    let status = world.tasks().get("task").await.unwrap().status.unwrap();
    assert_eq!((status.succeeded, status.cancelled, status.recent_runs.len()), (1, 0, 1));
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_job_goes_when_ttl_after_finished_is_over_without_polling() {
    is_kept_for_half_an_hour("ttl", json!({"ttlAfterFinished": "30m"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ttl_of_the_template_is_taken_over() {
    let template = json!({"spec": {"ttlSecondsAfterFinished": 1800}});
    is_kept_for_half_an_hour("ttl-template", json!({"jobTemplate": template})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_own_ttl_wins_over_that_of_the_template() {
    let template = json!({"spec": {"ttlSecondsAfterFinished": 0}});
    is_kept_for_half_an_hour("ttl-both", json!({"ttlAfterFinished": "30m", "jobTemplate": template})).await;
}

/// S2
#[tokio::test(flavor = "multi_thread")]
async fn a_quota_full_of_finished_jobs_above_the_limit_is_cleaned_first_whatever_becomes_of_the_create() {
    let world = World::new("s2").await;
    world.task("full", json!({"successfulJobsHistoryLimit": 3})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("full").await;
    let slot = |minute: i64| at("2027-01-01T10:00:00Z") + minutes(minute);
    for minute in 1..=3 {
        operator.set_to(slot(minute));
        world.end_job(&job_name("full", slot(minute), 1), 0, "").await;
        world.status("full", "the run to end", |status| status.succeeded == minute).await;
    }
    operator.stop().await;
    assert_eq!(world.job_names().await.len(), 3);
    // Three Jobs where one is allowed: no create is taken, and two are above the limit.
    world.edit("full", json!({"successfulJobsHistoryLimit": 1})).await;
    world.quota("one", json!({"count/jobs.batch": "1"})).await;
    let operator = world.operator("2027-01-01T10:04:00Z").await;
    let status = world
        .status("full", "the refusal to be told", |status| {
            condition(status, "Ready") == "False JobRefused"
        })
        .await;
    assert!(status.condition("Ready").unwrap().message.contains("exceeded quota: one"));
    let kept = [job_name("full", slot(3), 1)];
    crate::harness::until("the Jobs above the limit to be gone", || async {
        (world.job_names().await == kept).then_some(())
    })
    .await;
    // The last one frees the room that the next run needs. The quota is counted anew some time after a deletion.
    world.edit("full", json!({"successfulJobsHistoryLimit": 0})).await;
    let mut second = 0;
    crate::harness::until("the run to start", || {
        second += 1;
        operator.set_to(slot(4) + seconds(second % 59));
        async { (world.job_names().await == [job_name("full", slot(4), 1)]).then_some(()) }
    })
    .await;
    let status = world.status("full", "the run to go on", |status| status.running == 1).await;
    assert_eq!((status.started, status.missed, status.skipped), (4, 0, 0));
    operator.stop().await;
}

/// S2
#[tokio::test(flavor = "multi_thread")]
async fn clean_up_makes_room_in_the_same_plan_in_which_the_next_slot_is_due() {
    let world = World::new("s2-room").await;
    world.task("full", json!({"successfulJobsHistoryLimit": 2})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("full").await;
    let slot = |minute: i64| at("2027-01-01T10:00:00Z") + minutes(minute);
    for minute in 1..=2 {
        operator.set_to(slot(minute));
        world.end_job(&job_name("full", slot(minute), 1), 0, "").await;
        world.status("full", "the run to end", |status| status.succeeded == minute).await;
    }
    operator.stop().await;
    world.quota("two", json!({"count/jobs.batch": "2"})).await;
    world.edit("full", json!({"successfulJobsHistoryLimit": 1})).await;
    let operator = world.operator("2027-01-01T10:03:00Z").await;
    let mut second = 0;
    crate::harness::until("the run to start beside the one that is kept", || {
        second += 1;
        operator.set_to(slot(3) + seconds(second % 59));
        async { (world.job_names().await == [job_name("full", slot(2), 1), job_name("full", slot(3), 1)]).then_some(()) }
    })
    .await;
    operator.stop().await;
    // Nothing of it is left to others: the quota goes, and nobody is stuck.
    let quotas: Api<ResourceQuota> = Api::namespaced(world.client.clone(), &world.namespace);
    quotas.delete("two", &DeleteParams::default()).await.expect("it goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalizer_that_keeps_a_finished_job_keeps_nothing_else() {
    let world = World::new("kept").await;
    world.task("task", json!({"successfulJobsHistoryLimit": 0})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("task").await;
    let first = at("2027-01-01T10:01:00Z");
    operator.set_to(first);
    let name = job_name("task", first, 1);
    world.job(&name).await;
    let pin = |finalizers: Value| Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
    let jobs = world.jobs();
    jobs.patch(&name, &PatchParams::default(), &pin(json!(["example.com/keep"])))
        .await
        .expect("pinned");
    world.end_job(&name, 0, "").await;
    crate::harness::until("the Job to be deleted", || async {
        jobs.get(&name).await.expect("it is kept").metadata.deletion_timestamp
    })
    .await;
    operator.rests().await;
    let deletions = operator.metric("punctual_api_requests_total{verb=\"delete\"}");
    operator.set_to(first + minutes(1));
    world
        .status("task", "the next run", |status| status.running == 1 && status.succeeded == 1)
        .await;
    operator.rests().await;
    assert!((deletions - 1.0).abs() < 0.5, "{deletions} deletions of one Job");
    let again = operator.metric("punctual_api_requests_total{verb=\"delete\"}");
    assert!((again - 1.0).abs() < 0.5, "it is deleted once, and not asked for again and again");
    jobs.patch(&name, &PatchParams::default(), &pin(json!(null))).await.expect("let go");
    operator.stop().await;
}
