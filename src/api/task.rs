//! `ScheduledTask` as its author writes it.
//!
//! Takes a manifest, gives typed fields. Never decides: what a field means for a slot stands in `plan`.

use super::{
    ConcurrencyPolicy, DaylightSaving, Exclusion, JobTemplate, MissedRunPolicy, ObservedSchedule, RetryPolicy, RunContext,
    ScheduledTaskStatus, jitter_rule, rules, schema,
};
use jiff::{RoundMode, TimestampRound, Unit};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::Duration;
use kube::{CustomResource, KubeSchema};
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
    printcolumn = r#"{"name":"Schedule","type":"string","jsonPath":".spec['schedule','schedules']"}"#,
    printcolumn = r#"{"name":"Zone","type":"string","jsonPath":".spec.timeZone"}"#,
    printcolumn = r#"{"name":"Suspended","type":"string","jsonPath":".status.conditions[?(@.type=='Suspended')].status"}"#,
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
#[x_kube(
    cel,
    validation = rules::one_of_schedule_and_schedules(),
    validation = rules::start_before_end(),
    validation = rules::missed_run_limit_belongs_to_all(),
    validation = rules::queue_limit_belongs_to_queue(),
    validation = rules::max_concurrent_runs_belongs_to_allow_and_queue(),
    validation = jitter_rule::jitter_is_not_longer_than_the_spacing()
)]
pub struct ScheduledTaskSpec {
    /// When to run: five crontab fields (minute hour day-of-month month day-of-week), six with leading seconds, `@hourly`…`@yearly` or `@every 90m`.
    #[serde(default)]
    #[schemars(schema_with = "schema::schedule")]
    pub schedule: Option<String>,

    /// Several schedules instead of one. A moment that several of them name is one slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    #[schemars(schema_with = "schema::schedules")]
    pub schedules: Vec<String>,

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

    /// Each run starts up to this long after its slot, and before the next one: spreads load. The same slot has the same delay each time.
    #[serde(default)]
    #[schemars(schema_with = "schema::jitter")]
    pub jitter: Option<Duration>,

    /// No slot lies before this moment: RFC 3339, such as 2027-02-01T00:00:00Z.
    #[serde(default)]
    pub start_at: Option<Time>,

    /// No slot lies at or after this moment (RFC 3339, such as 2027-02-01T00:00:00Z); what still waits in the queue then is dropped.
    #[serde(default)]
    pub end_at: Option<Time>,

    /// Blackouts: slots that match any of these are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    #[schemars(length(max = 32))]
    pub exclude: Vec<Exclusion>,

    /// How many seconds after its slot (and jitter) a run may still start; a slot older than that is counted as missed.
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

    /// How many slots one backfill request may name. Default: 100.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub backfill_limit: Option<i32>,

    /// What happens to a slot while an earlier run goes on: Allow (default), Forbid, Replace or Queue.
    #[serde(default, deserialize_with = "empty_is_allow")]
    #[schemars(schema_with = "schema::concurrency_policy")]
    pub concurrency_policy: ConcurrencyPolicy,

    /// Under Queue: how many slots wait at most; one that finds the queue full is skipped. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub queue_limit: Option<i32>,

    /// How many runs go on at once, under Allow (default: 1,000) and Queue (default: 1).
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent_runs: Option<i32>,

    /// Whether, and when, a run that failed is tried again. Each attempt is a Job of its own. Default: never.
    #[serde(default)]
    pub retry_policy: Option<RetryPolicy>,

    /// How long a run may take with all its retries; then its Job is deleted, and the run has failed.
    #[serde(default)]
    #[schemars(schema_with = "schema::run_timeout")]
    pub run_timeout: Option<Duration>,

    /// How long the work of a Job may take to begin (image pull, no room, quota, init containers); then it is deleted, and the attempt has failed.
    #[serde(default)]
    #[schemars(schema_with = "schema::pending_timeout")]
    pub pending_timeout: Option<Duration>,

    /// No run starts while this is true; runs that go on are left alone. Slots that pass are counted as skipped when it ends.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(schema_with = "schema::suspend")]
    pub suspend: bool,

    /// So many failed runs in a row suspend the task, in its status; the annotation punctual.dev/resume, or a run that succeeds, ends that.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub suspend_after_failures: Option<i32>,

    /// The Job that each run makes.
    pub job_template: JobTemplate,

    /// How many successful Jobs to keep, at most 100. Default: 3.
    #[serde(default = "three", deserialize_with = "null_is_three")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub successful_jobs_history_limit: i32,

    /// How many failed Jobs to keep, with their pods and logs, at most 100. Default: 3 (CronJob: 1).
    #[serde(default = "three", deserialize_with = "null_is_three")]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub failed_jobs_history_limit: i32,

    /// How long to keep a finished Job, beside the two limits. Default: ttlSecondsAfterFinished of the template, if it has one.
    #[serde(default)]
    #[schemars(schema_with = "schema::ttl_after_finished")]
    pub ttl_after_finished: Option<Duration>,

    /// How many entries status.recentRuns keeps, also after their Jobs are gone. Default: 10.
    #[serde(default = "ten", deserialize_with = "null_is_ten")]
    #[schemars(range(min = 0, max = 100))]
    pub run_history_limit: i32,

    /// Env (default): every container gets PUNCTUAL_SLOT, PUNCTUAL_LAST_SUCCESS and the like. None: nothing is added.
    #[serde(default)]
    pub run_context: RunContext,
}

impl ScheduledTaskSpec {
    /// Zone in which the schedule is read.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.time_zone
    }

    /// The part of the spec that names slots.
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

    /// The schedule in a few words, for people.
    #[must_use]
    pub fn schedule_text(&self) -> String {
        match &self.schedule {
            Some(schedule) => schedule.trim().to_owned(),
            None => self
                .schedules
                .iter()
                .map(|schedule| schedule.trim())
                .collect::<Vec<_>>()
                .join(" | "),
        }
    }

    /// How many runs may go on at once; `None` for any number.
    #[must_use]
    pub fn room(&self) -> Option<usize> {
        let most = self.max_concurrent_runs.map(|most| usize::try_from(most).unwrap_or(1));
        match self.concurrency_policy {
            ConcurrencyPolicy::Allow => most,
            ConcurrencyPolicy::Queue => most.or(Some(1)),
            ConcurrencyPolicy::Forbid | ConcurrencyPolicy::Replace => Some(1),
        }
    }

    /// How many slots may wait under Queue.
    #[must_use]
    pub fn longest_queue(&self) -> usize {
        usize::try_from(self.queue_limit.unwrap_or(10)).unwrap_or(0)
    }

    /// How many slots a backfill may name.
    #[must_use]
    pub fn longest_backfill(&self) -> u64 {
        u64::try_from(self.backfill_limit.unwrap_or(100)).unwrap_or(0)
    }

    /// How many missed slots `All` catches up at most.
    #[must_use]
    pub fn catch_up_limit(&self) -> usize {
        usize::try_from(self.missed_run_limit.unwrap_or(10)).unwrap_or(0)
    }
}

/// As `metav1.Time` is written: without a fraction. No slot lies between a moment and the next whole second.
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
