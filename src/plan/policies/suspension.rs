//! A task that is suspended starts no slot: by its author (`suspend`), or by failures in a row (`suspendAfterFailures`).
//!
//! The second is never written into the spec, which belongs to the author: it follows from `consecutiveFailures`, less those that a
//! resume request (`punctual.dev/resume`) has forgiven. Slots that pass meanwhile are counted as skipped when the suspension begins
//! or ends. What runs may end.

use crate::api::{RESUME, Suspension};
use crate::plan::planner::Planner;
use crate::plan::records::End;
use crate::plan::run::{Phase, Run};
use crate::plan::seconds::whole_second;
use crate::plan::{Outcome, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

const WHY: &str = "the task is suspended";

/// Handles a resume request.
pub fn handle_resume(planner: &mut Planner) {
    let Some(request) = &planner.observed.task.requests.resume else {
        return;
    };
    if planner.spec.is_none() || planner.ledger.status.last_handled_resume.as_ref() == Some(request) {
        return;
    }
    let (now, failures) = (planner.now(), planner.ledger.status.consecutive_failures);
    planner.ledger.status.last_handled_resume = Some(request.clone());
    let refused = match planner.suspended_by() {
        Some(Reason::TooManyFailures) => {
            planner.ledger.forgive_failures();
            let message = format!("resumed: {failures} consecutive failures no longer count");
            return planner.ledger.say(Outcome::Handled, Reason::Resumed, now, message);
        }
        Some(_) => "not resumed: spec.suspend is true and is never changed by Punctual; set it to false",
        None => "nothing to resume: the task is not suspended",
    };
    planner.ledger.refuse_request(RESUME, request, now, refused.into());
}

/// Accounts for the slots up to a change, and records since when the task is suspended.
pub fn record_suspension(planner: &mut Planner) {
    if planner.spec.is_none() {
        return;
    }
    let now = planner.now();
    let before = planner.ledger.status.suspension.as_ref().map(|suspension| {
        // Only the two are ever written.
        Reason::parse(&suspension.reason).unwrap_or(Reason::Suspended)
    });
    let after = planner.suspended_by();
    if before == after {
        return;
    }
    if before.is_some() != after.is_some() {
        let reason = before.or(after).unwrap_or(Reason::Suspended);
        planner.pass_until_now(Outcome::Skipped, reason, why(reason));
    }
    planner.ledger.status.suspension = after.map(|reason| Suspension {
        reason: reason.to_string(),
        since: Time(whole_second(now)),
    });
    if after == Some(Reason::TooManyFailures) {
        let message = too_many_failures(planner);
        planner.ledger.say(Outcome::Failed, Reason::TooManyFailures, now, message);
    }
    planner.ledger.urgent = true;
}

/// A suspended task gives up the slots that wait; its author's suspension ends retries of slots, too, so that nothing of the past
/// starts when the task is resumed.
pub fn give_up_slots(planner: &mut Planner) {
    let Some(reason) = planner.suspended_by() else { return };
    planner.ledger.give_up(|run| run.is_scheduled(), Outcome::Skipped, reason, WHY);
    if reason != Reason::Suspended {
        return;
    }
    let waits = |run: &mut Run| run.is_scheduled() && matches!(run.phase, Phase::Backoff(_));
    let waiting: Vec<Run> = planner.ledger.runs.extract_if(.., waits).collect();
    for run in waiting {
        let end = End::between_attempts(
            &run,
            planner.now(),
            format!("{}; not retried: {WHY}", run.message.as_deref().unwrap_or_default()),
        );
        planner.ledger.finish(&run, Outcome::Failed, Reason::JobFailed, end);
    }
}

/// What the condition and the event say of a suspension by failures.
pub fn too_many_failures(planner: &Planner) -> String {
    let status = &planner.ledger.status;
    let failures = status.consecutive_failures - status.forgiven_failures;
    format!(
        "{failures} runs failed in a row (suspendAfterFailures): no slot starts until a run succeeds or the annotation {RESUME} gets a new value"
    )
}

fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::TooManyFailures => "too many runs failed in a row",
        _ => WHY,
    }
}

#[cfg(test)]
mod scenarios;
