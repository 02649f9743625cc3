//! `concurrencyPolicy: Replace`: the newest run terminates the others.
//!
//! It is claimed at once; its Job is created when the pods of the others are gone, or have had their grace period and do not go.

use crate::api::ConcurrencyPolicy;
use crate::plan::planner::Planner;
use crate::plan::records::End;
use crate::plan::run::{Phase, Run};
use crate::plan::{Outcome, Reason};

const WHY: &str = "a newer run replaced it";

/// A run is terminated for a newer one only: when that was given up, the old one runs on.
pub fn spare_replaced(planner: &mut Planner) {
    if planner.schedule().is_none() || planner.ledger.runs.iter().any(|run| run.phase == Phase::Claimed) {
        return;
    }
    for run in std::mem::take(&mut planner.ledger.runs) {
        let is_replaced = matches!(&run.phase, Phase::Terminating(_, why) if why.reason == Reason::Replaced);
        let is_deleting = planner.job(&run).is_some_and(|job| job.object.deleting.is_some());
        let run = if is_replaced && !is_deleting { run.spared() } else { run };
        planner.ledger.keep(run);
    }
}

/// Claims the newest candidate and terminates what is active.
pub fn replace_active(planner: &mut Planner) {
    if planner
        .spec
        .is_none_or(|spec| spec.fields.concurrency_policy != ConcurrencyPolicy::Replace)
    {
        return;
    }
    let candidates = std::mem::take(&mut planner.candidates);
    let committed = &planner.ledger.committed;
    if planner
        .ledger
        .runs
        .iter()
        .any(|run| run.phase == Phase::Claimed && committed.contains(&run.job))
    {
        // It is started before it is replaced: the candidates are found again by the next plan.
        return;
    }
    let newest = candidates.iter().filter(|run| run.is_scheduled()).map(|run| run.slot).max();
    for run in candidates {
        if let Some(newest) = newest.filter(|newest| run.is_scheduled() && run.slot < *newest) {
            let message = format!("{} not started: slot {newest} would replace it at once", run.shown());
            planner.ledger.refuse(&run, Outcome::Skipped, Reason::Superseded, &message);
            continue;
        }
        // Who is replaced or gives way is decided now, and by no plan after the start.
        planner.ledger.binding |= !planner.ledger.runs.is_empty();
        let is_claim = |run: &Run| run.phase == Phase::Claimed;
        let why = "a newer run is due before its Job could be created";
        planner.ledger.give_up(is_claim, Outcome::Missed, Reason::Superseded, why);
        // From a time when the policy was Queue.
        let why = "a newer run is due, and concurrencyPolicy is Replace";
        planner.ledger.give_up(|_| true, Outcome::Skipped, Reason::Superseded, why);
        terminate_active(planner);
        planner.ledger.claim(run);
    }
}

fn terminate_active(planner: &mut Planner) {
    let now = planner.now();
    for run in std::mem::take(&mut planner.ledger.runs) {
        let is_active = planner.is_active(&run);
        let run = match run.phase {
            Phase::Backoff(_) => {
                let end = End::between_attempts(&run, now, WHY.into());
                planner.ledger.finish(&run, Outcome::Cancelled, Reason::Replaced, end);
                continue;
            }
            _ if is_active => planner.ledger.terminate(run, Reason::Replaced, now, WHY),
            _ => run,
        };
        planner.ledger.keep(run);
    }
}

#[cfg(test)]
mod scenarios;
