//! Writes that the API server refused, of each kind, and when to try again.

use super::reason::Reason;
use jiff::{SignedDuration, Timestamp};

/// A write that the API server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `JobRefused` or `DeleteRefused`.
    pub reason: Reason,
    /// What the API server said.
    pub message: String,
    /// Since when writes of this kind are refused, one after the other.
    pub since: Timestamp,
    /// It is not tried again before this time.
    pub retry_at: Timestamp,
}

/// The kinds of writes that are refused and tried again independently of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// The creation of a run's first Job.
    Create,
    /// The creation of a further attempt's Job: it may be refused for its name alone.
    Retry,
    /// The deletion of a Job that runs.
    Terminate,
    /// The deletion of a finished Job.
    Prune,
}

/// The last refusal of each kind of write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Of first creations.
    pub create: Option<Refusal>,
    /// Of creations of further attempts.
    pub retry: Option<Refusal>,
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
            WriteKind::Retry => self.retry.as_ref(),
            WriteKind::Terminate => self.terminate.as_ref(),
            WriteKind::Prune => self.prune.as_ref(),
        }
    }
}

/// A refusal that is to be waited out for longer than this was noted by a clock that has been set back since.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);

impl Refusal {
    /// Whether it is too early to try again.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.retry_at && self.retry_at <= now + LONGEST_WAIT
    }
}
