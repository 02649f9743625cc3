//! What is wrong, if anything: the four conditions, and the dry run that tells at apply time.
//!
//! Takes the ledger as it will be, gives conditions with reason and message. Never changes a counter.

use super::{Draft, Effect, ON_TIME, Outcome, Owed, Reason, Refusal, Run, Trial, build_job, job_name, suspend};
use crate::api::{ConcurrencyPolicy, RESET_LEDGER, RESUME, Trigger, condition};
use crate::schedule::ScheduleError;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// A ledger that is further ahead of the clock than this is told: nothing runs, and nobody would know why.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

/// Sets Ready, Suspended, Healthy and Overdue.
pub fn describe(draft: &mut Draft) {
    ready(draft);
    draft
        .end()
        .filter(|end| *end > draft.now())
        .into_iter()
        .for_each(|end| draft.wake_by(end));
    if draft.spec.is_some() {
        let paused = suspend::paused(draft);
        let (reason, message) = match paused {
            Some(Reason::TooManyFailures) => {
                let failures = draft.ledger.status.consecutive_failures - draft.ledger.status.forgiven_failures;
                let message = format!(
                    "{failures} runs failed in a row (suspendAfterFailures): no slot starts until the annotation {RESUME} gets a new value, or a run succeeds"
                );
                let told = draft.ledger.status.condition(condition::SUSPENDED);
                if told.is_none_or(|told| told.reason != Reason::TooManyFailures.as_str()) {
                    let now = draft.now();
                    draft.ledger.say(Outcome::Failed, Reason::TooManyFailures, now, message.clone());
                }
                (Reason::TooManyFailures, message)
            }
            Some(reason) => {
                let message = "spec.suspend is true: no slot starts, those that pass are counted as skipped when it ends";
                (reason, message.to_owned())
            }
            None => (Reason::NotSuspended, "the task is not suspended".to_owned()),
        };
        set(draft, condition::SUSPENDED, truth(paused.is_some()), reason, message);
    }
    healthy(draft);
    overdue(draft);
}

fn ready(draft: &mut Draft) {
    let wrong = match &draft.observed.task.spec {
        Err(unusable) => Some((unusable.reason, unusable.message.clone())),
        Ok(spec) => spec.schedule.as_ref().err().map(|error| (reason_of(error), error.to_string())),
    };
    if let Some((reason, message)) = wrong {
        return set(draft, condition::READY, "False", reason, message);
    }
    let refusal = draft.observed.refusal.as_ref();
    // What was refused may be tried again, and nothing of it is left to be tried, counted or said.
    let busy = !draft.jobs.is_empty() || draft.owed.is_some() || draft.ledger.urgent;
    let is_past = |refusal: &&Refusal| !busy && !refusal.holds(draft.now());
    if let Some(refusal) = refusal.filter(|refusal| !is_past(refusal)) {
        let message = refusal.message.clone();
        return set(draft, condition::READY, "False", refusal.reason, message);
    }
    if let Some(conflict) = draft.observed.conflicts.last() {
        return set(draft, condition::READY, "False", Reason::NameConflict, conflict.message.clone());
    }
    match &draft.observed.trial {
        _ if draft.has_ended() => {
            let message = "endAt has passed: no slot is left, what goes on comes to its end";
            set(draft, condition::READY, "True", Reason::Ended, message.into());
        }
        _ if refusal.is_some() => ask(draft),
        Trial::Taken => accepted(draft),
        Trial::Refused { message, again_at } => {
            set(draft, condition::READY, "False", Reason::JobRefused, message.clone());
            if *again_at <= draft.now() {
                ask(draft)
            } else {
                draft.wake_by(*again_at)
            }
        }
        Trial::NotAsked => {
            let known = draft.observed.task.status.condition(condition::READY);
            let same_spec = draft.observed.task.status.observed_generation == Some(draft.observed.task.generation);
            if !(same_spec && known.is_some_and(|ready| ready.status == "True")) {
                ask(draft);
            }
        }
    }
}

fn accepted(draft: &mut Draft) {
    set(
        draft,
        condition::READY,
        "True",
        Reason::Accepted,
        "the schedule is understood, and the API server takes its Jobs".into(),
    );
}

/// What Kubernetes itself would refuse is told when the template is applied, not at three in the morning.
fn ask(draft: &mut Draft) {
    let (Some(spec), Some(schedule)) = (draft.spec, draft.schedule()) else {
        return;
    };
    let task = &draft.observed.task;
    // Where no slot is left, somebody may still ask for a run.
    let slot = schedule.next(draft.accounted().max(draft.now()));
    let slot = slot.unwrap_or_else(|| super::ledger::whole_second(draft.now()));
    let run = Run {
        slot,
        trigger: Trigger::Schedule,
        attempt: 1,
        job: job_name(&task.name, slot, 1),
        due: slot,
    };
    draft.questions.push(Effect::Try {
        job: build_job(task, &spec.fields, &run, None, None),
    });
}

fn reason_of(error: &ScheduleError) -> Reason {
    match error {
        ScheduleError::TimeZone { .. } => Reason::UnknownTimeZone,
        ScheduleError::Never { .. } => Reason::NeverRuns,
        ScheduleError::TooComplex { .. } => Reason::TooComplex,
        _ => Reason::InvalidSchedule,
    }
}

fn healthy(draft: &mut Draft) {
    let status = &draft.ledger.status;
    if status.consecutive_failures > 0 {
        let last = status.recent_runs.iter().find(|run| run.outcome == "Failed");
        let said = last.and_then(|run| run.message.clone()).unwrap_or_default();
        let message = match status.consecutive_failures {
            1 => format!("the last run failed: {said}"),
            n => format!("the last {n} runs failed, the newest: {said}"),
        };
        set(draft, condition::HEALTHY, "False", Reason::JobFailed, message);
    } else if status.succeeded > 0 {
        set(
            draft,
            condition::HEALTHY,
            "True",
            Reason::JobCompleted,
            "the last run that ended succeeded".into(),
        );
    } else {
        set(
            draft,
            condition::HEALTHY,
            "Unknown",
            Reason::NoRunYet,
            "no run has ended yet".into(),
        );
    }
}

fn overdue(draft: &mut Draft) {
    if let Some(Owed { slot, reason, message }) = draft.owed.take() {
        let overdue_at = slot + ON_TIME;
        if draft.now() > overdue_at {
            return set(draft, condition::OVERDUE, "True", reason, format!("slot {slot} is owed: {message}"));
        }
        draft.wake_by(overdue_at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(overdue_at));
    }
    let accounted = draft.accounted();
    if accounted > draft.now().saturating_add(AHEAD).unwrap_or(Timestamp::MAX) {
        let message = format!(
            "slots are accounted for until {accounted}, which is to come, and none starts before: a clock was ahead, or somebody wrote the status; the annotation {RESET_LEDGER} begins the ledger anew"
        );
        return set(draft, condition::OVERDUE, "True", Reason::LedgerAhead, message);
    }
    if let Some((slot, late)) = newest_start(draft).filter(|(_, late)| *late > ON_TIME) {
        let message = format!("slot {slot} was started {} s late", late.as_secs());
        return set(draft, condition::OVERDUE, "True", Reason::StartedLate, message);
    }
    if draft.spec.is_some() {
        set(draft, condition::OVERDUE, "False", Reason::OnTime, "no slot is overdue".into());
    }
}

/// The newest slot that was started, and how late. What waits its turn in a queue is not late.
fn newest_start(draft: &Draft) -> Option<(Timestamp, SignedDuration)> {
    let status = &draft.ledger.status;
    let schedule = draft.schedule();
    if draft
        .spec
        .is_some_and(|spec| spec.fields.concurrency_policy == ConcurrencyPolicy::Queue)
    {
        return None;
    }
    let active = status.active.iter().map(|run| (run.trigger, run.slot.0, &run.started));
    let recent = status.recent_runs.iter().map(|run| (run.trigger, run.slot.0, &run.started));
    // A slot of before an edit was due by the schedule of then.
    let since = status.schedule_since.as_ref().map_or(Timestamp::MIN, |since| since.0);
    let started = active
        .chain(recent)
        .filter(|(trigger, slot, _)| *trigger == Trigger::Schedule && *slot > since);
    let started = started.filter_map(|(_, slot, started)| Some((slot, started.as_ref()?.0)));
    let (slot, started) = started.max_by_key(|(slot, _)| *slot)?;
    let due = schedule.map_or(slot, |schedule| schedule.starts_at(slot));
    Some((slot, started.duration_since(due)))
}

fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn set(draft: &mut Draft, kind: &str, status: &str, reason: Reason, message: String) {
    let message = super::ledger::short(&message);
    let generation = Some(draft.observed.task.generation);
    let conditions = &mut draft.ledger.status.conditions;
    let known = conditions.iter_mut().find(|condition| condition.type_ == kind);
    let since = match &known {
        Some(known) if known.status == status => known.last_transition_time.clone(),
        _ => Time(super::ledger::whole_second(draft.observed.now)),
    };
    let condition = Condition {
        type_: kind.into(),
        status: status.into(),
        reason: reason.to_string(),
        message,
        last_transition_time: since,
        observed_generation: generation,
    };
    match known {
        Some(known) if *known == condition => return,
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
    draft.ledger.urgent = true;
}
