//! What a dead leader costs: nothing but time. The terms are the chart's own, 15, 10 and 2 seconds.

use super::ground::{Ground, ground, running};
use super::release::NAMESPACE;
use crate::harness::{World, until};
use jiff::{SignedDuration, Timestamp};
use punctual::api::ScheduledTaskStatus;
use serde_json::json;

const PERIOD: SignedDuration = SignedDuration::from_secs(5);

/// A task that catches up with everything.
async fn catching_up(world: &World, name: &str, policy: &str) {
    let spec = json!({"schedule": "*/5 * * * * *", "concurrencyPolicy": policy, "missedRunPolicy": "All", "missedRunLimit": 100,
        "runHistoryLimit": 100, "successfulJobsHistoryLimit": 100, "jobTemplate": running("true")});
    world.task(name, spec).await;
}

fn now() -> Timestamp {
    punctual::clock::Clock::System.now()
}

/// The slots of all runs: ended, going on, waiting.
fn slots(status: &ScheduledTaskStatus) -> Vec<Timestamp> {
    let ended = status.recent_runs.iter().map(|run| run.slot.0);
    let going = status.active.iter().map(|run| run.slot.0);
    let mut slots: Vec<Timestamp> = ended.chain(going).chain(status.queued.iter().map(|run| run.slot.0)).collect();
    slots.sort();
    slots
}

/// Every slot since the first has exactly one run, and no Job is there without one.
fn assert_whole(status: &ScheduledTaskStatus, jobs: &[String], task: &str) {
    let slots = slots(status);
    for pair in slots.windows(2) {
        assert_eq!(pair[1] - PERIOD, pair[0], "{task}: a slot is lost, or there twice: {slots:?}");
    }
    assert_eq!((status.missed, status.skipped), (0, 0), "{task}");
    for run in status.recent_runs.iter().filter_map(|run| run.job.as_ref()) {
        assert_eq!(jobs.iter().filter(|job| *job == run).count(), 1, "{run}");
    }
}

/// How a leader ends.
#[derive(Clone, Copy)]
enum End {
    /// Its pod is deleted: it finishes what it began and gives up the Lease.
    Told,
    /// Its process is killed in the middle of whatever it does, and its pod with it.
    Killed,
}

/// Ends the leader and waits until both tasks have a slot after that, run by another leader.
async fn hands_over(ground: &Ground, world: &World, end: End) {
    for (task, policy) in [("allowed", "Allow"), ("queued", "Queue")] {
        catching_up(world, task, policy).await;
        world.status(task, "a first run", |status| status.succeeded >= 1).await;
    }
    let leader = ground.leader(&world.client, "").await;
    let began = now();
    let delete = ["delete", "pod", "-n", NAMESPACE, &leader];
    match end {
        End::Told => ground.kubectl(&[&delete[..], &["--wait=false"]].concat()).expect("deleted"),
        End::Killed => {
            let pods = ground.operators(&world.client).await;
            let of = pods
                .iter()
                .find(|pod| pod.metadata.name.as_deref() == Some(&leader))
                .expect("the leader");
            kill_process_of(ground, of.metadata.uid.as_deref().expect("a UID"));
            ground
                .kubectl(&[&delete[..], &["--force", "--grace-period=0"]].concat())
                .expect("deleted")
        }
    };
    let next = ground.leader(&world.client, &leader).await;
    let led = now();
    for task in ["allowed", "queued"] {
        let status = world
            .status(task, "a slot after the change", |status| {
                let newest = status
                    .recent_runs
                    .iter()
                    .filter(|run| run.outcome == "Succeeded")
                    .map(|run| run.slot.0)
                    .max();
                newest.is_some_and(|slot| slot > led)
            })
            .await;
        let gap = slots(&status).iter().filter(|slot| (began..led).contains(slot)).count();
        println!("{task}: {leader} -> {next}: {gap} slots in between, all run");
        assert_whole(&status, &world.job_names().await, task);
    }
    until("the Deployment to be whole again", || async {
        let pods = ground.operators(&world.client).await;
        let ready = |pod: &k8s_openapi::api::core::v1::Pod| {
            let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            conditions
                .into_iter()
                .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        (pods.len() == 2 && pods.iter().all(ready)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_deleted_gives_up_its_lease_and_no_slot_is_lost() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("deleted").await;
    let _one_at_a_time = CHANGES.lock().await;
    hands_over(ground, &world, End::Told).await;
    ground.assert_nothing_denied(release.since);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_followed_and_the_slots_in_between_are_caught_up() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("killed").await;
    let _one_at_a_time = CHANGES.lock().await;
    hands_over(ground, &world, End::Killed).await;
    ground.assert_nothing_denied(release.since);
}

/// SIGKILL to the operator's process in a pod, which is told by the cgroup that this cluster made for it.
fn kill_process_of(ground: &Ground, pod: &str) {
    let (cluster, pod) = (format!("punctual-{}", ground.cluster.id()), format!("pod{pod}"));
    let mut killed = 0;
    for process in std::fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path()) {
        let text = |name: &str| std::fs::read_to_string(process.join(name)).unwrap_or_default();
        let cgroup = text("cgroup");
        if cgroup.contains(&cluster) && cgroup.contains(&pod) && text("comm").trim() == "punctual" {
            let id = process.file_name().expect("a process").to_os_string();
            let sent = std::process::Command::new("kill").arg("-KILL").arg(id).status();
            assert!(sent.expect("kill runs").success());
            killed += 1;
        }
    }
    assert_eq!(killed, 1, "one operator in the pod");
}

/// One leader ends at a time, else a test would see the other's.
static CHANGES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
