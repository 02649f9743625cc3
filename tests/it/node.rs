//! On a real node: containers really run. Without the means for one (not root, no cgroups) KWOK plays it, the tests say so,
//! and what only a container can show is not claimed.

use crate::harness::{Process, World, until};
use cluster::{BUSYBOX_IMAGE, Cluster, Node, NodeChoice, Options};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, LogParams};
use punctual::api::{RunRecord, ScheduledTaskStatus};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A cluster with a node, apart from the one without: there, nobody starts pods behind a test's back.
fn with_node() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = Cluster::start(Options {
            node: NodeChoice::RealOrKwok,
            ..Options::default()
        })
        .expect("a cluster with a node");
        crate::harness::install_crds(&cluster);
        match cluster.node() {
            Node::Real => println!("node: real containers"),
            other => println!("node: {other:?}: what only a container can show is not proven in this run"),
        }
        cluster
    })
}

fn is_real() -> bool {
    matches!(with_node().node(), Node::Real)
}

fn running(command: &str) -> Value {
    json!({"backoffLimit": 0, "template": {"spec": {"terminationGracePeriodSeconds": 1, "containers": [
        {"name": "main", "image": BUSYBOX_IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", command]}]}}})
}

async fn first_end(world: &World, task: &str) -> (RunRecord, ScheduledTaskStatus) {
    let status = world
        .status(task, "a run to end", |status| {
            status.recent_runs.iter().any(|run| run.finished.is_some())
        })
        .await;
    (
        status.recent_runs.iter().rfind(|run| run.finished.is_some()).unwrap().clone(),
        status,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_told_its_slot_its_watermark_and_its_interval_and_its_log_can_be_read() {
    let world = World::on(with_node, "context").await;
    let template = json!({"spec": running("env | grep ^PUNCTUAL_ | sort")});
    world.task("told", json!({"schedule": "*/2 * * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": template, "successfulJobsHistoryLimit": 100, "runHistoryLimit": 100})).await;
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    let status = world
        .status("told", "a run after one that succeeded", |status| status.succeeded >= 3)
        .await;
    assert_eq!(process.terminate(), Some(0));
    let newest = status.recent_runs.iter().find(|run| run.outcome == "Succeeded").unwrap();
    assert_eq!(status.last_successful_slot.as_ref().unwrap().0, newest.slot.0);
    if !is_real() {
        return;
    }
    let log = with_node()
        .kubectl()
        .args(["logs", "-n", &world.namespace, &format!("job/{}", newest.job.as_ref().unwrap())])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    let value = |name: &str| {
        log.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")).map(str::to_owned))
            .unwrap_or_default()
    };
    assert_eq!(value("PUNCTUAL_TASK"), "told", "{log}");
    assert_eq!(value("PUNCTUAL_SLOT"), newest.slot.0.to_string());
    assert_eq!(value("PUNCTUAL_RUN"), *newest.job.as_ref().unwrap());
    assert_eq!(
        (value("PUNCTUAL_TRIGGER").as_str(), value("PUNCTUAL_ATTEMPT").as_str()),
        ("Schedule", "1")
    );
    assert_eq!(value("PUNCTUAL_INTERVAL_END"), newest.slot.0.to_string());
    assert_eq!(
        value("PUNCTUAL_INTERVAL_START"),
        (newest.slot.0 - jiff::SignedDuration::from_secs(2)).to_string()
    );
    // The watermark is the slot of the run that succeeded before this one.
    let watermark: jiff::Timestamp = value("PUNCTUAL_LAST_SUCCESS")
        .parse()
        .unwrap_or_else(|_| panic!("a watermark in {log}"));
    let before = status.recent_runs.iter().filter(|run| run.outcome == "Succeeded").nth(1).unwrap();
    assert_eq!(watermark, before.slot.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_fails_leaves_its_exit_code_and_last_words_in_the_status() {
    let world = World::on(with_node, "exit").await;
    if !is_real() {
        return;
    }
    let template = json!({"spec": running("echo the disk is full > /dev/termination-log; exit 42")});
    world
        .task("failing", json!({"schedule": "*/2 * * * * *", "jobTemplate": template}))
        .await;
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    let (run, _) = first_end(&world, "failing").await;
    assert_eq!(
        (run.outcome.as_str(), run.exit_code, run.message.as_deref()),
        ("Failed", Some(42), Some("the disk is full"))
    );
    let status = world
        .status("failing", "Healthy to be false", |status| {
            status.condition("Healthy").is_some_and(|healthy| healthy.status == "False")
        })
        .await;
    assert!(status.condition("Healthy").unwrap().message.contains("the disk is full"));
    assert!(status.last_failure_time.is_some());
    assert_eq!(process.terminate(), Some(0));
    let described = with_node()
        .kubectl()
        .args(["describe", "stask", "failing", "-n", &world.namespace])
        .output()
        .unwrap();
    let described = String::from_utf8_lossy(&described.stdout).into_owned();
    for words in ["Exit Code:", "42", "the disk is full", "JobFailed", "Next Runs:"] {
        assert!(described.contains(words), "{words} in {described}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replace_ends_the_old_container() {
    let world = World::on(with_node, "replace").await;
    if !is_real() {
        return;
    }
    let template = json!({"spec": running("trap exit TERM; while true; do sleep 1; done")});
    world
        .task(
            "replaced",
            json!({"schedule": "*/5 * * * * *", "concurrencyPolicy": "Replace", "jobTemplate": template}),
        )
        .await;
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    let pods: Api<Pod> = Api::namespaced(world.client.clone(), &world.namespace);
    let first = until("a container to run", || async {
        let pods = pods.list(&ListParams::default()).await.ok()?.items;
        pods.into_iter()
            .find(|pod| pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running"))?
            .metadata
            .name
    })
    .await;
    world.status("replaced", "it to be replaced", |status| status.cancelled >= 1).await;
    until("the old container to be gone", || async {
        pods.get_opt(&first).await.unwrap().is_none().then_some(())
    })
    .await;
    let status = world.status("replaced", "the next one", |status| status.running == 1).await;
    assert!(status.recent_runs.iter().any(|run| run.reason == "Replaced"));
    assert_eq!(process.terminate(), Some(0));
}

/// A task of its own that cannot start: the reason that must stand in its status, and the next slot that must run.
async fn s1_ends_and_the_next_slot_runs(name: &str, template: Value, says: &[&str]) {
    let world = World::on(with_node, name).await;
    let spec = json!({"schedule": "*/10 * * * * *", "concurrencyPolicy": "Forbid", "pendingTimeout": "5s", "jobTemplate": template});
    world.task("stuck", spec).await;
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    let (run, _) = first_end(&world, "stuck").await;
    assert_eq!(
        (run.outcome.as_str(), run.reason.as_str(), run.attempts),
        ("Failed", "PendingTimeout", 1)
    );
    let message = run.message.unwrap();
    assert!(message.starts_with("no pod started within pendingTimeout (5s): "), "{message}");
    assert!(says.iter().any(|says| message.contains(says)), "{message}");
    let status = world.status("stuck", "the next slot to run", |status| status.started >= 2).await;
    assert_eq!(status.condition("Healthy").unwrap().status, "False");
    world
        .is_told("stuck", "PendingTimeout", "no pod started within pendingTimeout")
        .await;
    assert_eq!(process.terminate(), Some(0));
}

/// S1
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_pulled_is_named_and_the_next_slot_runs() {
    if !is_real() {
        return;
    }
    // Nobody listens there, so the answer is at hand.
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "127.0.0.1:1/none:1", "imagePullPolicy": "IfNotPresent"}]}}}});
    let says = ["ErrImagePull: ", "ImagePullBackOff: "];
    s1_ends_and_the_next_slot_runs("s1-pull", image, &says).await;
}

/// S1
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_there_and_may_not_be_pulled_is_named_and_the_next_slot_runs() {
    if !is_real() {
        return;
    }
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.com/none:1", "imagePullPolicy": "Never"}]}}}});
    s1_ends_and_the_next_slot_runs("s1-never", image, &["ErrImageNeverPull: "]).await;
}

/// S1
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_no_node_takes_says_what_the_scheduler_says_and_the_next_slot_runs() {
    let nowhere = json!({"spec": {"template": {"spec": {"nodeSelector": {"example.com/disk": "golden"}}}}});
    s1_ends_and_the_next_slot_runs("s1-nowhere", nowhere, &["Unschedulable: 0/1 nodes are available"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_fails_twice_is_tried_until_it_succeeds_and_each_attempt_knows_its_number() {
    if !is_real() {
        return;
    }
    let world = World::on(with_node, "attempts").await;
    let template = json!({"spec": running("echo attempt $PUNCTUAL_ATTEMPT > /dev/termination-log; test $PUNCTUAL_ATTEMPT -ge 3 || exit $((10 + PUNCTUAL_ATTEMPT))")});
    let spec = json!({"schedule": "*/2 * * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": template,
        "retryPolicy": {"limit": 3, "delay": "1s"}});
    world.task("tried", spec).await;
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    let (run, status) = first_end(&world, "tried").await;
    assert_eq!((run.outcome.as_str(), run.attempts), ("Succeeded", 3));
    assert_eq!(run.exit_codes, [Some(11), Some(12), Some(0)]);
    assert!(status.retried >= 2 && status.failed == 0, "{status:?}");
    assert_eq!(process.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn run_timeout_ends_the_container() {
    if !is_real() {
        return;
    }
    let world = World::on(with_node, "run-timeout").await;
    let template = json!({"spec": running("trap exit TERM; while true; do sleep 1; done")});
    let spec = json!({"schedule": "*/5 * * * * *", "concurrencyPolicy": "Forbid", "runTimeout": "3s", "jobTemplate": template});
    world.task("slow", spec).await;
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    let (run, _) = first_end(&world, "slow").await;
    assert_eq!((run.outcome.as_str(), run.reason.as_str()), ("Failed", "RunTimeout"));
    // The run has ended when its pods are gone, and not before.
    let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={}", run.job.unwrap()));
    assert_eq!(world.pods().list(&of_job).await.unwrap().items.len(), 0);
    world.status("slow", "the next slot to run", |status| status.started >= 2).await;
    assert_eq!(process.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_taken_and_the_ones_for_the_demo_do_their_work() {
    let world = World::on(with_node, "examples").await;
    // Results go to a directory of the test's own, not to that of a demo that may be up.
    let results = tempfile::tempdir().unwrap();
    let examples = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let file = file.unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let text = text.replace("/tmp/punctual-demo", &results.path().display().to_string());
        let text = text.replace("busybox:1.36", BUSYBOX_IMAGE);
        std::fs::write(examples.path().join(file.file_name()), text).unwrap();
    }
    let applied = with_node()
        .kubectl()
        .args(["apply", "-n", &world.namespace, "-f"])
        .arg(examples.path())
        .output()
        .unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let process = Process::start(&world.access.kubeconfig, &world.namespace);
    for task in world.tasks().list(&ListParams::default()).await.unwrap() {
        let name = task.metadata.name.unwrap();
        let status = world.settled(&name).await;
        let ready = status.condition("Ready").unwrap();
        assert_eq!(ready.status, "True", "{name}: {}", ready.message);
    }
    if is_real() {
        let (digest, status) = first_end(&world, "log-digest").await;
        assert_eq!(digest.outcome, "Succeeded", "{:?}", status.recent_runs);
        let pods: Api<Pod> = Api::namespaced(world.client.clone(), &world.namespace);
        let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={}", digest.job.unwrap()));
        let pod = pods.list(&of_job).await.unwrap().items.remove(0).metadata.name.unwrap();
        let log = pods.logs(&pod, &LogParams::default()).await.unwrap();
        assert!(log.contains("new lines"), "{log}");
        assert!(log.starts_with(&digest.slot.0.to_string()), "{log}");
        let (clean_up, _) = first_end(&world, "clean-up").await;
        assert_eq!(clean_up.outcome, "Succeeded");
        let (failed, _) = first_end(&world, "fails").await;
        assert_eq!(
            (failed.exit_code, failed.message.as_deref()),
            (Some(3), Some("nothing is mounted on /data"))
        );
    }
    assert_eq!(process.terminate(), Some(0));
}
