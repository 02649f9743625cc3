//! An edit of the schedule: the slots up to now belong to the old one, and none of the new one is older than the edit.

use crate::plan::planner::Planner;
use crate::plan::seconds::whole_second;
use crate::plan::{Outcome, Reason, in_force, slots};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

const WHY: &str = "the schedule was edited before";

/// Accounts for the slots of the old schedule, and begins the new one at now.
pub fn apply_schedule_change(planner: &mut Planner) {
    let generation = Some(planner.observed.task.generation);
    if planner.ledger.status.observed_generation != generation {
        planner.ledger.status.observed_generation = generation;
        planner.ledger.urgent = true;
    }
    let Some(spec) = planner.spec else { return };
    let written = spec.fields.observed_schedule();
    if planner.ledger.status.observed_schedule.as_ref() == Some(&written) {
        return;
    }
    let now = planner.now();
    // A suspended task skips its slots, whatever becomes of its schedule.
    let (outcome, reason, why) = match planner.suspended_by() {
        Some(reason) => (Outcome::Skipped, reason, "the task is suspended"),
        None => (Outcome::Missed, Reason::ScheduleChanged, WHY),
    };
    // What still waits for its jitter goes as well.
    let schedule = in_force(&planner.observed.task, &planner.ledger.status);
    let gone = schedule.and_then(|schedule| slots::range(&schedule, planner.ledger.accounted_until(), now, reason));
    if let Some(gone) = gone {
        planner.ledger.pass(&gone, outcome, &format!("{gone} not started: {why}"));
    }
    planner.ledger.give_up(|run| run.is_scheduled(), outcome, reason, why);
    planner.ledger.account_until(now);
    let status = &mut planner.ledger.status;
    status.schedule_since = Some(Time(whole_second(now)));
    status.observed_schedule = Some(written);
    planner.ledger.urgent = true;
}

#[cfg(test)]
mod scenarios;
