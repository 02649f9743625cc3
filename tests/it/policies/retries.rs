//! `retryPolicy`: further attempts, each a Job of its own, and one line in the history.

use super::{condition, daily_at, minutes, newest, seconds, soon};
use crate::harness::{World, annotation, told_as};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use punctual::api::{ATTEMPT, RUN, ScheduledTaskStatus};
use punctual::plan::{attempt_name, job_name};
use serde_json::json;

/// When the Job failed, by the API server's clock.
async fn failed_at(world: &World, job: &str) -> Timestamp {
    let status = world.job(job).await.status.expect("a status");
    let failed = |condition: &k8s_openapi::api::batch::v1::JobCondition| condition.type_ == "Failed";
    let condition = status.conditions.unwrap_or_default().into_iter().find(failed).expect("it failed");
    condition.last_transition_time.expect("a time").0
}

/// Waits until a run waits for that attempt; gives when it is made.
async fn waits_for(world: &World, task: &str, attempt: i32) -> Timestamp {
    let waits = |status: &ScheduledTaskStatus| {
        let run = status.active.first();
        run.is_some_and(|run| run.attempt == attempt && run.retry_at.is_some())
    };
    let status = world.status(task, &format!("attempt {attempt} to be promised"), waits).await;
    status.active[0].retry_at.as_ref().expect("waited for").0
}

fn number(job: &Job) -> (String, String, String) {
    (
        annotation(job, ATTEMPT),
        told_as(job, "PUNCTUAL_ATTEMPT"),
        told_as(job, "PUNCTUAL_RUN"),
    )
}

/// P4
#[tokio::test(flavor = "multi_thread")]
async fn retries_keep_their_backoff_over_a_restart_stop_at_the_limit_and_are_one_line_of_history() {
    let world = World::new("p4-limit").await;
    let seen = world.recorder().await;
    let slot = soon();
    let policy = json!({"limit": 2, "delay": "10m", "factor": 3, "maxDelay": "2h"});
    world
        .task("tried", json!({"schedule": daily_at(slot), "retryPolicy": policy}))
        .await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("tried").await;
    operator.set_to(slot);
    let first = job_name("tried", slot, 1);
    let job = world.job(&first).await;
    assert_eq!(number(&job), ("1".into(), "1".into(), first.clone()));
    world.end_job(&first, 11, "no answer").await;
    let retry_at = waits_for(&world, "tried", 2).await;
    assert_eq!(retry_at, failed_at(&world, &first).await + minutes(10));
    world
        .is_told(
            "tried",
            "JobFailed",
            "attempt 1 failed with exit code 11: no answer; attempt 2 follows at",
        )
        .await;

    // A restart neither forgets the attempt nor hurries it.
    operator.stop().await;
    let operator = world.operator(&(slot + seconds(30)).to_string()).await;
    operator.rests().await;
    operator.set_to(retry_at - seconds(1));
    operator.rests().await;
    assert_eq!(waits_for(&world, "tried", 2).await, retry_at);
    assert_eq!(world.job_names().await, [first.as_str()]);
    operator.set_to(retry_at);
    let second = attempt_name(&first, 2);
    let job = world.job(&second).await;
    assert_eq!(number(&job), ("2".into(), "2".into(), first.clone()));
    assert_eq!(
        (annotation(&job, RUN), told_as(&job, "PUNCTUAL_SLOT")),
        (first.clone(), slot.to_string())
    );
    let status = world.status("tried", "the attempt to go on", |status| status.retried == 1).await;
    assert_eq!((status.running, status.active[0].exit_codes.as_slice()), (1, &[Some(11)][..]));

    world.end_job(&second, 12, "no answer").await;
    let retry_at = waits_for(&world, "tried", 3).await;
    assert_eq!(retry_at, failed_at(&world, &second).await + minutes(30));
    operator.set_to(retry_at);
    let third = attempt_name(&first, 3);
    world.job(&third).await;
    world.end_job(&third, 13, "no answer").await;
    let status = world.status("tried", "the run to end", |status| status.failed == 1).await;
    operator.set_to(retry_at + minutes(600));
    operator.rests().await;
    assert_eq!((status.started, status.retried, status.consecutive_failures), (1, 2, 1));
    assert_eq!((status.active.len(), status.recent_runs.len(), status.running), (0, 1, 0));
    let run = &status.recent_runs[0];
    assert_eq!(
        (newest(&status).as_str(), run.attempts, run.exit_code),
        ("Failed JobFailed", 3, Some(13))
    );
    assert_eq!(run.exit_codes, [Some(11), Some(12), Some(13)]);
    assert_eq!(run.message.as_deref(), Some("no answer; all 3 attempts failed"));
    assert_eq!(world.job_names().await, [first, second, third]);
    operator.stop().await;
    assert_eq!(seen.slots().await, [slot; 3]);
}

/// P4
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_succeeds_makes_the_run_a_success() {
    let world = World::new("p4-success").await;
    let slot = soon();
    let policy = json!({"limit": 5, "delay": "5m"});
    world
        .task("tried", json!({"schedule": daily_at(slot), "retryPolicy": policy}))
        .await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("tried").await;
    operator.set_to(slot);
    let first = job_name("tried", slot, 1);
    world.end_job(&first, 1, "").await;
    operator.set_to(waits_for(&world, "tried", 2).await);
    world.end_job(&attempt_name(&first, 2), 0, "").await;
    let status = world.status("tried", "the run to end", |status| status.succeeded == 1).await;
    assert_eq!(
        (status.started, status.failed, status.retried, status.consecutive_failures),
        (1, 0, 1, 0)
    );
    assert_eq!(condition(&status, "Healthy"), "True JobCompleted");
    let run = &status.recent_runs[0];
    assert_eq!(
        (status.recent_runs.len(), run.attempts, run.exit_codes.as_slice()),
        (1, 2, &[Some(1), Some(0)][..])
    );
    operator.stop().await;
}

/// P4
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_failed_while_nobody_looked_is_read_and_tried_again_although_no_failed_job_is_kept() {
    let world = World::new("p4-away").await;
    let slot = soon();
    // As long as a name can be: the Jobs of its attempts have names of their own all the same.
    let task = format!("{}-away", "long".repeat(60));
    let policy = json!({"limit": 2, "delay": "5m"});
    let spec = json!({"schedule": daily_at(slot), "retryPolicy": policy, "failedJobsHistoryLimit": 0});
    world.task(&task, spec).await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled(&task).await;
    operator.set_to(slot);
    let first = job_name(&task, slot, 1);
    world.status(&task, "the run to go on", |status| status.running == 1).await;
    operator.stop().await;
    world.end_job(&first, 9, "no answer").await;
    let operator = world.operator(&slot.to_string()).await;
    let retry_at = waits_for(&world, &task, 2).await;
    let jobs = world.jobs();
    crate::harness::until("the Job of the first attempt to be gone", || async {
        jobs.get_opt(&first).await.expect("an answer").is_none().then_some(())
    })
    .await;
    operator.set_to(retry_at);
    let second = attempt_name(&first, 2);
    assert!(second.len() <= 63, "{second}");
    world.end_job(&second, 0, "").await;
    let status = world.status(&task, "the run to end", |status| status.succeeded == 1).await;
    assert_eq!((status.started, status.retried, status.cancelled), (1, 1, 0));
    assert_eq!(status.recent_runs[0].exit_codes, [Some(9), Some(0)]);
    operator.stop().await;
}

/// P4
#[tokio::test(flavor = "multi_thread")]
async fn no_attempt_is_promised_that_run_timeout_would_cut_off() {
    let world = World::new("p4-timeout").await;
    let slot = soon();
    let policy = json!({"limit": 5, "delay": "10m", "maxDelay": "2h", "factor": 4});
    world
        .task(
            "tried",
            json!({"schedule": daily_at(slot), "retryPolicy": policy, "runTimeout": "20m"}),
        )
        .await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("tried").await;
    operator.set_to(slot);
    let first = job_name("tried", slot, 1);
    world.end_job(&first, 1, "no answer").await;
    operator.set_to(waits_for(&world, "tried", 2).await);
    world.end_job(&attempt_name(&first, 2), 2, "no answer").await;
    let status = world.status("tried", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed JobFailed");
    let run = &status.recent_runs[0];
    assert_eq!((run.attempts, run.exit_codes.as_slice()), (2, &[Some(1), Some(2)][..]));
    assert_eq!(
        run.message.as_deref(),
        Some("no answer; not retried: runTimeout would be over before the next attempt")
    );
    operator.stop().await;
}

/// P4
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_runs_when_run_timeout_is_over_is_ended_and_is_the_last() {
    let world = World::new("p4-cut").await;
    let slot = soon();
    let policy = json!({"limit": 5, "delay": "5m"});
    world
        .task(
            "tried",
            json!({"schedule": daily_at(slot), "retryPolicy": policy, "runTimeout": "20m"}),
        )
        .await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("tried").await;
    operator.set_to(slot);
    let first = job_name("tried", slot, 1);
    world.end_job(&first, 1, "").await;
    operator.set_to(waits_for(&world, "tried", 2).await);
    world.job(&attempt_name(&first, 2)).await;
    world.status("tried", "the attempt to go on", |status| status.retried == 1).await;
    operator.set_to(slot + minutes(20) - seconds(1));
    operator.rests().await;
    assert_eq!(world.job_names().await, [first.clone(), attempt_name(&first, 2)]);
    operator.set_to(slot + minutes(20));
    let status = world.status("tried", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed RunTimeout");
    let run = &status.recent_runs[0];
    assert_eq!((run.attempts, run.exit_codes.as_slice()), (2, &[Some(1), None][..]));
    operator.set_to(slot + minutes(600));
    operator.rests().await;
    assert_eq!(world.job_names().await, [first], "what was ended is gone, and nothing follows");
    operator.stop().await;
}

/// P4
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_by_its_pod_failure_policy_is_not_tried_again() {
    let world = World::new("p4-final").await;
    let slot = soon();
    let rules = json!({"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]});
    let spec = json!({"schedule": daily_at(slot), "retryPolicy": {"limit": 5, "delay": "1m"},
        "jobTemplate": {"spec": {"podFailurePolicy": rules}}});
    world.task("final", spec).await;
    let operator = world.operator(&(slot - seconds(30)).to_string()).await;
    world.settled("final").await;
    operator.set_to(slot);
    let first = job_name("final", slot, 1);
    world.end_job(&first, 42, "no such customer").await;
    let status = world.status("final", "the run to end", |status| status.failed == 1).await;
    assert_eq!(newest(&status), "Failed PodFailurePolicy");
    let run = &status.recent_runs[0];
    assert_eq!((run.attempts, run.exit_code), (1, Some(42)));
    let message = run.message.as_deref().unwrap();
    assert_eq!(
        message,
        "no such customer; not retried: podFailurePolicy says that this exit is final"
    );
    operator.set_to(slot + minutes(600));
    operator.rests().await;
    assert_eq!(world.job_names().await, [first]);
    operator.stop().await;
}
