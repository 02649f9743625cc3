//! `helm install --wait` of a chart that holds one task: Helm 4 follows kstatus, with the conditions that the operator writes.

use crate::harness::{World, cluster, task_manifest};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

/// A chart that holds this task.
fn chart(folder: &Path, task: &Value) {
    std::fs::create_dir_all(folder.join("templates")).expect("a folder");
    let about = "apiVersion: v2\nname: nightly\nversion: 1.0.0\n";
    std::fs::write(folder.join("Chart.yaml"), about).expect("a file");
    std::fs::write(folder.join("templates/task.yaml"), task.to_string()).expect("a file");
}

/// Installs it, and waits until Helm has made up its mind.
async fn install(world: &World, release: &str, task: &Value) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    chart(folder.path(), task);
    let mut helm = cluster().helm().expect("helm");
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        helm.env(variable, folder.path().join("home"));
    }
    helm.args(["install", release]).arg(folder.path());
    helm.args(["--namespace", &world.namespace, "--wait", "--timeout=2m"]);
    let done = tokio::task::spawn_blocking(move || helm.output());
    done.await.expect("Helm ends").expect("Helm runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_fails_fast_on_a_wrong_task_and_passes_on_a_good_one() {
    let world = World::new("helm-wait").await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;

    let good = install(&world, "good", &task_manifest("good", json!({}))).await;
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let suspended = install(&world, "suspended", &task_manifest("suspended", json!({"suspend": true}))).await;
    assert!(suspended.status.success(), "{}", String::from_utf8_lossy(&suspended.stderr));

    let wrong = install(&world, "wrong", &task_manifest("wrong", json!({"timeZone": "Mars/Olympus"}))).await;
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success(), "Helm takes a task that never runs for installed");
    assert!(!said.contains("deadline"), "Helm waited for what never comes: {said}");
    assert!(said.contains("Mars/Olympus"), "{said}");
    println!("helm install --wait of a task with an unknown zone: {}", said.trim());
    operator.stop().await;
}
