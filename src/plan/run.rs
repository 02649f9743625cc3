//! A run: one slot or one request, from the moment it is known until it has ended.
//!
//! ```text
//!             ┌► Queued ─┐
//!   known ────┤          ├► Claimed ─► Running ─► Terminating ─► ended: succeeded, failed, cancelled
//!             └──────────┘                │  ▲         │
//!                  │                      ▼  │         │
//!                  └► skipped, missed   Backoff ◄──────┘
//! ```
//! The status holds runs as entries of `active` and `queued`; this file is the only way from these to runs and back. It decides
//! nothing: policies move runs between phases, and `accounting` counts each move.

use super::Reason;
use super::names::{has_the_form, run_of};
use super::slots::is_far;
use crate::api::{self, ActiveRun, QueuedRun, ScheduledTaskStatus, Trigger};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// One slot or one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The slot; of a manual run, when it was requested.
    pub slot: Timestamp,
    /// What asked for the run.
    pub trigger: Trigger,
    /// Number of the current attempt, from 1.
    pub attempt: i32,
    /// Name of the Job of this attempt.
    pub job: String,
    /// Where the run stands.
    pub phase: Phase,
    /// When the Job of the first attempt was created.
    pub started: Option<Timestamp>,
    /// Exit codes of the attempts before this one, `None` where none is known.
    pub exit_codes: Vec<Option<i32>>,
    /// What the run waits for, or what its last attempt said.
    pub message: Option<String>,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It waits for capacity, first in, first out.
    Queued,
    /// It is decided, and its Job may be created.
    Claimed,
    /// The Job of this UID exists, or existed when it was last seen.
    Running(String),
    /// The next attempt is created at this time.
    Backoff(Timestamp),
    /// The operator deletes the Job of this UID.
    Terminating(String, Termination),
}

/// Why a Job is deleted before it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// `Replaced`, `RunTimeout` or `PendingTimeout`.
    pub reason: Reason,
    /// When that was decided.
    pub since: Timestamp,
    /// For people.
    pub message: Option<String>,
}

impl Run {
    /// A run that nothing has been decided about. `job` is the name of its first Job.
    #[must_use]
    pub fn new(slot: Timestamp, trigger: Trigger, job: String) -> Self {
        Self {
            slot,
            trigger,
            attempt: 1,
            job,
            phase: Phase::Claimed,
            started: None,
            exit_codes: Vec::new(),
            message: None,
        }
    }

    /// Whether an operator can have decided this, for the task of that name: others may write statuses and the claims log.
    #[must_use]
    pub fn is_possible(&self, task: &str, now: Timestamp) -> bool {
        has_the_form(task, &self.job, self.slot, self.trigger, self.attempt) && !is_far(self.slot, now)
    }

    /// Every run of a status: those of `active`, then those of `queued`.
    #[must_use]
    pub fn of_status(status: &ScheduledTaskStatus) -> Vec<Self> {
        let active = status.active.iter().map(Self::from_active);
        active.chain(status.queued.iter().map(Self::from_queued)).collect()
    }

    /// Writes runs into a status: `active` in the order of slots, `queued` in theirs.
    pub fn write_all(runs: Vec<Self>, status: &mut ScheduledTaskStatus) {
        let (queued, mut active): (Vec<Self>, Vec<Self>) = runs.into_iter().partition(|run| run.phase == Phase::Queued);
        active.sort_by_key(|run| run.slot);
        status.active = active.into_iter().map(Self::into_active).collect();
        status.queued = queued.into_iter().map(Self::into_queued).collect();
    }

    /// UID of the Job of this attempt, once it exists.
    #[must_use]
    pub fn uid(&self) -> Option<&str> {
        match &self.phase {
            Phase::Running(uid) | Phase::Terminating(uid, _) => Some(uid),
            Phase::Queued | Phase::Claimed | Phase::Backoff(_) => None,
        }
    }

    /// The run, whose Job is not terminated after all.
    #[must_use]
    pub fn spared(mut self) -> Self {
        if let Phase::Terminating(uid, _) = self.phase {
            self.phase = Phase::Running(uid);
        }
        self
    }

    /// Whether no Job of the run was ever created.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Queued | Phase::Claimed)
    }

    /// Whether a slot, and not a person, asked for the run.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        self.trigger == Trigger::Schedule
    }

    /// The name that all attempts share.
    #[must_use]
    pub fn name(&self) -> &str {
        run_of(&self.job, self.attempt)
    }

    /// Exit code of the attempt before this one.
    #[must_use]
    pub fn last_exit_code(&self) -> Option<i32> {
        self.exit_codes.last().copied().flatten()
    }

    /// "slot 2026-11-23T15:00:00Z", "run requested at …".
    #[must_use]
    pub fn shown(&self) -> String {
        match self.trigger {
            Trigger::Schedule => format!("slot {}", self.slot),
            Trigger::Manual => format!("run requested at {}", self.slot),
            Trigger::Backfill => format!("backfilled slot {}", self.slot),
        }
    }

    fn from_active(entry: &ActiveRun) -> Self {
        let started = entry.started.as_ref().map(|at| at.0);
        let phase = match (&entry.uid, &entry.termination, &entry.retry_at, started) {
            (Some(uid), Some(termination), ..) => Phase::Terminating(uid.clone(), Termination::read(termination)),
            (Some(uid), None, ..) => Phase::Running(uid.clone()),
            (None, _, Some(at), Some(_)) => Phase::Backoff(at.0),
            // Nobody writes this: the attempt is due.
            (None, _, None, Some(started)) => Phase::Backoff(started),
            (None, _, _, None) => Phase::Claimed,
        };
        Self {
            slot: entry.slot.0,
            trigger: entry.trigger,
            attempt: entry.attempt,
            job: entry.job.clone(),
            phase,
            started,
            exit_codes: entry.exit_codes.clone(),
            message: entry.message.clone(),
        }
    }

    fn from_queued(entry: &QueuedRun) -> Self {
        Self {
            phase: Phase::Queued,
            ..Self::new(entry.slot.0, entry.trigger, entry.job.clone())
        }
    }

    fn into_active(self) -> ActiveRun {
        let (uid, retry_at, termination) = match self.phase {
            Phase::Queued | Phase::Claimed => (None, None, None),
            Phase::Running(uid) => (Some(uid), None, None),
            Phase::Backoff(at) => (None, Some(Time(at)), None),
            Phase::Terminating(uid, termination) => (Some(uid), None, Some(termination.written())),
        };
        ActiveRun {
            slot: Time(self.slot),
            trigger: self.trigger,
            attempt: self.attempt,
            job: self.job,
            uid,
            started: self.started.map(Time),
            retry_at,
            exit_codes: self.exit_codes,
            termination,
            message: self.message,
        }
    }

    fn into_queued(self) -> QueuedRun {
        QueuedRun {
            slot: Time(self.slot),
            trigger: self.trigger,
            job: self.job,
        }
    }
}

impl Termination {
    /// A reason that nobody knows was written by somebody else: the run is cancelled, and nothing worse.
    fn read(written: &api::Termination) -> Self {
        Self {
            reason: Reason::parse(&written.reason).unwrap_or(Reason::Replaced),
            since: written.since.0,
            message: written.message.clone(),
        }
    }

    fn written(self) -> api::Termination {
        api::Termination {
            reason: self.reason.to_string(),
            since: Time(self.since),
            message: self.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_becomes_runs_and_the_same_status_again() {
        let at = "2026-11-23T09:00:00Z";
        let entry = |job: &str, more: serde_json::Value| {
            let mut entry = json!({"slot": at, "trigger": "Schedule", "attempt": 1, "job": job});
            entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            entry
        };
        let termination = json!({"reason": "RunTimeout", "since": at, "message": "too long"});
        let status = json!({
            "active": [
                entry("a", json!({})),
                entry("b", json!({"uid": "1", "started": at, "message": "Pod has not started"})),
                entry("c", json!({"attempt": 2, "started": at, "retryAt": at, "exitCodes": [null]})),
                entry("d", json!({"uid": "2", "started": at, "termination": termination})),
            ],
            "queued": [{"slot": at, "trigger": "Manual", "job": "e"}],
        });
        let status: ScheduledTaskStatus = serde_json::from_value(status).unwrap();
        let runs = Run::of_status(&status);
        let waiting: Vec<bool> = runs.iter().map(Run::is_waiting).collect();
        assert_eq!(waiting, [true, false, false, false, true]);
        assert!(matches!(runs[2].phase, Phase::Backoff(_)) && matches!(runs[3].phase, Phase::Terminating(..)));
        let mut written = ScheduledTaskStatus::default();
        Run::write_all(runs, &mut written);
        assert_eq!(written, status);
    }
}
