//! What a slot that is due does while an earlier run goes on: `concurrencyPolicy`.
//!
//! Takes the slots that are due, gives claims and skips. Never makes or deletes a Job: that is `claims` and `start`.

use super::due::Due;
use super::{Because, Draft, ON_TIME, Outcome, Owed, Spec, Stretch, claims};
use crate::api::MissedRunPolicy;

/// Under Forbid a slot that comes while a run goes on is skipped. Slots that are being caught up (`All`) wait instead.
pub fn forbid(draft: &mut Draft, spec: &Spec, due: &Due) {
    let Some(&first) = due.start.first() else { return };
    if draft.observed.refusal.is_some() && spec.fields.missed_run_policy != MissedRunPolicy::All {
        // The claim's Job was refused for certain: a newer slot takes its place instead of waiting behind nothing.
        claims::give_up(
            draft,
            Outcome::Missed,
            Because::JobRefused,
            "the API server refused its Job until a newer slot was due",
        );
    }
    let Some(busy) = draft
        .ledger
        .status
        .active
        .iter()
        .find(|run| claims::goes_on(&draft.observed.jobs, run))
    else {
        claims::claim(draft, first);
        return;
    };
    let (busy_job, busy_slot) = (busy.job.clone(), busy.slot.0);
    let late = draft.now().duration_since(first) > ON_TIME;
    if spec.fields.missed_run_policy == MissedRunPolicy::All && (late || due.start.len() > 1) {
        draft.owed = Some(Owed {
            slot: first,
            because: Because::Waiting,
            message: format!("waits for the run of slot {busy_slot} to end"),
        });
        return;
    }
    for &slot in &due.start {
        let message = format!("slot {slot} not started: Job {busy_job} still goes on, and concurrencyPolicy is Forbid");
        draft
            .ledger
            .not_started(Outcome::Skipped, &Stretch::one(slot, Because::PreviousRunActive), &message);
    }
    draft.ledger.urgent = true;
}

/// Under Replace the newest slot ends what goes on.
pub fn replace(draft: &mut Draft, due: &Due) {
    let Some((&newest, older)) = due.start.split_last() else { return };
    for &slot in older {
        let message = format!("slot {slot} not started: slot {newest} would replace it at once");
        draft
            .ledger
            .not_started(Outcome::Skipped, &Stretch::one(slot, Because::Superseded), &message);
    }
    claims::give_up(
        draft,
        Outcome::Missed,
        Because::Superseded,
        "a newer slot is due before its Job could be made",
    );
    for run in &mut draft.ledger.status.active {
        if claims::goes_on(&draft.observed.jobs, run) {
            run.ending = Some(Because::Replaced.to_string());
        }
    }
    claims::claim(draft, newest);
}
