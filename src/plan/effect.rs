//! What a plan says is to be done: a list in order, any prefix of which is a safe place to die.

use super::claim::Claim;
use super::observed_job::JobState;
use super::reason::Reason;
use crate::api::{ScheduledTaskStatus, Trigger};
use jiff::Timestamp;
use serde_json::Value;

/// A decision about one task, as a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In the order in which they are carried out.
    pub effects: Vec<Effect>,
    /// When to plan again even if nothing happens. Waking early is harmless.
    pub wake_at: Option<Timestamp>,
}

impl Plan {
    /// Whether it creates a Job.
    #[must_use]
    pub fn creates_jobs(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Create { .. }))
    }
}

/// One thing to do, named after its request.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Delete a finished Job that is no longer kept. If that is refused, the rest is done all the same.
    Prune {
        /// Name of the Job.
        job: String,
        /// UID of the Job.
        uid: String,
        /// Its `resourceVersion` when it was seen.
        version: String,
        /// `HistoryLimit` or `TtlAfterFinished`.
        reason: Reason,
    },
    /// Write the status, unless somebody else has written the task since it was observed.
    WriteStatus {
        /// The whole status.
        status: Box<ScheduledTaskStatus>,
        /// Whether it may wait.
        urgency: Urgency,
        /// What is announced once it is written.
        announcements: Vec<Announcement>,
    },
    /// Delete a Job that runs, if it is still as it was seen: one that has ended since is not terminated.
    Terminate {
        /// Name of the Job.
        job: String,
        /// UID of the Job.
        uid: String,
        /// Its `resourceVersion` when it was seen.
        version: String,
        /// Why.
        reason: Reason,
    },
    /// Make the decision to start these attempts durable: their Jobs are created after that, and whatever happens.
    Commit {
        /// One for each start that follows and is not in the log yet.
        claims: Vec<Claim>,
    },
    /// Create the Job of an attempt. A Job of ours under that name is success.
    Create {
        /// The attempt.
        start: Start,
        /// The manifest.
        manifest: Value,
        /// What is announced once it exists.
        announcement: Option<Announcement>,
    },
    /// Ask whether the API server would accept the Job.
    DryRunCreate {
        /// The manifest.
        manifest: Value,
    },
    /// Ask whether a Job that the watch does not show is gone.
    VerifyDeleted {
        /// Name of the Job.
        job: String,
        /// UID of the Job.
        uid: String,
    },
    /// Look for a Job whose creation was not answered.
    LookUpCreate {
        /// Name of the Job.
        job: String,
    },
    /// Read the pods of a Job: how the failed container ended, or what the pods wait for.
    ListPods {
        /// Name of the Job.
        job: String,
        /// UID of the Job.
        uid: String,
        /// How the Job stands: what its pods say depends on it.
        state: JobState,
    },
}

/// Whether a status write may wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A claim, an end, a condition: what people and other replicas act on.
    Now,
    /// A start that its Job already proves: a second of them is one write.
    Merge,
    /// Slots that were skipped: some seconds of them are one write.
    Coalesce,
}

/// One attempt that is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The slot; of a manual run, when it was requested.
    pub slot: Timestamp,
    /// What asked for the run.
    pub trigger: Trigger,
    /// From 1.
    pub attempt: i32,
    /// Name of the Job.
    pub job: String,
    /// When it should start: the slot and its jitter, or the end of a backoff.
    pub due: Timestamp,
    /// Whether its lateness says anything about the operator: a run that waited in a queue is not late.
    pub is_timed: bool,
}

impl Start {
    /// The decision, as it stands in the claims log.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim {
            slot: self.slot,
            trigger: self.trigger,
            attempt: self.attempt,
            job: self.job.clone(),
        }
    }
}

/// Something that happened to slots of a task, for log, event and metric alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What became of them.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The slot, or the newest of several.
    pub slot: Timestamp,
    /// The oldest of several.
    pub first: Timestamp,
    /// How many slots it speaks of.
    pub slots: u64,
    /// How many seconds the run took, of one that succeeded or failed.
    pub run_seconds: Option<i64>,
    /// One sentence for people.
    pub message: String,
}

/// What can become of a slot or a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its Job was created.
    Started,
    /// Its run succeeded.
    Succeeded,
    /// Its run failed.
    Failed,
    /// Its run was ended before it finished.
    Cancelled,
    /// A policy refused to start it.
    Skipped,
    /// It passed too long ago to be started.
    Missed,
    /// An attempt failed, and another one follows.
    Retrying,
    /// It waits for capacity.
    Queued,
    /// A request that names no slot was carried out.
    Handled,
    /// A request was not carried out.
    Refused,
}

impl Outcome {
    /// The word, as in `recentRuns` and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Skipped => "Skipped",
            Self::Missed => "Missed",
            Self::Retrying => "Retrying",
            Self::Queued => "Queued",
            Self::Handled => "Handled",
            Self::Refused => "Refused",
        }
    }

    /// Whether people should look at it.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Failed | Self::Missed | Self::Retrying | Self::Refused)
    }
}
