//! What is started now: claims that have no Job yet, and the slots that are due.
//!
//! Takes the settled ledger, gives creations, or the reason why a slot is owed. Never looks at how runs ended: that is `runs`.

use super::due::{self, Due};
use super::{Because, Draft, Effect, ON_TIME, Outcome, Owed, Run, Spec, build_job, claims, concurrency, job_name};
use crate::api::ConcurrencyPolicy;
use crate::schedule::Schedule;
use jiff::Timestamp;

/// Starts what is owed, or says why not.
pub fn start(draft: &mut Draft) {
    let Some(spec) = draft.spec else { return };
    if spec.fields.suspend {
        claims::give_up(draft, Outcome::Skipped, Because::Suspended, "the task was suspended");
        return;
    }
    let Some(schedule) = draft.schedule() else { return };
    claims::give_up_late(draft, spec);
    claims::spare_the_replaced(draft);
    if blocked(draft) {
        return owe_oldest(draft, schedule);
    }
    let due = due::due(schedule, &spec.fields, draft.accounted(), draft.now());
    miss(draft, &due);
    match spec.fields.concurrency_policy {
        ConcurrencyPolicy::Allow => {
            make_claimed(draft, spec, schedule);
            for slot in due.start {
                create(draft, spec, schedule, slot);
            }
        }
        ConcurrencyPolicy::Forbid => {
            concurrency::forbid(draft, spec, &due);
            make_claimed(draft, spec, schedule);
        }
        ConcurrencyPolicy::Replace => {
            concurrency::replace(draft, &due);
            make_claimed(draft, spec, schedule);
        }
    }
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

fn owe_oldest(draft: &mut Draft, schedule: &Schedule) {
    let claimed = draft
        .ledger
        .status
        .active
        .iter()
        .find(|run| run.uid.is_none())
        .map(|run| run.slot.0);
    let Some(slot) = claimed.or_else(|| schedule.next(draft.accounted()).filter(|slot| *slot <= draft.now())) else {
        return;
    };
    if let Some(refusal) = &draft.observed.refusal {
        draft.owed = Some(Owed {
            slot,
            because: refusal.because,
            message: refusal.message.clone(),
        });
    }
}

fn miss(draft: &mut Draft, due: &Due) {
    for stretch in &due.missed {
        let mut stretch = stretch.clone();
        let mut why = match stretch.because {
            Because::StartingDeadlineExceeded => "older than startingDeadlineSeconds".to_owned(),
            Because::MissedRunPolicyNone => "late, and missedRunPolicy is None".to_owned(),
            Because::MissedRunLimitExceeded => "more were missed than missedRunLimit".to_owned(),
            _ => "a newer slot is due, and missedRunPolicy is Latest".to_owned(),
        };
        if let Some(refusal) = &draft.observed.refusal {
            stretch.because = refusal.because;
            why = format!("{why}; before that {}", refusal.message);
        }
        let message = format!("{} not started: {why}", stretch);
        draft.ledger.not_started(Outcome::Missed, &stretch, &message);
        draft.ledger.urgent = true;
        draft.claim = true;
    }
}

/// Makes the Jobs of claims, after the runs that they replace are deleted.
fn make_claimed(draft: &mut Draft, spec: &Spec, schedule: &Schedule) {
    let (taken, to_come): (Vec<Timestamp>, Vec<Timestamp>) = draft
        .ledger
        .status
        .active
        .iter()
        .filter(|run| run.uid.is_none())
        .map(|run| run.slot.0)
        .partition(|slot| *slot <= draft.now());
    if let Some(earliest) = to_come.into_iter().min() {
        // The clock was set back behind a claim: never before the slot.
        draft.wake_by(earliest);
    }
    if taken.is_empty() {
        return;
    }
    for run in draft.ledger.status.active.iter().filter(|run| run.ending.is_some()) {
        if let Some(uid) = run.uid.as_ref().filter(|_| claims::goes_on(&draft.observed.jobs, run)) {
            draft.jobs.push(Effect::Delete {
                job: run.job.clone(),
                uid: uid.clone(),
                because: Because::Replaced,
            });
        }
    }
    for slot in taken {
        create(draft, spec, schedule, slot);
    }
}

/// Makes the Job of a slot.
fn create(draft: &mut Draft, spec: &Spec, schedule: &Schedule, slot: Timestamp) {
    let task = &draft.observed.task;
    let run = Run {
        slot,
        attempt: 1,
        job: job_name(&task.name, slot, 1),
    };
    // From the ledger in the making: the run before may have ended in this very plan.
    let watermark = draft.ledger.status.last_successful_slot.as_ref().map(|slot| slot.0);
    let job = build_job(task, &spec.fields, &run, watermark, schedule.previous(slot));
    let late = draft.now().duration_since(slot);
    let (because, message) = if late > ON_TIME {
        (
            Because::CaughtUp,
            format!("Job {} made for slot {slot}, {} s late", run.job, late.as_secs()),
        )
    } else {
        (Because::OnSchedule, format!("Job {} made for slot {slot}", run.job))
    };
    draft.jobs.push(Effect::Create { run, job });
    draft.jobs.push(Effect::Announce(super::Announcement {
        outcome: Outcome::Started,
        because,
        slot,
        slots: 1,
        message,
    }));
}
