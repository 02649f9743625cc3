//! Errors of requests to the API server, classified by how the caller must react.
//!
//! The input is the client's error, the output one of a few variants. The reaction itself is decided by the caller.

use crate::state::Failure;
use jiff::SignedDuration;
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
    /// It was not carried out, and the API server asks for time.
    #[error("{message}")]
    Later {
        /// What it said.
        message: String,
        /// How long to wait at least.
        after: Duration,
    },
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
    /// The words of [`Error::kind`].
    pub const KINDS: [&'static str; 8] = [
        "NotFound",
        "Conflict",
        "Refused",
        "Later",
        "Unanswered",
        "NotLeading",
        "Panicked",
        "Unsettled",
    ];

    /// No response arrived in time.
    #[must_use]
    pub fn deadline(after: Duration) -> Self {
        Self::Unanswered(format!("no response within {:.1} s", after.as_secs_f64()))
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
            Self::Later { message, after } => Failure::Later {
                message,
                after: SignedDuration::try_from(after).unwrap_or_default(),
            },
            Self::Unanswered(message) => Failure::Unanswered(message),
            Self::NotLeading | Self::Panicked | Self::Unsettled(_) => return Err(self),
        })
    }

    /// Value of the metric's label `kind`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NotFound",
            Self::Conflict(_) => "Conflict",
            Self::Refused(_) => "Refused",
            Self::Later { .. } => "Later",
            Self::Unanswered(_) => "Unanswered",
            Self::NotLeading => "NotLeading",
            Self::Panicked => "Panicked",
            Self::Unsettled(_) => "Unsettled",
        }
    }
}

/// The API server says "later" by this at most.
const LONGEST_LATER: Duration = Duration::from_secs(60);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound(message) => Self::NotFound(message),
            Failure::Conflict(message) => Self::Conflict(message),
            Failure::Refused(message) => Self::Refused(message),
            Failure::Later { message, after } => {
                let after = Duration::try_from(after).unwrap_or_default().min(LONGEST_LATER);
                Self::Later { message, after }
            }
            Failure::Unanswered(message) => Self::Unanswered(message),
        }
    }
}

impl From<kube::Error> for Error {
    /// No response came: of those that come, `response.rs` says what they mean.
    fn from(error: kube::Error) -> Self {
        Self::Unanswered(with_causes(&error))
    }
}

/// An error with its causes: what the outermost says alone ("client error (Connect)") helps nobody.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
