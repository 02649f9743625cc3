//! `ScheduledTask` as its author writes it.
//!
//! Takes a manifest, gives typed fields. Never decides: what a field means for a slot stands in `plan`.

use super::{JobTemplate, ScheduledTaskStatus, rules};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// The desired behaviour of a scheduled task. Every field of a CronJob's spec is here under the same name.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "punctual.dev",
    version = "v1alpha1",
    kind = "ScheduledTask",
    plural = "scheduledtasks",
    namespaced,
    shortname = "stask",
    category = "all",
    status = "ScheduledTaskStatus",
    doc = "ScheduledTask turns each moment that a schedule names into a Job, once, and accounts for every one of them in its status.",
    printcolumn = r#"{"name":"Schedule","type":"string","jsonPath":".spec.schedule"}"#,
    printcolumn = r#"{"name":"Zone","type":"string","jsonPath":".spec.timeZone"}"#,
    printcolumn = r#"{"name":"Suspended","type":"boolean","jsonPath":".spec.suspend"}"#,
    printcolumn = r#"{"name":"Active","type":"integer","jsonPath":".status.running"}"#,
    printcolumn = r#"{"name":"Last Run","type":"date","jsonPath":".status.lastScheduleTime"}"#,
    printcolumn = r#"{"name":"Last Result","type":"string","jsonPath":".status.recentRuns[0].outcome"}"#,
    printcolumn = r#"{"name":"Next Run","type":"string","jsonPath":".status.nextRuns[0]"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason","priority":1}"#,
    printcolumn = r#"{"name":"Started","type":"integer","jsonPath":".status.started","priority":1}"#,
    printcolumn = r#"{"name":"Succeeded","type":"integer","jsonPath":".status.succeeded","priority":1}"#,
    printcolumn = r#"{"name":"Failed","type":"integer","jsonPath":".status.failed","priority":1}"#,
    printcolumn = r#"{"name":"Missed","type":"integer","jsonPath":".status.missed","priority":1}"#,
    printcolumn = r#"{"name":"Skipped","type":"integer","jsonPath":".status.skipped","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(cel, validation = rules::missed_run_limit_belongs_to_all())]
pub struct ScheduledTaskSpec {
    /// When to run: five crontab fields (minute hour day-of-month month day-of-week), six with leading seconds, `@hourly`…`@yearly` or `@every 90m`.
    #[x_kube(validation = rules::schedule_is_not_empty())]
    #[x_kube(validation = rules::schedule_names_no_zone())]
    #[x_kube(validation = rules::schedule_has_no_quotes())]
    #[x_kube(validation = rules::schedule_macro_is_known())]
    #[x_kube(validation = rules::schedule_has_five_or_six_fields())]
    #[x_kube(validation = rules::schedule_minutes())]
    #[x_kube(validation = rules::schedule_hours())]
    #[x_kube(validation = rules::schedule_days_of_month())]
    #[x_kube(validation = rules::schedule_months())]
    #[x_kube(validation = rules::schedule_days_of_week())]
    #[schemars(length(max = 1024))]
    pub schedule: String,

    /// IANA name of the zone in which the schedule is read, such as `Europe/Paris`. Default: UTC.
    #[serde(default = "utc", deserialize_with = "null_is_utc")]
    #[x_kube(validation = rules::zone_is_not_empty())]
    #[x_kube(validation = rules::zone_is_not_local())]
    #[x_kube(validation = rules::zone_has_plain_characters())]
    #[schemars(length(max = 64))]
    pub time_zone: String,

    /// What happens to fixed times of day on the two nights a year when clocks change.
    #[serde(default)]
    pub daylight_saving: Option<DaylightSaving>,

    /// How many seconds after its slot a run may still start; a slot older than that is counted as missed.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub starting_deadline_seconds: Option<i64>,

    /// What happens to slots that passed while nobody could start them: Latest (default), None or All.
    #[serde(default)]
    pub missed_run_policy: MissedRunPolicy,

    /// Under missedRunPolicy All: how many missed slots are caught up at most, the newest ones. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub missed_run_limit: Option<i32>,

    /// What happens to a slot while an earlier run goes on: Allow (default), Forbid or Replace.
    #[serde(default, deserialize_with = "empty_is_allow")]
    #[schemars(schema_with = "concurrency_schema")]
    pub concurrency_policy: ConcurrencyPolicy,

    /// No run starts while this is true; runs that go on are left alone. Slots that pass are counted as skipped.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(schema_with = "suspend_schema")]
    pub suspend: bool,

    /// The Job that each run makes.
    pub job_template: JobTemplate,

    /// How many successful Jobs to keep. Default: 3.
    #[serde(default = "three", deserialize_with = "null_is_three")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub successful_jobs_history_limit: i32,

    /// How many failed Jobs to keep, with their pods and logs. Default: 3 (CronJob: 1).
    #[serde(default = "three", deserialize_with = "null_is_three")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub failed_jobs_history_limit: i32,

    /// How many entries status.recentRuns keeps, also after their Jobs are gone. Default: 10.
    #[serde(default = "ten", deserialize_with = "null_is_ten")]
    #[schemars(range(min = 0, max = 100))]
    pub run_history_limit: i32,

    /// Env (default): every container gets PUNCTUAL_SLOT, PUNCTUAL_LAST_SUCCESS and the like. None: nothing is added.
    #[serde(default)]
    pub run_context: RunContext,
}

/// What happens to fixed times of day when clocks change.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DaylightSaving {
    /// A time that does not exist on that day: RunAfter (default) runs right after the change, Skip does not run.
    #[serde(default)]
    pub gap: Gap,
    /// A time that comes twice on that day: First (default) or Both.
    #[serde(default)]
    pub overlap: Overlap,
}

/// A local time that a spring night leaves out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
    #[default]
    RunAfter,
    Skip,
}

/// A local time that an autumn night repeats.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    #[default]
    First,
    Both,
}

/// Which of the slots that passed unstarted are still run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedRunPolicy {
    #[default]
    Latest,
    None,
    All,
}

/// What happens to a slot while an earlier run of the task goes on.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyPolicy {
    #[default]
    Allow,
    Forbid,
    Replace,
}

/// Whether containers are told which run they are.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunContext {
    #[default]
    Env,
    None,
}

impl ScheduledTaskSpec {
    /// Zone in which the schedule is read.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.time_zone
    }

    /// How many missed slots `All` catches up at most.
    #[must_use]
    pub fn catch_up_limit(&self) -> usize {
        usize::try_from(self.missed_run_limit.unwrap_or(10)).unwrap_or(0)
    }
}

fn utc() -> String {
    "UTC".into()
}

fn null_is_utc<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(value).map(|zone| zone.unwrap_or_else(utc))
}

fn three() -> i32 {
    3
}

fn ten() -> i32 {
    10
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(value: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(value).map(Option::unwrap_or_default)
}

fn null_is_three<'de, D: Deserializer<'de>>(value: D) -> Result<i32, D::Error> {
    Option::<i32>::deserialize(value).map(|limit| limit.unwrap_or(3))
}

fn null_is_ten<'de, D: Deserializer<'de>>(value: D) -> Result<i32, D::Error> {
    Option::<i32>::deserialize(value).map(|limit| limit.unwrap_or(10))
}

/// CronJob reads `null` and `""` as `Allow`, so manifests that say so exist.
fn empty_is_allow<'de, D: Deserializer<'de>>(value: D) -> Result<ConcurrencyPolicy, D::Error> {
    use serde::de::{Error, IntoDeserializer};
    match Option::<String>::deserialize(value)?.as_deref() {
        None | Some("") => Ok(ConcurrencyPolicy::Allow),
        Some(name) => {
            ConcurrencyPolicy::deserialize(name.to_owned().into_deserializer()).map_err(|e: serde::de::value::Error| D::Error::custom(e))
        }
    }
}

fn concurrency_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "What happens to a slot while an earlier run goes on: Allow (default), Forbid or Replace.",
        "type": "string", "enum": ["Allow", "Forbid", "Replace", ""], "default": "Allow"
    })
}

fn suspend_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "boolean", "default": false})
}
