//! What a run that wants to start does while others go on: `concurrencyPolicy` and `maxConcurrentRuns`.
//!
//! ```text
//!   policy    room            a run that finds none
//!   Allow     any, or max     is skipped
//!   Forbid    1               is skipped; slots that are caught up (missedRunPolicy All) wait
//!   Replace   1               ends the others, and starts when they are gone
//!   Queue     1, or max       waits its turn, first in, first out
//! ```
//! Takes candidates, gives claims, skips, places in the queue. Never makes or deletes a Job: that is `start` and `endings`.

use super::claims::{Candidate, claim, goes_on, is_claim};
use super::due::Due;
use super::{Draft, ON_TIME, Outcome, Owed, Reason, Spec, Stretch, claims, queue, replace};
use crate::api::{ActiveRun, ConcurrencyPolicy, MissedRunPolicy};

/// How many more runs may be claimed; any number without a limit.
pub fn room(draft: &Draft, spec: &Spec) -> Option<usize> {
    let going_on = draft.ledger.status.active.iter().filter(|run| goes_on(draft, run)).count();
    spec.fields.room().map(|room| room.saturating_sub(going_on))
}

/// How many claims may have their Jobs made now. Less than there are, while what they replace is not gone.
pub fn room_for_jobs(draft: &Draft, spec: &Spec) -> usize {
    let started = |run: &&ActiveRun| !is_claim(run) && goes_on(draft, run);
    let going_on = draft.ledger.status.active.iter().filter(started).count();
    spec.fields.room().map_or(usize::MAX, |room| room.saturating_sub(going_on))
}

/// Lets the slots that are due in, oldest first.
pub fn admit_due(draft: &mut Draft, spec: &Spec, due: &Due) {
    let policy = spec.fields.concurrency_policy;
    let Some(&first) = due.start.first() else { return };
    let skips = matches!(policy, ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Allow);
    if draft.observed.refusal.is_some() && skips && spec.fields.missed_run_policy != MissedRunPolicy::All {
        // The claim's Job was refused for certain: a newer slot takes its place instead of waiting behind nothing.
        let why = "the API server refused its Job until a newer slot was due";
        claims::give_up(draft, Outcome::Missed, Reason::JobRefused, why);
    }
    if policy == ConcurrencyPolicy::Replace {
        return replace::newest(draft, &due.start);
    }
    let late = draft.now().duration_since(first) > ON_TIME;
    let catches_up = spec.fields.missed_run_policy == MissedRunPolicy::All && (late || due.start.len() > 1);
    for &slot in &due.start {
        if catches_up && policy == ConcurrencyPolicy::Forbid && room(draft, spec) == Some(0) {
            return wait(draft, slot);
        }
        let candidate = draft.slot(slot);
        admit(draft, spec, candidate);
    }
}

/// Lets one run in: claims it, or says what becomes of it.
pub fn admit(draft: &mut Draft, spec: &Spec, candidate: Candidate) {
    if room(draft, spec) != Some(0) {
        return claim(draft, candidate);
    }
    match spec.fields.concurrency_policy {
        ConcurrencyPolicy::Queue => queue::join(draft, spec, candidate),
        ConcurrencyPolicy::Replace => replace::replace(draft, candidate),
        policy @ (ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Allow) => skip(draft, policy, &candidate),
    }
}

/// The run finds no room: its slot is skipped.
pub fn skip(draft: &mut Draft, policy: ConcurrencyPolicy, candidate: &Candidate) {
    let (reason, why) = refusal(draft, policy);
    let message = format!("{} not started: {why}", candidate.shown());
    draft
        .ledger
        .not_run(Outcome::Skipped, candidate.trigger, candidate.slot, reason, &message);
}

/// Slots that a late look would call superseded, though the run that goes on would have kept each of them out at its time: they
/// are skipped like those of looks that are on time. Returns whether they are.
pub fn skips(draft: &mut Draft, spec: &Spec, stretch: &Stretch) -> bool {
    let policy = spec.fields.concurrency_policy;
    let refuses = matches!(policy, ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Allow);
    let is_recent = draft.now().duration_since(stretch.first) <= ON_TIME;
    let went_on = busy(draft).is_some_and(|run| run.started.is_some() && run.slot.0 < stretch.first);
    if stretch.reason != Reason::Superseded || !refuses || !is_recent || !went_on || room(draft, spec) != Some(0) {
        return false;
    }
    let (reason, why) = refusal(draft, policy);
    let stretch = Stretch { reason, ..stretch.clone() };
    let message = format!("{stretch} not started: {why}");
    draft.ledger.not_started(Outcome::Skipped, &stretch, &message);
    true
}

/// Why a run that finds no room does not start.
fn refusal(draft: &Draft, policy: ConcurrencyPolicy) -> (Reason, String) {
    if policy != ConcurrencyPolicy::Forbid {
        return (
            Reason::MaxConcurrentRuns,
            "as many runs go on as maxConcurrentRuns allows".to_owned(),
        );
    }
    let job = busy(draft).map_or_else(String::new, |run| match is_claim(run) {
        true => format!("Job {} of slot {} is not made yet, and ", run.job, run.slot.0),
        false => format!("Job {} still goes on, and ", run.job),
    });
    (Reason::PreviousRunActive, format!("{job}concurrencyPolicy is Forbid"))
}

fn wait(draft: &mut Draft, slot: jiff::Timestamp) {
    let Some(busy) = busy(draft).map(|run| run.slot.0) else { return };
    draft.owed = Some(Owed {
        slot,
        reason: Reason::Waiting,
        message: format!("waits for the run of slot {busy} to end"),
    });
}

fn busy<'a>(draft: &'a Draft) -> Option<&'a ActiveRun> {
    draft.ledger.status.active.iter().find(|run| goes_on(draft, run))
}
