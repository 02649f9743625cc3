//! An edit of the schedule: the slots up to now belong to the old one, and none of the new one is older than the edit.

use crate::plan::in_force::is_pruned;
use crate::plan::planner::Planner;
use crate::plan::seconds::whole_second;
use crate::plan::{Outcome, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

const WHY: &str = "the schedule was edited before";

/// Accounts for the slots of the old schedule, and begins the new one at now.
pub fn apply_schedule_change(planner: &mut Planner) {
    let generation = Some(planner.observed.task.generation);
    let is_same_generation = planner.ledger.status.observed_generation == generation;
    if !is_same_generation {
        planner.ledger.status.observed_generation = generation;
        planner.ledger.urgent = true;
    }
    let Some(spec) = planner.spec else { return };
    let written = spec.fields.observed_schedule();
    if planner.ledger.status.observed_schedule.as_ref() == Some(&written) {
        return;
    }
    let known = planner.ledger.status.observed_schedule.as_ref();
    if known.is_some_and(|known| is_pruned(known, &written, is_same_generation)) {
        planner.ledger.status.observed_schedule = Some(written);
        planner.ledger.urgent = true;
        return;
    }
    let now = planner.now();
    // A suspended task skips its slots, whatever becomes of its schedule.
    let (outcome, reason, why) = match planner.suspended_by() {
        Some(reason) => (Outcome::Skipped, reason, "the task is suspended"),
        None => (Outcome::Missed, Reason::ScheduleChanged, WHY),
    };
    planner.pass_until_now(outcome, reason, why);
    planner.ledger.give_up(|run| run.is_scheduled(), outcome, reason, why);
    let status = &mut planner.ledger.status;
    status.schedule_since = Some(Time(whole_second(now)));
    status.observed_schedule = Some(written);
    planner.ledger.urgent = true;
}

#[cfg(test)]
mod scenarios;
