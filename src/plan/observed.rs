//! What a plan is made from: one task, its Jobs, and the time.
//!
//! ```text
//!   the API server's objects        what the cache holds          what a plan sees
//!   ScheduledTask ───────────────►  Task (decoded once) ───────►  Observed { now, task, jobs, … }
//!   Job (slim), its pods            Job { object, exit, pods }
//! ```

use super::{Announcement, ConditionReason, Reason};
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
    /// Names of Jobs whose creation was requested and not answered: they may exist or not.
    pub unacknowledged: Vec<String>,
    /// What the API server refused last, of each kind of write, if none of the kind has succeeded since.
    pub refusals: Refusals,
    /// What the API server said to a dry run of the Job.
    pub dry_run: DryRun,
    /// Names that this task's Jobs should have and that Jobs of others have, as far as this process met them.
    pub conflicts: Vec<Conflict>,
    /// The API server dropped fields of the status that was written last: its CRD is older than this operator.
    pub crd_is_outdated: bool,
    /// What was decided since the status was written, by this process, and waits to be written with more.
    pub unwritten: Option<Unwritten>,
}

/// A status whose write was put off, and what is to be said when it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwritten {
    /// The status that was decided on.
    pub status: ScheduledTaskStatus,
    /// What is announced when it is written.
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
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.generation`
    pub generation: i64,
    /// `metadata.resourceVersion`
    pub resource_version: String,
    /// `metadata.creationTimestamp`
    pub created: Timestamp,
    /// It is being deleted: nothing more is started; its Jobs go with it by their owner reference.
    pub deleting: bool,
    /// What was requested by annotation.
    pub requests: Requests,
    /// The spec, or why it cannot be used.
    pub spec: Result<Arc<Spec>, Unusable>,
    /// The status as it was read.
    pub status: Arc<ScheduledTaskStatus>,
    /// Why the status that was read is not this one, if it could not be used.
    pub damage: Option<String>,
}

/// Why a spec cannot be used: nothing starts, and active runs are left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The reason of the condition `Ready`.
    pub reason: ConditionReason,
    /// What is wrong, and the fix.
    pub message: String,
}

impl From<String> for Unusable {
    fn from(message: String) -> Self {
        Self {
            reason: ConditionReason::InvalidSpec,
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
    /// `punctual.dev/run-now`
    pub run_now: Option<String>,
    /// `punctual.dev/resume`
    pub resume: Option<String>,
    /// `punctual.dev/reset-ledger`
    pub reset_ledger: Option<String>,
    /// `punctual.dev/backfill`
    pub backfill: Option<String>,
}

/// A spec and the schedule that was made from it.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The fields, as their author wrote them.
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

/// A Job as the API server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobObject {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Which state of it this is: its `resourceVersion`.
    pub version: String,
    /// The slot, from the annotation, if that agrees with the name; a Job without one is left alone.
    pub slot: Option<Timestamp>,
    /// What asked for its run, from the annotation.
    pub trigger: Trigger,
    /// The attempt, from the annotation, from 1.
    pub attempt: i32,
    /// The mark on it, whoever wrote it: what it proves is for the gate to say.
    pub mark: Option<u64>,
    /// When it was created: by the operator's clock if this process created it, else by the API server's.
    pub created: Timestamp,
    /// When the Job controller began with it; it begins anew when a suspended Job is resumed.
    pub began: Option<Timestamp>,
    /// It is suspended: by its template, or by a queueing system.
    pub suspended: bool,
    /// A pod of it is or was ready, or has ended.
    pub ready: bool,
    /// Since when it is being deleted.
    pub deleting: Option<Timestamp>,
    /// How it is about to fail: its condition `FailureTarget`. `Failed` follows when its pods are gone.
    pub failing: Option<JobEnd>,
    /// How it ended, if it has.
    pub end: Option<JobEnd>,
}

/// A Job, and what is known of it beyond the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What the API server says.
    pub object: JobObject,
    /// A read has shown it, not only a watch, which may be late.
    pub confirmed: bool,
    /// When it was last read, if no watch shows it: somebody took our label off.
    pub unwatched_since: Option<Timestamp>,
    /// It was seen before its slot came.
    pub early: bool,
    /// What its pods wait for, if they were read.
    pub pods: Pods,
    /// When they were read.
    pub looked: Option<Timestamp>,
    /// How its failed container ended, if that was read.
    pub exit: Exit,
    /// No pod runs any more: reading them again tells no more.
    pub exit_is_final: bool,
}

/// How a Job stands when its pods are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Neither finished nor about to.
    Active,
    /// It failed, or is about to.
    Failed {
        /// Reason of the condition.
        reason: String,
        /// Message of the condition.
        message: String,
    },
    /// The operator deletes it.
    Terminating,
}

impl From<JobObject> for Job {
    /// A Job of which nothing more is known.
    fn from(object: JobObject) -> Self {
        Self {
            object,
            confirmed: false,
            unwatched_since: None,
            early: false,
            pods: Pods::NotAsked,
            looked: None,
            exit: Exit::NotAsked,
            exit_is_final: false,
        }
    }
}

/// The end of a Job, from its `Complete` or `Failed` condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// Whether it is complete.
    pub succeeded: bool,
    /// When.
    pub at: Timestamp,
    /// Reason of the condition.
    pub reason: String,
    /// Message of the condition.
    pub message: String,
}

/// The end of a failed Job's container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// The pods were not read.
    #[default]
    NotAsked,
    /// The pods are gone or say nothing.
    Unknown,
    /// What the container that failed last left behind.
    Known {
        /// Exit code of the container that decided; an eviction has none.
        code: Option<i32>,
        /// What happened, in its words or ours.
        message: Option<String>,
    },
}

/// What the pods of a Job do that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pods {
    /// They were not read.
    #[default]
    NotAsked,
    /// A container of the work has run. With what people should know of it, if anything.
    Began(Option<String>),
    /// None has, for this reason.
    Waiting(String),
}

/// A write that the API server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `JobRefused` or `DeleteRefused`.
    pub reason: Reason,
    /// What the API server said.
    pub message: String,
    /// It is not tried again before this time.
    pub retry_at: Timestamp,
}

/// The kinds of writes that are refused and tried again independently of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// The creation of a Job.
    Create,
    /// The deletion of a Job that runs.
    Terminate,
    /// The deletion of a finished Job.
    Prune,
}

/// The last refusal of each kind of write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Of creations.
    pub create: Option<Refusal>,
    /// Of terminations.
    pub terminate: Option<Refusal>,
    /// Of prunes.
    pub prune: Option<Refusal>,
}

impl Refusals {
    /// The last one of this kind.
    #[must_use]
    pub fn of(&self, kind: WriteKind) -> Option<&Refusal> {
        match kind {
            WriteKind::Create => self.create.as_ref(),
            WriteKind::Terminate => self.terminate.as_ref(),
            WriteKind::Prune => self.prune.as_ref(),
        }
    }
}

/// What the API server said to a dry run of the Job's creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DryRun {
    /// Not asked since the template changed or the operator started.
    #[default]
    NotAsked,
    /// It accepts the Job.
    Accepted,
    /// It refuses the Job, and is asked again at `again_at`: quotas and policies change.
    Refused {
        /// What it said.
        message: String,
        /// When to ask again.
        again_at: Timestamp,
    },
}

/// A refusal that is to be waited out for longer than this was noted by a clock that has been set back since.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);

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
        now < self.retry_at && self.retry_at <= now + LONGEST_WAIT
    }
}

impl Observed {
    /// A task of which nothing is known but itself.
    #[must_use]
    pub fn new(now: Timestamp, task: Arc<Task>) -> Self {
        Self {
            now,
            task,
            jobs: Vec::new(),
            gone: Vec::new(),
            unacknowledged: Vec::new(),
            refusals: Refusals::default(),
            dry_run: DryRun::NotAsked,
            conflicts: Vec::new(),
            crd_is_outdated: false,
            unwritten: None,
        }
    }
}

impl Task {
    /// A task as it is when it has just been created.
    #[must_use]
    pub fn new(namespace: &str, name: &str, uid: &str, created: Timestamp, fields: ScheduledTaskSpec) -> Self {
        let spec = Spec::new(fields, &format!("{namespace}/{name}"));
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            generation: 1,
            resource_version: "1".to_owned(),
            created,
            deleting: false,
            requests: Requests::default(),
            spec: Ok(Arc::new(spec)),
            status: Arc::default(),
            damage: None,
        }
    }

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
        let schedule = super::schedule_of::schedule_of(&fields.observed_schedule(), task);
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
