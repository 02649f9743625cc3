//! What is wrong, if anything: the conditions, and the dry run that tells when the template is applied.
//!
//! Conditions follow from the ledger as it will be and from what was observed. Nothing is decided by a condition, and no counter changes.

use super::effect::{Effect, Start};
use super::manifest::build_job;
use super::planner::{BlockedSlot, Planner};
use super::policies::suspension::too_many_failures;
use super::run::{Phase, Run};
use super::seconds::whole_second;
use super::standing::Standing;
use super::text::short;
use super::{ConditionReason, DryRun, ON_TIME, Outcome, Reason, Refusal, WriteKind, names};
use crate::api::{ConcurrencyPolicy, RESET_LEDGER, Trigger, condition};
use crate::schedule::ScheduleError;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// A ledger that is further ahead of the clock than this says so: nothing runs, and nobody would know why.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

/// Sets Ready, with Stalled or Reconciling, and Suspended, Healthy and Overdue. `is_acting` says whether the plan terminates or creates
/// anything.
pub fn describe(planner: &mut Planner, is_acting: bool) {
    let standing = ready(planner, is_acting);
    progress(planner, standing);
    if planner.spec.is_some() {
        suspended(planner);
    }
    healthy(planner);
    overdue(planner);
}

fn ready(planner: &mut Planner, is_acting: bool) -> Standing {
    let invalid = match &planner.observed.task.spec {
        Err(unusable) => Some((unusable.reason, unusable.message.clone())),
        Ok(spec) => spec.schedule.as_ref().err().map(|error| (reason_of(error), error.to_string())),
    };
    if let Some((reason, message)) = invalid {
        if not_ready(planner, reason, message.clone()) {
            planner
                .ledger
                .say(Outcome::Refused, Reason::InvalidSpec, planner.observed.now, message.clone());
        }
        return Standing::Stalled(reason, message);
    }
    if planner.observed.crd_is_outdated {
        let message =
            "The API server drops fields of this status: its CRD is older than this operator; apply the CRD of the operator's version";
        // `acceptedGeneration` stays: it may be the very field that is dropped, and a status without it would come back whole.
        set(planner, condition::READY, "False", ConditionReason::OutdatedCRD, message.into());
        return Standing::Stalled(ConditionReason::OutdatedCRD, message.into());
    }
    let refusals = &planner.observed.refusals;
    // What was refused may be tried again, and nothing is left to be tried, counted or said.
    let is_busy = is_acting || planner.blocked.is_some() || planner.ledger.urgent || planner.ledger.binding;
    let is_past = |refusal: &&Refusal| !is_busy && !refusal.holds(planner.now());
    let terminates = |run: &Run| matches!(run.phase, Phase::Terminating(..)) && planner.is_active(run);
    let create = refusals.of(WriteKind::Create).filter(|refusal| !is_past(refusal));
    let terminate = refusals.of(WriteKind::Terminate);
    let terminate = terminate.filter(|_| planner.ledger.runs.iter().any(terminates));
    let retries = |run: &Run| matches!(run.phase, Phase::Backoff(_));
    let retry = refusals.of(WriteKind::Retry).filter(|_| planner.ledger.runs.iter().any(retries));
    if let Some(refusal) = create.or(terminate).or(retry) {
        let reason = ConditionReason::of_refusal(refusal.reason);
        not_ready(planner, reason, refusal.message.clone());
        return Standing::of_refusal(reason, refusal.message.clone());
    }
    if let Some(conflict) = planner.observed.conflicts.last() {
        not_ready(planner, ConditionReason::NameConflict, conflict.message.clone());
        return Standing::Stalled(ConditionReason::NameConflict, conflict.message.clone());
    }
    if planner.end_of_life().is_some_and(|end| end <= planner.now()) {
        let message = "endAt has passed: no slot is left, active runs come to their end";
        set(planner, condition::READY, "True", ConditionReason::Ended, message.into());
        return Standing::Settled;
    }
    if refusals.of(WriteKind::Create).is_some() {
        dry_run(planner);
        return Standing::Unchanged;
    }
    match &planner.observed.dry_run {
        DryRun::Accepted => accepted(planner),
        DryRun::Refused { message, again_at } => {
            not_ready(planner, ConditionReason::JobRefused, message.clone());
            match *again_at <= planner.now() {
                true => dry_run(planner),
                false => planner.wake_by(*again_at),
            }
            Standing::of_refusal(ConditionReason::JobRefused, message.clone())
        }
        // It was accepted before this process began.
        DryRun::NotAsked if planner.ledger.status.accepted_generation == Some(planner.observed.task.generation) => accepted(planner),
        DryRun::NotAsked => {
            dry_run(planner);
            let generation = Some(planner.observed.task.generation);
            let known = planner.ledger.status.condition(condition::READY);
            match known.is_some_and(|ready| ready.observed_generation == generation) {
                true => Standing::Unchanged,
                false => Standing::Waiting(ConditionReason::DryRunPending, "A dry run of the Job is not answered yet".into()),
            }
        }
    }
}

/// Says what tools should make of a task that is not ready. Neither condition is there where it does not hold: its presence alone means
/// trouble to kstatus.
fn progress(planner: &mut Planner, standing: Standing) {
    let (waits, stalls) = match standing {
        Standing::Unchanged => return,
        Standing::Settled => (None, None),
        Standing::Waiting(reason, message) => (Some((reason, message)), None),
        Standing::Stalled(reason, message) => (None, Some((reason, message))),
    };
    for (kind, holds) in [(condition::RECONCILING, waits), (condition::STALLED, stalls)] {
        match holds {
            Some((reason, message)) => {
                set(planner, kind, "True", reason, message);
            }
            None => unset(planner, kind),
        }
    }
}

fn not_ready(planner: &mut Planner, reason: ConditionReason, message: String) -> bool {
    planner.ledger.status.accepted_generation = None;
    set(planner, condition::READY, "False", reason, message)
}

fn accepted(planner: &mut Planner) -> Standing {
    planner.ledger.status.accepted_generation = Some(planner.observed.task.generation);
    let message = "Schedule is valid; a dry run of the Job was accepted";
    set(planner, condition::READY, "True", ConditionReason::Accepted, message.into());
    Standing::Settled
}

/// What Kubernetes itself would refuse is known when the template is applied, not at three in the morning.
fn dry_run(planner: &mut Planner) {
    let (Some(spec), Some(schedule)) = (planner.spec, planner.schedule()) else {
        return;
    };
    let task = &planner.observed.task;
    // Where no slot is left, somebody may still request a run.
    let slot = schedule.next(planner.ledger.accounted_until().max(planner.now()));
    let slot = slot.unwrap_or_else(|| whole_second(planner.now()));
    // The longest name that any attempt will have: the API server may refuse it for its length (Indexed Jobs add an index).
    let attempt = spec
        .fields
        .retry_policy
        .map_or(1, |policy| policy.limit.saturating_add(1).clamp(1, 101));
    let start = Start {
        slot,
        trigger: Trigger::Schedule,
        attempt,
        job: names::job_name(&task.name, slot, attempt),
        due: slot,
        is_timed: false,
    };
    planner.reads.push(Effect::DryRunCreate {
        manifest: build_job(task, &spec.fields, &start, None, None, None),
    });
}

fn reason_of(error: &ScheduleError) -> ConditionReason {
    match error {
        ScheduleError::TimeZone { .. } => ConditionReason::UnknownTimeZone,
        ScheduleError::Never { .. } => ConditionReason::NeverRuns,
        ScheduleError::TooComplex { .. } => ConditionReason::TooComplex,
        _ => ConditionReason::InvalidSchedule,
    }
}

fn suspended(planner: &mut Planner) {
    let (status, reason, message) = match planner.suspended_by() {
        Some(Reason::TooManyFailures) => ("True", ConditionReason::TooManyFailures, too_many_failures(planner)),
        Some(_) => (
            "True",
            ConditionReason::Suspended,
            "spec.suspend is true: no slot starts, and slots that pass are counted as skipped".to_owned(),
        ),
        None => ("False", ConditionReason::NotSuspended, "Task is not suspended".to_owned()),
    };
    set(planner, condition::SUSPENDED, status, reason, message);
}

fn healthy(planner: &mut Planner) {
    let status = &planner.ledger.status;
    let (healthy, reason, message) = if status.consecutive_failures > 0 {
        let last = status.recent_runs.iter().find(|run| run.outcome == Outcome::Failed.as_str());
        let said = last.and_then(|run| run.message.clone()).unwrap_or_default();
        let message = match status.consecutive_failures {
            1 => format!("Last run failed: {said}"),
            n => format!("Last {n} runs failed, the newest with: {said}"),
        };
        ("False", ConditionReason::JobFailed, message)
    } else if status.succeeded > 0 {
        ("True", ConditionReason::JobCompleted, "Last run that ended succeeded".to_owned())
    } else {
        ("Unknown", ConditionReason::NoRunYet, "No run has ended yet".to_owned())
    };
    set(planner, condition::HEALTHY, healthy, reason, message);
}

fn overdue(planner: &mut Planner) {
    if let Some(BlockedSlot { slot, reason, message }) = planner.blocked.take() {
        let overdue_at = slot + ON_TIME;
        if planner.now() > overdue_at {
            let message = format!("Slot {slot} has not started: {message}");
            set(planner, condition::OVERDUE, "True", reason, message);
            return;
        }
        planner.wake_by(overdue_at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(overdue_at));
    }
    let accounted = planner.ledger.accounted_until();
    if accounted > planner.now().saturating_add(AHEAD).unwrap_or(Timestamp::MAX) {
        let message = format!(
            "Slots are accounted for until {accounted}, which lies in the future, and none starts before: a clock was ahead, or somebody wrote the status; the annotation {RESET_LEDGER} resets the ledger"
        );
        set(planner, condition::OVERDUE, "True", ConditionReason::LedgerAhead, message);
        return;
    }
    if let Some((slot, late)) = newest_start(planner).filter(|(_, late)| *late > ON_TIME) {
        let message = format!("Slot {slot} was started {} s late", late.as_secs());
        set(planner, condition::OVERDUE, "True", ConditionReason::StartedLate, message);
        return;
    }
    let held_up = planner
        .ledger
        .runs
        .iter()
        .find(|run| planner.is_active(run) && planner.holds_up_slots(run));
    if let Some(run) = held_up {
        let why = run.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
        let since = run.started.unwrap_or(run.slot);
        let message = format!("Slots are skipped because Job {} has been running since {since}{why}", run.job);
        set(planner, condition::OVERDUE, "True", ConditionReason::PreviousRunActive, message);
        return;
    }
    if planner.spec.is_some() {
        let message = "No slot is overdue";
        set(planner, condition::OVERDUE, "False", ConditionReason::OnTime, message.into());
    }
}

/// The newest slot that was started, and how late. A run that waited in a queue is not late.
fn newest_start(planner: &Planner) -> Option<(Timestamp, SignedDuration)> {
    let queues = |policy| policy == ConcurrencyPolicy::Queue;
    if planner.spec.is_some_and(|spec| queues(spec.fields.concurrency_policy)) {
        return None;
    }
    let status = &planner.ledger.status;
    let active = planner.ledger.runs.iter().map(|run| (run.trigger, run.slot, run.started));
    let past = status.recent_runs.iter();
    let past = past.map(|run| (run.trigger, run.slot.0, run.started.as_ref().map(|at| at.0)));
    // A slot from before an edit was due by the schedule of that time.
    let since = status.schedule_since.as_ref().map_or(Timestamp::MIN, |since| since.0);
    let is_timed = |(trigger, slot, _): &(Trigger, Timestamp, Option<Timestamp>)| *trigger == Trigger::Schedule && *slot > since;
    let started = active.chain(past).filter(is_timed);
    let started = started.filter_map(|(_, slot, started)| Some((slot, started?)));
    let (slot, started) = started.max_by_key(|(slot, _)| *slot)?;
    let due = planner.schedule().map_or(slot, |schedule| schedule.starts_at(slot));
    Some((slot, started.duration_since(due)))
}

/// Sets a condition. Returns whether that changes it.
fn set(planner: &mut Planner, kind: &str, status: &str, reason: ConditionReason, message: String) -> bool {
    let now = planner.now();
    let conditions = &mut planner.ledger.status.conditions;
    let known = conditions.iter_mut().find(|condition| condition.type_ == kind);
    let since = match &known {
        Some(known) if known.status == status => known.last_transition_time.clone(),
        _ => Time(whole_second(now)),
    };
    let condition = Condition {
        type_: kind.into(),
        status: status.into(),
        reason: reason.to_string(),
        message: short(&message),
        last_transition_time: since,
        observed_generation: Some(planner.observed.task.generation),
    };
    match known {
        Some(known) if *known == condition => return false,
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
    planner.ledger.urgent = true;
    true
}

/// Removes a condition.
fn unset(planner: &mut Planner, kind: &str) {
    let conditions = &mut planner.ledger.status.conditions;
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != kind);
    planner.ledger.urgent |= conditions.len() < before;
}
