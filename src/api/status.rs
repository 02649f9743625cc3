//! What the operator writes: the ledger of a task and its conditions.
//!
//! Takes nothing, gives the types of `status`. Never computes: the numbers are made in `plan`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of every slot since `scheduleSince`. `started = succeeded + failed + cancelled + running`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduledTaskStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
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
    /// How many Jobs of this task go on now.
    pub running: i64,
    /// How many slots were started.
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
    /// What became of the newest slots, newest first; runs of skipped or missed slots are one entry.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub recent_runs: Vec<RunRecord>,
    /// Ready, Suspended, Healthy and Overdue, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The part of the spec that names slots: another one begins a new `scheduleSince`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedSchedule {
    /// The expression.
    pub schedule: String,
    /// The zone in which it is read.
    pub time_zone: String,
    pub gap: super::Gap,
    pub overlap: super::Overlap,
}

/// A run that was started, or claimed, and has not ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ActiveRun {
    /// The slot of the run.
    pub slot: Time,
    /// What started the run: Schedule.
    pub trigger: String,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Name of the Job.
    pub job: String,
    /// UID of the Job; absent while the slot is claimed and its Job not yet made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// When the Job was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// Why this run is being ended, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
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
    /// What started the run: Schedule.
    pub trigger: String,
    /// How many Jobs the run took; 0 for a slot that was not started.
    pub attempts: i32,
    /// Succeeded, Failed, Cancelled, Skipped or Missed.
    pub outcome: String,
    /// The reason, one word.
    pub because: String,
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
