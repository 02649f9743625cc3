//! `concurrencyPolicy: Allow` without a limit: no run is in another's way.

use crate::api::ConcurrencyPolicy;
use crate::plan::capacity::MOST_ACTIVE;
use crate::plan::planner::Planner;
use crate::plan::{Outcome, Reason};

/// Claims the candidates.
pub fn claim_all(planner: &mut Planner) {
    let allows = |spec: &&crate::plan::Spec| {
        let fields = &spec.fields;
        fields.concurrency_policy == ConcurrencyPolicy::Allow && fields.capacity().is_none()
    };
    if planner.spec.filter(allows).is_none() {
        return;
    }
    for run in std::mem::take(&mut planner.candidates) {
        if planner.ledger.runs.len() < MOST_ACTIVE {
            planner.ledger.claim(run);
            continue;
        }
        let message = format!(
            "{} not started: {MOST_ACTIVE} runs are active, and no ledger names more",
            run.shown()
        );
        planner.ledger.refuse(&run, Outcome::Skipped, Reason::MaxConcurrentRuns, &message);
    }
}

#[cfg(test)]
mod scenarios;
