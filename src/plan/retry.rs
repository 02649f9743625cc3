//! Whether a run whose attempt failed is tried again, and when: `retryPolicy`.
//!
//! ```text
//!   attempt n fails ─► final? ── yes ─► the run has failed
//!                        └ no ─► active { attempt: n + 1, retryAt } ─► (its time comes) ─► start makes the Job
//! ```
//! Takes the failure of an attempt, gives a later one or the run's end. The moment is written in the status, so that a backoff
//! survives restarts, and it is a function of run and attempt, so that planning again gives the same. Never makes a Job.

use super::ledger::{End, whole_second};
use super::{Draft, Outcome, Reason, attempt_name, run_of};
use crate::api::{ActiveRun, RetryPolicy, Trigger};
use crate::schedule::hash;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::time::Duration;

const SUSPENDED: &str = "not tried again: the task is suspended";

/// An attempt failed.
pub fn failed(draft: &mut Draft, run: ActiveRun, reason: Reason, mut end: End) {
    let ended = whole_second(end.at.unwrap_or(draft.now()));
    let at = match again(draft, &run, reason, ended) {
        Ok(at) => at,
        Err(why) => {
            if let Some(why) = why {
                end.message = Some(format!("{}; {why}", end.message.unwrap_or_default()));
            }
            return draft.ledger.ended(&run, Outcome::Failed, reason, end);
        }
    };
    let said = end.message.unwrap_or_default();
    let code = end.exit_code.map_or_else(String::new, |code| format!(" (exit code {code})"));
    let next = run.attempt + 1;
    let message = format!("attempt {} failed{code}: {said}; attempt {next} follows at {at}", run.attempt);
    draft.ledger.announce(Outcome::Retrying, reason, run.slot.0, 1, message);
    // Written down before its Job is made, also where its time has come already.
    draft.claim = true;
    let mut exit_codes = run.exit_codes.clone();
    exit_codes.push(end.exit_code);
    draft.ledger.go_on(ActiveRun {
        attempt: next,
        job: attempt_name(run_of(&run.job, run.attempt), next),
        uid: None,
        retry_at: Some(Time(at)),
        exit_codes,
        ending: None,
        message: Some(super::ledger::short(&format!("attempt {} failed{code}: {said}", run.attempt))),
        ..run
    });
}

/// A task that its author suspends makes no further attempt at its slots: nothing of the past shall start when it is resumed.
pub fn give_up(draft: &mut Draft) {
    let waits = |run: &mut ActiveRun| run.retry_at.is_some() && run.trigger == Trigger::Schedule;
    let waiting: Vec<ActiveRun> = draft.ledger.status.active.extract_if(.., waits).collect();
    for run in waiting {
        let end = End {
            at: Some(draft.now()),
            exit_code: run.exit_codes.last().copied().flatten(),
            message: Some(format!("{}; {SUSPENDED}", run.message.as_deref().unwrap_or_default())),
        };
        draft.ledger.ended(&run, Outcome::Failed, Reason::JobFailed, end);
    }
}

/// When the next attempt is made, or why there is none; nothing to say where nobody asked for retries.
fn again(draft: &Draft, run: &ActiveRun, reason: Reason, ended: Timestamp) -> Result<Timestamp, Option<String>> {
    let Some(spec) = draft.spec else { return Err(None) };
    let Some(policy) = spec.fields.retry_policy.filter(|policy| policy.limit > 0) else {
        return Err(None);
    };
    if reason == Reason::PodFailurePolicy {
        return Err(Some("not tried again: podFailurePolicy says that this exit is final".into()));
    }
    if run.attempt > policy.limit {
        return Err(Some(format!("all {} attempts failed", run.attempt)));
    }
    if spec.fields.suspend && run.trigger == Trigger::Schedule {
        return Err(Some(SUSPENDED.into()));
    }
    let at = ended.checked_add(wait(&policy, run)).unwrap_or(Timestamp::MAX);
    let over = spec.fields.run_timeout.zip(run.started.as_ref());
    let over = over.and_then(|(timeout, started)| started.0.checked_add(Duration::from(timeout)).ok());
    if over.is_some_and(|over| over <= at) {
        return Err(Some("not tried again: runTimeout would be over before the next attempt".into()));
    }
    Ok(at)
}

/// `delay × factor^(attempt - 1)`, at most `maxDelay`, and a share of `jitter` that run and attempt decide. Whole seconds.
fn wait(policy: &RetryPolicy, run: &ActiveRun) -> SignedDuration {
    let longest = policy.longest_delay().as_secs_f64();
    let factor = f64::from(policy.factor.unwrap_or(2));
    let backoff = (policy.first_delay().as_secs_f64() * factor.powi(run.attempt - 1)).min(longest);
    let jitter = policy.jitter.map_or(Duration::ZERO, Duration::from).as_secs();
    let share = hash(&format!("{} {}", run_of(&run.job, run.attempt), run.attempt)) % (jitter + 1);
    SignedDuration::from_secs_f64(backoff.ceil()) + SignedDuration::from_secs(i64::try_from(share).unwrap_or(0))
}
