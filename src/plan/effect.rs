//! What a plan says is to be done: a list in order, any prefix of which is a safe place to die.
//!
//! Takes nothing, gives types. Never does anything: that is `perform`.

use super::Reason;
use crate::api::{ScheduledTaskStatus, Trigger};
use jiff::Timestamp;
use serde_json::Value;

/// A decision about one task, as a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In the order in which they are done; the first that fails ends the list.
    pub effects: Vec<Effect>,
    /// When to look again even if nothing happens. Waking early is harmless.
    pub wake_at: Option<Timestamp>,
}

impl Plan {
    /// Whether it makes a Job.
    #[must_use]
    pub fn starts_something(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Create { .. }))
    }
}

/// One request to the API server, or one thing to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask whether the API server would take the Job (a dry run), off the hot path.
    Try { job: Value },
    /// Ask whether a Job that the watch does not show is really gone.
    Confirm { job: String, uid: String },
    /// Look for a Job whose creation was asked for and not answered.
    Find { job: String },
    /// Read the pods of a Job: how the failed container ended, or what those wait for that are not ready.
    Inspect { job: String, uid: String },
    /// Make the Job of a slot. `AlreadyExists` with our owner UID and slot is success.
    Create { run: Run, job: Value },
    /// Delete that very Job, if it is still as it was observed: one that has ended since has run, and is not replaced.
    Delete {
        job: String,
        uid: String,
        version: String,
        reason: Reason,
    },
    /// Write the status, if nobody else has written the task since it was observed.
    Write {
        status: Box<ScheduledTaskStatus>,
        urgency: Urgency,
        /// What is to be said when it is written. Those who put the write off say it later.
        announcements: Vec<Announcement>,
    },
    /// Say it: log line, event and metric.
    Announce(Announcement),
}

/// Whether a status write may wait for others to merge with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A claim, an end, a condition: what people and other replicas act on.
    Now,
    /// A start that its Job already proves.
    Merged,
    /// Slots that were skipped: some seconds of them are one write.
    Coalesced,
}

/// One attempt at a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The slot; of a manual run, when it was asked for.
    pub slot: Timestamp,
    pub trigger: Trigger,
    /// From 1.
    pub attempt: i32,
    /// Name of the Job.
    pub job: String,
    /// When it should start: the slot and its jitter, or the end of a backoff.
    pub due: Timestamp,
}

/// Something that happened to slots of a task, for log, event and metric alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub outcome: Outcome,
    pub reason: Reason,
    /// The slot, or the newest of several.
    pub slot: Timestamp,
    /// The oldest of several.
    pub first: Timestamp,
    /// How many slots it speaks of.
    pub slots: u64,
    /// One sentence for people.
    pub message: String,
}

/// What can become of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Started,
    Succeeded,
    Failed,
    Cancelled,
    Skipped,
    Missed,
    /// An attempt failed, and another one follows.
    Retrying,
    /// It waits for room.
    Queued,
    /// A request that names no slot was carried out.
    Handled,
    /// A request was not.
    Refused,
}

impl Outcome {
    /// The word, as it stands in `recentRuns` and in metrics.
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
