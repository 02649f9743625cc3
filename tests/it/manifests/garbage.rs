//! S6: objects that do not parse as our types, as an older or a hand-made CRD lets them in. Another cluster, whose CRD
//! says nothing about what a task is.

use super::START;
use crate::cronjob::probes;
use crate::harness::{World, at, until};
use cluster::{Cluster, Options};
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use punctual::plan::job_name;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::OnceLock;

/// A cluster whose CRD takes anything.
fn careless() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = Cluster::start(Options::default()).expect("a control plane");
        let mut crd = serde_json::to_value(punctual::api::crd()).unwrap();
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let mut apply = cluster
            .kubectl()
            .args(["create", "-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        apply.stdin.take().unwrap().write_all(crd.to_string().as_bytes()).unwrap();
        assert!(apply.wait().unwrap().success());
        cluster
    })
}

/// S6
#[tokio::test(flavor = "multi_thread")]
async fn objects_that_do_not_parse_say_so_and_stop_nobody_else() {
    let world = World::on(careless, "garbage").await;
    let kind = GroupVersionKind::gvk("punctual.dev", "v1alpha1", "ScheduledTask");
    let tasks: Api<DynamicObject> = Api::namespaced_with(
        world.client.clone(),
        &world.namespace,
        &ApiResource::from_gvk_with_plural(&kind, "scheduledtasks"),
    );
    until("the kind to be served", || async { tasks.list(&ListParams::default()).await.ok() }).await;
    let task = |name: &str, spec: Value| {
        let mut body = json!({"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "metadata": {"name": name}, "spec": spec});
        if spec == json!("none") {
            body.as_object_mut().unwrap().remove("spec");
        }
        body
    };
    let pod = probes::manifest("x", probes::At::Root, "{}")["spec"]["jobTemplate"].clone();
    let cases = [
        ("no-spec", json!("none"), "InvalidSpec", "spec is missing"),
        ("null-spec", json!(null), "InvalidSpec", "spec is missing"),
        (
            "list",
            json!([1, 2]),
            "InvalidSpec",
            "spec must be an object with fields such as schedule and jobTemplate, not a list",
        ),
        ("text", json!("@daily"), "InvalidSpec", "spec must be an object"),
        (
            "schedule",
            json!({"schedule": 5, "jobTemplate": pod}),
            "InvalidSpec",
            "spec.schedule: invalid type: integer `5`, expected a string",
        ),
        (
            "no-schedule",
            json!({"jobTemplate": pod}),
            "InvalidSpec",
            "spec.schedule is missing",
        ),
        (
            "no-template",
            json!({"schedule": "* * * * *"}),
            "InvalidSpec",
            "spec.jobTemplate is missing",
        ),
        (
            "template",
            json!({"schedule": "* * * * *", "jobTemplate": "x"}),
            "InvalidSpec",
            "spec.jobTemplate: invalid type: string \"x\"",
        ),
        (
            "policy",
            json!({"schedule": "* * * * *", "jobTemplate": pod, "concurrencyPolicy": "Maybe"}),
            "InvalidSpec",
            "spec.concurrencyPolicy: unknown variant `Maybe`",
        ),
        (
            "limit",
            json!({"schedule": "* * * * *", "jobTemplate": pod, "runHistoryLimit": 1e30}),
            "InvalidSpec",
            "spec.runHistoryLimit: invalid type",
        ),
        (
            "saving",
            json!({"schedule": "* * * * *", "jobTemplate": pod, "daylightSaving": 3}),
            "InvalidSpec",
            "spec.daylightSaving: invalid type",
        ),
        (
            "empty-template",
            json!({"schedule": "0 0 1 1 *", "jobTemplate": {}}),
            "JobRefused",
            "spec.template.spec.containers: Required value",
        ),
        (
            "odd-template",
            json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": [], "metadata": 7}}),
            "JobRefused",
            "cannot unmarshal array",
        ),
        (
            "odd-pod",
            json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": {"containers": "x"}, "metadata": []}}}}),
            "JobRefused",
            "cannot unmarshal",
        ),
        (
            "six-stars",
            json!({"schedule": "* * * *", "jobTemplate": pod}),
            "InvalidSchedule",
            "has 4 fields",
        ),
        (
            "zone",
            json!({"schedule": "* * * * *", "timeZone": "", "jobTemplate": pod}),
            "UnknownTimeZone",
            "time zone is empty",
        ),
    ];
    let post = |name: &'static str, spec: Value| {
        let body = task(name, spec);
        let world = &world;
        async move {
            world
                .post("punctual.dev/v1alpha1", "scheduledtasks", &body, false)
                .await
                .expect("this CRD takes anything")
        }
    };
    post("good", json!({"schedule": "* * * * *", "jobTemplate": pod})).await;
    post("odd-status", json!({"schedule": "* * * * *", "jobTemplate": pod})).await;
    for (name, spec, _, _) in &cases {
        post(name, spec.clone()).await;
    }
    let odd = Patch::Merge(json!({"status": {"accountedUntil": "yesterday", "conditions": "x", "started": -1}}));
    tasks
        .patch_status("odd-status", &PatchParams::default(), &odd)
        .await
        .expect("its status is odd");

    let operator = world.operator(START).await;
    let ready = |name: &'static str| {
        let tasks = &tasks;
        async move {
            until(&format!("{name} to be told"), || async {
                let conditions = tasks.get(name).await.expect("it is there").data["status"]["conditions"].clone();
                conditions
                    .as_array()?
                    .iter()
                    .find(|condition| condition["type"] == "Ready")
                    .cloned()
            })
            .await
        }
    };
    for (name, _, reason, says) in &cases {
        let ready = ready(name).await;
        assert_eq!(
            (ready["status"].as_str(), ready["reason"].as_str()),
            (Some("False"), Some(*reason)),
            "{name}: {ready}"
        );
        let message = ready["message"].as_str().unwrap();
        assert!(message.contains(says), "{name}: {message}");
        if *reason == "InvalidSpec" {
            assert!(message.ends_with("; correct it and apply again"), "{name}: {message}");
        }
    }
    for name in ["good", "odd-status"] {
        assert_eq!(ready(name).await["status"], "True", "{name}");
    }
    // The others go on: today's, and one that comes after them.
    let slot = at("2027-01-04T10:01:00Z");
    operator.set("2027-01-04T10:01:00Z");
    for name in ["good", "odd-status"] {
        world.job(&job_name(name, slot, 1)).await;
    }
    post("newcomer", json!({"schedule": "* * * * *", "jobTemplate": pod})).await;
    assert_eq!(ready("newcomer").await["status"], "True");
    operator.set("2027-01-04T10:02:00Z");
    world.job(&job_name("newcomer", at("2027-01-04T10:02:00Z"), 1)).await;

    // What is mended is ready.
    let mended = Patch::Merge(json!({"spec": {"schedule": "0 0 1 1 *"}}));
    tasks
        .patch("schedule", &PatchParams::default(), &mended)
        .await
        .expect("it is mended");
    until("the mended task to be ready", || async {
        (ready("schedule").await["status"] == "True").then_some(())
    })
    .await;
    println!("{} objects that do not parse", cases.len());
    operator.stop().await;
}
