//! `concurrencyPolicy: Queue`: slots wait for room, first in, first out.
//!
//! ```text
//!   due ─► status.queued ─► room ─► claim
//!              └► full, past startingDeadlineSeconds, suspended, endAt: dropped, and counted
//! ```
//! Takes candidates, gives places, claims and drops. Never looks at Jobs.

use super::claims::{Candidate, claim};
use super::{Draft, Outcome, Reason, Spec, concurrency, due};
use crate::api::{QueuedRun, Trigger};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Puts a run at the end of the queue, if there is a place.
pub fn join(draft: &mut Draft, spec: &Spec, candidate: Candidate) {
    let waiting = draft.ledger.status.queued.len();
    if waiting >= spec.fields.longest_queue() {
        let message = format!(
            "{} not started: {waiting} wait already, and queueLimit allows no more",
            candidate.shown()
        );
        return draft
            .ledger
            .not_run(Outcome::Skipped, candidate.trigger, candidate.slot, Reason::QueueFull, &message);
    }
    let others = if waiting == 1 { "other" } else { "others" };
    let message = format!("{} waits in the queue behind {waiting} {others}", candidate.shown());
    draft.ledger.announce(Outcome::Queued, Reason::Queued, candidate.slot, 1, message);
    if candidate.trigger == Trigger::Schedule {
        draft.ledger.account_until(candidate.slot);
    }
    draft.ledger.status.queued.push(QueuedRun {
        slot: Time(candidate.slot),
        trigger: candidate.trigger,
        job: candidate.job,
    });
    draft.ledger.urgent = true;
}

/// Drops the slots that waited too long, or beyond the life of the task.
pub fn drop_stale(draft: &mut Draft, spec: &Spec, schedule: &Schedule) {
    let now = draft.now();
    let end = spec.fields.end_at.as_ref().map(|end| end.0);
    let slots = |run: &QueuedRun| run.trigger == Trigger::Schedule;
    if let Some(end) = end.filter(|_| draft.ledger.status.queued.iter().any(slots)) {
        if end <= now {
            drop_slots(draft, Outcome::Skipped, Reason::Ended, "endAt has passed before there was room");
        } else {
            draft.wake_by(end);
        }
    }
    let late = |run: &QueuedRun| slots(run) && due::is_too_late(schedule, &spec.fields, run.slot.0, now);
    let why = "there was no room within startingDeadlineSeconds";
    drop_where(draft, late, Outcome::Missed, Reason::StartingDeadlineExceeded, why);
    if let Some(deadline) = spec.fields.starting_deadline_seconds {
        let waiting = draft.ledger.status.queued.iter().filter(|run| slots(run));
        let late_at = waiting.map(|run| past(schedule.starts_at(run.slot.0), deadline)).min();
        late_at.into_iter().for_each(|at| draft.wake_by(at));
    }
}

/// The first whole second at which `startingDeadlineSeconds` are over.
fn past(start: Timestamp, deadline: i64) -> Timestamp {
    let over = SignedDuration::from_secs(deadline.saturating_add(1));
    start.checked_add(over).unwrap_or(Timestamp::MAX)
}

/// Drops all that wait.
pub fn drop_all(draft: &mut Draft, outcome: Outcome, reason: Reason, why: &str) {
    drop_where(draft, |_| true, outcome, reason, why);
}

/// Drops the slots (and not what somebody asked for).
pub fn drop_slots(draft: &mut Draft, outcome: Outcome, reason: Reason, why: &str) {
    drop_where(draft, |run| run.trigger == Trigger::Schedule, outcome, reason, why);
}

fn drop_where(draft: &mut Draft, which: impl Fn(&QueuedRun) -> bool, outcome: Outcome, reason: Reason, why: &str) {
    let dropped: Vec<QueuedRun> = draft.ledger.status.queued.extract_if(.., |run| which(run)).collect();
    for run in dropped {
        let candidate = Candidate::from(run);
        let message = format!("{} dropped from the queue: {why}", candidate.shown());
        draft.ledger.not_run(outcome, candidate.trigger, candidate.slot, reason, &message);
        draft.ledger.urgent = true;
    }
}

/// Lets the first in line start while there is room.
pub fn advance(draft: &mut Draft, spec: &Spec) {
    while !draft.ledger.status.queued.is_empty() && concurrency::room(draft, spec) != Some(0) {
        let first = draft.ledger.status.queued.remove(0);
        claim(draft, first.into());
    }
}
