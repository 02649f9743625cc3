//! Names that Jobs of others have taken: the attempts under these names are given up.
//!
//! A name is the lock of one attempt, so a Job of somebody else under it keeps that attempt from being created for good. It keeps
//! nothing else: the slot is missed, and later slots and other runs are started. The foreign Job is left alone.

use crate::plan::planner::Planner;
use crate::plan::records::End;
use crate::plan::run::{Phase, Run};
use crate::plan::{Conflict, Outcome, Reason};

/// Gives up claims and further attempts whose names are taken.
pub fn give_up_taken(planner: &mut Planner) {
    let now = planner.now();
    for Conflict { job, message } in &planner.observed.conflicts {
        let is_claim = |run: &Run| run.phase == Phase::Claimed && run.job == *job;
        planner.ledger.give_up(is_claim, Outcome::Missed, Reason::NameConflict, message);
        let is_next = |run: &mut Run| matches!(run.phase, Phase::Backoff(_)) && run.job == *job;
        let retries: Vec<Run> = planner.ledger.runs.extract_if(.., is_next).collect();
        for run in retries {
            let end = End::between_attempts(&run, now, format!("attempt {} could not be created: {message}", run.attempt));
            planner.ledger.finish(&run, Outcome::Failed, Reason::NameConflict, end);
        }
    }
}

#[cfg(test)]
mod scenarios;
