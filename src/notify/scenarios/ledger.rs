//! Ledgers for tests of notifications.

use super::message::{Subject, What};
use super::position::FINAL;
use crate::api::{RunRecord, ScheduledTaskStatus, Trigger};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;

pub fn subject() -> Subject {
    Subject {
        namespace: "prod".into(),
        name: "report".into(),
        uid: "u".into(),
    }
}

pub fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
}

fn record(minute: i64, outcome: What) -> RunRecord {
    let is_run = matches!(outcome, What::Succeeded | What::Failed | What::Cancelled);
    RunRecord {
        slot: Time(at(minute)),
        first_slot: None,
        slots: 1,
        trigger: Trigger::Schedule,
        attempts: i32::from(is_run),
        outcome: outcome.as_str().into(),
        reason: "X".into(),
        job: is_run.then(|| format!("report-{minute}")),
        started: None,
        finished: is_run.then(|| Time(at(minute))),
        exit_code: None,
        exit_codes: Vec::new(),
        message: None,
    }
}

/// A ledger as `plan` writes it: newest first, slots that were not started share an entry, and no more entries than `limit`.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub status: ScheduledTaskStatus,
    pub minute: i64,
    pub limit: usize,
}

impl Ledger {
    pub fn add(&mut self, outcome: What) {
        self.minute += 1;
        let status = &mut self.status;
        let counter = match outcome {
            What::Succeeded => &mut status.succeeded,
            What::Failed => &mut status.failed,
            What::Cancelled => &mut status.cancelled,
            What::Missed => &mut status.missed,
            _ => &mut status.skipped,
        };
        *counter += 1;
        match outcome {
            What::Failed => status.consecutive_failures += 1,
            What::Succeeded => status.consecutive_failures = 0,
            _ => {}
        }
        let is_run = record(0, outcome).job.is_some();
        if let Some(newest) = status
            .recent_runs
            .first_mut()
            .filter(|newest| !is_run && newest.outcome == outcome.as_str())
        {
            newest.first_slot.get_or_insert(newest.slot.clone());
            (newest.slot, newest.slots) = (Time(at(self.minute)), newest.slots + 1);
        } else {
            status.recent_runs.insert(0, record(self.minute, outcome));
        }
        status.recent_runs.truncate(self.limit);
    }
}

/// An outcome that is final.
pub fn outcome() -> impl Strategy<Value = What> {
    prop::sample::select(FINAL.to_vec())
}
