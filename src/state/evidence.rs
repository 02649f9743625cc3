//! What a Job proves that the written status does not say yet.
//!
//! Asked of Jobs that are gone or that a list did not show: without them a slot would be started again, or an end be lost.

use crate::api::{ActiveRun, Trigger};
use crate::plan::{Exit, Job, Pods, Task};
use jiff::Timestamp;

/// Whether the written status does not yet know all that the Job proves: that its slot was started, and how it ended.
pub fn is_needed(task: &Task, job: &Job) -> bool {
    // An entry with its UID needs it as well: how a Job ended that was deleted at once is in no other place.
    let awaited = |run: &ActiveRun| run.job == job.name && run.uid.as_ref() == Some(&job.uid);
    is_owed(task, job) || is_claimed(task, job) || task.status.active.iter().any(awaited)
}

/// Whether the slot has no outcome yet, so that without the Job it would be started again.
pub fn is_owed(task: &Task, job: &Job) -> bool {
    let unaccounted = |slot| task.status.accounted_until.as_ref().is_none_or(|until| until.0 < slot);
    job.trigger == Trigger::Schedule && job.slot.is_some_and(unaccounted)
}

/// Whether the Job is the one that a claim, or the wait for another attempt, is about.
pub fn is_claimed(task: &Task, job: &Job) -> bool {
    let mut active = task.status.active.iter();
    active.any(|run| run.job == job.name && run.uid.is_none())
}

/// A Job that was gone before anybody saw it.
pub fn unseen(uid: &str) -> Job {
    Job {
        name: String::new(),
        uid: uid.to_owned(),
        version: String::new(),
        confirmed: false,
        slot: None,
        mark: None,
        early: false,
        trigger: Trigger::Schedule,
        attempt: 1,
        created: Timestamp::UNIX_EPOCH,
        began: None,
        suspended: false,
        ready: false,
        pods: Pods::NotAsked,
        looked: None,
        deleting: Some(Timestamp::UNIX_EPOCH),
        end: None,
        exit: Exit::Unknown,
    }
}
