//! The policies of a task as types: concurrency, missed runs, retries, blackouts, run context.
//!
//! Each is applied by a file of its own in `plan`.

use super::{rules, schema};
pub use crate::schedule::{DaylightSaving, Gap, Overlap};
use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time;

/// Which slots still start if the operator could not start them in time.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedRunPolicy {
    /// The latest one.
    #[default]
    Latest,
    /// None: they are all counted as missed.
    None,
    /// The latest ones, up to `missedRunLimit`.
    All,
}

/// What happens to a slot while an earlier run of the task is active.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyPolicy {
    /// It starts.
    #[default]
    Allow,
    /// It is skipped.
    Forbid,
    /// The earlier run is terminated, and the slot starts afterwards.
    Replace,
    /// It starts after the earlier runs, in the order of slots.
    Queue,
}

/// Whether containers get environment variables that describe their run.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunContext {
    /// They do.
    #[default]
    Env,
    /// They do not.
    None,
}

/// Whether and when a failed run is retried.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::max_delay_is_not_below_delay())]
pub struct RetryPolicy {
    /// Maximum number of retries of a run.
    #[schemars(range(min = 0, max = 100))]
    pub limit: i32,
    /// Delay before the first retry. Default: 10s.
    #[serde(default)]
    #[schemars(schema_with = "schema::delay")]
    pub delay: Option<Duration>,
    /// Factor by which the delay grows with each retry. Default: 2.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub factor: Option<i32>,
    /// Maximum delay. Default: 10m, or delay if that is longer.
    #[serde(default)]
    #[schemars(schema_with = "schema::max_delay")]
    pub max_delay: Option<Duration>,
    /// Adds up to this duration to each delay, always the same for an attempt. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "schema::retry_jitter")]
    pub jitter: Option<Duration>,
}

impl RetryPolicy {
    /// The delay before the first retry.
    #[must_use]
    pub fn first_delay(&self) -> time::Duration {
        self.delay.map_or(time::Duration::from_secs(10), time::Duration::from)
    }

    /// The maximum delay.
    #[must_use]
    pub fn longest_delay(&self) -> time::Duration {
        let default = self.first_delay().max(time::Duration::from_mins(10));
        self.max_delay.map_or(default, time::Duration::from)
    }
}

/// A blackout: either a cron schedule or an interval.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exclusion_is_one_of_two())]
pub struct Exclusion {
    /// Slots that match this cron expression in the task's time zone are excluded. With five fields it matches whole minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub schedule: Option<String>,
    /// Start of the blackout: a date, a local time such as 2026-12-24T18:00:00, or RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub from: Option<String>,
    /// End of the blackout, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub until: Option<String>,
}
