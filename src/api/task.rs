//! `ScheduledTask` as its author writes it: the fields of the spec and their defaults.
//!
//! What a field means for a slot is decided in `plan`.

use super::{
    ConcurrencyPolicy, DaylightSaving, Exclusion, JobTemplate, MissedRunPolicy, ObservedSchedule, RetryPolicy, RunContext,
    ScheduledTaskStatus, jitter_rule, rules, schema,
};
use jiff::{RoundMode, TimestampRound, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Deserializer, Serialize};

/// The desired behaviour of a scheduled task. Every field of a CronJob's spec exists here under the same name.
///
/// ```
/// use punctual::api::{ConcurrencyPolicy, ScheduledTaskSpec};
/// use serde_json::json;
///
/// let spec = ScheduledTaskSpec::read(&json!({
///     "schedule": "30 2 * * *",
///     "timeZone": "Europe/Paris",
///     "jobTemplate": {"spec": {"template": {"spec": {
///         "restartPolicy": "Never",
///         "containers": [{"name": "main", "image": "busybox:1.36"}],
///     }}}},
/// }))?;
/// assert_eq!(spec.schedule_text(), "30 2 * * *");
/// // Fields that are absent have CronJob's defaults, but for `failedJobsHistoryLimit`.
/// assert_eq!(spec.concurrency_policy, ConcurrencyPolicy::Allow);
/// assert_eq!(spec.failed_jobs_history_limit, 3);
/// // An error names the field.
/// let error = ScheduledTaskSpec::read(&json!({"schedule": "@daily", "suspend": "maybe", "jobTemplate": {}})).unwrap_err();
/// assert!(error.starts_with("spec.suspend: "));
/// # Ok::<(), String>(())
/// ```
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
    doc = "ScheduledTask creates a Job for each slot of a schedule, exactly once, and accounts for every slot in its status. A slot is an instant that the schedule names.",
    printcolumn = r#"{"name":"Schedule","type":"string","jsonPath":".spec['schedule','schedules']"}"#,
    printcolumn = r#"{"name":"Zone","type":"string","jsonPath":".spec.timeZone"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Suspended","type":"string","jsonPath":".status.conditions[?(@.type=='Suspended')].status"}"#,
    printcolumn = r#"{"name":"Active","type":"integer","jsonPath":".status.running"}"#,
    printcolumn = r#"{"name":"Last Run","type":"date","jsonPath":".status.lastStartTime"}"#,
    printcolumn = r#"{"name":"Last Result","type":"string","jsonPath":".status.recentRuns[0].outcome"}"#,
    printcolumn = r#"{"name":"Next Run","type":"string","jsonPath":".status.nextRuns[0]"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason","priority":1}"#,
    printcolumn = r#"{"name":"Started","type":"integer","jsonPath":".status.started","priority":1}"#,
    printcolumn = r#"{"name":"Succeeded","type":"integer","jsonPath":".status.succeeded","priority":1}"#,
    printcolumn = r#"{"name":"Failed","type":"integer","jsonPath":".status.failed","priority":1}"#,
    printcolumn = r#"{"name":"Missed","type":"integer","jsonPath":".status.missed","priority":1}"#,
    printcolumn = r#"{"name":"Skipped","type":"integer","jsonPath":".status.skipped","priority":1}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "The desired behaviour of a scheduled task. Every field of a CronJob's spec exists here under the same name.")]
#[x_kube(
    cel,
    validation = rules::one_of_schedule_and_schedules(),
    validation = rules::start_before_end(),
    validation = rules::missed_run_limit_belongs_to_all(),
    validation = rules::queue_limit_belongs_to_queue(),
    validation = rules::max_concurrent_runs_belongs_to_allow_and_queue(),
    validation = jitter_rule::jitter_is_not_longer_than_the_interval()
)]
pub struct ScheduledTaskSpec {
    /// When to run: five cron fields (minute hour day-of-month month day-of-week), six with leading seconds, `@hourly` to `@yearly`, or `@every 90m`.
    #[serde(default)]
    #[schemars(schema_with = "schema::schedule")]
    pub schedule: Option<String>,

    /// Several schedules instead of one. An instant that several of them name is one slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    #[schemars(schema_with = "schema::schedules")]
    pub schedules: Vec<String>,

    /// IANA time zone of the schedule, for example `Europe/Paris`. Default: UTC.
    #[serde(default = "utc", deserialize_with = "null_is_utc")]
    #[x_kube(validation = rules::zone_is_not_empty())]
    #[x_kube(validation = rules::zone_is_not_local())]
    #[x_kube(validation = rules::zone_has_plain_characters())]
    #[schemars(length(max = 64))]
    pub time_zone: String,

    /// What happens to slots at fixed times of day when clocks change.
    #[serde(default)]
    pub daylight_saving: Option<DaylightSaving>,

    /// Delays each run by up to this duration after its slot, but not past the next slot. The delay of a slot is always the same.
    #[serde(default)]
    #[schemars(schema_with = "schema::jitter")]
    pub jitter: Option<Duration>,

    /// There are no slots before this time (RFC 3339, for example 2027-02-01T00:00:00Z).
    #[serde(default)]
    pub start_at: Option<Time>,

    /// There are no slots at or after this time (RFC 3339, for example 2027-02-01T00:00:00Z). Runs that are queued at this time are skipped.
    #[serde(default)]
    pub end_at: Option<Time>,

    /// Blackouts. Slots that match any of these are excluded.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    #[schemars(length(max = 32))]
    pub exclude: Vec<Exclusion>,

    /// Deadline for starting a run, in seconds after its slot and jitter. A slot that cannot start by then is counted as missed.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub starting_deadline_seconds: Option<i64>,

    /// Which slots still start if the operator could not start them in time: Latest (default), None or All.
    #[serde(default)]
    pub missed_run_policy: MissedRunPolicy,

    /// Maximum number of past slots that start under missedRunPolicy All, the newest ones. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub missed_run_limit: Option<i32>,

    /// Maximum number of slots in a backfill request. Default: 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub backfill_limit: Option<i32>,

    /// What happens to a slot while an earlier run is active: Allow (default), Forbid, Replace or Queue.
    #[serde(default, deserialize_with = "empty_is_allow")]
    #[schemars(schema_with = "schema::concurrency_policy")]
    pub concurrency_policy: ConcurrencyPolicy,

    /// Maximum number of queued slots under Queue. A slot that finds the queue full is skipped. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub queue_limit: Option<i32>,

    /// Maximum number of concurrent runs under Allow (default: 1,000) and Queue (default: 1).
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent_runs: Option<i32>,

    /// Whether and when a failed run is retried. Each attempt is a separate Job. Default: no retries.
    #[serde(default)]
    pub retry_policy: Option<RetryPolicy>,

    /// Maximum duration of a run, including its retries. After it the Job is deleted, and the run has failed.
    #[serde(default)]
    #[schemars(schema_with = "schema::run_timeout")]
    pub run_timeout: Option<Duration>,

    /// Maximum time until a pod of the Job is ready to work (scheduling, quota, image pull, init containers). After it the Job is deleted, and the attempt has failed.
    #[serde(default)]
    #[schemars(schema_with = "schema::pending_timeout")]
    pub pending_timeout: Option<Duration>,

    /// Suspends the task: no run starts, and active runs continue. Slots in the meantime are counted as skipped when the suspension ends.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(schema_with = "schema::suspend")]
    pub suspend: bool,

    /// Suspends the task (in status) after this many consecutive failed runs. The annotation punctual.dev/resume or a successful run ends the suspension.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub suspend_after_failures: Option<i32>,

    /// Template of the Job of each run.
    pub job_template: JobTemplate,

    /// Number of successful Jobs to keep, at most 100. Default: 3.
    #[serde(default = "three", deserialize_with = "null_is_three")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub successful_jobs_history_limit: i32,

    /// Number of failed Jobs to keep, with their pods and logs, at most 100. Default: 3 (CronJob: 1).
    #[serde(default = "three", deserialize_with = "null_is_three")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub failed_jobs_history_limit: i32,

    /// How long to keep a finished Job, in addition to the two limits. Default: ttlSecondsAfterFinished of the template, if set.
    #[serde(default)]
    #[schemars(schema_with = "schema::ttl_after_finished")]
    pub ttl_after_finished: Option<Duration>,

    /// Number of entries in status.recentRuns, which remain after their Jobs are deleted. Default: 10.
    #[serde(default = "ten", deserialize_with = "null_is_ten")]
    #[schemars(range(min = 0, max = 100))]
    pub run_history_limit: i32,

    /// Env (default): every container gets PUNCTUAL_SLOT, PUNCTUAL_LAST_SUCCESS and other variables. None: no variables are added.
    #[serde(default)]
    pub run_context: RunContext,
}

impl ScheduledTaskSpec {
    /// The time zone of the schedule.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.time_zone
    }

    /// The part of the spec that decides about slots.
    #[must_use]
    pub fn observed_schedule(&self) -> ObservedSchedule {
        let policy = self.daylight_saving.unwrap_or_default();
        ObservedSchedule {
            schedule: self.schedule.clone(),
            schedules: self.schedules.clone(),
            time_zone: self.time_zone.clone(),
            gap: policy.gap,
            overlap: policy.overlap,
            jitter: self.jitter,
            start_at: self.start_at.as_ref().map(whole),
            end_at: self.end_at.as_ref().map(whole),
            exclude: self.exclude.clone(),
        }
    }

    /// The schedule, or all schedules separated by `|`, for display.
    #[must_use]
    pub fn schedule_text(&self) -> String {
        Self::text_of(self.schedule.as_deref(), &self.schedules)
    }

    /// The same, of these fields.
    #[must_use]
    pub fn text_of(schedule: Option<&str>, schedules: &[impl AsRef<str>]) -> String {
        let several = || {
            let trimmed: Vec<&str> = schedules.iter().map(|schedule| schedule.as_ref().trim()).collect();
            trimmed.join(" | ")
        };
        schedule.map_or_else(several, |schedule| schedule.trim().to_owned())
    }

    /// The maximum number of concurrent runs; `None` if there is no limit.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        let most = self.max_concurrent_runs.map(|most| usize::try_from(most).unwrap_or(1));
        match self.concurrency_policy {
            ConcurrencyPolicy::Allow => most,
            ConcurrencyPolicy::Queue => most.or(Some(1)),
            ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Replace => Some(1),
        }
    }

    /// The maximum number of queued slots under Queue.
    #[must_use]
    pub fn longest_queue(&self) -> usize {
        usize::try_from(self.queue_limit.unwrap_or(10)).unwrap_or(0)
    }

    /// The maximum number of slots in a backfill request.
    #[must_use]
    pub fn longest_backfill(&self) -> u64 {
        u64::try_from(self.backfill_limit.unwrap_or(100)).unwrap_or(0)
    }

    /// The maximum number of past slots that start under missedRunPolicy `All`.
    #[must_use]
    pub fn catch_up_limit(&self) -> usize {
        usize::try_from(self.missed_run_limit.unwrap_or(10)).unwrap_or(0)
    }
}

/// Rounds up to a second, as `metav1.Time` is written. There is no slot between an instant and the next whole second.
fn whole(at: &Time) -> Time {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    Time(at.0.round(up).unwrap_or(at.0))
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

/// CronJob accepts `null` and `""` for `Allow`, so there are manifests with them.
fn empty_is_allow<'de, D: Deserializer<'de>>(value: D) -> Result<ConcurrencyPolicy, D::Error> {
    use serde::de::{Error, IntoDeserializer};
    match Option::<String>::deserialize(value)?.as_deref() {
        None | Some("") => Ok(ConcurrencyPolicy::Allow),
        Some(name) => {
            ConcurrencyPolicy::deserialize(name.to_owned().into_deserializer()).map_err(|e: serde::de::value::Error| D::Error::custom(e))
        }
    }
}
