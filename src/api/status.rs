//! What the operator writes: the ledger of a task and its conditions.
//!
//! Takes nothing, gives the types of `status`. Never computes: the numbers are made in `plan`.

use super::{Exclusion, Gap, Overlap, schema};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of every slot since the task was first seen, and of every run that was asked for beside them.
///
/// `started = succeeded + failed + cancelled + running`, and slots + `requested` = started + missed + skipped + what is queued
/// or claimed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduledTaskStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The generation of the spec whose Job the API server accepted in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_generation: Option<i64>,
    /// The schedule that `scheduleSince` and `accountedUntil` speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_schedule: Option<ObservedSchedule>,
    /// When this schedule took effect; no slot at or before it is ever started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_since: Option<Time>,
    /// Every slot up to here has its outcome. Only moves forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounted_until: Option<Time>,
    /// The newest slot that was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Time>,
    /// Why and since when no slot starts, if the task is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// When a run last succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Time>,
    /// The newest slot whose run succeeded: what PUNCTUAL_LAST_SUCCESS tells the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_slot: Option<Time>,
    /// When a run last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure_time: Option<Time>,
    /// The next five moments at which a run will start, in UTC.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub next_runs: Vec<String>,
    /// Runs that go on now, and slots that are claimed but whose Job is not there yet.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub active: Vec<ActiveRun>,
    /// Slots and requests that wait for room, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub queued: Vec<QueuedRun>,
    /// How many runs of this task go on now; one that waits for its next attempt goes on.
    pub running: i64,
    /// How many runs were asked for beside the schedule: by run-now and backfill.
    pub requested: i64,
    /// How many runs were started.
    pub started: i64,
    /// How many runs succeeded.
    pub succeeded: i64,
    /// How many runs failed.
    pub failed: i64,
    /// How many runs were ended before they finished: replaced, or their Job deleted.
    pub cancelled: i64,
    /// How many further attempts were made.
    pub retried: i64,
    /// How many slots passed too long ago to be started.
    pub missed: i64,
    /// How many slots were refused by policy.
    pub skipped: i64,
    /// How many runs failed since the last one that succeeded.
    pub consecutive_failures: i64,
    /// How many of these a resume request has forgiven: suspendAfterFailures does not count them.
    #[serde(skip_serializing_if = "is_zero")]
    pub forgiven_failures: i64,
    /// The value of punctual.dev/run-now that was last dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_run_now: Option<String>,
    /// The value of punctual.dev/resume that was last dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_resume: Option<String>,
    /// The value of punctual.dev/backfill that was last dealt with: refused, finished, or in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_backfill: Option<String>,
    /// The value of punctual.dev/reset-ledger that was last dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reset_ledger: Option<String>,
    /// The request that was last refused, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refused_request: Option<RefusedRequest>,
    /// The backfill that is in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<Backfill>,
    /// What became of the newest slots, newest first; runs of skipped or missed slots are one entry.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub recent_runs: Vec<RunRecord>,
    /// Finished Jobs of this task that are not pruned yet, oldest first. Only Jobs named here are ever pruned.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub kept_jobs: Vec<KeptJob>,
    /// Ready, Suspended, Healthy and Overdue, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The part of the spec that names slots: another one begins a new `scheduleSince`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedSchedule {
    /// The expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The expressions, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub schedules: Vec<String>,
    /// The zone in which they are read.
    pub time_zone: String,
    pub gap: Gap,
    pub overlap: Overlap,
    /// By how much runs may start after their slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::jitter")]
    pub jitter: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Time>,
    /// The blackouts.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub exclude: Vec<Exclusion>,
}

/// What starts a run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// A slot of the schedule.
    #[default]
    Schedule,
    /// `punctual.dev/run-now`.
    Manual,
    /// `punctual.dev/backfill`.
    Backfill,
}

impl Trigger {
    /// The word, as in status and in `PUNCTUAL_TRIGGER`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "Schedule",
            Self::Manual => "Manual",
            Self::Backfill => "Backfill",
        }
    }

    /// The trigger of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Schedule, Self::Manual, Self::Backfill]
            .into_iter()
            .find(|trigger| trigger.as_str() == word)
    }
}

/// A run that goes on: its Job does, or it waits for its next attempt, or it is claimed and its first Job not there yet.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ActiveRun {
    /// The slot of the run; of a manual one, when it was asked for.
    pub slot: Time,
    /// What started the run.
    pub trigger: Trigger,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Name of the Job of this attempt.
    pub job: String,
    /// UID of that Job; absent while it is not yet made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// When the first Job of the run was made; absent while there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When this attempt is made, if it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// How the attempts before this one ended: exit codes in their order, null where none is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "exit_codes_schema")]
    pub exit_codes: Vec<Option<i32>>,
    /// Why the operator terminates this attempt, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination: Option<Termination>,
    /// What the run waits for, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why the operator deletes the Job of an attempt that has not ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    /// Replaced, RunTimeout or PendingTimeout.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// What a person should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A suspension of the task: slots that pass meanwhile are skipped.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// Suspended (by its author) or TooManyFailures.
    pub reason: String,
    /// Since when.
    pub since: Time,
}

/// A slot or a request that waits for capacity.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct QueuedRun {
    /// The slot; of a manual run, when it was asked for.
    pub slot: Time,
    /// What names the run.
    pub trigger: Trigger,
    /// Name of its first Job.
    pub job: String,
}

/// A request that was not carried out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRequest {
    /// The annotation that asked.
    pub annotation: String,
    /// Its value.
    pub value: String,
    /// When it was refused.
    pub at: Time,
    /// Why, and the way out.
    pub message: String,
}

/// How far a backfill has come.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Backfill {
    /// The first moment whose slots are still to be run.
    pub from: Time,
    /// The first moment beyond.
    pub until: Time,
    /// How many slots that are.
    pub remaining: i64,
}

/// A finished Job that is kept by the history limits.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KeptJob {
    /// Name of the Job.
    pub job: String,
    /// UID of that Job: another one under the same name is not meant.
    pub uid: String,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// What became of a slot, or of a stretch of slots that were skipped or missed for one reason.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// The slot, or the newest one of a stretch.
    pub slot: Time,
    /// The oldest slot of a stretch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_slot: Option<Time>,
    /// How many slots this entry stands for.
    pub slots: i64,
    /// What started the run.
    pub trigger: Trigger,
    /// How many Jobs the run took; 0 for a slot that was not started.
    pub attempts: i32,
    /// Succeeded, Failed, Cancelled, Skipped or Missed.
    pub outcome: String,
    /// The reason, one word.
    pub reason: String,
    /// Name of the last Job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// When the Job was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When the Job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Time>,
    /// Exit code of the container that decided the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Of a run of several attempts: the exit code of each that failed, in their order, null where none is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "exit_codes_schema")]
    pub exit_codes: Vec<Option<i32>>,
    /// Termination message of that container, or what the Job says of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Types of the conditions of a task.
pub mod condition {
    /// The spec is understood and its Jobs are taken by the API server.
    pub const READY: &str = "Ready";
    /// No run starts, by the author's wish.
    pub const SUSPENDED: &str = "Suspended";
    /// The last run that ended succeeded.
    pub const HEALTHY: &str = "Healthy";
    /// A slot is owed, or was started, later than it should be.
    pub const OVERDUE: &str = "Overdue";
}

impl ScheduledTaskStatus {
    /// The condition of that type, if it was ever written.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == kind)
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn exit_codes_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "How the attempts ended: exit codes in their order, null where none is known.",
        "type": "array", "items": {"type": "integer", "format": "int32", "nullable": true}
    })
}

fn null_is_empty<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(value).map(Option::unwrap_or_default)
}

/// Conditions are a list keyed by type, so that server-side apply by another tool merges them.
fn conditions_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = generator.subschema_for::<Vec<Condition>>();
    schema.insert("x-kubernetes-list-type".into(), "map".into());
    schema.insert("x-kubernetes-list-map-keys".into(), serde_json::json!(["type"]));
    schema
}
