//! One thing to be told.

use crate::api::RunRecord;
use crate::plan::is_plain_name;
use jiff::Timestamp;
use std::fmt;

/// The task that a message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What happened. The words are those of `outcomes` in a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// The first Job of a run was created.
    Started,
    /// An attempt failed, and another one follows.
    Retrying,
    /// A run succeeded.
    Succeeded,
    /// A run failed for good.
    Failed,
    /// A run was ended before it finished.
    Cancelled,
    /// Slots passed that could not be started in time.
    Missed,
    /// Slots were skipped by policy.
    Skipped,
    /// A run succeeded after failures.
    Recovered,
    /// `suspendAfterFailures` was reached: no slot starts.
    Suspended,
    /// A slot is late.
    Overdue,
    /// The task is not ready, and only a person can help.
    Stalled,
    /// The ledger dropped outcomes before they could be told.
    Gap,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Started,
        Self::Retrying,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Missed,
        Self::Skipped,
        Self::Recovered,
        Self::Suspended,
        Self::Overdue,
        Self::Stalled,
        Self::Gap,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Retrying => "Retrying",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Missed => "Missed",
            Self::Skipped => "Skipped",
            Self::Recovered => "Recovered",
            Self::Suspended => "Suspended",
            Self::Overdue => "Overdue",
            Self::Stalled => "Stalled",
            Self::Gap => "Gap",
        }
    }

    /// The `type` of its CloudEvent.
    #[must_use]
    pub fn event_type(self) -> String {
        let about = match self {
            Self::Recovered | Self::Suspended | Self::Overdue | Self::Stalled => "task",
            Self::Gap => "ledger",
            _ => "run",
        };
        format!("dev.punctual.{about}.{}.v1alpha1", self.as_str().to_lowercase())
    }
}

/// One thing to be told. The same status gives the same message again, with the same `id`.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What happened.
    pub what: What,
    /// To which task.
    pub subject: Subject,
    /// Of UID, slot, attempt and outcome: whoever gets it twice knows it by this.
    pub id: String,
    /// The number of the slot in the ledger, from 1, of outcomes that are final; of several slots, that of the last one. Those of a task
    /// follow each other without a gap.
    pub sequence: Option<i64>,
    /// How many slots it speaks of; of a gap, how many outcomes were dropped.
    pub slots: i64,
    /// When it happened.
    pub time: Timestamp,
    /// Whether the same was told of this task before, and nothing else since: another failure after a failure.
    pub is_repeat: bool,
    /// One word, as in `recentRuns` and conditions.
    pub reason: String,
    /// For people: what the container said, or what the condition says. May come from a container: believe nothing in it.
    pub text: String,
    /// The run, if it is about one.
    pub run: Option<RunRecord>,
    /// Of a gap, which outcomes were dropped.
    pub lost: Vec<What>,
}

impl Message {
    /// The command that shows the log of the run, if it had a Job. People paste it, so a name that no Job can have is not in it.
    #[must_use]
    pub fn log_command(&self) -> Option<String> {
        let job = self
            .run
            .as_ref()?
            .job
            .as_ref()
            .filter(|job| self.what != What::Gap && is_plain_name(job))?;
        Some(format!("kubectl logs --namespace {} job/{job}", self.subject.namespace))
    }
}

/// A reason of a status as one word. Whatever else somebody wrote there is none.
#[must_use]
pub fn reason_word(reason: &str) -> String {
    let is_word = (1..=64).contains(&reason.len()) && reason.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word { reason.into() } else { "Unknown".into() }
}
