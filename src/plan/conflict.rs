//! Names that Jobs of others have taken: what was to be made under them is given up, and told.
//!
//! A name is the lock of one attempt, so a Job of somebody else under it keeps that attempt from being made for good. It keeps
//! nothing else: the slot is missed, later slots and other runs go on. Never touches the Job itself.

use super::ledger::End;
use super::{Conflict, Draft, Outcome, Reason, Stretch};
use crate::api::ActiveRun;
use jiff::Timestamp;

/// Gives up claims and further attempts whose names are taken.
pub fn give_way(draft: &mut Draft) {
    let observed = draft.observed;
    for Conflict { job, message } in &observed.conflicts {
        let waits = |run: &mut ActiveRun| run.uid.is_none() && run.job == *job;
        let given_up: Vec<ActiveRun> = draft.ledger.status.active.extract_if(.., waits).collect();
        for run in given_up {
            if run.started.is_none() {
                let message = format!("slot {} not started: {message}", run.slot.0);
                draft
                    .ledger
                    .not_run(Outcome::Missed, run.trigger, run.slot.0, Reason::NameConflict, &message);
            } else {
                let end = End {
                    at: Some(observed.now),
                    exit_code: run.exit_codes.last().copied().flatten(),
                    message: Some(format!("attempt {} could not be made: {message}", run.attempt)),
                };
                draft.ledger.ended(&run, Outcome::Failed, Reason::NameConflict, end);
            }
            draft.ledger.urgent = true;
        }
    }
}

/// Counts a slot as missed whose name is taken. Returns whether it is.
pub fn misses(draft: &mut Draft, slot: Timestamp, job: &str) -> bool {
    let Some(conflict) = draft.observed.conflicts.iter().find(|conflict| conflict.job == job) else {
        return false;
    };
    let message = format!("slot {slot} not started: {}", conflict.message);
    let stretch = Stretch::one(slot, Reason::NameConflict);
    draft.ledger.not_started(Outcome::Missed, &stretch, &message);
    // Before the Jobs of later slots: they would pass over this one.
    (draft.ledger.urgent, draft.claim) = (true, true);
    true
}
