//! The beginning of a ledger: from when on the slots of a task count.
//!
//! A task without a status that is young was created while the operator was away for a moment: its first slots are owed. An older one
//! was restored from a backup, or existed before the operator: nothing of its past is started (kubernetes/kubernetes#121763).

use crate::api::{BACKFILL, RUN_NOW};
use crate::plan::planner::Planner;
use crate::plan::seconds::whole_second;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Up to this age a task without a status is new.
const NEW_TASK_WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Begins the ledger of a task that has none.
pub fn begin_ledger(planner: &mut Planner) {
    let Some(spec) = planner.spec else { return };
    if planner.ledger.status.schedule_since.is_some() {
        return;
    }
    let (now, created) = (planner.now(), planner.observed.task.created);
    // A clock that is behind the task's creation (it started in 1970) owes nothing from before it either.
    let is_new = created > now || now.duration_since(created) <= NEW_TASK_WINDOW;
    let since = whole_second(if is_new { created } else { now });
    let status = &mut planner.ledger.status;
    status.schedule_since = Some(Time(since));
    status.observed_schedule = Some(spec.fields.observed_schedule());
    planner.ledger.account_until(since);
    planner.ledger.urgent = true;
    ignore_old_requests(planner, created);
}

/// A request that is older than the task, or whose age is unknown, came with a backup or a manifest: nobody asks for it now.
fn ignore_old_requests(planner: &mut Planner, created: Timestamp) {
    let requests = &planner.observed.task.requests;
    let is_old = |request: &&String| {
        let asked = request.trim().parse::<Timestamp>();
        !asked.is_ok_and(|asked| created.duration_since(asked) <= NEW_TASK_WINDOW)
    };
    let old = |request: &Option<String>| request.as_ref().filter(is_old).cloned();
    let status = &mut planner.ledger.status;
    status.last_handled_run_now = old(&requests.run_now);
    status.last_handled_resume = old(&requests.resume);
    status.last_handled_backfill = old(&requests.backfill);
    // There is nothing to reset yet.
    status.last_handled_reset_ledger.clone_from(&requests.reset_ledger);
    let now = planner.now();
    for (annotation, name, request) in [
        (RUN_NOW, "run-now", old(&requests.run_now)),
        (BACKFILL, "backfill", old(&requests.backfill)),
    ] {
        let Some(request) = request else { continue };
        let message =
            format!("{name} {request:?} was set before the task was first seen and is ignored: set another value to request a run");
        planner.ledger.refuse_request(annotation, &request, now, message);
    }
}

#[cfg(test)]
mod scenarios;
