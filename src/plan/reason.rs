//! Why: one closed list of reasons for every voice of the operator.
//!
//! Takes nothing, gives the word. The same value is the reason of an event and of a condition, a metric label, a field
//! of a log line and an entry of `recentRuns`. Never a free text: what varies goes into the message beside it.

use std::fmt;

/// The reason of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A slot came and was started.
    OnSchedule,
    /// A slot was started later than [`ON_TIME`](super::ON_TIME): nobody could start it at its time.
    CaughtUp,
    /// The Job completed.
    JobCompleted,
    /// The Job failed.
    JobFailed,
    /// Somebody deleted the Job before it ended.
    JobDeleted,
    /// A newer slot replaced it, under `concurrencyPolicy: Replace`.
    Replaced,
    /// An earlier run was still going on, under `concurrencyPolicy: Forbid`.
    PreviousRunActive,
    /// The task was suspended.
    Suspended,
    /// A newer slot was due as well, and only the newest is started.
    Superseded,
    /// The slot was older than `startingDeadlineSeconds`.
    StartingDeadlineExceeded,
    /// The slot was late, and `missedRunPolicy` is `None`.
    MissedRunPolicyNone,
    /// More slots were missed than `missedRunLimit`.
    MissedRunLimitExceeded,
    /// The schedule was edited before anybody could start the slot.
    ScheduleChanged,
    /// The API server refused the Job.
    JobRefused,
    /// Another object has the Job's name.
    NameConflict,
    /// The API server refused to delete the run that is to be replaced.
    DeleteRefused,
    /// The spec cannot be read.
    InvalidSpec,
    /// The spec or its template is larger than the operator takes.
    TooLarge,
    /// The operator failed on the task by a defect.
    OperatorError,
    /// The API server refused the status.
    StatusRefused,
    /// The status said what no operator writes, and was repaired.
    LedgerRepaired,
    /// The ledger accounts for slots that are to come.
    LedgerAhead,
    /// The ledger was reset, as `punctual.dev/reset-ledger` asked.
    LedgerReset,
    /// The schedule is no cron expression.
    InvalidSchedule,
    /// The zone is not known.
    UnknownTimeZone,
    /// The schedule names no moment at all.
    NeverRuns,
    /// To work with the schedule would cost too much.
    TooComplex,
    /// Nothing is wrong with the task.
    Accepted,
    /// The task may start runs.
    NotSuspended,
    /// No run has ended yet.
    NoRunYet,
    /// Slots are started at their time.
    OnTime,
    /// The newest run started late.
    StartedLate,
    /// More finished Jobs are kept than the history limits allow.
    HistoryLimit,
    /// A slot is owed and waits for an earlier run, under `missedRunPolicy: All`.
    Waiting,
    /// Somebody asked for the run: `punctual.dev/run-now`, or `punctual.dev/backfill`.
    Requested,
    /// A request could not be carried out: its message says why.
    RequestRefused,
    /// A backfill was taken up.
    BackfillStarted,
    /// All slots of a backfill are started, or it was stopped.
    BackfillEnded,
    /// A resume request ended the suspension that failed runs had brought about.
    Resumed,
    /// As many runs failed in a row as `suspendAfterFailures` allows.
    TooManyFailures,
    /// The Job failed by its `podFailurePolicy`: this exit is final, and not tried again.
    PodFailurePolicy,
    /// The run took longer than `runTimeout`.
    RunTimeout,
    /// No pod of the Job got ready within `pendingTimeout`.
    PendingTimeout,
    /// As many runs go on as `maxConcurrentRuns` allows.
    MaxConcurrentRuns,
    /// The slot waits in the queue, under `concurrencyPolicy: Queue`.
    Queued,
    /// As many slots waited as `queueLimit` allows.
    QueueFull,
    /// The task's life is over: `endAt` has passed.
    Ended,
    /// The Job finished longer ago than `ttlAfterFinished`.
    TtlAfterFinished,
}

impl Reason {
    /// Whether a Job is deleted for this reason because it has ended and is no longer kept, and not to end it.
    #[must_use]
    pub fn is_clean_up(self) -> bool {
        matches!(self, Self::HistoryLimit | Self::TtlAfterFinished)
    }

    /// The word, in upper camel case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnSchedule => "OnSchedule",
            Self::CaughtUp => "CaughtUp",
            Self::JobCompleted => "JobCompleted",
            Self::JobFailed => "JobFailed",
            Self::JobDeleted => "JobDeleted",
            Self::Replaced => "Replaced",
            Self::PreviousRunActive => "PreviousRunActive",
            Self::Suspended => "Suspended",
            Self::Superseded => "Superseded",
            Self::StartingDeadlineExceeded => "StartingDeadlineExceeded",
            Self::MissedRunPolicyNone => "MissedRunPolicyNone",
            Self::MissedRunLimitExceeded => "MissedRunLimitExceeded",
            Self::ScheduleChanged => "ScheduleChanged",
            Self::JobRefused => "JobRefused",
            Self::NameConflict => "NameConflict",
            Self::DeleteRefused => "DeleteRefused",
            Self::InvalidSpec => "InvalidSpec",
            Self::TooLarge => "TooLarge",
            Self::OperatorError => "OperatorError",
            Self::StatusRefused => "StatusRefused",
            Self::LedgerRepaired => "LedgerRepaired",
            Self::LedgerAhead => "LedgerAhead",
            Self::LedgerReset => "LedgerReset",
            Self::InvalidSchedule => "InvalidSchedule",
            Self::UnknownTimeZone => "UnknownTimeZone",
            Self::NeverRuns => "NeverRuns",
            Self::TooComplex => "TooComplex",
            Self::Accepted => "Accepted",
            Self::NotSuspended => "NotSuspended",
            Self::NoRunYet => "NoRunYet",
            Self::OnTime => "OnTime",
            Self::StartedLate => "StartedLate",
            Self::HistoryLimit => "HistoryLimit",
            Self::Waiting => "Waiting",
            Self::Requested => "Requested",
            Self::RequestRefused => "RequestRefused",
            Self::BackfillStarted => "BackfillStarted",
            Self::BackfillEnded => "BackfillEnded",
            Self::Resumed => "Resumed",
            Self::TooManyFailures => "TooManyFailures",
            Self::PodFailurePolicy => "PodFailurePolicy",
            Self::RunTimeout => "RunTimeout",
            Self::PendingTimeout => "PendingTimeout",
            Self::MaxConcurrentRuns => "MaxConcurrentRuns",
            Self::Queued => "Queued",
            Self::QueueFull => "QueueFull",
            Self::Ended => "Ended",
            Self::TtlAfterFinished => "TtlAfterFinished",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
