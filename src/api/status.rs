//! The status of a task: the ledger, in which every slot is accounted for, and the conditions. `plan` computes it.

use super::{Exclusion, Gap, Overlap, schema};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `observedGeneration` of a task that no operator has processed.
pub const NOT_OBSERVED: i64 = -1;

/// The outcome of every slot since the task was created, and of every requested run.
///
/// `started = succeeded + failed + cancelled + running`, and slots + `requested` = started + missed + skipped + queued and claimed runs.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduledTaskStatus {
    /// The generation of the spec that was last reconciled; -1 until an operator has processed the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The generation of the spec whose Job the API server accepted in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_generation: Option<i64>,
    /// The schedule to which `scheduleSince` and `accountedUntil` refer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_schedule: Option<ObservedSchedule>,
    /// When this schedule took effect. Slots at or before this time never start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_since: Option<Time>,
    /// All slots up to this time have an outcome. It only moves forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounted_until: Option<Time>,
    /// The latest slot that was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Time>,
    /// When a run was last started, by a slot or by a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_start_time: Option<Time>,
    /// Why and since when no slot starts, if the task is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// When a run last succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Time>,
    /// The latest slot whose run succeeded, which the next run gets in PUNCTUAL_LAST_SUCCESS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_successful_slot: Option<Time>,
    /// When a run last failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure_time: Option<Time>,
    /// The next five times at which a run will start, in UTC.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub next_runs: Vec<String>,
    /// Active runs, and claimed slots whose Job is not created yet.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub active: Vec<ActiveRun>,
    /// Slots and requests that wait for capacity, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub queued: Vec<QueuedRun>,
    /// Number of active runs, including those that wait for a retry.
    pub running: i64,
    /// Number of runs that were requested by run-now and backfill.
    pub requested: i64,
    /// Number of runs that were started.
    pub started: i64,
    /// Number of runs that succeeded.
    pub succeeded: i64,
    /// Number of runs that failed.
    pub failed: i64,
    /// Number of runs that were terminated before they finished: replaced, or their Job was deleted.
    pub cancelled: i64,
    /// Number of retries.
    pub retried: i64,
    /// Number of slots that could not start in time.
    pub missed: i64,
    /// Number of slots that were skipped by policy.
    pub skipped: i64,
    /// Number of failed runs since the last successful one.
    pub consecutive_failures: i64,
    /// Number of these before the last resume request, which suspendAfterFailures does not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub forgiven_failures: i64,
    /// The value of punctual.dev/run-now that was last handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_run_now: Option<String>,
    /// The value of punctual.dev/resume that was last handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_resume: Option<String>,
    /// The value of punctual.dev/backfill that was last handled: refused, finished or in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_backfill: Option<String>,
    /// The value of punctual.dev/reset-ledger that was last handled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reset_ledger: Option<String>,
    /// The last request that was refused, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refused_request: Option<RefusedRequest>,
    /// The backfill that is in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<Backfill>,
    /// The outcomes of recent slots, newest first. Consecutive skipped or missed slots share an entry.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub recent_runs: Vec<RunRecord>,
    /// How long the last 20 runs that succeeded took, in seconds, newest first: from the creation of the first Job to the end of the last.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub recent_run_seconds: Vec<i64>,
    /// Finished Jobs that are not pruned yet, oldest first. Only Jobs in this list are pruned.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub kept_jobs: Vec<KeptJob>,
    /// Ready, Suspended, Healthy and Overdue; also Stalled (only a person can help) or Reconciling (time helps) while one of them holds.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The part of the spec that decides about slots. A change of it sets `scheduleSince`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedSchedule {
    /// The schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The schedules, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub schedules: Vec<String>,
    /// The time zone of the schedule.
    pub time_zone: String,
    /// What happens at a local time that clocks skip.
    pub gap: Gap,
    /// What happens at a local time that clocks repeat.
    pub overlap: Overlap,
    /// The maximum delay of a run after its slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::jitter")]
    pub jitter: Option<Duration>,
    /// There are no slots before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Time>,
    /// There are no slots at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Time>,
    /// The blackouts.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub exclude: Vec<Exclusion>,
}

/// What triggers a run.
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
    /// The name, as in the status and in `PUNCTUAL_TRIGGER`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "Schedule",
            Self::Manual => "Manual",
            Self::Backfill => "Backfill",
        }
    }

    /// The trigger with this name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Schedule, Self::Manual, Self::Backfill]
            .into_iter()
            .find(|trigger| trigger.as_str() == word)
    }
}

/// An active run: its Job is running, it waits for a retry, or it is claimed and its first Job is not created yet.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ActiveRun {
    /// The slot of the run, or the time of the request.
    pub slot: Time,
    /// What triggered the run.
    pub trigger: Trigger,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Name of the Job of this attempt.
    pub job: String,
    /// UID of that Job; absent until it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// When the first Job of the run was created; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When this attempt starts, if it is a retry that waits for its delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// Exit codes of the earlier attempts, in order; null if unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "exit_codes_schema")]
    pub exit_codes: Vec<Option<i32>>,
    /// Why this attempt is being terminated, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination: Option<Termination>,
    /// What the run is waiting for, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The termination of an attempt, by deletion of its Job.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    /// Replaced, RunTimeout or PendingTimeout.
    pub reason: String,
    /// When the termination began.
    pub since: Time,
    /// Details for people.
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
    /// The slot, or the time of the request.
    pub slot: Time,
    /// What triggers the run.
    pub trigger: Trigger,
    /// Name of the first Job.
    pub job: String,
}

/// A request that was refused.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRequest {
    /// The annotation of the request.
    pub annotation: String,
    /// Its value.
    pub value: String,
    /// When it was refused.
    pub at: Time,
    /// Why, and what to do.
    pub message: String,
}

/// The progress of a backfill.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Backfill {
    /// Start of the remaining interval, inclusive.
    pub from: Time,
    /// End of the interval, exclusive.
    pub until: Time,
    /// Number of remaining slots.
    pub remaining: i64,
}

/// A finished Job that the history limits keep.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KeptJob {
    /// Name of the Job.
    pub job: String,
    /// UID of the Job, which distinguishes it from a later Job of the same name.
    pub uid: String,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// The outcome of a slot, or of consecutive slots that were skipped or missed for the same reason.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// The slot, or the latest of several.
    pub slot: Time,
    /// The earliest of several slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_slot: Option<Time>,
    /// Number of slots of this entry.
    pub slots: i64,
    /// What triggered the run.
    pub trigger: Trigger,
    /// Number of Jobs of the run; 0 for a slot that was not started.
    pub attempts: i32,
    /// Succeeded, Failed, Cancelled, Skipped or Missed.
    pub outcome: String,
    /// The reason of the outcome, one word in CamelCase.
    pub reason: String,
    /// Name of the last Job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// When the first Job was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When the last Job finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Time>,
    /// Exit code of the container that decided the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Exit codes of the failed attempts of a run with several, in order; null if unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "exit_codes_schema")]
    pub exit_codes: Vec<Option<i32>>,
    /// Termination message of that container, or the message of the Job's condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The types of conditions.
pub mod condition {
    /// The spec is valid, and the API server accepts its Jobs.
    pub const READY: &str = "Ready";
    /// The task is not ready, and only its author or an administrator can help. Present only while it holds.
    pub const STALLED: &str = "Stalled";
    /// The task is not ready, and time helps. Present only while it holds.
    pub const RECONCILING: &str = "Reconciling";
    /// No run starts, because of the spec or of failures.
    pub const SUSPENDED: &str = "Suspended";
    /// The last finished run succeeded.
    pub const HEALTHY: &str = "Healthy";
    /// A slot is late, or was started late.
    pub const OVERDUE: &str = "Overdue";
}

impl ScheduledTaskStatus {
    /// The condition of a type, if there is one.
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
        "description": "Exit codes of the attempts, in order; null if unknown.",
        "type": "array", "items": {"type": "integer", "format": "int32", "nullable": true}
    })
}

fn null_is_empty<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(value).map(Option::unwrap_or_default)
}

/// The list is keyed by type, so that server-side apply merges it.
fn conditions_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = generator.subschema_for::<Vec<Condition>>();
    schema.insert("x-kubernetes-list-type".into(), "map".into());
    schema.insert("x-kubernetes-list-map-keys".into(), serde_json::json!(["type"]));
    schema
}
