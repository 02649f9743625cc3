//! Large objects and many: by what the real process holds at its highest, with them and without.
//!
//! The chart allows 256 MiB. What others' objects add at start must fit in beside what the operator needs for itself.

use crate::forged::named;
use crate::ground::{Ground, make, maker_of_jobs, tenant_as};
use crate::harness::{World, task_manifest, until};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// What attack objects may add to the highest memory: a third of the chart's limit.
const MOST_ADDED: u64 = 85 * 1024;

/// The operator as a process.
struct Process {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Process {
    /// Started, and ready.
    async fn start(ground: &Ground) -> Process {
        let log = tempfile::NamedTempFile::new().expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_punctual"))
            .args(ground.arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().expect("a log"))
            .spawn()
            .expect("the binary starts");
        let process = Process { child, log };
        until("the operator to be ready", || async {
            process
                .get("/readyz")
                .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
                .then_some(())
        })
        .await;
        process
    }

    fn get(&self, path: &str) -> Option<String> {
        let log = std::fs::read_to_string(self.log.path()).ok()?;
        let said = log.lines().find(|line| line.contains("operator started"))?;
        let said: Value = serde_json::from_str(said).ok()?;
        let mut stream = TcpStream::connect(said["address"].as_str()?).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// KiB, by that line of /proc.
    fn memory(&self, line: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let found = text.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().next());
        found.expect("a figure").parse().expect("a number")
    }

    fn highest(&self) -> u64 {
        self.memory("VmHWM:")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.log.path()).unwrap_or_default());
        }
    }
}

/// A megabyte of empty strings: 24 bytes each where somebody builds them.
fn empty_strings(bytes: usize) -> Value {
    json!(vec![""; bytes / 3])
}

/// Highest memory without and with what `attack` does.
async fn compared(ground: &Ground, attack: impl Future<Output = ()>) -> (u64, u64) {
    let without = Process::start(ground).await.highest();
    attack.await;
    let with = Process::start(ground).await.highest();
    println!("highest memory: {without} KiB without, {with} KiB with");
    (without, with)
}

/// A5: tasks with a megabyte of template.
#[tokio::test(flavor = "multi_thread")]
async fn large_templates_do_not_keep_the_operator_from_being_ready() {
    let ground = Ground::new("a5").await;
    let editor = tenant_as(&ground.attacker, "editor", "edit").await;
    let attack = async {
        let tasks = (0..20).map(|number| {
            let containers = json!([{"name": "main", "image": "example.com/none:1", "args": empty_strings(1_200_000)}]);
            let spec = json!({"suspend": true, "jobTemplate": {"spec": {"template": {"spec": {"containers": containers}}}}});
            let body = task_manifest(&format!("large-{number}"), spec);
            let tasks = editor.tasks();
            async move {
                tasks
                    .create(&PostParams::default(), &serde_json::from_value(body).unwrap())
                    .await
                    .is_ok()
            }
        });
        let taken: Vec<bool> = stream::iter(tasks).buffer_unordered(4).collect().await;
        println!("{} of 20 tasks were taken", taken.iter().filter(|taken| **taken).count());
    };
    let (without, with) = compared(&ground, attack).await;
    assert!(with <= without + MOST_ADDED, "{with} KiB, and {without} KiB without");
}

/// A6: Jobs of a megabyte, labelled as ours, of no task.
#[tokio::test(flavor = "multi_thread")]
async fn large_labelled_jobs_do_not_keep_the_operator_from_being_ready() {
    let ground = Ground::new("a6").await;
    let attacker = maker_of_jobs(&ground.attacker).await;
    let (without, with) = compared(&ground, many_jobs(&attacker, 120, 1_000_000)).await;
    assert!(with <= without + MOST_ADDED, "{with} KiB, and {without} KiB without");
}

async fn many_jobs(attacker: &World, count: usize, bytes: usize) {
    let jobs = (0..count).map(|number| async move {
        let mut job = named(&nobody(), &format!("large-{number}"), "2027-01-01T10:01:00Z");
        job["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        job["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["x".repeat(bytes)]);
        make(attacker, job).await;
    });
    stream::iter(jobs).buffer_unordered(4).collect::<Vec<()>>().await;
}

/// A task that never was.
fn nobody() -> punctual::api::ScheduledTask {
    let mut body = task_manifest("nobody", json!({}));
    body["metadata"]["uid"] = json!("00000000-0000-4000-8000-000000000000");
    serde_json::from_value(body).expect("a task")
}

/// A15: Jobs of tasks that never were, made and deleted.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_bogus_owners_that_come_and_go_leave_nothing_behind() {
    let ground = Ground::new("a15").await;
    let attacker = maker_of_jobs(&ground.attacker).await;
    let process = Process::start(&ground).await;
    let mut after = Vec::new();
    for round in 0..4 {
        let jobs = (0..500).map(|number| {
            let attacker = &attacker;
            async move {
                let second = 1_798_797_600 + number + 500 * round;
                let slot = jiff::Timestamp::from_second(second).unwrap().to_string();
                let job = make(attacker, named(&nobody(), &format!("nobody-{second}"), &slot)).await;
                let _ = attacker.jobs().delete(&job.name_any(), &Default::default()).await;
            }
        });
        stream::iter(jobs).buffer_unordered(16).collect::<Vec<()>>().await;
        after.push(process.memory("VmRSS:"));
    }
    println!("resident after each 500: {after:?} KiB");
    assert!(after[3] <= after[0] + after[0] / 4, "{after:?} KiB");
    let jobs = process.get("/metrics").unwrap();
    assert!(jobs.contains("punctual_jobs 0\n"), "{jobs}");
}

/// A6: A6, by another way: the pods that are asked for when a Job has failed.
#[tokio::test(flavor = "multi_thread")]
async fn large_pods_of_a_failed_job_are_not_all_held_at_once() {
    let ground = Ground::new("a6-pods").await;
    let process = Process::start(&ground).await;
    let spec = json!({"schedule": "* * * * * *", "concurrencyPolicy": "Forbid", "retryPolicy": {"limit": 1, "delay": "1h"}, "jobTemplate": {"spec": {"suspend": true}}});
    let bait = ground.attacker.task("bait", spec).await;
    let owner =
        json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "bait", "uid": bait.uid(), "controller": true}]);
    let owner = &owner;
    let started = ground
        .attacker
        .status("bait", "a run", |status| status.active.iter().any(|run| run.uid.is_some()))
        .await;
    let (job, uid) = (&started.active[0].job, started.active[0].uid.as_ref().unwrap());
    let before = process.highest();
    let pods: Api<Pod> = ground.attacker.pods();
    let many = (0..100).map(|number| {
        // Controlled by another, so that the Job's controller does not adopt them.
        let pod = json!({"metadata": {"name": format!("large-{number}"), "labels": {"batch.kubernetes.io/controller-uid": uid}, "ownerReferences": owner},
            "spec": {"containers": [{"name": "main", "image": "example.com/none:1", "args": empty_strings(1_000_000)}]}});
        let pods = pods.clone();
        async move { drop(pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.expect("a pod")) }
    });
    stream::iter(many).buffer_unordered(4).collect::<Vec<()>>().await;
    let fail = kube::api::Patch::Merge(json!({"spec": {"suspend": false, "activeDeadlineSeconds": 1}}));
    ground
        .attacker
        .jobs()
        .patch(job, &Default::default(), &fail)
        .await
        .expect("its owner ends it");
    ground
        .attacker
        .status("bait", "the failure to be known", |status| {
            status.failed > 0 || status.active.iter().any(|run| run.attempt == 2)
        })
        .await;
    let with = process.highest();
    println!("highest memory: {before} KiB before, {with} KiB with 100 pods of 1 MB");
    assert!(with <= before + MOST_ADDED, "{with} KiB, and {before} KiB before");
}
