//! The policies that a task names: what happens when clocks change, runs meet, slots are missed, attempts fail.
//!
//! Takes a manifest, gives typed choices with their defaults. Never decides: each has its file in `plan`.

use super::{rules, schema};
pub use crate::schedule::{DaylightSaving, Gap, Overlap};
use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time;

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
    Queue,
}

/// Whether containers are told which run they are.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunContext {
    #[default]
    Env,
    None,
}

/// Whether and when a run that failed is tried again.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::max_delay_is_not_below_delay())]
pub struct RetryPolicy {
    /// How many further attempts a run may take.
    #[schemars(range(min = 0, max = 100))]
    pub limit: i32,
    /// How long to wait after the first attempt. Default: 10s.
    #[serde(default)]
    #[schemars(schema_with = "schema::delay")]
    pub delay: Option<Duration>,
    /// By how much the wait grows after each further attempt. Default: 2.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10))]
    pub factor: Option<i32>,
    /// The longest wait. Default: 10m, or delay if that is longer.
    #[serde(default)]
    #[schemars(schema_with = "schema::max_delay")]
    pub max_delay: Option<Duration>,
    /// Up to this much is added to each wait, the same for the same attempt. Default: nothing.
    #[serde(default)]
    #[schemars(schema_with = "schema::retry_jitter")]
    pub jitter: Option<Duration>,
}

impl RetryPolicy {
    /// The wait after the first attempt.
    #[must_use]
    pub fn first_delay(&self) -> time::Duration {
        self.delay.map_or(time::Duration::from_secs(10), time::Duration::from)
    }

    /// The longest wait.
    #[must_use]
    pub fn longest_delay(&self) -> time::Duration {
        let default = self.first_delay().max(time::Duration::from_mins(10));
        self.max_delay.map_or(default, time::Duration::from)
    }
}

/// A blackout: a crontab whose moments are excluded, or an interval.
#[derive(Serialize, Deserialize, KubeSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exclusion_is_one_of_two())]
pub struct Exclusion {
    /// Slots that match this crontab, in the task's zone, are excluded. With five fields any second of a minute matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub schedule: Option<String>,
    /// The first moment that is excluded: a date, a local time such as 2026-12-24T18:00:00, or RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub from: Option<String>,
    /// The first moment that no longer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub until: Option<String>,
}
