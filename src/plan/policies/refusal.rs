//! The API server refuses a write of this task: what waits for it says so, and is tried again later.
//!
//! Refused creates hold back the starts of this task until their backoff is over, and nothing else: terminations and prunes have
//! backoffs of their own.

use crate::api::{ConcurrencyPolicy, MissedRunPolicy, Trigger};
use crate::plan::planner::{BlockedSlot, Planner};
use crate::plan::records::End;
use crate::plan::run::{Phase, Run};
use crate::plan::{ConditionReason, Outcome, Reason, Refusal, WriteKind};
use jiff::{SignedDuration, Timestamp};

/// Says which slot waits because of a refusal.
pub fn note_blocked_slot(planner: &mut Planner) {
    let claimed = planner
        .ledger
        .runs
        .iter()
        .find(|run| run.phase == Phase::Claimed)
        .map(|run| run.slot);
    if let Some(refusal) = planner.refused(WriteKind::Create) {
        planner.wake_by(refusal.retry_at);
        return block(planner, claimed.or_else(|| oldest_due(planner)), refusal);
    }
    let terminates = |run: &Run| matches!(run.phase, Phase::Terminating(..)) && planner.is_active(run);
    if planner.ledger.runs.iter().any(terminates)
        && let Some(refusal) = planner.observed.refusals.of(WriteKind::Terminate)
    {
        block(planner, claimed, refusal);
    }
}

/// A further attempt that is refused for so long is hopeless, and ends its run: it must not hold capacity for ever.
const HOPELESS: SignedDuration = SignedDuration::from_mins(5);

/// Runs whose next attempt is refused again and again have failed.
pub fn fail_hopeless_retries(planner: &mut Planner) {
    let Some(refusal) = planner.observed.refusals.of(WriteKind::Retry) else {
        return;
    };
    let now = planner.now();
    if now.duration_since(refusal.since) < HOPELESS {
        return;
    }
    let is_due = |run: &mut Run| matches!(run.phase, Phase::Backoff(until) if until <= refusal.since);
    let hopeless: Vec<Run> = planner.ledger.runs.extract_if(.., is_due).collect();
    for run in hopeless {
        let end = End::between_attempts(
            &run,
            now,
            format!("attempt {} could not be created: {}", run.attempt, refusal.message),
        );
        planner.ledger.finish(&run, Outcome::Failed, Reason::JobRefused, end);
    }
}

/// A claim whose Job was refused for certain makes way for a newer slot, instead of holding the only capacity.
pub fn make_way(planner: &mut Planner) {
    let Some(spec) = planner.spec else { return };
    let skips = matches!(spec.fields.concurrency_policy, ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Allow);
    let catches_up = spec.fields.missed_run_policy == MissedRunPolicy::All;
    let is_refused = planner.observed.refusals.of(WriteKind::Create).is_some();
    if !skips || catches_up || !is_refused || planner.candidates.is_empty() {
        return;
    }
    let is_claim = |run: &Run| run.phase == Phase::Claimed && run.trigger == Trigger::Schedule;
    let why = "the API server refused its Job until a newer slot was due";
    planner.ledger.give_up(is_claim, Outcome::Missed, Reason::JobRefused, why);
}

fn oldest_due(planner: &Planner) -> Option<Timestamp> {
    let schedule = planner.schedule().filter(|_| planner.suspended_by().is_none())?;
    let accounted = planner.ledger.accounted_until();
    schedule.latest(accounted, schedule.started_by(planner.now()))?;
    schedule.next(accounted)
}

fn block(planner: &mut Planner, slot: Option<Timestamp>, refusal: &Refusal) {
    planner.blocked = slot.map(|slot| BlockedSlot {
        slot,
        reason: ConditionReason::of_refusal(refusal.reason),
        message: refusal.message.clone(),
    });
}

#[cfg(test)]
mod scenarios;
