//! The gate: whether a Job that claims to be a task's is believed.
//!
//! Anybody who may create Jobs can write whatever they like on one. A Job is a task's only if
//!
//! 1. namespace, owner UID and owner name are those of the task (the cache compares them), and its name is the one that task,
//!    slot and attempt make ([`has_the_form`](crate::plan::has_the_form));
//! 2. the ledger names it by UID; or the ledger or the schedule asks for a Job of that name just now, and the operator made it:
//!    its mark says so, see [`Seal`]. Without an election there is no mark that a predecessor and this process share, and a Job
//!    is believed unless it was there before its slot came.
//!
//! Everything else is a stranger: never adopted, never deleted, never counted, and never a reason to pass over a slot. A ledger
//! that has no beginning (a new task, or a status that was deleted) asks for nothing: it takes over what has the mark, for active
//! runs must not be doubled. Without an election it takes over what has the form and lies in the past.

use super::Seal;
use crate::api::Trigger;
use crate::plan::{Job, Task, in_force, is_accounted};
use jiff::{SignedDuration, Timestamp};

/// By so much the clock of another replica may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(30);
/// A process without an election asks more: its own Jobs are never before their slots.
const EARLY: SignedDuration = SignedDuration::from_secs(2);
/// And by so much may our own be set back: what was made before lies in the future then.
const SET_BACK: SignedDuration = SignedDuration::from_hours(48);

/// Whether the Job, of this task's form, is the task's.
#[must_use]
pub fn believes(task: &Task, job: &Job, seal: &Seal, now: Timestamp) -> bool {
    is_recorded(task, job) || is_believed(task, job, seal, now)
}

/// Whether the ledger names the Job by its UID.
pub fn is_recorded(task: &Task, job: &Job) -> bool {
    let status = &task.status;
    status.active.iter().any(|run| run.uid.as_ref() == Some(&job.object.uid))
        || status.kept_jobs.iter().any(|kept| kept.uid == job.object.uid)
}

/// Whether the Job may be believed, now or soon: nothing is said yet of who made it.
pub fn is_wanted(task: &Task, job: &Job, now: Timestamp) -> bool {
    let Some(slot) = job.object.slot else { return false };
    is_awaited(task, job) || !is_beyond(slot, now, SET_BACK) && (is_owed(task, job, slot) || has_no_beginning(task))
}

/// Whether the Job, which the ledger does not know by its UID, is believed.
fn is_believed(task: &Task, job: &Job, seal: &Seal, now: Timestamp) -> bool {
    let Some(slot) = job.object.slot.filter(|_| is_wanted(task, job, now)) else {
        return false;
    };
    // A Job of ours needs no schedule and no clock: both may have been changed since.
    if seal.is_ours(&task.uid, &job.object.name, job.object.mark) {
        return true;
    }
    let may_be_ours = !seal.is_shared() && !job.early;
    if is_awaited(task, job) {
        return may_be_ours;
    }
    // What a predecessor made carries the mark where all share it, whatever became of the ledger: of a new task a forger knows the UID
    // before we have looked at it.
    let is_predecessors = !seal.is_shared() && has_no_beginning(task);
    let is_possible = (may_be_ours || is_predecessors) && !is_beyond(slot, now, SKEW);
    let schedule = in_force(task, &task.status).filter(|_| is_possible);
    schedule.is_some_and(|schedule| schedule.latest(before(slot), slot) == Some(slot))
}

/// Whether a Job that is seen now comes before its slot: then it was not created for that slot.
pub fn is_early(job: &Job, now: Timestamp) -> bool {
    job.object.slot.is_some_and(|slot| is_beyond(slot, now, EARLY))
}

/// Whether the slot comes so much later than now.
fn is_beyond(slot: Timestamp, now: Timestamp, by: SignedDuration) -> bool {
    slot > now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// An entry of `active` waits for its Job under that name: a claim, or a further attempt.
fn is_awaited(task: &Task, job: &Job) -> bool {
    task.status.active.iter().any(|run| run.uid.is_none() && run.job == job.object.name)
}

/// The slot has no outcome yet. Further attempts are written down before their Jobs are created.
fn is_owed(task: &Task, job: &Job, slot: Timestamp) -> bool {
    job.object.trigger == Trigger::Schedule && job.object.attempt == 1 && !is_accounted(&task.status, slot)
}

fn has_no_beginning(task: &Task) -> bool {
    task.status.schedule_since.is_none()
}

fn before(slot: Timestamp) -> Timestamp {
    slot.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}
