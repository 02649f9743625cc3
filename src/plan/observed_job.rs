//! What a plan knows of a Job: the object that the API server describes, and what was read beyond it.

use crate::api::Trigger;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A Job as the API server describes it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
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
    /// The mark on it, which anybody can have written: what it proves is for the gate to decide.
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
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What the API server says.
    pub object: JobObject,
    /// A read has shown it, not only a watch, which may be late.
    pub confirmed: bool,
    /// When it was last read, if no watch shows it: somebody took our label off.
    pub unwatched_since: Option<Timestamp>,
    /// Since when it is known that it is about to fail, by the operator's clock.
    pub failing_since: Option<Timestamp>,
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
            failing_since: None,
            early: false,
            pods: Pods::NotAsked,
            looked: None,
            exit: Exit::NotAsked,
            exit_is_final: false,
        }
    }
}

/// The end of a Job, from its `Complete` or `Failed` condition.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
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
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub enum Pods {
    /// They were not read.
    #[default]
    NotAsked,
    /// A container of the work has run. With what people should know of it, if anything.
    Began(Option<String>),
    /// None has, for this reason.
    Waiting(String),
}
