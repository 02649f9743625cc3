//! L1 and L4: many tasks at one moment, and broken ones among them.
//!
//! Takes thousands of tasks whose Jobs are suspended, so that the API server is what is measured against; gives counts, never
//! times: those are the benchmark's.

use crate::harness::{Operator, World, at, own_control_plane, until};
use cluster::Cluster;
use futures::{StreamExt, stream};
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// So many requests of the test at once.
const ABREAST: usize = 32;
/// A herd may take longer than a test waits for one thing; that so many follow is waited for again and again.
const STEP: usize = 100;
const STARTED: &str = r#"punctual_slots_total{outcome="Started",reason="OnSchedule"}"#;
const SLOT: &str = "2027-01-01T11:00:00Z";

/// A control plane of its own: the Job controller takes Jobs in their order, and would leave those of other tests behind thousands.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(own_control_plane)
}

/// As few fields as a Job needs.
fn hourly() -> Value {
    json!({"schedule": "0 * * * *", "jobTemplate": {"spec": {"suspend": true}}})
}

async fn many(world: &World, kind: &str, count: usize, spec: impl Fn() -> Value) {
    let tasks = (0..count).map(|number| {
        let spec = spec();
        async move { drop(world.task(&format!("{kind}-{number:04}"), spec).await) }
    });
    stream::iter(tasks).buffer_unordered(ABREAST).collect::<Vec<()>>().await;
}

/// Each has its first status: the dry run of its template, and the beginning of its ledger.
async fn all_known(operator: &Operator, count: usize) {
    for share in (STEP..=count).step_by(STEP) {
        until("the next tasks to be known", || async {
            (operator.metric("punctual_api_requests_total{verb=\"status\"}") >= share as f64).then_some(())
        })
        .await;
    }
    until("the operator to have nothing to do", || async { operator.is_quiet().then_some(()) }).await;
}

/// Each has started its run.
async fn all_started(operator: &Operator, count: usize) {
    for share in (STEP..=count).step_by(STEP) {
        until("the next tasks to be started", || async {
            (operator.metric(STARTED) >= share as f64).then_some(())
        })
        .await;
    }
}

/// How many Jobs each task has, by the task's name. Nothing, if the API server does not answer in time: on a busy machine the list takes
/// longer than a request may.
async fn jobs_by_task(world: &World) -> Option<BTreeMap<String, usize>> {
    let jobs: Api<k8s_openapi::api::batch::v1::Job> = world.jobs();
    let mut counts = BTreeMap::new();
    for job in jobs.list_metadata(&ListParams::default()).await.ok()?.items {
        let owner = job.metadata.owner_references.unwrap_or_default().remove(0);
        *counts.entry(owner.name).or_default() += 1;
    }
    Some(counts)
}

/// L1
#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_tasks_on_one_minute_have_one_job_each() {
    const TASKS: usize = 5_000;
    let world = World::on(cluster, "l1").await;
    many(&world, "herd", TASKS, hourly).await;
    let operator = world.operator("2027-01-01T10:30:00Z").await;
    all_known(&operator, TASKS).await;
    // One template: what one dry run said holds for others.
    let dry_runs = operator.metric(r#"punctual_api_requests_total{verb="create"}"#);
    assert!((1.0..=(TASKS / 10) as f64).contains(&dry_runs), "{dry_runs} dry runs");
    operator.set(SLOT);
    all_started(&operator, TASKS).await;
    let jobs = until("a list of all Jobs", || jobs_by_task(&world)).await;
    assert_eq!(jobs.len(), TASKS);
    assert!(jobs.values().all(|count| *count == 1));
    // A Job whose POST was answered "already there" would be counted here and nowhere else.
    assert_eq!(operator.metric(STARTED), TASKS as f64);
    operator.stop().await;
    world.delete().await;
}

/// L4
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_broken_tasks_do_not_slow_a_thousand_good_ones() {
    const TASKS: usize = 1_000;
    let world = World::on(cluster, "l4").await;
    // Half cannot name a slot, half cannot have a Job: their template has a label that no object may have.
    many(&world, "never", TASKS / 2, || json!({"schedule": "0 0 31 2 *"})).await;
    many(
        &world,
        "refused",
        TASKS / 2,
        || json!({"schedule": "0 * * * *", "jobTemplate": {"metadata": {"labels": {"a": "not a label!"}}}}),
    )
    .await;
    many(&world, "good", TASKS, hourly).await;
    let operator = world.operator("2027-01-01T10:30:00Z").await;
    all_known(&operator, 2 * TASKS).await;
    let creates = r#"punctual_api_requests_total{verb="create"}"#;
    let before = operator.metric(creates);
    operator.set(SLOT);
    all_started(&operator, TASKS).await;
    let jobs = until("a list of all Jobs", || jobs_by_task(&world)).await;
    assert!(jobs.len() == TASKS && jobs.keys().all(|task| task.starts_with("good-")));
    // What the broken ones asked for meanwhile stays in proportion: a refusal is followed by a pause, not by a storm. The clock
    // stands, so each of them asked once for its slot.
    let asked = operator.metric(creates) - before;
    assert!(asked <= (TASKS + TASKS / 2) as f64, "{asked} POSTs");
    let status = world.tasks().get("refused-0000").await.unwrap().status.unwrap();
    assert_eq!(status.condition("Ready").unwrap().reason, "JobRefused");
    let status = world.tasks().get("never-0000").await.unwrap().status.unwrap();
    assert_eq!(status.condition("Ready").unwrap().reason, "NeverRuns");
    assert!(at(SLOT) > status.accounted_until.map_or(at(SLOT), |until| until.0) || status.started == 0);
    operator.stop().await;
    world.delete().await;
}
