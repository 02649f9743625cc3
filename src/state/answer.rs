//! What the API server answers, sorted by what it means for what is known.

use crate::plan::{Exit, JobObject, Pods};

/// The answer to a request.
pub type Answer = Result<Reply, Failure>;

/// The answer to a request that was carried out.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The Job that was created or found.
    Job(Box<FoundJob>),
    /// What the pods of a Job say.
    Pods(Exit, Pods),
    /// It is done; there is nothing more to say.
    Done,
}

/// A Job under a name that was asked for, whoever it belongs to.
#[derive(Clone, Debug)]
pub struct FoundJob {
    /// The Job.
    pub object: JobObject,
    /// Whether namespace, owner UID and owner name are those of the task.
    pub is_owned: bool,
    /// Who created it and when, for people.
    pub made_by: String,
}

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The object does not exist (any more).
    #[error("not found: {0}")]
    NotFound(String),
    /// Somebody else was first: a newer version, another UID, or a name that is taken.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The API server refused; asking again at once gives the same answer.
    #[error("{0}")]
    Refused(String),
    /// No answer, or one that says "later": it is not known whether the request was carried out.
    #[error("{0}")]
    Unanswered(String),
}

impl Failure {
    /// What a `Status` of the API server means.
    #[must_use]
    pub fn of_status(code: u16, reason: &str, message: String) -> Self {
        match code {
            404 if reason == "NotFound" => Self::NotFound(message),
            409 => Self::Conflict(message),
            // A webhook that cannot be called answers 500: waiting is all one can do, but people must know.
            500 if message.contains("failed calling webhook") => Self::Refused(message),
            429 | 500..=599 => Self::Unanswered(format!("{code} {message}")),
            _ => Self::Refused(message),
        }
    }
}
