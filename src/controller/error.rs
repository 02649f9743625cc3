//! Errors of requests to the API server, classified by how the caller must react.
//!
//! The input is the client's error, the output one of a few variants. The reaction itself is decided by the caller.

use std::time::Duration;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object does not exist (any more).
    #[error("not found: {0}")]
    NotFound(String),
    /// Another write came first: a newer resourceVersion, another UID, or a name that is taken.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The API server rejected the request; an immediate retry gets the same response.
    #[error("{0}")]
    Refused(String),
    /// No response, or one that asks to retry later: it is unknown whether the request took effect.
    #[error("{0}")]
    Unanswered(String),
    /// Another replica leads, or may lead: nothing was sent.
    #[error("this replica is not the leader")]
    NotLeading,
    /// A bug in the operator. The panic's message is on standard error.
    #[error("bug in the operator: please report the panic message in its log")]
    Panicked,
    /// Every plan had further effects: a bug, or objects that change all the time. One task must not occupy a worker that long.
    #[error("reconcile did not converge after {0} plans")]
    Unsettled(usize),
}

impl Error {
    /// No response arrived in time.
    #[must_use]
    pub fn deadline(after: Duration) -> Self {
        Self::Unanswered(format!("no response within {:.1} s", after.as_secs_f64()))
    }

    /// Value of the metric's label `kind`.
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
                // A webhook that cannot be called is a 500. It is retried like one, but users must see it.
                500 if status.message.contains("failed calling webhook") => Self::Refused(status.message),
                429 | 500..=599 => Self::Unanswered(format!("{} {}", status.code, status.message)),
                _ => Self::Refused(status.message),
            },
            other => Self::Unanswered(other.to_string()),
        }
    }
}
