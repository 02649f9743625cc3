//! etcd goes back in time while the operator keeps running: a control plane of its own, whose data is put back.
//!
//! `etcdutl snapshot restore --bump-revision --mark-compacted` is done by its effects: an older copy of the data, revisions beyond all
//! that anybody has seen, and everything before them compacted.

use crate::harness::{World, at, own_control_plane, until};
use cluster::Cluster;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(own_control_plane)
}

async fn stop() {
    let stopped = tokio::task::spawn_blocking(|| {
        let cluster = cluster();
        let manager = cluster.controller_manager().expect("a controller manager");
        for part in [manager, cluster.api_server(), cluster.etcd()] {
            part.stop().expect("it stops");
        }
    });
    stopped.await.expect("stopped");
}

async fn start_etcd() {
    let started = tokio::task::spawn_blocking(|| cluster().etcd().start());
    started.await.expect("a start").expect("etcd starts");
}

async fn start_the_rest() {
    let started = tokio::task::spawn_blocking(|| {
        let cluster = cluster();
        let manager = cluster.controller_manager().expect("a controller manager");
        cluster.api_server().start().and_then(|()| manager.start())
    });
    started.await.expect("a start").expect("the control plane starts");
}

/// Copies the data of etcd, which is stopped.
fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
    assert!(copied.success(), "{} to {}", from.display(), to.display());
}

/// etcd, asked as its JSON gateway is.
struct Etcd(kube::Client);

impl Etcd {
    fn connect() -> Etcd {
        let pid = cluster().etcd().pid().expect("etcd runs");
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("its arguments");
        let url = command
            .split('\0')
            .find_map(|argument| argument.strip_prefix("--listen-client-urls="));
        let config = kube::Config::new(url.expect("an address").parse().expect("an address"));
        Etcd(kube::Client::try_from(config).expect("a client"))
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let request = http::Request::post(path).body(serde_json::to_vec(&body).unwrap()).unwrap();
        self.0.request(request).await.expect("etcd answers")
    }

    /// Writes something that nobody reads. Gives the revision.
    async fn write(&self) -> i64 {
        let answer = self.ask("/v3/kv/put", json!({"key": "YnVtcA==", "value": "MQ=="})).await;
        answer["header"]["revision"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a revision")
    }

    /// Forgets everything before this revision.
    async fn compact(&self, revision: i64) {
        self.ask("/v3/kv/compaction", json!({"revision": revision.to_string(), "physical": true}))
            .await;
    }
}

/// How the snapshot is restored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As etcd's documentation asks for: revisions go on beyond all that was seen.
    Bumped,
    /// Revisions go back, and are given again. Watches of the lost future are told nothing.
    Plain,
}

/// F12: the objects are older than what the operator knows, and the operator is not restarted.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_etcd_is_believed_without_a_restart() {
    restored("f12", Way::Bumped).await;
}

/// F12
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_etcd_is_believed_though_its_revisions_went_back() {
    restored("f12-plain", Way::Plain).await;
}

async fn restored(name: &str, way: Way) {
    // The tests stop the same control plane.
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _alone = ALONE.lock().await;
    let world = World::on(cluster, name).await;
    let seen = world.recorder().await;
    for policy in ["Forbid", "Allow"] {
        world.task(&policy.to_lowercase(), json!({"concurrencyPolicy": policy})).await;
    }
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    let run = async |minute: u32| {
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        for task in ["forbid", "allow"] {
            let job = format!("{task}-{}", at(&format!("2027-01-01T10:{minute:02}:00Z")).as_second());
            world.end_job(&job, 0, "").await;
            let slot = at(&format!("2027-01-01T10:{minute:02}:00Z"));
            world
                .status(task, &format!("the end of {job}"), |status| {
                    status
                        .recent_runs
                        .iter()
                        .any(|run| run.slot.0 == slot && run.outcome == "Succeeded")
                })
                .await;
        }
    };
    for task in ["forbid", "allow"] {
        world.settled(task).await;
    }
    run(1).await;
    let (data, snapshot) = (cluster().dir().join("etcd"), cluster().dir().join("snapshot"));
    stop().await;
    copy(&data, &snapshot);
    start_etcd().await;
    start_the_rest().await;
    run(2).await;
    run(3).await;

    let etcd = Etcd::connect();
    for _ in 0..2_000 {
        etcd.write().await;
    }
    let before = etcd.write().await;
    stop().await;
    copy(&snapshot, &data);
    start_etcd().await;
    let etcd = Etcd::connect();
    let mut revision = etcd.write().await;
    assert!(revision < before, "it did not go back: {revision}, {before}");
    while way == Way::Bumped && revision < before + 100 {
        revision = etcd.write().await;
    }
    if way == Way::Bumped {
        etcd.compact(revision).await;
    }
    start_the_rest().await;
    let status = world.tasks().get("forbid").await.expect("the task").status.unwrap_or_default();
    assert!(status.started <= 2, "the ledger did not go back: {status:?}");

    // Slots are claimed and written down again, for as long as anybody looks.
    run(4).await;
    run(5).await;
    for task in ["forbid", "allow"] {
        world.edit(task, json!({"schedule": "*/2 * * * *"})).await;
        world.settled(task).await;
    }
    run(6).await;
    if way == Way::Bumped {
        seen.assert_each_once().await;
    }
    for task in ["forbid", "allow"] {
        let status = world.tasks().get(task).await.expect("the task").status.unwrap_or_default();
        assert_eq!(status.running, 0, "{status:?}");
        assert_eq!(status.condition("Ready").map(|ready| ready.status.as_str()), Some("True"));
    }
    // Jobs are cleaned up again: three of each are kept.
    until("older Jobs to be pruned", || async {
        (world.job_names().await.len() <= 6).then_some(())
    })
    .await;
    operator.stop().await;
}
