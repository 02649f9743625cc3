//! What is started now: claims that have no Job yet, attempts whose backoff is over, and the slots that are due.
//!
//! Takes the settled ledger, gives creations, or the reason why a slot is owed. Never looks at how runs ended: that is `runs`.

use super::claims::{Candidate, is_claim};
use super::due::{self, Due};
use super::repair::MOST_ACTIVE;
use super::{
    Draft, Effect, ON_TIME, Outcome, Owed, Reason, Run, Spec, build_job, claims, concurrency, conflict, endings, queue, retry, suspend,
};
use super::{backfill, run_now};
use crate::api::{ActiveRun, ConcurrencyPolicy, Trigger};
use jiff::Timestamp;

/// Starts what is owed, or says why not.
pub fn start(draft: &mut Draft) {
    let Some(spec) = draft.spec else { return };
    if !draft.questions.is_empty() {
        // A failure that nobody has read may be tried again, a Job that nobody sees may go on: nothing starts beside them.
        return;
    }
    if let Some(reason) = suspend::paused(draft) {
        claims::give_up(draft, Outcome::Skipped, reason, "the task was suspended");
        queue::drop_slots(draft, Outcome::Skipped, reason, "the task was suspended");
        if reason == Reason::Suspended {
            retry::give_up(draft);
        }
    }
    if let Some(schedule) = draft.schedule() {
        claims::give_up_late(draft, spec, schedule);
        queue::drop_stale(draft, spec, schedule);
        claims::spare_the_replaced(draft);
    }
    if blocked(draft) {
        return owe_oldest(draft);
    }
    take_in(draft, spec);
    make(draft, spec);
    endings::end(draft);
}

/// Who may start, in this order: those that wait already, the slots that are due, those that somebody asks for, the past.
fn take_in(draft: &mut Draft, spec: &Spec) {
    queue::advance(draft, spec);
    if let Some(schedule) = draft.schedule().filter(|_| suspend::paused(draft).is_none()) {
        let due = due::due(schedule, &spec.fields, draft.accounted(), draft.now());
        miss(draft, spec, &due);
        if spec.fields.concurrency_policy == ConcurrencyPolicy::Allow && spec.fields.room().is_none() {
            // Nobody can overlap with anybody: the Job's name is lock enough, and the status follows.
            for slot in due.start {
                start_at_once(draft, spec, slot);
            }
        } else {
            concurrency::admit_due(draft, spec, &due);
        }
    }
    // A schedule that never comes is how some say "by hand only".
    run_now::run_now(draft, spec);
    backfill::backfill(draft, spec);
}

/// Under `Allow`: makes the Job of a slot, unless its name is taken, or more runs go on than the ledger can name.
fn start_at_once(draft: &mut Draft, spec: &Spec, slot: Timestamp) {
    let candidate = draft.slot(slot);
    if conflict::misses(draft, slot, &candidate.job) {
        return;
    }
    if draft.ledger.status.active.len() + draft.jobs.len() >= MOST_ACTIVE {
        return concurrency::skip(draft, ConcurrencyPolicy::Allow, &candidate);
    }
    let run = first_attempt(draft, candidate);
    create(draft, spec, run);
}

/// The API server refused the last write: nothing is tried, counted or written until it is time to try again.
fn blocked(draft: &mut Draft) -> bool {
    let Some(refusal) = &draft.observed.refusal else { return false };
    let waits = refusal.holds(draft.now());
    if waits {
        draft.wake_by(refusal.retry_at);
    }
    waits
}

fn owe_oldest(draft: &mut Draft) {
    let Some(refusal) = &draft.observed.refusal else { return };
    let claimed = draft.ledger.status.active.iter().find(|run| is_claim(run)).map(|run| run.slot.0);
    let pausing = suspend::paused(draft).is_some();
    let due = || {
        let schedule = draft.schedule().filter(|_| !pausing)?;
        schedule.latest(draft.accounted(), schedule.started_by(draft.now()))?;
        schedule.next(draft.accounted())
    };
    if let Some(slot) = claimed.or_else(due) {
        draft.owed = Some(Owed {
            slot,
            reason: refusal.reason,
            message: refusal.message.clone(),
        });
    }
}

fn miss(draft: &mut Draft, spec: &Spec, due: &Due) {
    for stretch in &due.missed {
        if draft.observed.refusal.is_none() && concurrency::skips(draft, spec, stretch) {
            continue;
        }
        let mut stretch = stretch.clone();
        let mut why = match stretch.reason {
            Reason::StartingDeadlineExceeded => "older than startingDeadlineSeconds".to_owned(),
            Reason::MissedRunPolicyNone => "late, and missedRunPolicy is None".to_owned(),
            Reason::MissedRunLimitExceeded => "more were missed than missedRunLimit".to_owned(),
            _ => "a newer slot is due, and missedRunPolicy is Latest".to_owned(),
        };
        if let Some(refusal) = &draft.observed.refusal {
            stretch.reason = refusal.reason;
            why = format!("{why}; before that {}", refusal.message);
        }
        let message = format!("{} not started: {why}", stretch);
        draft.ledger.not_started(Outcome::Missed, &stretch, &message);
        draft.ledger.urgent = true;
        draft.claim = true;
    }
}

/// Makes the Jobs of claims and of further attempts, when their time has come and what they replace is gone.
fn make(draft: &mut Draft, spec: &Spec) {
    let mut room = concurrency::room_for_jobs(draft, spec);
    let waiting: Vec<ActiveRun> = draft.ledger.status.active.iter().filter(|run| run.uid.is_none()).cloned().collect();
    for entry in waiting {
        let run = next_attempt(draft, &entry);
        if run.due > draft.now() {
            // A backoff; or the clock was set back behind a claim: never before the slot.
            draft.wake_by(run.due);
        } else if !is_claim(&entry) {
            create(draft, spec, run);
        } else if room > 0 {
            room -= 1;
            create(draft, spec, run);
        }
    }
}

fn next_attempt(draft: &Draft, entry: &ActiveRun) -> Run {
    let candidate = Candidate {
        slot: entry.slot.0,
        trigger: entry.trigger,
        job: entry.job.clone(),
    };
    let first = first_attempt(draft, candidate);
    match &entry.retry_at {
        Some(at) => Run {
            attempt: entry.attempt,
            due: at.0,
            ..first
        },
        None => first,
    }
}

fn first_attempt(draft: &Draft, candidate: Candidate) -> Run {
    let slot = candidate.slot;
    let due = match candidate.trigger {
        Trigger::Schedule => draft.schedule().map_or(slot, |schedule| schedule.starts_at(slot)),
        Trigger::Manual | Trigger::Backfill => draft.now().min(slot),
    };
    Run {
        slot,
        trigger: candidate.trigger,
        attempt: 1,
        job: candidate.job,
        due,
    }
}

/// Makes the Job of an attempt.
fn create(draft: &mut Draft, spec: &Spec, run: Run) {
    let task = &draft.observed.task;
    // From the ledger in the making: the run before may have ended in this very plan.
    let watermark = draft.ledger.status.last_successful_slot.as_ref().map(|slot| slot.0);
    let watermark = watermark.filter(|_| run.trigger != Trigger::Backfill);
    let previous = draft.schedule().and_then(|schedule| schedule.previous(run.slot));
    let job = build_job(task, &spec.fields, &run, watermark, previous);
    let (slot, job_name) = (run.slot, &run.job);
    let late = draft.now().duration_since(run.due);
    let said = match run.trigger {
        _ if run.attempt > 1 => None,
        Trigger::Manual => Some((Reason::Requested, format!("Job {job_name} made, as punctual.dev/run-now asked"))),
        Trigger::Backfill => Some((Reason::Requested, format!("Job {job_name} made for backfilled slot {slot}"))),
        Trigger::Schedule if late > ON_TIME => {
            let message = format!("Job {job_name} made for slot {slot}, {} s late", late.as_secs());
            Some((Reason::CaughtUp, message))
        }
        Trigger::Schedule => Some((Reason::OnSchedule, format!("Job {job_name} made for slot {slot}"))),
    };
    draft.jobs.push(Effect::Create { run, job });
    if let Some((reason, message)) = said {
        draft.jobs.push(Effect::Announce(super::Announcement {
            outcome: Outcome::Started,
            reason,
            slot,
            first: slot,
            slots: 1,
            message,
        }));
    }
}
