//! L and P: the ledger adds up, stays small, and is all that the operator writes.

use crate::harness::{Process, World, at, until};
use k8s_openapi::api::batch::v1::Job;
use kube::api::PostParams;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

/// L2
#[tokio::test(flavor = "multi_thread")]
async fn every_slot_is_in_exactly_one_counter() {
    let world = World::new("l2").await;
    let seen = world.recorder().await;
    let policies = ["Allow", "Forbid", "Replace"];
    for policy in policies {
        world
            .task(&policy.to_lowercase(), json!({"concurrencyPolicy": policy, "runHistoryLimit": 100}))
            .await;
    }
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for policy in policies {
        world.settled(&policy.to_lowercase()).await;
    }
    // Some runs succeed, some fail, some are still going when the next slot comes, and five minutes are slept over.
    for minute in (1..=6).chain([12, 13]) {
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        let slot = at(&format!("2027-01-01T10:{minute:02}:00Z"));
        for policy in policies {
            let task = policy.to_lowercase();
            let status = world
                .status(&task, "the slot's outcome", |status| {
                    // A claim without a Job would be superseded by the next slot.
                    let claimed = status.active.iter().any(|run| run.uid.is_none());
                    status.accounted_until.as_ref().is_some_and(|until| until.0 == slot) && !claimed
                })
                .await;
            let job = format!("{task}-{}", slot.as_second());
            if minute % 3 != 0 && status.active.iter().any(|run| run.job == job) {
                world.end_job(&job, minute % 2, "said the container").await;
                world
                    .status(&task, "its end", |status| status.active.iter().all(|run| run.job != job))
                    .await;
            }
        }
    }
    operator.stop().await;
    for policy in policies {
        let task = policy.to_lowercase();
        let status = world.tasks().get(&task).await.unwrap().status.unwrap();
        assert_eq!(status.started + status.missed + status.skipped, 13, "{policy}: {status:#?}");
        assert_eq!(
            status.started,
            status.succeeded + status.failed + status.cancelled + status.running,
            "{policy}"
        );
        assert_eq!(seen.of(&format!("{task}-")).await.len() as i64, status.started, "{policy}");
        assert_eq!(status.missed, 5, "{policy}");
        let told: i64 = status.recent_runs.iter().map(|run| run.slots).sum();
        assert_eq!(told + status.running, 13, "{policy}: every slot is told in recentRuns or active");
        let failed = status.recent_runs.iter().find(|run| run.outcome == "Failed").unwrap();
        assert_eq!(
            (failed.exit_code, failed.message.as_deref()),
            (Some(1), Some("said the container")),
            "{policy}"
        );
    }
    let forbid = world.tasks().get("forbid").await.unwrap().status.unwrap();
    assert!(forbid.skipped > 0 && forbid.recent_runs.iter().any(|run| run.reason == "PreviousRunActive"));
}

/// L3
#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_bounded_and_nothing_is_written_when_nothing_changed() {
    let world = World::new("l3").await;
    world
        .task(
            "bounded",
            json!({"runHistoryLimit": 4, "successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 1}),
        )
        .await;
    world.task("quiet", json!({"schedule": "0 0 1 1 *"})).await;
    world.task("paused", json!({"suspend": true})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for task in ["bounded", "quiet", "paused"] {
        world.settled(task).await;
    }
    for minute in 1..=12 {
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        let job = format!("bounded-{}", at(&format!("2027-01-01T10:{minute:02}:00Z")).as_second());
        world.end_job(&job, minute % 2, "").await;
        world
            .status("bounded", "its end", |status| status.succeeded + status.failed == i64::from(minute))
            .await;
    }
    let status = world.tasks().get("bounded").await.unwrap().status.unwrap();
    assert_eq!(status.recent_runs.len(), 4);
    let durations = status.recent_run_seconds.len() as i64;
    assert_eq!((durations, status.succeeded), (6, 6), "one for each run that succeeded");
    until("the history limits to hold", || async {
        (world.job_names().await.len() == 3).then_some(())
    })
    .await;

    let versions = async || {
        let mut versions = Vec::new();
        for task in ["bounded", "quiet", "paused"] {
            versions.push(world.tasks().get(task).await.unwrap().metadata.resource_version.unwrap());
        }
        versions
    };
    // A minute, an hour, two restarts: nothing is due, so nothing is written.
    let before = versions().await;
    operator.set("2027-01-01T10:12:40Z");
    operator.stop().await;
    for now in ["2027-01-01T10:12:50Z", "2027-01-01T10:12:59Z"] {
        let operator = world.operator(now).await;
        until("the operator to have looked at each task", || async {
            (operator.metric("punctual_tasks") >= 3.0 && operator.is_quiet()).then_some(())
        })
        .await;
        // A list from a cache that is behind may bring an old ledger: what is sent by it meets a conflict, and writes nothing.
        let conflicts = operator.metric("punctual_reconcile_errors_total{kind=\"Conflict\"}");
        assert_eq!(operator.metric("punctual_api_requests_total{verb=\"status\"}"), conflicts);
        operator.stop().await;
    }
    assert_eq!(versions().await, before);
}

/// P2
#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_another_owner_with_the_same_name_are_ignored() {
    let world = World::new("p2").await;
    let task = world
        .task("owner", json!({"concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 0}))
        .await;
    let uid = task.metadata.uid.unwrap();
    let other = |kind: &str, api: &str| json!([{"apiVersion": api, "kind": kind, "name": "owner", "uid": "11111111-2222-3333-4444-555555555555", "controller": true}]);
    for (name, owner) in [
        ("by-cronjob", other("CronJob", "batch/v1")),
        ("by-namesake", other("ScheduledTask", "punctual.dev/v1alpha1")),
        ("by-nobody", json!([])),
    ] {
        // The label alone makes nobody ours.
        let body = json!({
            "metadata": {"name": name, "ownerReferences": owner, "labels": {"punctual.dev/task-uid": uid}, "annotations": {"punctual.dev/slot": "2027-01-01T10:01:00Z"}, "finalizers": ["example.com/keep"]},
            "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}}},
        });
        world
            .jobs()
            .create(&PostParams::default(), &serde_json::from_value::<Job>(body).unwrap())
            .await
            .unwrap();
    }
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    let status = world.settled("owner").await;
    assert_eq!((status.started, status.running), (0, 0));
    operator.set("2027-01-01T10:01:00Z");
    let status = world.status("owner", "its slot", |status| status.started == 1).await;
    assert_eq!(status.skipped, 0);
    operator.stop().await;
    for name in ["by-cronjob", "by-namesake", "by-nobody"] {
        let patch = kube::api::Patch::Merge(json!({"metadata": {"finalizers": null}}));
        world.jobs().patch(name, &kube::api::PatchParams::default(), &patch).await.unwrap();
    }
}

/// P5
#[tokio::test(flavor = "multi_thread")]
async fn spec_and_metadata_are_the_authors_alone() {
    let world = World::new("p5").await;
    let made = world.task("mine", json!({"concurrencyPolicy": "Replace"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("mine").await;
    for minute in 1..=4 {
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        world.status("mine", "its slot", |status| status.started == minute).await;
    }
    operator.stop().await;
    let now = world.tasks().get("mine").await.unwrap();
    assert_eq!(now.spec, made.spec);
    let theirs = |task: &punctual::api::ScheduledTask| {
        let mut meta = task.metadata.clone();
        meta.resource_version = None;
        let ours = meta
            .managed_fields
            .take()
            .unwrap_or_default()
            .into_iter()
            .filter(|entry| entry.manager.as_deref() == Some("punctual"));
        (meta, ours.map(|entry| entry.subresource).collect::<Vec<_>>())
    };
    let (meta, ours) = theirs(&now);
    assert_eq!(meta, theirs(&made).0);
    assert_eq!(
        ours,
        [Some("status".to_owned())],
        "the operator owns fields of the status, and no other"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_finishes_what_it_began_and_the_next_one_picks_up() {
    let world = World::new("sigterm").await;
    let seen = world.recorder().await;
    world
        .task("every-second", json!({"schedule": "* * * * * *", "runHistoryLimit": 100}))
        .await;
    for round in 1..=3 {
        let process = Process::start(&world.access.kubeconfig, &world.namespace);
        world
            .status("every-second", "slots to be started", |status| status.started >= round * 2)
            .await;
        assert_eq!(process.terminate(), Some(0));
        // What was waiting to be merged is written before the process leaves.
        let status = world.tasks().get("every-second").await.unwrap().status.unwrap();
        let jobs = until("every Job to be seen", || async {
            let jobs = seen.slots().await.len() as i64;
            (jobs == status.started).then_some(jobs)
        })
        .await;
        assert_eq!(jobs, status.running, "none has ended");
    }
    seen.assert_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_served_and_log_lines_name_task_and_slot() {
    let world = World::new("health").await;
    world.task("watched", json!({"schedule": "* * * * * *"})).await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let process = Process::start_logging(&world.access.kubeconfig, &world.namespace, Stdio::from(log.reopen().unwrap()));
    world.status("watched", "a slot to be started", |status| status.started >= 1).await;
    let lines: Vec<serde_json::Value> = BufReader::new(log.reopen().unwrap())
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).expect("each line is JSON"))
        .collect();
    let address = lines
        .iter()
        .find_map(|line| line["address"].as_str())
        .expect("the address is logged")
        .to_owned();
    let started = lines.iter().find(|line| line["outcome"] == "Started").expect("the start is logged");
    assert_eq!(started["task"], format!("{}/watched", world.namespace));
    assert!(started["slot"].is_string() && started["reason"] == "OnSchedule", "{started}");
    let get = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: punctual\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/livez").starts_with("HTTP/1.1 200"));
    assert!(get("/readyz").starts_with("HTTP/1.1 200"));
    let metrics = get("/metrics");
    for name in [
        "punctual_slots_total{outcome=\"Started\",reason=\"OnSchedule\"}",
        "punctual_start_lateness_seconds_bucket",
        "punctual_queue_depth",
        "punctual_tasks 1",
        &format!("punctual_task_active{{namespace=\"{}\",task=\"watched\"}}", world.namespace),
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    assert_eq!(process.terminate(), Some(0));
}
