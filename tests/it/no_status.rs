//! A CRD without the status subresource: the API server has no place for what the operator records. A control plane of its own.

use crate::harness::{World, at, own_control_plane, until};
use cluster::Cluster;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::OnceLock;

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = own_control_plane();
        replace_crd(&cluster, |crd| {
            let version = crd.pointer_mut("/spec/versions/0").and_then(Value::as_object_mut);
            let removed = version.and_then(|version| version.remove("subresources"));
            assert!(removed.is_some(), "the CRD has subresources");
        });
        cluster
    })
}

/// As `kubectl get crd … -o json | jq … | kubectl replace -f -`.
fn replace_crd(cluster: &Cluster, change: impl FnOnce(&mut Value)) {
    let args = ["get", "crd", "scheduledtasks.punctual.dev", "-o", "json"];
    let shown = cluster.kubectl().args(args).output().expect("kubectl runs");
    let mut crd: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    change(&mut crd);
    let mut kubectl = cluster.kubectl();
    let replace = kubectl.args(["replace", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut replace = replace.spawn().expect("kubectl runs");
    let mut input = replace.stdin.take().expect("a pipe");
    input.write_all(&serde_json::to_vec(&crd).unwrap()).expect("written");
    drop(input);
    assert!(replace.wait().expect("kubectl ends").success(), "the CRD is not taken");
}

/// Waits until the status of a task can be written, or cannot.
async fn has_status(world: &World, expected: bool) {
    let tasks = world.tasks();
    until("the CRD to be in force", || async {
        let has = tasks.get_status("probe").await.is_ok();
        (has == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_start_once_where_no_status_can_be_written() {
    let world = World::on(cluster, "no-status").await;
    world.task("probe", json!({"suspend": true})).await;
    has_status(&world, false).await;
    let seen = world.recorder().await;
    for (task, policy) in [("allowed", "Allow"), ("alone", "Forbid")] {
        world.task(task, json!({"concurrencyPolicy": policy})).await;
    }
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for task in ["allowed", "alone"] {
        world.is_told(task, "StatusRefused", "no status subresource").await;
    }
    operator.rests().await;
    let slot = |minute: u32| at(&format!("2027-01-01T10:{minute:02}:00Z")).as_second();
    for minute in 1..=3 {
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        for task in ["allowed", "alone"] {
            world.end_job(&format!("{task}-{}", slot(minute)), 0, "").await;
        }
        operator.rests().await;
    }
    // A slot whose Job somebody deletes is not started again.
    world.delete_job(&format!("allowed-{}", slot(3))).await;
    operator.rests().await;
    let sent = operator.metric("punctual_api_requests_total{verb=\"status\"}");
    assert!(sent <= 60.0, "{sent} status writes for three tasks and three slots");
    let told = world.event_reasons("alone").await;
    let told = told.into_iter().filter(|reason| reason == "StatusRefused").count();
    assert_eq!(told, 1, "events of one kind");
    assert!(operator.metric("punctual_reconcile_errors_total{kind=\"Refused\"}") > 0.0);
    seen.assert_each_once().await;

    // With the operator's CRD the ledger is recorded by the next write, as it was kept in memory.
    let mut crds = cluster().kubectl();
    crds.args([
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        concat!(env!("CARGO_MANIFEST_DIR"), "/crds"),
    ]);
    let applied = tokio::task::spawn_blocking(move || crds.output().expect("kubectl runs")).await;
    assert!(applied.expect("it ends").status.success());
    has_status(&world, true).await;
    operator.set("2027-01-01T10:04:00Z");
    for task in ["allowed", "alone"] {
        world.end_job(&format!("{task}-{}", slot(4)), 0, "").await;
        let status = world.status(task, "its runs", |status| status.succeeded == 4).await;
        assert_eq!((status.started, status.missed, status.skipped), (4, 0, 0), "{task}");
    }
    seen.assert_each_once().await;
    operator.stop().await;
}
