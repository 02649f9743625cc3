//! Whether a failed attempt is retried, and when: `retryPolicy`.
//!
//! ```text
//!   attempt n fails ─► final? ── yes ─► the run has failed
//!                        └ no ─► Backoff { attempt: n + 1, until } ─► (its time comes) ─► its Job is created
//! ```
//! The time is written in the status, so that a backoff survives restarts, and it is a function of run and attempt, so that planning
//! again gives the same.

use crate::api::RetryPolicy;
use crate::plan::planner::{Failure, Planner};
use crate::plan::run::Run;
use crate::plan::seconds::whole_second;
use crate::plan::{Outcome, Reason, attempt_name};
use crate::schedule::hash;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Retries the attempts that failed, or lets their runs fail.
pub fn retry_or_fail(planner: &mut Planner) {
    for Failure { run, reason, mut end } in std::mem::take(&mut planner.failed) {
        let ended = whole_second(end.at.unwrap_or(planner.now()));
        match next_attempt(planner, &run, reason, ended) {
            Ok(at) => {
                let job = attempt_name(run.name(), run.attempt + 1);
                planner.ledger.retry(run, job, at, reason, &end);
            }
            Err(why) => {
                if let Some(why) = why {
                    end.message = Some(format!("{}; {why}", end.message.unwrap_or_default()));
                }
                planner.ledger.finish(&run, Outcome::Failed, reason, end);
            }
        }
    }
}

/// When the next attempt is made, or why there is none; nothing to say where nobody wants retries.
fn next_attempt(planner: &Planner, run: &Run, reason: Reason, ended: Timestamp) -> Result<Timestamp, Option<String>> {
    let Some(spec) = planner.spec else { return Err(None) };
    let Some(policy) = spec.fields.retry_policy.filter(|policy| policy.limit > 0) else {
        return Err(None);
    };
    if reason == Reason::PodFailurePolicy {
        return Err(Some("not retried: podFailurePolicy says that this exit is final".into()));
    }
    if run.attempt > policy.limit {
        return Err(Some(format!("all {} attempts failed", run.attempt)));
    }
    if spec.fields.suspend && run.is_scheduled() {
        return Err(Some("not retried: the task is suspended".into()));
    }
    let at = ended.checked_add(delay(&policy, run)).unwrap_or(Timestamp::MAX);
    let over = spec.fields.run_timeout.zip(run.started);
    let over = over.and_then(|(timeout, started)| started.checked_add(Duration::from(timeout)).ok());
    if over.is_some_and(|over| over <= at) {
        return Err(Some("not retried: runTimeout would be over before the next attempt".into()));
    }
    Ok(at)
}

/// `delay × factor^(attempt - 1)`, at most `maxDelay`, and a share of `jitter` that run and attempt decide. Whole seconds.
fn delay(policy: &RetryPolicy, run: &Run) -> SignedDuration {
    let longest = policy.longest_delay().as_secs_f64();
    let factor = f64::from(policy.factor.unwrap_or(2));
    let backoff = (policy.first_delay().as_secs_f64() * factor.powi(run.attempt - 1)).min(longest);
    let jitter = policy.jitter.map_or(Duration::ZERO, Duration::from).as_secs();
    let share = hash(&format!("{} {}", run.name(), run.attempt)) % (jitter + 1);
    SignedDuration::from_secs_f64(backoff.ceil()) + SignedDuration::from_secs(i64::try_from(share).unwrap_or(0))
}
