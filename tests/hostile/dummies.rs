//! Jobs under the names of slots, made by who may make Jobs in the victim's own namespace: they occupy the slots whose names they
//! took, that is told, and nothing else comes of them.

use crate::forged::{Stands, forged, kept, named};
use crate::ground::{Ground, make, maker_of_jobs};
use crate::harness::until;
use kube::ResourceExt;
use kube::api::ListParams;
use punctual::plan::job_name;
use serde_json::{Value, json};

const NOW: &str = "2027-01-01T10:00:30Z";

fn minute(of: usize) -> String {
    format!("2027-01-01T10:{of:02}:00Z")
}

/// A10: dummies under the coming slots' names, as they stand: running, suspended, Complete, Failed. Each occupies its slot.
#[tokio::test(flavor = "multi_thread")]
async fn a_dummy_under_a_coming_slots_name_occupies_that_slot_and_is_told_whatever_it_claims_to_be() {
    let ground = Ground::new("a10").await;
    let attacker = maker_of_jobs(&ground.victim).await;
    for policy in ["Allow", "Forbid", "Replace", "Queue"] {
        let name = format!("victim-{}", policy.to_lowercase());
        let spec = json!({"concurrencyPolicy": policy, "suspendAfterFailures": 1, "jobTemplate": {"spec": {"completions": 0}}});
        let victim = ground.victim.task(&name, spec).await;
        for (at, stands) in Stands::ALL.into_iter().enumerate() {
            make(&attacker, stands.lay_over(forged(&victim, &minute(at + 1)))).await;
        }
    }
    let operator = ground.operator(NOW).await;
    for policy in ["allow", "forbid", "replace", "queue"] {
        ground.victim.settled(&format!("victim-{policy}")).await;
    }
    for at in 1..=Stands::ALL.len() {
        operator.set(&minute(at));
        for policy in ["allow", "forbid", "replace", "queue"] {
            let at = i64::try_from(at).unwrap();
            ground
                .victim
                .status(&format!("victim-{policy}"), "the slot to be missed", |status| status.missed == at)
                .await;
        }
    }
    operator.set(&minute(5));
    for policy in ["allow", "forbid", "replace", "queue"] {
        let name = format!("victim-{policy}");
        let status = ground
            .victim
            .status(&name, "the free slot to run", |status| status.succeeded == 1)
            .await;
        assert_eq!((status.started, status.failed, status.consecutive_failures), (1, 0, 0), "{policy}");
        assert!(
            status.recent_runs.iter().any(|run| run.reason == "NameConflict"),
            "{policy}: {:#?}",
            status.recent_runs
        );
        ground.victim.is_told(&name, "NameConflict", "was not created by Punctual").await;
    }
    assert_eq!(ground.victim.job_names().await.len(), 16 + 4, "nobody touches a stranger's Job");
}

/// A10: under past slots, slot 9999, later attempts, names of manual runs: none of it is the task's, and its own Jobs stay.
#[tokio::test(flavor = "multi_thread")]
async fn dummies_elsewhere_change_no_counter_and_push_no_real_job_out() {
    let ground = Ground::new("a10-past").await;
    let attacker = maker_of_jobs(&ground.victim).await;
    let spec = json!({"concurrencyPolicy": "Forbid", "retryPolicy": {"limit": 3, "delay": "1h"}, "suspendAfterFailures": 1,
        "jobTemplate": {"spec": {"completions": 0}}});
    let victim = ground.victim.task("victim", spec).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    for at in 1..=2 {
        operator.set(&minute(at));
        let at = i64::try_from(at).unwrap();
        ground
            .victim
            .status("victim", "the run to succeed", |status| status.succeeded == at)
            .await;
    }
    let real = ground.victim.job_names().await;
    let mut made = 0;
    for stands in Stands::ALL {
        let past = [40, 41, 42, 43][stands as usize];
        let mut jobs = vec![forged(&victim, &format!("2027-01-01T09:{past}:00Z"))];
        jobs.push(forged(&victim, &format!("9999-01-01T00:{past}:00Z")));
        jobs.push(forged(&victim, &format!("2027-01-01T10:01:{past}Z")));
        let slot = minute(1 + (stands as usize) / 2);
        let attempt = 2 + (stands as i32) % 2;
        let mut again = named(&victim, &job_name("victim", slot.parse().unwrap(), attempt), &slot);
        again["metadata"]["annotations"]["punctual.dev/attempt"] = json!(attempt.to_string());
        jobs.push(again);
        for trigger in ["Manual", "Backfill"] {
            let kind = trigger[..1].to_lowercase();
            let mut asked = named(&victim, &format!("victim-{}0000000{past}", kind), &minute(1));
            asked["metadata"]["annotations"]["punctual.dev/trigger"] = json!(trigger);
            jobs.push(asked);
        }
        for job in jobs {
            make(&attacker, stands.lay_over(job)).await;
            made += 1;
        }
    }
    // They are seen before the next slot is: the watch tells of them in order, and of this one last.
    operator.set(&minute(3));
    let status = ground
        .victim
        .status("victim", "the next run to succeed", |status| status.succeeded == 3)
        .await;
    assert_eq!((status.started, status.missed, status.skipped), (3, 0, 0), "{status:#?}");
    assert_eq!((status.failed, status.cancelled, status.requested), (0, 0, 0));
    assert_eq!(status.accounted_until.unwrap().0, minute(3).parse().unwrap());
    let left = ground.victim.job_names().await;
    assert!(real.iter().all(|name| left.contains(name)), "real Jobs stay: {left:?}");
    assert_eq!(left.len(), 3 + made);
    assert!(
        ground
            .victim
            .event_reasons("victim")
            .await
            .iter()
            .all(|reason| reason != "NameConflict")
    );
}

/// A10: what the operator writes on its Jobs is no key to other slots, nor to a slot whose Job is gone.
#[tokio::test(flavor = "multi_thread")]
async fn copies_of_a_real_job_are_no_real_jobs() {
    let ground = Ground::new("a10-copy").await;
    let attacker = maker_of_jobs(&ground.victim).await;
    let spec = json!({"concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 1, "jobTemplate": {"spec": {"completions": 0}}});
    ground.victim.task("victim", spec).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    let mut copies = Vec::new();
    for at in 1..=3 {
        operator.set(&minute(at));
        let number = i64::try_from(at).unwrap();
        ground
            .victim
            .status("victim", "the run to succeed", |status| status.succeeded == number)
            .await;
        let jobs = attacker
            .jobs()
            .list(&ListParams::default())
            .await
            .expect("the attacker may list Jobs");
        let newest = jobs.items.into_iter().max_by_key(ResourceExt::name_any).expect("a Job");
        copies.push(copy(&serde_json::to_value(newest).expect("JSON")));
    }
    // A Job that was pruned, again: under its very name, with all that stood on it.
    let pruned = copies[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let jobs = ground.victim.jobs();
    until("the oldest Job to be pruned", || async {
        jobs.get_opt(&pruned).await.expect("Jobs can be read").is_none().then_some(())
    })
    .await;
    make(&attacker, copies[0].clone()).await;
    // The newest, under the name of the slot that comes, with its mark.
    let name = job_name("victim", minute(4).parse().unwrap(), 1);
    let mut coming = copies[2].clone();
    coming["metadata"]["name"] = json!(name);
    coming["metadata"]["annotations"]["punctual.dev/slot"] = json!(minute(4));
    coming["metadata"]["annotations"]["punctual.dev/run"] = json!(name);
    make(&attacker, coming).await;
    operator.set(&minute(4));
    let status = ground
        .victim
        .status("victim", "the slot to be missed", |status| status.missed == 1)
        .await;
    assert_eq!((status.started, status.succeeded, status.running), (3, 3, 0), "{status:#?}");
    operator.set(&minute(5));
    ground
        .victim
        .status("victim", "the next to run", |status| status.succeeded == 4)
        .await;
    let left = ground.victim.job_names().await;
    assert!(left.contains(&pruned) && left.contains(&name), "copies are strangers: {left:?}");
}

/// What a forger keeps of a Job that it can read.
fn copy(job: &Value) -> Value {
    let metadata = &job["metadata"];
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": metadata["name"], "labels": {"punctual.dev/task-uid": metadata["labels"]["punctual.dev/task-uid"]},
            "annotations": metadata["annotations"], "ownerReferences": metadata["ownerReferences"]},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/none:1"}]}}},
    })
}

/// A11: hundreds of Jobs that claim the thousandth attempt, and manual runs before Christ: the ledger is written as ever.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_impossible_attempts_and_slots_never_come_into_the_ledger() {
    let ground = Ground::new("a11").await;
    let attacker = maker_of_jobs(&ground.victim).await;
    let victim = ground
        .victim
        .task("victim", json!({"jobTemplate": {"spec": {"suspend": true}}}))
        .await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    let first: i64 = 1_798_797_600;
    for number in 0..420 {
        let slot = jiff::Timestamp::from_second(first + 60 * number).unwrap();
        let attempt = if number % 2 == 0 { 1000 } else { 101 };
        let mut job = named(&victim, &job_name("victim", slot, attempt), &slot.to_string());
        job["metadata"]["annotations"]["punctual.dev/attempt"] = json!(attempt.to_string());
        make(&attacker, job).await;
    }
    for (number, slot) in ["-9999-01-01T00:00:00Z", "-000044-03-15T12:00:00Z", "0000-01-01T00:00:00Z"]
        .into_iter()
        .enumerate()
    {
        let mut job = kept(named(&victim, &format!("victim-m00000000{number}"), slot));
        job["metadata"]["annotations"]["punctual.dev/trigger"] = json!("Manual");
        make(&attacker, job).await;
    }
    operator.set(&minute(1));
    let status = ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    assert_eq!((status.active.len(), status.retried, status.requested), (1, 0, 0));
    let bytes = serde_json::to_vec(&status).expect("JSON").len();
    assert!(bytes < 8 * 1024, "{bytes} bytes of status");
}
