//! `concurrencyPolicy: Forbid`, and `Allow` with `maxConcurrentRuns`: a run that finds no capacity is skipped.

use crate::api::{ConcurrencyPolicy, MissedRunPolicy};
use crate::plan::planner::{BlockedSlot, Planner};
use crate::plan::run::{Phase, Run};
use crate::plan::{ConditionReason, ON_TIME, Outcome, Reason, SlotRange, Spec, WriteKind};

/// Slots that a late plan would call superseded, though the active run would have kept each of them out in time: they are skipped
/// like those of a plan that is on time.
pub fn skip_late(planner: &mut Planner) {
    let is_refused = planner.observed.refusals.of(WriteKind::Create).is_some();
    let Some(spec) = skipping(planner).filter(|_| !is_refused && planner.is_full()) else {
        return;
    };
    for range in std::mem::take(&mut planner.passed) {
        let is_recent = planner.now().duration_since(range.first) <= ON_TIME;
        let was_active = planner
            .oldest_active()
            .is_some_and(|run| run.started.is_some() && run.slot < range.first);
        if range.reason != Reason::Superseded || !is_recent || !was_active {
            planner.passed.push(range);
            continue;
        }
        let (reason, why) = no_capacity(planner, spec);
        let skipped = SlotRange { reason, ..range };
        let message = format!("{skipped} not started: {why}");
        planner.ledger.pass(&skipped, Outcome::Skipped, &message);
    }
}

/// Claims the candidates that find capacity, and skips the others.
pub fn claim_or_skip(planner: &mut Planner) {
    let Some(spec) = skipping(planner) else { return };
    let catches_up = catches_up(planner, spec);
    for run in std::mem::take(&mut planner.candidates) {
        if !planner.is_full() {
            planner.ledger.claim(run);
        } else if catches_up && run.is_scheduled() {
            wait(planner, &run);
        } else {
            let (reason, why) = no_capacity(planner, spec);
            let message = format!("{} not started: {why}", run.shown());
            planner.ledger.refuse(&run, Outcome::Skipped, reason, &message);
        }
    }
}

/// The spec, if it says that runs without capacity are skipped.
fn skipping<'a>(planner: &Planner<'a>) -> Option<&'a Spec> {
    let spec = planner.spec?;
    let skips = match spec.fields.concurrency_policy {
        ConcurrencyPolicy::Forbid => true,
        ConcurrencyPolicy::Allow => spec.fields.capacity().is_some(),
        ConcurrencyPolicy::Replace | ConcurrencyPolicy::Queue => false,
    };
    skips.then_some(spec)
}

/// Under `Forbid` and `missedRunPolicy: All`, slots that are caught up wait for each other.
fn catches_up(planner: &Planner, spec: &Spec) -> bool {
    let mut slots = planner.candidates.iter().filter(|run| run.is_scheduled());
    let is_late = slots.next().is_some_and(|first| planner.now().duration_since(first.slot) > ON_TIME);
    let all = spec.fields.missed_run_policy == MissedRunPolicy::All;
    all && spec.fields.concurrency_policy == ConcurrencyPolicy::Forbid && (is_late || slots.next().is_some())
}

fn wait(planner: &mut Planner, run: &Run) {
    let active = planner.oldest_active().map(|active| active.slot);
    if let (Some(active), None) = (active, &planner.blocked) {
        planner.blocked = Some(BlockedSlot {
            slot: run.slot,
            reason: ConditionReason::Waiting,
            message: format!("waits for the run of slot {active} to end"),
        });
    }
}

/// Why a run that finds no capacity does not start.
fn no_capacity(planner: &Planner, spec: &Spec) -> (Reason, String) {
    if spec.fields.concurrency_policy != ConcurrencyPolicy::Forbid {
        let why = "as many runs are active as maxConcurrentRuns allows";
        return (Reason::MaxConcurrentRuns, why.to_owned());
    }
    let active = planner.oldest_active();
    let active = active.map_or_else(String::new, |run| match run.phase {
        Phase::Claimed => format!("Job {} of slot {} is not created yet, and ", run.job, run.slot),
        _ => format!("Job {} is still running, and ", run.job),
    });
    (Reason::PreviousRunActive, format!("{active}concurrencyPolicy is Forbid"))
}

#[cfg(test)]
mod scenarios;
