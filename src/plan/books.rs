//! When the ledger begins: a new task, an edited schedule, a pause and its end.
//!
//! Takes the draft, sets `scheduleSince` and accounts for slots that an edit or a pause took away. Never starts anything.

use super::{Draft, Outcome, Reason, backfill, claims, due, queue, suspend};
use crate::api::{BACKFILL, RUN_NOW, condition};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::borrow::Cow;

/// A task without a status that is younger than this was made while the operator was away for a moment: its first slots
/// are owed. An older one was restored or met by a new operator: nothing of its past is started (k8s#121763).
const YOUNG: SignedDuration = SignedDuration::from_mins(5);

/// Begins the ledger of a task that has none.
pub fn open(draft: &mut Draft) {
    let Some(spec) = draft.spec else { return };
    if draft.ledger.status.schedule_since.is_some() {
        return;
    }
    let (now, created) = (draft.now(), draft.observed.task.created);
    // A clock that is behind the task's creation (it started in 1970) owes nothing from before it either.
    let owed_from_creation = created > now || now.duration_since(created) <= YOUNG;
    let since = super::ledger::whole_second(if owed_from_creation { created } else { now });
    let status = &mut draft.ledger.status;
    status.schedule_since = Some(Time(since));
    status.observed_schedule = Some(spec.fields.observed_schedule());
    draft.ledger.account_until(since);
    draft.ledger.urgent = true;
    forget_old_requests(draft, created);
}

/// A request that is older than the task, or whose age nobody knows, came with a backup or a manifest: it is no new wish.
fn forget_old_requests(draft: &mut Draft, created: Timestamp) {
    let requests = &draft.observed.task.requests;
    let is_new = |request: &&String| {
        request
            .trim()
            .parse::<Timestamp>()
            .is_ok_and(|asked| created.duration_since(asked) <= YOUNG)
    };
    let status = &mut draft.ledger.status;
    for (request, handled) in [
        (&requests.run_now, &mut status.last_handled_run_now),
        (&requests.resume, &mut status.last_handled_resume),
        (&requests.backfill, &mut status.last_handled_backfill),
    ] {
        *handled = request.as_ref().filter(|request| !is_new(request)).cloned();
    }
    // Nothing is there to be forgotten.
    status.last_handled_reset_ledger.clone_from(&requests.reset_ledger);
    let status = &draft.ledger.status;
    let old = [
        (RUN_NOW, "run-now", status.last_handled_run_now.clone()),
        (BACKFILL, "backfill", status.last_handled_backfill.clone()),
    ];
    for (annotation, name, request) in old {
        let Some(request) = request else { continue };
        let message = format!("{name} {request:?} was there when the task was first seen: not run; set another value to run it");
        let now = draft.now();
        draft.ledger.refuse_request(annotation, &request, now, message);
    }
}

/// The schedule under which the slots since `accountedUntil` stood: the one that was written down, until the page is turned.
pub fn schedule_in_force<'a>(draft: &Draft<'a>) -> Option<Cow<'a, Schedule>> {
    let spec = draft.spec?;
    match &draft.ledger.status.observed_schedule {
        Some(known) if *known != spec.fields.observed_schedule() => {
            super::schedule_of(known, &draft.observed.task.key()).ok().map(Cow::Owned)
        }
        _ => draft.schedule().map(Cow::Borrowed),
    }
}

/// Accounts for what an edit of the schedule or a pause took away, and begins anew from now.
pub fn turn_page(draft: &mut Draft) {
    if draft.ledger.status.observed_generation != Some(draft.observed.task.generation) {
        draft.ledger.status.observed_generation = Some(draft.observed.task.generation);
        draft.ledger.urgent = true;
    }
    let Some(spec) = draft.spec else { return };
    let written = spec.fields.observed_schedule();
    let edited = draft.ledger.status.observed_schedule.as_ref() != Some(&written);
    let suspended = draft.ledger.status.condition(condition::SUSPENDED);
    let was_paused = suspended.filter(|condition| condition.status == "True").map(|condition| {
        let by_failures = condition.reason == Reason::TooManyFailures.as_str();
        if by_failures { Reason::TooManyFailures } else { Reason::Suspended }
    });
    let is_paused = suspend::paused(draft);
    if edited || was_paused.is_some() != is_paused.is_some() {
        let now = draft.now();
        let (outcome, reason) = match was_paused.or(is_paused) {
            Some(reason) => (Outcome::Skipped, reason),
            None => (Outcome::Missed, Reason::ScheduleChanged),
        };
        // What still waits for its jitter is gone as well.
        let gone = schedule_in_force(draft).and_then(|schedule| due::stretch(&schedule, draft.accounted(), now, reason));
        if let Some(gone) = gone {
            let message = format!("{gone} not started: {}", why_of(reason));
            draft.ledger.not_started(outcome, &gone, &message);
        }
        draft.ledger.account_until(now);
        draft.ledger.urgent = true;
        if edited {
            // A slot of the old schedule that was claimed or queued, and never started, is older than the edit.
            claims::give_up(draft, outcome, reason, why_of(reason));
            queue::drop_slots(draft, outcome, reason, why_of(reason));
            draft.ledger.status.schedule_since = Some(Time(super::ledger::whole_second(now)));
            draft.ledger.status.observed_schedule = Some(written);
            backfill::recount(draft, spec);
        }
    }
}

fn why_of(reason: Reason) -> &'static str {
    match reason {
        Reason::Suspended => "the task was suspended",
        Reason::TooManyFailures => "too many runs had failed in a row",
        _ => "the schedule was edited before they could be",
    }
}
