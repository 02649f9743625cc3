//! What an execution asks of the shell, and what it says: requests to the API server, progress and notices.

use super::answer::Failure;
use crate::api::ScheduledTaskStatus;
use crate::plan::{Announcement, Claim, JobState, Reason, Urgency};
use jiff::SignedDuration;
use serde_json::Value;

/// What the API server is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Write claims into the claims log.
    Commit {
        /// Decisions to start attempts of this task.
        claims: Vec<Claim>,
    },
    /// POST a Job, or only try to.
    CreateJob {
        /// The manifest.
        manifest: Value,
        /// Nothing is stored.
        dry_run: bool,
    },
    /// GET a Job.
    GetJob {
        /// Its name.
        name: String,
    },
    /// DELETE that very Job as it was seen.
    DeleteJob {
        /// Its name.
        name: String,
        /// Precondition: its UID.
        uid: String,
        /// Precondition: its `resourceVersion`.
        version: String,
        /// Whether the Job stays until its pods are gone: until then it stands in the way.
        foreground: bool,
    },
    /// PUT the status, with the `resourceVersion` of the task that was observed. The task that comes back is to be taken in.
    WriteStatus {
        /// The status.
        status: Box<ScheduledTaskStatus>,
    },
    /// GET the task, and take it in. Not found, if it is gone.
    RefreshTask,
    /// List the pods of a Job.
    ListPods {
        /// UID of the Job.
        uid: String,
        /// How the Job stands.
        state: JobState,
    },
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this, and hand over the answer.
    Send(Request),
    /// There is nothing more to send.
    Finished(Progress),
}

/// How far a plan was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There was nothing to do.
    Nothing,
    /// As much as could be done: plan again.
    Done,
    /// The rest is a status write that may wait for others.
    Deferred(Urgency),
    /// No answer, or somebody else was first: plan again after a while.
    Failed(Failure),
}

/// Something that people, or metrics, should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// What happened to slots.
    Announce(Announcement),
    /// A warning that concerns no single slot.
    Warn(Reason, String),
    /// A line for the log alone.
    Log(String),
    /// A Job was created this long after it was due.
    Started(SignedDuration),
    /// A Job was deleted, for this reason.
    Deleted(String, Reason),
    /// Skipped slots were written.
    SkipsWritten,
    /// The API server has no place for the status of the task.
    StatusRefused,
    /// The task no longer exists.
    TaskGone,
}
