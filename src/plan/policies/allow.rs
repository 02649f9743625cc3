//! `concurrencyPolicy: Allow` without a limit: slots start at once, and the ledger follows.
//!
//! No run can be in another's way, and the Job's name is lock enough. A requested run is claimed like any other, for its request must
//! be handled once.

use crate::api::ConcurrencyPolicy;
use crate::plan::capacity::MOST_ACTIVE;
use crate::plan::planner::Planner;
use crate::plan::{Outcome, Reason, SlotRange};

/// Starts the candidates.
pub fn start_at_once(planner: &mut Planner) {
    let allows = |spec: &&crate::plan::Spec| {
        let fields = &spec.fields;
        fields.concurrency_policy == ConcurrencyPolicy::Allow && fields.capacity().is_none()
    };
    if planner.spec.filter(allows).is_none() {
        return;
    }
    for run in std::mem::take(&mut planner.candidates) {
        let conflict = planner.observed.conflicts.iter().find(|conflict| conflict.job == run.job);
        if !run.is_scheduled() {
            planner.ledger.claim(run);
        } else if let Some(conflict) = conflict {
            let slot = SlotRange::one(run.slot, Reason::NameConflict);
            let message = format!("{slot} not started: {}", conflict.message);
            planner.ledger.pass(&slot, Outcome::Missed, &message);
            // Before the Jobs of later slots: they would pass over this one.
            (planner.ledger.urgent, planner.ledger.binding) = (true, true);
        } else if planner.ledger.runs.len() + planner.unclaimed.len() >= MOST_ACTIVE {
            let message = format!(
                "{} not started: {MOST_ACTIVE} runs are active, and no ledger names more",
                run.shown()
            );
            planner.ledger.refuse(&run, Outcome::Skipped, Reason::MaxConcurrentRuns, &message);
        } else {
            planner.unclaimed.push(run);
        }
    }
}

#[cfg(test)]
mod scenarios;
