//! Schemas of single fields that a derive cannot express: descriptions, limits and the CEL rules of admission.

use super::rules;
use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// Maximum length of a schedule: a cron expression with a long list.
const MAX_SCHEDULE: u32 = 1024;
/// Maximum length of one of several schedules, so that the cost of their rules stays in the API server's budget.
const MAX_SCHEDULE_OF_SEVERAL: u32 = 128;
const MAX_SCHEDULES: u32 = 10;

pub fn schedule(_: &mut SchemaGenerator) -> Schema {
    let text = "When to run: five cron fields (minute hour day-of-month month day-of-week), six with leading seconds, @hourly to @yearly, or @every 90m. \
                H, L, 15W and FRI#2 have the meaning of Jenkins and Quartz.";
    expression(MAX_SCHEDULE, text)
}

pub fn schedules(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Several schedules instead of one. An instant that several of them name is one slot.",
        "type": "array", "minItems": 1, "maxItems": MAX_SCHEDULES,
        "items": expression(MAX_SCHEDULE_OF_SEVERAL, "One of the schedules."),
    })
}

fn expression(max_length: u32, description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "maxLength": max_length, "x-kubernetes-validations": all(rules::schedule())})
}

pub fn jitter(_: &mut SchemaGenerator) -> Schema {
    duration("Delays each run by up to this duration after its slot, but not past the next slot. The delay of a slot is always the same.")
}

pub fn run_timeout(_: &mut SchemaGenerator) -> Schema {
    duration("Maximum duration of a run, including its retries. After it the Job is deleted, and the run has failed.")
}

pub fn pending_timeout(_: &mut SchemaGenerator) -> Schema {
    let text = "Maximum time until a pod of the Job is ready to work (scheduling, quota, image pull, init containers). After it the Job is deleted, and the attempt has failed.";
    duration(text)
}

pub fn ttl_after_finished(_: &mut SchemaGenerator) -> Schema {
    let text = "How long to keep a finished Job, in addition to the two limits. Default: ttlSecondsAfterFinished of the template, if set.";
    duration(text)
}

pub fn delay(_: &mut SchemaGenerator) -> Schema {
    duration("Delay before the first retry. Default: 10s.")
}

pub fn max_delay(_: &mut SchemaGenerator) -> Schema {
    duration("Maximum delay. Default: 10m, or delay if that is longer.")
}

pub fn retry_jitter(_: &mut SchemaGenerator) -> Schema {
    duration("Adds up to this duration to each delay, always the same for an attempt. Default: none.")
}

fn duration(description: &str) -> Schema {
    let rules = all([rules::duration()]);
    json_schema!({"description": description, "type": "string", "maxLength": 32, "x-kubernetes-validations": rules})
}

pub fn concurrency_policy(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "What happens to a slot while an earlier run is active: Allow (default), Forbid, Replace or Queue.",
        "type": "string", "enum": ["Allow", "Forbid", "Replace", "Queue", ""], "default": "Allow"
    })
}

pub fn suspend(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Suspends the task: no run starts, and active runs continue. Slots in the meantime are counted as skipped when the suspension ends.",
        "type": "boolean", "default": false
    })
}

fn all(rules: impl IntoIterator<Item = Rule>) -> Vec<Value> {
    rules.into_iter().map(|rule| json!(rule)).collect()
}
