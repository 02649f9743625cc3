//! `punctual.dev/run-now`: a run that somebody requests.
//!
//! Any new value is one request. It is handled when its run is claimed, queued or refused, in the same write that records the value, so
//! that it happens once. The run obeys concurrency, retries and history like any other; `suspend` stops the schedule, not people.

use crate::api::Trigger;
use crate::plan::names;
use crate::plan::planner::Planner;
use crate::plan::run::Run;
use crate::plan::seconds::whole_second;

/// Makes a candidate of the request.
pub fn handle_run_now(planner: &mut Planner) {
    let task = &planner.observed.task;
    let Some(request) = &task.requests.run_now else { return };
    if planner.spec.is_none() || planner.ledger.status.last_handled_run_now.as_ref() == Some(request) {
        return;
    }
    let slot = whole_second(planner.now());
    planner.ledger.status.last_handled_run_now = Some(request.clone());
    planner.ledger.urgent = true;
    let job = names::requested_name(&task.name, names::MANUAL, &format!("{request} {}", slot.as_second()));
    planner.candidates.push(Run::new(slot, Trigger::Manual, job));
}
