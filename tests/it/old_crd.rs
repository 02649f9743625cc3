//! A CRD that is older than the operator: the API server drops status fields that it does not know. A control plane of its own.

use crate::harness::{World, at, own_control_plane, requests, told_as, until};
use cluster::Cluster;
use jiff::{SignedDuration, Timestamp};
use punctual::api::ScheduledTaskStatus;
use punctual::clock::Clock;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::OnceLock;

/// Fields that a newer operator writes, as pointers into the schema of the status.
const UNKNOWN: &[&str] = &[
    "/observedSchedule/properties/jitter",
    "/active/items/properties/retryAt",
    "/keptJobs",
];

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let cluster = own_control_plane();
        remove_fields(&cluster);
        cluster
    })
}

/// As `kubectl get crd … -o json | jq 'del(…)' | kubectl replace -f -`.
fn remove_fields(cluster: &Cluster) {
    let shown = cluster
        .kubectl()
        .args(["get", "crd", "scheduledtasks.punctual.dev", "-o", "json"])
        .output();
    let mut crd: Value = serde_json::from_slice(&shown.expect("kubectl runs").stdout).expect("JSON");
    let status = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties";
    for pointer in UNKNOWN {
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let parent = crd.pointer_mut(&format!("{status}{parent}")).and_then(Value::as_object_mut);
        parent
            .and_then(|fields| fields.remove(field))
            .unwrap_or_else(|| panic!("{pointer} is not in the CRD"));
    }
    let mut kubectl = cluster.kubectl();
    let mut replace = kubectl
        .args(["replace", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("kubectl runs");
    let mut input = replace.stdin.take().expect("a pipe");
    input.write_all(&serde_json::to_vec(&crd).unwrap()).expect("written");
    drop(input);
    assert!(replace.wait().expect("kubectl ends").success(), "the older CRD is not taken");
}

/// Brings the operator's CRD, as a deployment tool does it.
fn upgrade(cluster: &Cluster) {
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let args = ["apply", "--server-side", "--force-conflicts", "-f", crds];
    let applied = cluster.kubectl().args(args).output().expect("kubectl runs");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
}

/// Waits until the older schema is in force: what it does not know no longer comes back.
async fn in_force(world: &World) {
    world.task("probe", json!({"suspend": true})).await;
    let tasks = world.tasks();
    let patch = kube::api::Patch::Merge(json!({"status": {"keptJobs": [{"job": "x", "uid": "x", "succeeded": true}]}}));
    until("the older CRD to be in force", || async {
        let params = kube::api::PatchParams::default();
        let written = tasks.patch_status("probe", &params, &patch).await.expect("the status is taken");
        written.status.unwrap_or_default().kept_jobs.is_empty().then_some(())
    })
    .await;
    tasks.delete("probe", &Default::default()).await.expect("it is deleted");
}

fn ready(status: &ScheduledTaskStatus) -> (String, String) {
    let ready = status.condition("Ready").cloned();
    ready.map(|ready| (ready.status, ready.reason)).unwrap_or_default()
}

fn writes() -> usize {
    let all = requests(cluster(), "admin").into_iter();
    all.filter(|request| request.resource == "scheduledtasks/status" && request.verb == "update")
        .count()
}

/// When an attempt failed is the API server's time, so this one has a slot near to it.
async fn retried() {
    let world = World::on(cluster, "f11-retry").await;
    let minute = Clock::System.now().as_second().div_euclid(60) * 60 + 60;
    let slot = Timestamp::from_second(minute).expect("a time");
    let local = slot.to_zoned(jiff::tz::TimeZone::UTC);
    let schedule = format!("{} {} * * *", local.minute(), local.hour());
    world
        .task("retried", json!({"schedule": schedule, "retryPolicy": {"limit": 3, "delay": "1h"}}))
        .await;
    let operator = world.operator(&(slot - SignedDuration::from_secs(30)).to_string()).await;
    world.settled("retried").await;
    operator.set_to(slot);
    let first = format!("retried-{minute}");
    world.end_job(&first, 1, "").await;
    let status = world
        .status("retried", "the retry to be planned", |status| {
            status.active.first().is_some_and(|run| run.attempt == 2)
        })
        .await;
    assert_eq!(status.active[0].retry_at, None, "the CRD does not know it");
    operator.set_to(slot + SignedDuration::from_mins(30));
    operator.rests().await;
    assert_eq!(world.job_names().await, [first.as_str()], "the retry did not wait");
    operator.set_to(slot + SignedDuration::from_mins(120));
    let second = world.job(&format!("{first}-2")).await;
    assert_eq!(told_as(&second, "PUNCTUAL_ATTEMPT"), "2");
    operator.stop().await;
}

/// F11: the operator says so, runs every slot, and writes as often as with its own CRD.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_crd_is_reported_and_costs_no_slot_and_no_storm() {
    let world = World::on(cluster, "f11").await;
    in_force(&world).await;
    let seen = world.recorder().await;
    world.task("jittered", json!({"jitter": "5s"})).await;
    world
        .task("kept", json!({"concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 1}))
        .await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for task in ["jittered", "kept"] {
        world.settled(task).await;
    }
    let slots = 3;
    for minute in 1..=slots {
        operator.set(&format!("2027-01-01T10:{minute:02}:06Z"));
        let slot = at(&format!("2027-01-01T10:{minute:02}:00Z")).as_second();
        for task in ["jittered", "kept"] {
            world.end_job(&format!("{task}-{slot}"), 0, "").await;
            world
                .status(task, "its run", |status| {
                    status.succeeded == i64::from(minute) && status.running == 0
                })
                .await;
        }
    }
    for task in ["jittered", "kept"] {
        let status = world
            .status(task, "the older CRD to be reported", |status| ready(status).1 == "OutdatedCRD")
            .await;
        assert_eq!(ready(&status).0, "False");
        assert_eq!((status.started, status.missed, status.skipped), (i64::from(slots), 0, 0), "{task}");
    }
    until("Jobs to be pruned", || async {
        let kept = world.job_names().await.into_iter().filter(|name| name.starts_with("kept-")).count();
        (kept == 1).then_some(())
    })
    .await;

    operator.rests().await;
    let written = writes();
    assert!(written <= 30, "{written} status writes for two tasks and three slots");
    seen.assert_each_once().await;

    retried().await;

    // A slot of the time without an operator is not lost, though what was dropped is forgotten.
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:04:06Z").await;
    for task in ["jittered", "kept"] {
        world.job(&format!("{task}-{}", at("2027-01-01T10:04:00Z").as_second())).await;
    }

    // With the operator's CRD everything is well again, without a restart.
    tokio::task::spawn_blocking(|| upgrade(cluster())).await.expect("the CRD is taken");
    let mut limit = 5;
    while ready(&world.settled("jittered").await).0 != "True" {
        limit += 1;
        assert!(limit < 90, "it is still reported");
        world.edit("jittered", json!({"runHistoryLimit": limit})).await;
    }
    operator.stop().await;
}
