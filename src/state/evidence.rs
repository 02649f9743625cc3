//! What a Job proves that the written status does not say yet.
//!
//! Asked of Jobs that are gone or that a list did not show: without them a slot would be started again, or an end be lost.

use crate::api::{ActiveRun, Trigger};
use crate::plan::{Exit, Job, JobObject, Task, is_accounted};
use jiff::Timestamp;

/// Whether the written status does not yet know all that the Job proves: that its slot was started, and how it ended.
pub fn is_needed(task: &Task, job: &Job) -> bool {
    // An entry with its UID needs it as well: how a Job ended that was deleted at once is in no other place.
    let awaited = |run: &ActiveRun| run.job == job.object.name && run.uid.as_ref() == Some(&job.object.uid);
    is_owed(task, job) || is_claimed(task, job) || task.status.active.iter().any(awaited)
}

/// Whether the slot has no outcome yet, so that without the Job it would be started again.
pub fn is_owed(task: &Task, job: &Job) -> bool {
    job.object.trigger == Trigger::Schedule && job.object.slot.is_some_and(|slot| !is_accounted(&task.status, slot))
}

/// Whether the Job is the one that a claim, or the wait for another attempt, is about.
pub fn is_claimed(task: &Task, job: &Job) -> bool {
    let mut active = task.status.active.iter();
    active.any(|run| run.job == job.object.name && run.uid.is_none())
}

/// A Job that was gone before anybody saw it.
pub fn unseen(uid: &str) -> Job {
    let object = JobObject {
        name: String::new(),
        uid: uid.to_owned(),
        version: String::new(),
        slot: None,
        trigger: Trigger::Schedule,
        attempt: 1,
        mark: None,
        created: Timestamp::UNIX_EPOCH,
        began: None,
        suspended: false,
        ready: false,
        deleting: Some(Timestamp::UNIX_EPOCH),
        failing: None,
        end: None,
    };
    Job {
        exit: Exit::Unknown,
        ..Job::from(object)
    }
}
