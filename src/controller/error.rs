//! What can go wrong with a request, sorted by what to do about it.
//!
//! Takes the client's errors, gives one of a few. Never decides the way out: that is for `perform` and the plan.

use crate::state::Failure;
use std::time::Duration;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object is not there (any more).
    #[error("not found: {0}")]
    NotFound(String),
    /// Somebody else was first: a newer version, another uid, or a name that is taken.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The API server understood and said no; asking again at once gives the same answer.
    #[error("{0}")]
    Refused(String),
    /// No answer, or one that says "later": whether the request was carried out is not known.
    #[error("{0}")]
    Unanswered(String),
    /// Another replica leads, or may: nothing was sent.
    #[error("this replica does not lead")]
    NotLeading,
    /// A defect of ours, told on standard error where it happened.
    #[error("a defect of the operator: please report what it said of the panic")]
    Panicked,
    /// Plan after plan had something to do: a bug, or a world that changes at each look. Nobody may keep a worker that long.
    #[error("not settled after {0} plans")]
    Unsettled(usize),
}

impl Error {
    /// No answer came in time.
    #[must_use]
    pub fn deadline(after: Duration) -> Self {
        Self::Unanswered(format!("no answer within {:.1} s", after.as_secs_f64()))
    }

    /// What the API server's answer was, if it is one.
    ///
    /// # Errors
    /// The error itself, if it is ours.
    pub fn into_failure(self) -> Result<Failure, Self> {
        Ok(match self {
            Self::NotFound(message) => Failure::NotFound(message),
            Self::Conflict(message) => Failure::Conflict(message),
            Self::Refused(message) => Failure::Refused(message),
            Self::Unanswered(message) => Failure::Unanswered(message),
            Self::NotLeading | Self::Panicked | Self::Unsettled(_) => return Err(self),
        })
    }

    /// The word for the metric.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NotFound",
            Self::Conflict(_) => "Conflict",
            Self::Refused(_) => "Refused",
            Self::Unanswered(_) => "Unanswered",
            Self::NotLeading => "NotLeading",
            Self::Panicked => "Panicked",
            Self::Unsettled(_) => "Unsettled",
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound(message) => Self::NotFound(message),
            Failure::Conflict(message) => Self::Conflict(message),
            Failure::Refused(message) => Self::Refused(message),
            Failure::Unanswered(message) => Self::Unanswered(message),
        }
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Failure::of_status(status.code, &status.reason, status.message.clone()).into(),
            other => Self::Unanswered(other.to_string()),
        }
    }
}
