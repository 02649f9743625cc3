//! Why something was decided or happened: two closed lists of words, for what happens and for what is so.
//!
//! A [`Reason`] goes with an outcome: it is the reason of an event, a metric label, a field of a log line and of an entry of
//! `recentRuns`. A [`ConditionReason`] goes with a condition. Both print as one word in upper camel case and read back from it. What
//! varies from case to case belongs into the message beside the reason, never into the reason.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $word:ident,)+ }) => {
        $(#[$about])*
        #[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $word,)+
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$word,)+];

            /// The word, in upper camel case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)+
                }
            }

            /// The value that prints as this word, if there is one.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The reason of an outcome, or of an event.
    Reason {
        /// The slot came and its run was started.
        OnSchedule,
        /// The run was started later than [`ON_TIME`](super::ON_TIME): nobody could start it on time.
        CaughtUp,
        /// Requested by `punctual.dev/run-now` or `punctual.dev/backfill`.
        Requested,
        /// The Job completed.
        JobCompleted,
        /// The Job failed.
        JobFailed,
        /// The Job failed by its `podFailurePolicy`: its exit is final and is not retried.
        PodFailurePolicy,
        /// The run took longer than `runTimeout`.
        RunTimeout,
        /// No pod of the Job was ready within `pendingTimeout`.
        PendingTimeout,
        /// Somebody deleted the Job before it ended.
        JobDeleted,
        /// A newer run replaced it, under `concurrencyPolicy: Replace`.
        Replaced,
        /// A previous run was still active, under `concurrencyPolicy: Forbid`.
        PreviousRunActive,
        /// As many runs were active as `maxConcurrentRuns` allows.
        MaxConcurrentRuns,
        /// The run waits in the queue, under `concurrencyPolicy: Queue`.
        Queued,
        /// The queue held as many runs as `queueLimit` allows.
        QueueFull,
        /// `spec.suspend` was true.
        Suspended,
        /// As many runs failed in a row as `suspendAfterFailures` allows.
        TooManyFailures,
        /// A resume request ended a suspension by failures.
        Resumed,
        /// A newer slot was due as well, and only the newest is started.
        Superseded,
        /// The slot was older than `startingDeadlineSeconds`.
        StartingDeadlineExceeded,
        /// The slot was late, and `missedRunPolicy` is `None`.
        MissedRunPolicyNone,
        /// More slots were missed than `missedRunLimit`.
        MissedRunLimitExceeded,
        /// The schedule was edited before the slot could be started.
        ScheduleChanged,
        /// `endAt` has passed.
        Ended,
        /// The API server refused the Job.
        JobRefused,
        /// Another object has the Job's name.
        NameConflict,
        /// The API server refused to delete a Job.
        DeleteRefused,
        /// The API server refused the status.
        StatusRefused,
        /// More finished Jobs are kept than the history limits allow.
        HistoryLimit,
        /// The Job finished longer ago than `ttlAfterFinished`.
        TtlAfterFinished,
        /// The spec cannot be used: the condition Ready says why.
        InvalidSpec,
        /// A request was refused: its message says why.
        RequestRefused,
        /// A backfill was started.
        BackfillStarted,
        /// All runs of a backfill were started, or the backfill was stopped.
        BackfillEnded,
        /// The status held what no operator writes, and was repaired.
        LedgerRepaired,
        /// The ledger was reset on request (`punctual.dev/reset-ledger`).
        LedgerReset,
        /// The operator failed on this task by a defect.
        OperatorError,
    }
}

words! {
    /// The reason of a condition.
    ConditionReason {
        /// The spec cannot be read.
        InvalidSpec,
        /// The spec or its template is larger than the operator accepts.
        TooLarge,
        /// The operator failed on this task by a defect.
        OperatorError,
        /// The schedule is not a valid expression.
        InvalidSchedule,
        /// The time zone is unknown.
        UnknownTimeZone,
        /// The schedule never matches an instant.
        NeverRuns,
        /// Evaluating the schedule would cost too much.
        TooComplex,
        /// The API server refused the Job, or a dry run of it.
        JobRefused,
        /// The API server refused to delete a Job that is to be terminated.
        DeleteRefused,
        /// Another object has the name of a Job of this task.
        NameConflict,
        /// The API server was not asked yet whether it accepts the Job.
        DryRunPending,
        /// The CRD is older than the operator.
        OutdatedCRD,
        /// `endAt` has passed: no slot is left.
        Ended,
        /// The schedule is valid, and the API server accepted a dry run of the Job.
        Accepted,
        /// `spec.suspend` is true.
        Suspended,
        /// As many runs failed in a row as `suspendAfterFailures` allows.
        TooManyFailures,
        /// The task may start runs.
        NotSuspended,
        /// The last run failed.
        JobFailed,
        /// The last run that ended succeeded.
        JobCompleted,
        /// No run has ended yet.
        NoRunYet,
        /// A slot waits for an earlier run, under `missedRunPolicy: All`.
        Waiting,
        /// Slots are skipped behind a run that has been active for long.
        PreviousRunActive,
        /// The newest run was started late.
        StartedLate,
        /// The ledger accounts for slots that lie in the future.
        LedgerAhead,
        /// Runs are started on time.
        OnTime,
    }
}

impl ConditionReason {
    /// The reason of a condition that speaks of a refused write.
    #[must_use]
    pub fn of_refusal(reason: Reason) -> Self {
        match reason {
            Reason::DeleteRefused => Self::DeleteRefused,
            _ => Self::JobRefused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        for reason in ConditionReason::ALL {
            assert_eq!(ConditionReason::parse(&reason.to_string()), Some(*reason));
        }
        assert_eq!(Reason::parse("Accepted"), None, "the reasons of conditions are others");
    }
}
