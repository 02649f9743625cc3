//! Claims: slots that are taken in the ledger before their Job exists, so that no other replica takes them as well.
//!
//! ```text
//!   claim (a write that compares and swaps) ──► Delete what is replaced ──► Create ──► a run
//!     └► late, suspended, edited, refused until a newer slot: given up, and counted
//! ```
//! Takes the draft, gives entries of `active` without a UID, or their end. Never makes a Job: that is `start`.

use super::{Because, Draft, Job, Outcome, Spec, Stretch, TRIGGER_SCHEDULE, due, job_name};
use crate::api::ActiveRun;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Writes the slot down as taken before its Job exists, so that no other replica takes it as well.
pub fn claim(draft: &mut Draft, slot: Timestamp) {
    let job = job_name(&draft.observed.task.name, slot, 1);
    draft.ledger.account_until(slot);
    draft.ledger.status.active.push(ActiveRun {
        slot: Time(slot),
        trigger: TRIGGER_SCHEDULE.into(),
        attempt: 1,
        job,
        uid: None,
        started: None,
        ending: None,
    });
    draft.claim = true;
}

/// A run is ended for a newer one only: when that was given up, the old one goes on.
pub fn spare_the_replaced(draft: &mut Draft) {
    let active = &mut draft.ledger.status.active;
    if active.iter().all(|run| run.uid.is_some()) {
        let deleting = |run: &ActiveRun| {
            draft
                .observed
                .jobs
                .iter()
                .any(|job| Some(&job.uid) == run.uid.as_ref() && job.deleting)
        };
        active.iter_mut().filter(|run| !deleting(run)).for_each(|run| run.ending = None);
    }
}

/// Gives up claims whose `startingDeadlineSeconds` are over.
pub fn give_up_late(draft: &mut Draft, spec: &Spec) {
    let now = draft.now();
    let late: Vec<ActiveRun> = draft
        .ledger
        .status
        .active
        .extract_if(.., |run| run.uid.is_none() && due::is_too_late(&spec.fields, run.slot.0, now))
        .collect();
    let because = draft
        .observed
        .refusal
        .as_ref()
        .map_or(Because::StartingDeadlineExceeded, |refusal| refusal.because);
    for run in late {
        let message = format!(
            "slot {} not started: its Job could not be made within startingDeadlineSeconds",
            run.slot.0
        );
        draft
            .ledger
            .not_started(Outcome::Missed, &Stretch::one(run.slot.0, because), &message);
        draft.ledger.urgent = true;
    }
}

/// Gives up claims that have no Job.
pub fn give_up(draft: &mut Draft, outcome: Outcome, because: Because, why: &str) {
    let claims: Vec<ActiveRun> = draft.ledger.status.active.extract_if(.., |run| run.uid.is_none()).collect();
    for run in claims {
        let message = format!("slot {} not started: {why}", run.slot.0);
        draft.ledger.not_started(outcome, &Stretch::one(run.slot.0, because), &message);
        draft.ledger.urgent = true;
    }
}

/// Whether a run stands in the way of another: a claim, a Job that has not ended, or one that nobody can see just now.
pub fn goes_on(jobs: &[Job], run: &ActiveRun) -> bool {
    match jobs.iter().find(|job| Some(&job.uid) == run.uid.as_ref()) {
        Some(job) => job.end.is_none(),
        None => true,
    }
}
