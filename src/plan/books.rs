//! When the ledger begins: a new task, an edited schedule, a pause and its end.
//!
//! Takes the draft, sets `scheduleSince` and accounts for slots that an edit or a pause took away. Never starts anything.

use super::{Because, Draft, Outcome, due};
use crate::api::{ObservedSchedule, condition};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

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
    status.observed_schedule = Some(written(spec));
    draft.ledger.account_until(since);
    draft.ledger.urgent = true;
}

/// The schedule under which the slots since `accountedUntil` stood: the one that was written down, until the page is turned.
pub fn schedule_in_force<'a>(draft: &Draft<'a>) -> Option<std::borrow::Cow<'a, crate::schedule::Schedule>> {
    let spec = draft.spec?;
    match &draft.ledger.status.observed_schedule {
        Some(known) if *known != written(spec) => super::parse(&known.schedule, &known.time_zone, known.gap, known.overlap)
            .ok()
            .map(std::borrow::Cow::Owned),
        _ => draft.schedule().map(std::borrow::Cow::Borrowed),
    }
}

/// Accounts for what an edit of the schedule or a pause took away, and begins anew from now.
pub fn turn_page(draft: &mut Draft) {
    if draft.ledger.status.observed_generation != Some(draft.observed.task.generation) {
        draft.ledger.status.observed_generation = Some(draft.observed.task.generation);
        draft.ledger.urgent = true;
    }
    let Some(spec) = draft.spec else { return };
    let written = written(spec);
    let edited = draft.ledger.status.observed_schedule.as_ref() != Some(&written);
    let was_suspended = draft
        .ledger
        .status
        .condition(condition::SUSPENDED)
        .is_some_and(|condition| condition.status == "True");
    let is_suspended = draft.suspended();
    if edited || was_suspended != is_suspended {
        let now = draft.now();
        let in_force = schedule_in_force(draft);
        let (outcome, because) = match (was_suspended || is_suspended, edited) {
            (true, _) => (Outcome::Skipped, Because::Suspended),
            (false, _) => (Outcome::Missed, Because::ScheduleChanged),
        };
        if let Some(gone) = in_force.and_then(|schedule| due::stretch(&schedule, draft.accounted(), now, because)) {
            let message = format!("{gone} not started: {}", reason(because));
            draft.ledger.not_started(outcome, &gone, &message);
        }
        draft.ledger.account_until(now);
        draft.ledger.urgent = true;
        if edited {
            // A slot of the old schedule that was claimed and never made is older than the edit.
            super::claims::give_up(draft, outcome, because, reason(because));
            draft.ledger.status.schedule_since = Some(Time(super::ledger::whole_second(now)));
            draft.ledger.status.observed_schedule = Some(written);
        }
    }
}

fn written(spec: &super::Spec) -> ObservedSchedule {
    let fields = &spec.fields;
    let policy = fields.daylight_saving.unwrap_or_default();
    ObservedSchedule {
        schedule: fields.schedule.clone(),
        time_zone: fields.zone().to_owned(),
        gap: policy.gap,
        overlap: policy.overlap,
    }
}

fn reason(because: Because) -> &'static str {
    match because {
        Because::Suspended => "the task was suspended",
        _ => "the schedule was edited before they could be",
    }
}
