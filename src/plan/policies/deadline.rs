//! Slots that waited too long for their Job: `startingDeadlineSeconds`, and the end of the task's life (`endAt`).
//!
//! A requested run has no deadline.

use crate::plan::planner::Planner;
use crate::plan::run::{Phase, Run};
use crate::plan::{Outcome, Reason, WriteKind, slots};
use jiff::{SignedDuration, Timestamp};

/// Gives up claims and queued slots that are past the deadline.
pub fn give_up_late(planner: &mut Planner) {
    let (Some(spec), Some(schedule)) = (planner.spec, planner.schedule()) else {
        return;
    };
    let now = planner.now();
    let is_late = |run: &Run| run.is_scheduled() && slots::is_too_late(schedule, &spec.fields, run.slot, now);
    let refusal = planner.observed.refusals.of(WriteKind::Create);
    let reason = refusal.map_or(Reason::StartingDeadlineExceeded, |refusal| refusal.reason);
    let why = "its Job could not be created within startingDeadlineSeconds";
    let is_late_claim = |run: &Run| run.phase == Phase::Claimed && is_late(run);
    planner.ledger.give_up(is_late_claim, Outcome::Missed, reason, why);
    let why = "no capacity within startingDeadlineSeconds";
    planner
        .ledger
        .give_up(is_late, Outcome::Missed, Reason::StartingDeadlineExceeded, why);
    let Some(deadline) = spec.fields.starting_deadline_seconds else {
        return;
    };
    // The first whole second at which the deadline is over.
    let over = SignedDuration::from_secs(deadline.saturating_add(1));
    let late_at = |run: &Run| schedule.starts_at(run.slot).checked_add(over).unwrap_or(Timestamp::MAX);
    let next = planner.ledger.runs.iter().filter(|run| is_queued_slot(run)).map(late_at).min();
    next.into_iter().for_each(|at| planner.wake_by(at));
}

/// When the task's life has ended, its queued slots are skipped.
pub fn end_life(planner: &mut Planner) {
    let Some(end) = planner.end_of_life() else { return };
    if end > planner.now() {
        return planner.wake_by(end);
    }
    let why = "endAt has passed before there was capacity";
    planner.ledger.give_up(is_queued_slot, Outcome::Skipped, Reason::Ended, why);
}

fn is_queued_slot(run: &Run) -> bool {
    run.is_scheduled() && run.phase == Phase::Queued
}

#[cfg(test)]
mod scenarios;
