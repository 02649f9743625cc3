//! What can go wrong with a request, sorted by what to do about it.
//!
//! Takes the client's errors, gives one of a few. Never decides the way out: that is for `perform` and the plan.

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

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => match status.code {
                404 if status.reason == "NotFound" => Self::NotFound(status.message),
                409 => Self::Conflict(status.message),
                // A webhook that cannot be called answers 500: waiting is all one can do, but people must be told.
                500 if status.message.contains("failed calling webhook") => Self::Refused(status.message),
                429 | 500..=599 => Self::Unanswered(format!("{} {}", status.code, status.message)),
                _ => Self::Refused(status.message),
            },
            other => Self::Unanswered(other.to_string()),
        }
    }
}
