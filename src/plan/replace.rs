//! `concurrencyPolicy: Replace`: the newest slot ends what goes on.
//!
//! Takes the slots that are due, gives one claim and the wish to end the others. The claim's Job is made when their pods are gone,
//! or when these had their grace period and do not go. Never deletes a Job: that is `endings`.

use super::claims::{self, Candidate, goes_on, is_claim};
use super::ledger::{End, whole_second};
use super::{Draft, Outcome, Reason, Stretch, queue};
use crate::api::Ending;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

const WHY: &str = "a newer run replaced it";

/// Of several slots only the newest starts: the others would be replaced at once.
pub fn newest(draft: &mut Draft, due: &[Timestamp]) {
    let Some((&newest, older)) = due.split_last() else { return };
    for &slot in older {
        let message = format!("slot {slot} not started: slot {newest} would replace it at once");
        let stretch = Stretch::one(slot, Reason::Superseded);
        draft.ledger.not_started(Outcome::Skipped, &stretch, &message);
    }
    let candidate = draft.slot(newest);
    replace(draft, candidate);
}

/// Ends what goes on, and claims the run that comes in its place.
pub fn replace(draft: &mut Draft, candidate: Candidate) {
    let why = "a newer run is due before its Job could be made";
    claims::give_up_all(draft, Outcome::Missed, Reason::Superseded, why);
    // Of a time when the policy was Queue.
    queue::drop_all(
        draft,
        Outcome::Skipped,
        Reason::Superseded,
        "a newer run is due, and concurrencyPolicy is Replace",
    );
    for mut run in std::mem::take(&mut draft.ledger.status.active) {
        if run.uid.is_none() && !is_claim(&run) {
            // It waits for its next attempt: there is no Job to end.
            let end = End {
                at: Some(draft.now()),
                exit_code: run.exit_codes.last().copied().flatten(),
                message: Some(WHY.into()),
            };
            draft.ledger.ended(&run, Outcome::Cancelled, Reason::Replaced, end);
            continue;
        }
        if run.ending.is_none() && goes_on(draft, &run) {
            run.ending = Some(Ending {
                reason: Reason::Replaced.to_string(),
                since: Time(whole_second(draft.now())),
                message: Some(WHY.into()),
            });
        }
        draft.ledger.go_on(run);
    }
    claims::claim(draft, candidate);
}
