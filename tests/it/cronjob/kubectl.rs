//! The ways of kubectl that people know from CronJob: create, explain, server-side apply.

use super::{kubectl, kubectl_says};
use crate::harness::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_kubectl_create_cronjob_writes_is_taken_after_changing_kind_and_version() {
    let world = World::new("create").await;
    let written = kubectl(
        &[
            "create",
            "cronjob",
            "generated",
            "--image=busybox",
            "--schedule=* * * * *",
            "--dry-run=client",
            "-o",
            "yaml",
            "--",
            "date",
        ],
        None,
    )
    .await;
    let task = written
        .replace("batch/v1", "punctual.dev/v1alpha1")
        .replace("kind: CronJob", "kind: ScheduledTask");
    assert_ne!(task, written);
    let said = kubectl(&["apply", "-n", &world.namespace, "-f", "-"], Some(task)).await;
    assert_eq!(said.trim(), "scheduledtask.punctual.dev/generated created");
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_explain_tells_of_the_fields_inside_the_template() {
    World::new("explain").await;
    let containers = kubectl(&["explain", "stask.spec.jobTemplate.spec.template.spec.containers"], None).await;
    for field in ["image\t", "livenessProbe\t", "securityContext\t", "Container image name"] {
        assert!(containers.contains(field), "{field:?} is not in\n{containers}");
    }
    let task = kubectl(&["explain", "scheduledtask.spec"], None).await;
    for field in [
        "schedule\t<string>",
        "jobTemplate\t<Object> -required-",
        "enum: Latest, None, All",
        "Default: UTC",
    ] {
        assert!(task.contains(field), "{field:?} is not in\n{task}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_side_apply_merges_containers_volumes_and_ports_by_key_as_for_cronjob() {
    let world = World::new("merge").await;
    let mut merged = Vec::new();
    for (version, kind) in [("batch/v1", "CronJob"), ("punctual.dev/v1alpha1", "ScheduledTask")] {
        let of = |pod: Value| {
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": "merged"},
                "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}})
            .to_string()
        };
        let base = of(json!({
            "restartPolicy": "Never",
            "initContainers": [{"name": "first", "image": "x:1"}],
            "containers": [
                {"name": "main", "image": "x:1", "command": ["true"], "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "two"}],
                 "volumeMounts": [{"name": "a", "mountPath": "/a"}]},
                {"name": "side", "image": "y:1"},
            ],
            "volumes": [{"name": "a", "emptyDir": {}}],
        }));
        // Another tool adds its container, a port and a volume, and knows nothing of the rest.
        let added = of(json!({
            "containers": [
                {"name": "main", "ports": [{"containerPort": 80, "protocol": "UDP"}], "volumeMounts": [{"name": "a", "mountPath": "/a"}]},
                {"name": "injected", "image": "z:1"},
            ],
            "volumes": [{"name": "b", "emptyDir": {}}],
        }));
        // Who owns an image keeps it.
        let stolen = of(json!({"containers": [{"name": "main", "image": "x:2"}]}));
        let apply = |manager: &'static str, manifest: String| {
            let namespace = world.namespace.clone();
            async move {
                kubectl_says(
                    &["apply", "--server-side", "--field-manager", manager, "-n", &namespace, "-f", "-"],
                    Some(manifest),
                )
                .await
            }
        };
        for (manager, manifest) in [("author", base), ("tool", added)] {
            let (code, _, err) = apply(manager, manifest).await;
            assert_eq!(code, Some(0), "{kind} by {manager}: {err}");
        }
        let (code, _, err) = apply("thief", stolen).await;
        assert_eq!(code, Some(1));
        assert!(err.contains("conflict with \"author\""), "{err}");
        assert!(err.contains(r#".containers[name="main"].image"#), "{err}");
        let plural = format!("{}.{}", kind.to_lowercase(), version.split('/').next().unwrap());
        let stored = kubectl(&["get", &plural, "merged", "-n", &world.namespace, "-o", "json"], None).await;
        let stored: Value = serde_json::from_str(&stored).expect("JSON");
        merged.push(shape(&stored["spec"]["jobTemplate"]["spec"]["template"]["spec"]));
    }
    assert_eq!(merged[0], merged[1]);
    assert_eq!(
        merged[1],
        json!({
            "initContainers": [{"name": "first", "image": "x:1", "ports": []}],
            "containers": [
                {"name": "main", "image": "x:1", "ports": ["80/TCP", "81/TCP", "80/UDP"]},
                {"name": "side", "image": "y:1", "ports": []},
                {"name": "injected", "image": "z:1", "ports": []},
            ],
            "volumes": ["a", "b"],
        })
    );
}

/// What the two kinds must have in common after the merge; CronJob stores defaults, we do not.
fn shape(pod: &Value) -> Value {
    let containers = |list: &str| -> Value {
        let one = |container: &Value| {
            let ports = container["ports"].as_array().into_iter().flatten();
            let ports: Vec<String> = ports
                .map(|port| format!("{}/{}", port["containerPort"], port["protocol"].as_str().unwrap()))
                .collect();
            json!({"name": container["name"], "image": container["image"], "ports": ports})
        };
        pod[list].as_array().into_iter().flatten().map(one).collect()
    };
    let volumes: Vec<&Value> = pod["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|volume| &volume["name"])
        .collect();
    json!({"initContainers": containers("initContainers"), "containers": containers("containers"), "volumes": volumes})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_column_shows_one_schedule_or_several() {
    let world = World::new("column").await;
    world.task("one", json!({"schedule": "0 3 * * *"})).await;
    world
        .task("several", json!({"schedule": null, "schedules": ["0 3 * * *", "@hourly"]}))
        .await;
    let table = kubectl(&["get", "stask", "-n", &world.namespace], None).await;
    let line = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("one").contains("0 3 * * * "), "{table}");
    assert!(line("several").contains(r#"["0 3 * * *","@hourly"]"#), "{table}");
}
