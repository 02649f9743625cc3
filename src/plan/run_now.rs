//! `punctual.dev/run-now`: a run that somebody asks for.
//!
//! Any new value is one request. It is handled when its run is claimed, queued or refused, in the same write that records the
//! value, so that it happens once. It obeys concurrency, retries and history like any other run; `suspend` stops the schedule and
//! not people. Takes the request, gives a candidate. Never makes a Job.

use super::claims::Candidate;
use super::ledger::whole_second;
use super::{Draft, Spec, concurrency, job};
use crate::api::Trigger;

/// Deals with a run-now request.
pub fn run_now(draft: &mut Draft, spec: &Spec) {
    let task = &draft.observed.task;
    let Some(request) = &task.requests.run_now else { return };
    if draft.ledger.status.last_handled_run_now.as_ref() == Some(request) {
        return;
    }
    let slot = whole_second(draft.now());
    draft.ledger.status.last_handled_run_now = Some(request.clone());
    draft.ledger.status.requested += 1;
    draft.ledger.urgent = true;
    let candidate = Candidate {
        slot,
        trigger: Trigger::Manual,
        job: job::requested_name(&task.name, job::MANUAL, &format!("{request} {}", slot.as_second())),
    };
    concurrency::admit(draft, spec, candidate);
}
