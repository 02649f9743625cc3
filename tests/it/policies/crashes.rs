//! The real process, killed at each write that requests, further attempts and backfills make: nothing lost, nothing doubled.

use crate::harness::{Fault, Process, Proxy, World};
use punctual::api::{BACKFILL, RUN_NOW, ScheduledTaskStatus};
use punctual::plan::attempt_name;
use serde_json::json;

/// So many writes are killed at, each before it is done and after.
const WRITES: i32 = 6;

/// Kills the process at that write; what runs meanwhile ends with this exit code.
async fn killed_at(world: &World, write: i32, fault: Fault, exit_code: i32) {
    let mut left = write;
    let proxy = Proxy::start(world.access.client.clone(), move |_, _| {
        left -= 1;
        if left < 0 { fault } else { Fault::None }
    })
    .await;
    let operator = Process::start(proxy.kubeconfig(), &world.namespace);
    let ending = world.end_jobs(exit_code);
    proxy.hit.lock().await.recv().await.expect("the write comes");
    operator.kill();
    ending.abort();
}

fn faults() -> impl Iterator<Item = (i32, Fault)> {
    (0..WRITES).flat_map(|write| [(write, Fault::HeldBefore), (write, Fault::HeldAfter)])
}

/// P1
#[tokio::test(flavor = "multi_thread")]
async fn d1_killed_at_each_write_each_request_is_one_run_and_each_of_its_attempts_one_job() {
    let world = World::new("p1-killed").await;
    let seen = world.recorder().await;
    let spec = json!({"schedule": "0 0 1 1 *", "concurrencyPolicy": "Queue", "queueLimit": 100, "runHistoryLimit": 100,
        "failedJobsHistoryLimit": 1, "retryPolicy": {"limit": 1, "delay": "1s"}});
    world.task("asked", spec).await;
    let operator = Process::start(&world.access.kubeconfig, &world.namespace);
    world.settled("asked").await;
    operator.kill();
    let mut asked = 0;
    for (write, fault) in faults() {
        // Only the newest value is a request, so a new one comes when the last is taken up.
        let status = world.tasks().get("asked").await.unwrap().status.unwrap_or_default();
        if asked == 0 || status.last_handled_run_now == Some(asked.to_string()) {
            asked += 1;
            world.annotate("asked", RUN_NOW, Some(&asked.to_string())).await;
        }
        killed_at(&world, write, fault, 1).await;
    }
    let operator = Process::start(&world.access.kubeconfig, &world.namespace);
    let ending = world.end_jobs(1);
    let done = |status: &ScheduledTaskStatus| {
        status.last_handled_run_now == Some(asked.to_string()) && status.active.is_empty() && status.queued.is_empty()
    };
    let status = world.status("asked", "every request to be done", done).await;
    ending.abort();
    assert_eq!(operator.terminate(), Some(0));
    let counted = (status.requested, status.started, status.failed, status.retried);
    assert_eq!(counted, (asked, asked, asked, asked), "{status:#?}");
    assert_eq!((status.missed, status.skipped, status.cancelled), (0, 0, 0));
    let mut expected: Vec<String> = Vec::new();
    for run in &status.recent_runs {
        assert_eq!((run.outcome.as_str(), run.attempts), ("Failed", 2), "{run:?}");
        let last = run.job.as_ref().unwrap();
        let first = last.strip_suffix("-2").expect("the second attempt").to_owned();
        expected.push(attempt_name(&first, 2));
        expected.push(first);
    }
    expected.sort();
    assert_eq!(seen.names().await, expected, "each attempt is one Job");
}

/// D1
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_a_backfill_runs_each_slot_once() {
    let world = World::new("d1-backfill").await;
    let seen = world.recorder().await;
    let spec = json!({"schedule": "30 4 * * *", "concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 1, "runHistoryLimit": 100,
        "missedRunPolicy": "None"});
    world.task("filled", spec).await;
    let operator = Process::start(&world.access.kubeconfig, &world.namespace);
    world.settled("filled").await;
    operator.kill();
    world.annotate("filled", BACKFILL, Some("2026-01-01/P30D")).await;
    for (write, fault) in faults() {
        killed_at(&world, write, fault, 0).await;
    }
    let operator = Process::start(&world.access.kubeconfig, &world.namespace);
    let ending = world.end_jobs(0);
    let done =
        |status: &ScheduledTaskStatus| status.last_handled_backfill.is_some() && status.backfill.is_none() && status.active.is_empty();
    let status = world.status("filled", "the backfill to end", done).await;
    ending.abort();
    assert_eq!(operator.terminate(), Some(0));
    assert_eq!((status.requested, status.started, status.succeeded), (30, 30, 30), "{status:#?}");
    assert_eq!(seen.slots().await.len(), 30);
    seen.assert_once().await;
}
