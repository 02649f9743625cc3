//! Templates so large that etcd does not take what is made of them. Each on a real etcd.

use crate::harness::{World, task_manifest, until};
use kube::api::PostParams;
use serde_json::{Value, json};

/// Creates a task of so many bytes of JSON, made of so many short entries of env, and a script that fills the rest. Says whether etcd
/// takes it.
async fn large(world: &World, name: &str, bytes: usize, entries: usize) -> bool {
    let env: Vec<Value> = (0..entries)
        .map(|n| json!({"name": format!("SETTING_{n:05}"), "value": format!("{n:05}")}))
        .collect();
    let manifest = |script: String| {
        let container = json!({"name": "main", "image": "example.com/none:1", "command": ["sh", "-c", "true", script], "env": env});
        task_manifest(
            name,
            json!({"jobTemplate": {"spec": {"template": {"spec": {"containers": [container]}}}}}),
        )
    };
    let rest = bytes.saturating_sub(manifest(String::new()).to_string().len());
    let body = serde_json::to_vec(&manifest("x".repeat(rest))).unwrap();
    let path = format!("/apis/punctual.dev/v1alpha1/namespaces/{}/scheduledtasks", world.namespace);
    let request = kube::core::Request::new(path).create(&PostParams::default(), body);
    world.client.request::<Value>(request.unwrap()).await.is_ok()
}

/// F26: where the status that would say so does not fit either, an event does, and nothing is sent again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_too_large_for_etcd_is_reported_without_a_loop() {
    let world = World::new("f26").await;
    // The largest that etcd takes.
    let mut bytes = 1_572_800;
    while !large(&world, "full", bytes, 0).await {
        bytes -= 100;
    }
    assert!(bytes > 1_500_000, "{bytes}");
    for (name, bytes, entries) in [("big", 1_500_000, 0), ("many", 1_300_000, 12_000)] {
        assert!(large(&world, name, bytes, entries).await, "{name}");
    }
    world.task("good", json!({})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.is_told("full", "StatusRefused", "too large for etcd (1.5 MiB)").await;
    let failures = || operator.metric("punctual_reconcile_errors_total{kind=\"Refused\"}");
    world.settled("good").await;
    for task in ["big", "many"] {
        let ready = world.settled(task).await.condition("Ready").cloned().expect("a condition");
        assert_eq!(
            (ready.status.as_str(), ready.reason.as_str()),
            ("False", "TooLarge"),
            "{}",
            ready.message
        );
        assert!(ready.message.contains("bytes"), "{}", ready.message);
    }
    let (begun, sent) = (failures(), operator.metric("punctual_api_requests_total{verb=\"status\"}"));
    until("further reconciliations", || async { (failures() >= begun + 2.0).then_some(()) }).await;
    let again = operator.metric("punctual_api_requests_total{verb=\"status\"}") - sent;
    assert_eq!(again, 0.0, "the clock stands still, and the same status was sent again");

    operator.set("2027-01-01T10:01:00Z");
    world.status("good", "its run", |status| status.started == 1).await;
    operator.stop().await;
}
