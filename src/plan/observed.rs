//! What a plan is made from: one task, its Jobs, and the time.
//!
//! ```text
//!   the API server's words          what observe keeps            what plan sees
//!   ScheduledTask ───────────────►  Task (decoded once) ───────►  Observed { now, task, jobs, … }
//!   Job (slim), Pod (of a failure)  Job { slot, end, exit }
//! ```
//! Takes nothing, gives types. Never a client, never the clock.

use super::{Announcement, Reason};
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use crate::schedule::{Schedule, ScheduleError};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The time, by the operator's clock.
    pub now: Timestamp,
    /// The task, with the newest status that is known.
    pub task: Arc<Task>,
    /// Its Jobs, by owner UID: those of the watch, those that this process made and the watch has not shown yet, and those
    /// that are gone but whose slot is not accounted for.
    pub jobs: Vec<Job>,
    /// UIDs of Jobs that are certainly gone: the watch or a read said so.
    pub gone: Vec<String>,
    /// Names of Jobs that this process asked for without getting an answer: they may be there or not.
    pub unsure: Vec<String>,
    /// The last start (or deletion of a run that is replaced) that the API server refused, if none has succeeded since.
    pub refusal: Option<Refusal>,
    /// The last deletion of a finished Job that the API server refused, if none has succeeded since.
    pub clean_up_refusal: Option<Refusal>,
    /// What the API server said of the template, when it was asked.
    pub trial: Trial,
    /// Names that this task's Jobs should have and that Jobs of others have, as far as this process met them.
    pub conflicts: Vec<Conflict>,
    /// What was decided since the status was written, by this process, and waits to be written with more.
    pub unwritten: Option<Unwritten>,
}

/// A status whose write was put off, and what is to be said when it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwritten {
    pub status: ScheduledTaskStatus,
    pub announcements: Vec<Announcement>,
}

/// A Job that is not the task's has the name of one of its Jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The name.
    pub job: String,
    /// Who made it, and what to do.
    pub message: String,
}

/// A `ScheduledTask`, decoded.
#[derive(Clone, Debug)]
pub struct Task {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub generation: i64,
    pub resource_version: String,
    pub created: Timestamp,
    /// It is being deleted: nothing more is started; its Jobs go with it by their owner reference.
    pub deleting: bool,
    /// What was asked for by annotation.
    pub requests: Requests,
    /// The spec, or why it cannot be used.
    pub spec: Result<Arc<Spec>, Unusable>,
    pub status: Arc<ScheduledTaskStatus>,
    /// Why the status that was read is not this one, if it could not be used.
    pub damage: Option<String>,
}

/// Why a spec cannot be used: nothing starts, and what goes on is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    pub reason: Reason,
    /// What is wrong, and the fix.
    pub message: String,
}

impl From<String> for Unusable {
    fn from(message: String) -> Self {
        Self {
            reason: Reason::InvalidSpec,
            message,
        }
    }
}

impl From<&str> for Unusable {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// The newest request of each kind, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub run_now: Option<String>,
    pub resume: Option<String>,
    pub reset_ledger: Option<String>,
    pub backfill: Option<String>,
}

/// A spec and the schedule that was made from it.
#[derive(Clone, Debug)]
pub struct Spec {
    pub fields: ScheduledTaskSpec,
    /// Ready to be asked, or what is wrong with it.
    pub schedule: Result<Schedule, ScheduleError>,
    /// `terminationGracePeriodSeconds` of the template's pods.
    pub grace: SignedDuration,
    /// How long a finished Job is kept: `ttlAfterFinished`, or `ttlSecondsAfterFinished` of the template.
    pub ttl: Option<Duration>,
}

/// `terminationGracePeriodSeconds` where the template says nothing.
const GRACE: i64 = 30;

/// What the plan needs to know of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub name: String,
    pub uid: String,
    /// Which state of it this is: its `resourceVersion`.
    pub version: String,
    /// A read has shown it, not only a watch, which may tell of what was.
    pub confirmed: bool,
    /// From the annotation, if that agrees with the name; a Job without one is left alone.
    pub slot: Option<Timestamp>,
    /// The mark that stands on it, whoever wrote it: what it proves is for the gate to say.
    pub mark: Option<u64>,
    /// It was seen before its slot came.
    pub early: bool,
    pub trigger: Trigger,
    pub attempt: i32,
    /// When it was made: by the operator's clock if this process made it, else by the API server's.
    pub created: Timestamp,
    /// When the Job controller began with it; it begins anew when a suspended Job is resumed.
    pub began: Option<Timestamp>,
    /// It waits for its turn: by its template, or in a queueing system.
    pub suspended: bool,
    /// A pod of it is or was ready, or has ended.
    pub ready: bool,
    /// What its pods wait for, if that was asked.
    pub pods: Pods,
    /// When that was.
    pub looked: Option<Timestamp>,
    /// Since when it is being deleted.
    pub deleting: Option<Timestamp>,
    /// How it ended, if it has.
    pub end: Option<JobEnd>,
    /// How its failed container ended, if that was asked.
    pub exit: Exit,
}

/// The end of a Job, from its `Complete` or `Failed` condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    pub succeeded: bool,
    pub at: Timestamp,
    pub reason: String,
    pub message: String,
}

/// The end of a failed Job's container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// Nobody has looked at the pods.
    #[default]
    NotAsked,
    /// The pods are gone or say nothing.
    Unknown,
    /// What the container that failed last left behind.
    Known { code: i32, message: Option<String> },
}

/// What the pods of a Job do that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pods {
    /// Nobody has looked.
    #[default]
    NotAsked,
    /// A container has begun at least once.
    Began,
    /// None has, for this reason.
    Waiting(String),
}

/// A write that the API server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// What the API server said.
    pub message: String,
    /// Not before this moment is it tried again.
    pub retry_at: Timestamp,
}

/// A dry run of the Job's creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trial {
    /// Not asked since the template changed or the operator started.
    #[default]
    NotAsked,
    /// The API server would take the Job.
    Taken,
    /// It would not, and says why; worth asking again at `again_at`, for quotas and policies change.
    Refused { message: String, again_at: Timestamp },
}

/// A refusal that asks for more patience than this was made by a clock that has been set back since.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

impl Unwritten {
    /// Whether all that it accounts for lies in the past.
    #[must_use]
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.status.accounted_until.as_ref().is_none_or(|until| until.0 <= now)
    }
}

impl Refusal {
    /// Whether it is too early to try again.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.retry_at && self.retry_at <= now + PATIENCE
    }
}

impl Task {
    /// The key under which people know the task.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl Spec {
    /// Reads the schedule of a spec; `task` is the task's key, which `H` and jitter are hashed from. A schedule that is wrong is
    /// kept as such: it is for the plan to say so.
    #[must_use]
    pub fn new(fields: ScheduledTaskSpec, task: &str) -> Self {
        let schedule = super::schedule_of(&fields.observed_schedule(), task);
        let template = fields.job_template.fields();
        let job = template.get("spec");
        let grace = job.and_then(|job| job.pointer("/template/spec/terminationGracePeriodSeconds")?.as_i64());
        let ttl = || Some(Duration::from_secs(job?.get("ttlSecondsAfterFinished")?.as_u64()?));
        Self {
            schedule,
            grace: SignedDuration::from_secs(grace.unwrap_or(GRACE).clamp(0, 86_400)),
            ttl: fields.ttl_after_finished.map(Duration::from).or_else(ttl),
            fields,
        }
    }
}
