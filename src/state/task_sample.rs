//! What the metrics of one task show, decided from its spec and its status.
//!
//! A task goes in, awake or packed, and comes out as plain values: times in unix seconds, counters, conditions. Of a packed record only
//! the fields that are needed are read. Renders nothing, and keeps nothing.

use super::first::{First, Wanted};
use crate::api::{ActiveRun, ConcurrencyPolicy, RunRecord, ScheduledTaskSpec, ScheduledTaskStatus, Trigger, condition};
use crate::plan::{ConditionReason, Outcome, Task, typical_run_seconds};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// The conditions that a status can have, in the order in which they are shown.
const CONDITIONS: [&str; 6] = [
    condition::READY,
    condition::STALLED,
    condition::RECONCILING,
    condition::SUSPENDED,
    condition::HEALTHY,
    condition::OVERDUE,
];

/// The values of one task's metrics. What is not known yet is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSample {
    /// `metadata.namespace`
    pub namespace: Box<str>,
    /// `metadata.name`
    pub task: Box<str>,
    /// The schedule, or all schedules separated by `|`; empty if the spec cannot be read.
    pub schedule: Box<str>,
    /// The time zone of the schedule; empty if the spec cannot be read.
    pub time_zone: Box<str>,
    /// The concurrency policy; empty if the spec cannot be read.
    pub concurrency_policy: &'static str,
    /// Whether no slot starts, because of the spec or of failures.
    pub is_suspended: bool,
    /// When the next run starts, in unix seconds.
    pub next_run: Option<i64>,
    /// The latest slot that was started, in unix seconds.
    pub last_schedule: Option<i64>,
    /// When a run last succeeded, in unix seconds.
    pub last_success: Option<i64>,
    /// Number of active runs.
    pub active: i64,
    /// When the first Job of the active run that has been active for longest was created, in unix seconds.
    pub active_since: Option<i64>,
    /// How long a run that succeeds typically takes, in seconds.
    pub typical_run: Option<i64>,
    /// Number of slots and requests that wait for capacity.
    pub queued: i64,
    /// Number of failed runs since the last successful one.
    pub consecutive_failures: i64,
    /// The counters of the ledger, in the order of [`TaskSample::OUTCOMES`].
    pub slots: [i64; 7],
    /// The newest run that succeeded or failed.
    pub last_run: Option<LastRun>,
    /// The conditions that are known to hold or not to hold.
    pub conditions: Box<[ConditionSample]>,
}

/// How the newest run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// From the creation of its first Job to the end of its last one, in seconds.
    pub duration: Option<i64>,
    /// From its slot to the creation of its first Job, in seconds; of a requested run nothing.
    pub start_delay: Option<i64>,
    /// Whether it succeeded.
    pub is_success: bool,
}

/// One condition of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionSample {
    /// Its type.
    pub kind: &'static str,
    /// Why; empty, if a newer operator wrote a reason that this one does not know.
    pub reason: &'static str,
    /// Whether it holds.
    pub holds: bool,
}

/// The part of a packed task that is shown.
#[derive(Deserialize)]
pub(super) struct TaskPart<'a> {
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    spec: Result<SpecPart<'a>, IgnoredAny>,
    #[serde(borrow)]
    status: StatusPart<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SpecPart<'a> {
    #[serde(borrow)]
    schedule: Option<Cow<'a, str>>,
    #[serde(borrow)]
    schedules: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    time_zone: Cow<'a, str>,
    concurrency_policy: ConcurrencyPolicy,
    suspend: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct StatusPart<'a> {
    last_schedule_time: Option<Time>,
    last_successful_time: Option<Time>,
    suspension: Option<IgnoredAny>,
    #[serde(borrow)]
    next_runs: First<Cow<'a, str>>,
    active: Vec<ActivePart>,
    queued: Vec<IgnoredAny>,
    running: i64,
    started: i64,
    succeeded: i64,
    failed: i64,
    cancelled: i64,
    retried: i64,
    missed: i64,
    skipped: i64,
    consecutive_failures: i64,
    #[serde(borrow)]
    recent_runs: First<RunPart<'a>>,
    recent_run_seconds: Cow<'a, [i64]>,
    #[serde(borrow)]
    conditions: Vec<ConditionPart<'a>>,
}

#[derive(Deserialize)]
struct ActivePart {
    started: Option<Time>,
}

#[derive(Deserialize)]
struct RunPart<'a> {
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    slot: Time,
    #[serde(borrow)]
    trigger: Cow<'a, str>,
    started: Option<Time>,
    finished: Option<Time>,
}

#[derive(Deserialize)]
struct ConditionPart<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
}

impl TaskSample {
    /// The outcomes that `slots` counts. `Retrying` counts attempts that followed another one.
    pub const OUTCOMES: [Outcome; 7] = [
        Outcome::Started,
        Outcome::Succeeded,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::Missed,
        Outcome::Skipped,
        Outcome::Retrying,
    ];

    /// What is shown of a task.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        TaskPart {
            namespace: task.namespace.as_str().into(),
            name: task.name.as_str().into(),
            spec: task.spec.as_ref().map(|spec| SpecPart::of(&spec.fields)).map_err(|_| IgnoredAny),
            status: StatusPart::of(&task.status),
        }
        .sample()
    }
}

impl TaskPart<'_> {
    /// What is shown of this task.
    pub fn sample(&self) -> TaskSample {
        let (spec, status) = (self.spec.as_ref().ok(), &self.status);
        TaskSample {
            namespace: (*self.namespace).into(),
            task: (*self.name).into(),
            schedule: spec.map(SpecPart::schedule_text).unwrap_or_default().into(),
            time_zone: spec.map_or("", |spec| &*spec.time_zone).into(),
            concurrency_policy: spec.map_or("", |spec| policy_name(spec.concurrency_policy)),
            is_suspended: spec.is_some_and(|spec| spec.suspend) || status.suspension.is_some(),
            next_run: status.next_runs.0.as_ref().and_then(|at| at.parse().ok()).map(Timestamp::as_second),
            last_schedule: status.last_schedule_time.as_ref().map(seconds),
            last_success: status.last_successful_time.as_ref().map(seconds),
            active: status.running,
            active_since: status.active.iter().filter_map(|run| run.started.as_ref().map(seconds)).min(),
            typical_run: typical_run_seconds(&status.recent_run_seconds),
            queued: i64::try_from(status.queued.len()).unwrap_or(i64::MAX),
            consecutive_failures: status.consecutive_failures,
            slots: [
                status.started,
                status.succeeded,
                status.failed,
                status.cancelled,
                status.missed,
                status.skipped,
                status.retried,
            ],
            last_run: status.recent_runs.0.as_ref().map(RunPart::ended),
            conditions: CONDITIONS.iter().filter_map(|kind| status.condition(kind)).collect(),
        }
    }
}

impl<'a> SpecPart<'a> {
    fn of(spec: &'a ScheduledTaskSpec) -> Self {
        Self {
            schedule: spec.schedule.as_deref().map(Cow::Borrowed),
            schedules: spec.schedules.iter().map(|schedule| schedule.as_str().into()).collect(),
            time_zone: spec.zone().into(),
            concurrency_policy: spec.concurrency_policy,
            suspend: spec.suspend,
        }
    }

    fn schedule_text(&self) -> String {
        ScheduledTaskSpec::text_of(self.schedule.as_deref(), &self.schedules)
    }
}

impl<'a> StatusPart<'a> {
    fn of(status: &'a ScheduledTaskStatus) -> Self {
        Self {
            last_schedule_time: status.last_schedule_time.clone(),
            last_successful_time: status.last_successful_time.clone(),
            suspension: status.suspension.as_ref().map(|_| IgnoredAny),
            next_runs: status.next_runs.iter().map(|at| Cow::Borrowed(at.as_str())).collect(),
            active: status.active.iter().map(ActivePart::of).collect(),
            queued: status.queued.iter().map(|_| IgnoredAny).collect(),
            running: status.running,
            started: status.started,
            succeeded: status.succeeded,
            failed: status.failed,
            cancelled: status.cancelled,
            retried: status.retried,
            missed: status.missed,
            skipped: status.skipped,
            consecutive_failures: status.consecutive_failures,
            recent_runs: status.recent_runs.iter().map(RunPart::of).collect(),
            recent_run_seconds: status.recent_run_seconds.as_slice().into(),
            conditions: status.conditions.iter().map(ConditionPart::of).collect(),
        }
    }

    /// A condition that is neither true nor false says nothing.
    fn condition(&self, kind: &'static str) -> Option<ConditionSample> {
        let known = self.conditions.iter().find(|condition| condition.kind == kind)?;
        let holds = match &*known.status {
            "True" => true,
            "False" => false,
            _ => return None,
        };
        let reason = ConditionReason::parse(&known.reason).map_or("", ConditionReason::as_str);
        Some(ConditionSample { kind, reason, holds })
    }
}

impl ActivePart {
    fn of(run: &ActiveRun) -> Self {
        Self {
            started: run.started.clone(),
        }
    }
}

impl<'a> RunPart<'a> {
    fn of(run: &'a RunRecord) -> Self {
        Self {
            outcome: run.outcome.as_str().into(),
            slot: run.slot.clone(),
            trigger: run.trigger.as_str().into(),
            started: run.started.clone(),
            finished: run.finished.clone(),
        }
    }

    fn is_success(&self) -> bool {
        self.outcome == Outcome::Succeeded.as_str()
    }

    /// How the run ended.
    fn ended(&self) -> LastRun {
        let between = |from: &Time, to: &Time| seconds(to).saturating_sub(seconds(from)).max(0);
        let times = self.started.as_ref().zip(self.finished.as_ref());
        let is_scheduled = self.trigger == Trigger::Schedule.as_str();
        LastRun {
            duration: times.map(|(started, finished)| between(started, finished)),
            start_delay: self
                .started
                .as_ref()
                .filter(|_| is_scheduled)
                .map(|started| between(&self.slot, started)),
            is_success: self.is_success(),
        }
    }
}

impl Wanted for RunPart<'_> {
    /// A cancelled run neither succeeded nor failed.
    fn is_wanted(&self) -> bool {
        self.is_success() || self.outcome == Outcome::Failed.as_str()
    }
}

impl Wanted for Cow<'_, str> {
    fn is_wanted(&self) -> bool {
        true
    }
}

impl<'a> ConditionPart<'a> {
    fn of(condition: &'a Condition) -> Self {
        Self {
            kind: condition.type_.as_str().into(),
            status: condition.status.as_str().into(),
            reason: condition.reason.as_str().into(),
        }
    }
}

fn seconds(time: &Time) -> i64 {
    time.0.as_second()
}

fn policy_name(policy: ConcurrencyPolicy) -> &'static str {
    match policy {
        ConcurrencyPolicy::Allow => "Allow",
        ConcurrencyPolicy::Forbid => "Forbid",
        ConcurrencyPolicy::Replace => "Replace",
        ConcurrencyPolicy::Queue => "Queue",
    }
}

#[cfg(test)]
mod tests;
