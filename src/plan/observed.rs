//! What a plan is made from: one task, its Jobs, and the time.
//!
//! ```text
//!   the API server's objects        what the cache holds          what a plan sees
//!   ScheduledTask ───────────────►  Task (decoded once) ───────►  Observed { now, task, jobs, … }
//!   Job (slim), its pods            Job { object, exit, pods }
//! ```

use super::claim::Claim;
use super::effect::Announcement;
use super::observed_job::Job;
use super::reason::ConditionReason;
use super::refusals::Refusals;
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus};
use crate::schedule::{Schedule, ScheduleError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// What the claims log says of this task: decisions to start that its status may not say yet.
    pub claims: Vec<Claim>,
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
    /// Slots are traced: containers get to know their trace.
    pub traces: bool,
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
    /// `metadata.labels`, by which notifications are routed; nothing is decided by them.
    pub labels: BTreeMap<String, String>,
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
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
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
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
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

/// What the API server said to a dry run of the Job's creation.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
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

impl DryRun {
    /// Whether the Job was refused because the API server does not know some of its fields. It has no reason for that but these words,
    /// those of `NewStrictDecodingError` in Kubernetes' apimachinery.
    #[must_use]
    pub fn names_unknown_fields(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains("strict decoding error"))
    }
}

impl Unwritten {
    /// Whether all that it accounts for lies in the past.
    #[must_use]
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.status.accounted_until.as_ref().is_none_or(|until| until.0 <= now)
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
            claims: Vec::new(),
            unacknowledged: Vec::new(),
            refusals: Refusals::default(),
            dry_run: DryRun::NotAsked,
            conflicts: Vec::new(),
            crd_is_outdated: false,
            traces: false,
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
            labels: BTreeMap::new(),
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
