//! The chart as it comes, on a node.

use super::ground::{Ground, chart, ground, running, said};
use super::release::{NAME, NAMESPACE};
use crate::harness::until;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn helm_install_is_all_that_a_cluster_needs() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("installed").await;
    world
        .task(
            "told",
            json!({"schedule": "*/2 * * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": running("echo slot=$PUNCTUAL_SLOT")}),
        )
        .await;
    let status = world.status("told", "a container to end", |status| status.succeeded >= 1).await;
    let run = status.recent_runs.iter().find(|run| run.outcome == "Succeeded").expect("a run");
    let job = format!("job/{}", run.job.as_ref().expect("a Job"));
    let log = ground.kubectl(&["logs", "-n", &world.namespace, &job]).expect("a log");
    assert_eq!(log, format!("slot={}", run.slot.0));

    let leader = ground.leader(&world.client, "").await;
    let pods = ground.operators(&world.client).await;
    assert_eq!(pods.len(), 2);
    for pod in pods {
        let name = pod.metadata.name.clone().expect("a name");
        let pod = serde_json::to_value(pod).expect("JSON");
        let image = &pod["status"]["containerStatuses"][0]["image"];
        assert_eq!(*image, format!("punctual.dev/punctual:{}", env!("CARGO_PKG_VERSION")));
        let address = pod["status"]["podIP"].as_str().expect("an address");
        let leads = metric(address, "punctual_leader");
        assert_eq!(
            leads == "1",
            name == leader,
            "{name} says punctual_leader {leads}, the Lease names {leader}"
        );
    }
    ground.assert_nothing_denied(release.since);
}

/// A metric of a pod, asked over its own address.
fn metric(address: &str, name: &str) -> String {
    let mut stream = TcpStream::connect((address, 8080)).expect("a pod listens");
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let value = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_test_runs_a_task_and_passes() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let told = ground.helm(&["test", NAME, "--namespace", NAMESPACE, "--logs"]);
    let told = told.unwrap_or_else(|said| panic!("helm test: {said}"));
    assert!(told.contains("Succeeded"), "{told}");
    assert_eq!(leftovers(ground), "");
    ground.assert_nothing_denied(release.since);
}

/// What a test has left in the namespaces that it uses.
fn leftovers(ground: &Ground) -> String {
    let kinds = "stask,jobs,pods,serviceaccounts,roles,rolebindings";
    let args = ["get", kinds, "-A", "-l", "app.kubernetes.io/component=test", "-o", "name"];
    ground.kubectl(&args).expect("a list")
}

/// An image that cannot be pulled: `helm test` fails by itself, says so, and removes its objects.
#[tokio::test(flavor = "multi_thread")]
async fn helm_test_names_an_image_that_cannot_be_pulled() {
    let Some(ground) = ground() else { return };
    let _alone = ground.alone().await;
    // Nothing listens there.
    let image = "127.0.0.1:1/absent";
    ground.install(&chart(), &[&format!("--set=test.image.repository={image}")]);
    let said = ground
        .helm(&["test", NAME, "--namespace", NAMESPACE])
        .expect_err("the image is absent");
    assert!(said.contains("ImagePull") && said.contains(image), "{said}");
    until("nothing to be left", || async { leftovers(ground).is_empty().then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_has_no_shell_and_its_user_is_nobody_special() {
    let Some(ground) = ground() else { return };
    let _release = ground.standard().await;
    let world = ground.world("image").await;
    let pods = ground.operators(&world.client).await;
    let name = pods[0].metadata.name.as_deref().expect("a name");
    for shell in ["sh", "/bin/sh", "bash", "busybox"] {
        let run = ground.kubectl(&["exec", "-n", NAMESPACE, name, "--", shell, "-c", "true"]);
        let refused = run.expect_err("there is no shell");
        assert!(refused.contains("no such file") || refused.contains("not found"), "{refused}");
    }
    let version = ground.kubectl(&["exec", "-n", NAMESPACE, name, "--", "punctual", "--version"]);
    assert_eq!(version, Ok(format!("punctual {}", env!("CARGO_PKG_VERSION"))));
    // As the kubelet found it in the image: the chart names no user.
    let user = "jsonpath={.status.containerStatuses[0].user.linux}";
    let user = ground.kubectl(&["get", "pod", "-n", NAMESPACE, name, "-o", user]).expect("a pod");
    if let Ok(user) = serde_json::from_str::<Value>(&user) {
        assert_eq!((&user["uid"], &user["gid"]), (&json!(65532), &json!(65532)));
    } else {
        println!("this container runtime does not tell users; `runAsNonRoot` has let the image pass");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_tasks_but_make_no_jobs_is_refused_and_told_what_is_missing() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("refused").await;
    let namespace = world.namespace.as_str();
    let kubeconfig = ground.cluster.kubeconfig_for("bob", None).expect("a certificate");
    let give = |verbs: &str, resource: &str, name: &str| {
        ground
            .kubectl(&["create", "role", name, "-n", namespace, verbs, resource])
            .expect("a role");
        let role = format!("--role={name}");
        ground
            .kubectl(&["create", "rolebinding", name, "-n", namespace, &role, "--user=bob"])
            .expect("a binding");
    };
    give("--verb=get,create,update,patch", "--resource=scheduledtasks.punctual.dev", "tasks");
    let manifest = tempfile::NamedTempFile::with_suffix(".json").expect("a file");
    let task = json!({"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "metadata": {"name": "lent", "namespace": namespace},
        "spec": {"schedule": "0 0 * * *", "jobTemplate": running("true")}});
    std::fs::write(manifest.path(), task.to_string()).expect("written");
    let apply = |more: &[&str]| {
        let mut kubectl = ground.cluster.kubectl();
        kubectl.env("KUBECONFIG", &kubeconfig).args(["apply", "-f"]).arg(manifest.path());
        said(kubectl.args(more))
    };
    // Rights and policy reach the API server's own caches a moment after they are stored.
    let refusal = until("the policy to be in force", || async {
        apply(&["--dry-run=server"]).err().filter(|said| said.contains("Jobs"))
    })
    .await;
    let words = format!("user \"bob\" may not create Jobs (batch) in namespace \"{namespace}\", and a ScheduledTask creates Jobs");
    assert!(refusal.contains(&words), "{refusal}");
    assert!(apply(&[]).is_err_and(|said| said.contains(&words)));
    give("--verb=create", "--resource=jobs.batch", "jobs");
    until("the right to be known", || async { apply(&[]).ok() }).await;
    ground.assert_nothing_denied(release.since);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_wrong_install_nothing() {
    let Some(ground) = ground() else { return };
    let _release = ground.standard().await;
    let chart = chart().display().to_string();
    for (value, said) in [
        ("replicaCount=two", "got string, want integer"),
        ("replicaCuont=3", "'replicaCuont' not allowed"),
        ("image.repository=", "minLength: got 0, want 1"),
    ] {
        let refused = ground.helm(&[
            "install",
            "wrong",
            &chart,
            "--namespace",
            "wrong",
            "--create-namespace",
            "--set",
            value,
        ]);
        let refused = refused.expect_err("the schema refuses it");
        assert!(refused.contains(said), "{value}: {refused}");
        assert!(ground.kubectl(&["get", "namespace", "wrong"]).is_err(), "something was made");
    }
}
