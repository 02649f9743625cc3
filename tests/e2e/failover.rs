//! What a dead leader costs: nothing but time. The terms are the chart's own, 15, 10 and 2 seconds.

use super::ground::{Ground, ground, running};
use super::release::NAMESPACE;
use crate::harness::{World, until};
use jiff::{SignedDuration, Timestamp};
use punctual::api::ScheduledTaskStatus;
use serde_json::json;
use std::collections::BTreeMap;

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

/// Every slot since the first has exactly one run, and one Job.
fn assert_whole(status: &ScheduledTaskStatus, jobs: &[String], task: &str) {
    let mut slots: Vec<Timestamp> = status.recent_runs.iter().map(|run| run.slot.0).collect();
    slots.sort();
    for pair in slots.windows(2) {
        assert_eq!(pair[1] - PERIOD, pair[0], "{task}: a slot is lost, or there twice: {slots:?}");
    }
    assert_eq!((status.missed, status.skipped), (0, 0), "{task}");
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.starts_with(&format!("{task}-"))) {
        *counts.entry(job).or_default() += 1;
    }
    for slot in slots {
        let name = punctual::plan::job_name(task, slot, 1);
        assert_eq!(counts.get(name.as_str()), Some(&1), "{name}");
    }
}

/// Ends the leader and waits until both tasks have a slot after that, run by another leader.
async fn hands_over(ground: &'static Ground, world: &World, how: &[&str]) {
    for (task, policy) in [("allowed", "Allow"), ("queued", "Queue")] {
        catching_up(world, task, policy).await;
        world.status(task, "a first run", |status| status.succeeded >= 1).await;
    }
    let leader = ground.leader(&world.client, "").await;
    let began = now();
    ground
        .kubectl(&[&["delete", "pod", "-n", NAMESPACE, &leader], how].concat())
        .expect("deleted");
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
        let gap = status.recent_runs.iter().filter(|run| (began..led).contains(&run.slot.0)).count();
        println!("{task}: {leader} -> {next}: {gap} slots while nobody led");
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
    hands_over(ground, &world, &["--wait=false"]).await;
    ground.assert_nothing_denied(release.since);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_followed_and_the_slots_in_between_are_caught_up() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("killed").await;
    let _one_at_a_time = CHANGES.lock().await;
    hands_over(ground, &world, &["--force", "--grace-period=0"]).await;
    ground.assert_nothing_denied(release.since);
}

/// One leader ends at a time, else a test would see the other's.
static CHANGES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
