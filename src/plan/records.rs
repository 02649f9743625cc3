//! Entries of `recentRuns`: what became of a run, or of slots that were not started.

use super::run::Run;
use super::seconds::whole_second;
use super::{Outcome, Reason, SlotRange};
use crate::api::{RunRecord, Trigger};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How an attempt ended.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// When, if that is known.
    pub at: Option<Timestamp>,
    /// Exit code of the container that decided.
    pub exit_code: Option<i32>,
    /// Its last words, or what the Job says.
    pub message: Option<String>,
}

impl End {
    /// The end of a run that waits for its next attempt: the last one's exit code is its own.
    #[must_use]
    pub fn between_attempts(run: &Run, now: Timestamp, message: String) -> Self {
        Self {
            at: Some(now),
            exit_code: run.last_exit_code(),
            message: Some(message),
        }
    }
}

/// The entry of a run that has ended.
#[must_use]
pub fn finished_run(run: &Run, outcome: Outcome, reason: Reason, end: End) -> RunRecord {
    let has_job = run.uid().is_some();
    let mut exit_codes = run.exit_codes.clone();
    if !exit_codes.is_empty() && has_job {
        exit_codes.push(end.exit_code.or((outcome == Outcome::Succeeded).then_some(0)));
    }
    RunRecord {
        slot: Time(run.slot),
        first_slot: None,
        slots: 1,
        trigger: run.trigger,
        // One that waited for its next attempt never made it.
        attempts: run.attempt - i32::from(!has_job),
        outcome: outcome.as_str().into(),
        reason: reason.to_string(),
        job: Some(run.job.clone()),
        started: run.started.map(Time),
        finished: end.at.map(|at| Time(whole_second(at))),
        exit_code: end.exit_code,
        exit_codes,
        message: end.message,
    }
}

/// What the announcement of an end says.
#[must_use]
pub fn sentence(run: &Run, outcome: Outcome, end: &End) -> String {
    let code = end.exit_code.map_or_else(String::new, |code| format!(" with exit code {code}"));
    let verb = match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        _ => "was cancelled",
    };
    let said = end.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
    format!("Job {} {verb}{code}{said}", run.job)
}

/// The entry of slots that were not started.
#[must_use]
pub fn unstarted(outcome: Outcome, trigger: Trigger, range: &SlotRange, message: &str) -> RunRecord {
    RunRecord {
        slot: Time(range.last),
        first_slot: (range.first < range.last).then_some(Time(range.first)),
        slots: i64::try_from(range.slots).unwrap_or(i64::MAX),
        trigger,
        attempts: 0,
        outcome: outcome.as_str().into(),
        reason: range.reason.to_string(),
        job: None,
        started: None,
        finished: None,
        exit_code: None,
        exit_codes: Vec::new(),
        message: Some(message.to_owned()),
    }
}
