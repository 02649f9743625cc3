//! Slots that are due, and slots that passed too long ago: `missedRunPolicy`, `missedRunLimit` and `startingDeadlineSeconds`.

use crate::plan::planner::Planner;
use crate::plan::{Outcome, Reason, WriteKind, slots};

/// Finds the slots that are due. Those that passed are counted later: other policies may know more of them.
pub fn find_due(planner: &mut Planner) {
    let (Some(spec), None) = (planner.spec, planner.suspended_by()) else {
        return;
    };
    let Some(schedule) = planner.schedule() else { return };
    let due = slots::due(schedule, &spec.fields, planner.ledger.accounted_until(), planner.now());
    planner.passed = due.missed;
    planner.candidates = due.start.into_iter().map(|slot| planner.run_of_slot(slot)).collect();
}

/// Counts what passed.
pub fn count_missed(planner: &mut Planner) {
    for mut range in std::mem::take(&mut planner.passed) {
        let mut why = match range.reason {
            Reason::StartingDeadlineExceeded => "older than startingDeadlineSeconds".to_owned(),
            Reason::MissedRunPolicyNone => "late, and missedRunPolicy is None".to_owned(),
            Reason::MissedRunLimitExceeded => "more slots were missed than missedRunLimit".to_owned(),
            _ => "a newer slot is due, and missedRunPolicy is Latest".to_owned(),
        };
        if let Some(refusal) = planner.observed.refusals.of(WriteKind::Create) {
            range.reason = refusal.reason;
            why = format!("{why}; before that {}", refusal.message);
        }
        let message = format!("{range} not started: {why}");
        planner.ledger.pass(&range, Outcome::Missed, &message);
        (planner.ledger.urgent, planner.ledger.binding) = (true, true);
    }
}

#[cfg(test)]
mod scenarios;
