//! Pieces of the CRD's schema that a derive cannot say.
//!
//! Takes nothing, gives schemas for single fields, each with the rules that admission asks. Never looks at values.

use super::rules;
use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// As long as a line of crontab with a long list in it.
const LONGEST: u32 = 1024;
/// Of several schedules each is short, so that the API server grants the rules of all of them.
const LONGEST_OF_SEVERAL: u32 = 128;
const MOST_SCHEDULES: u32 = 10;

pub fn schedule(_: &mut SchemaGenerator) -> Schema {
    let text = "When to run: five crontab fields (minute hour day-of-month month day-of-week), six with leading seconds, @hourly…@yearly or @every 90m. \
                H, L, 15W and FRI#2 mean what they mean in Jenkins and Quartz.";
    expression(LONGEST, text)
}

pub fn schedules(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "Several schedules instead of one. A moment that several of them name is one slot.",
        "type": "array", "minItems": 1, "maxItems": MOST_SCHEDULES,
        "items": expression(LONGEST_OF_SEVERAL, "One of the schedules."),
    })
}

fn expression(longest: u32, description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "maxLength": longest, "x-kubernetes-validations": all(rules::schedule())})
}

pub fn jitter(_: &mut SchemaGenerator) -> Schema {
    duration(
        "jitter",
        "Each run starts up to this long after its slot, and before the next one. The same slot has the same delay each time.",
    )
}

pub fn run_timeout(_: &mut SchemaGenerator) -> Schema {
    duration(
        "runTimeout",
        "How long a run may take with all its retries; then its Job is deleted, and the run has failed.",
    )
}

pub fn pending_timeout(_: &mut SchemaGenerator) -> Schema {
    let text = "How long the work of a Job may take to begin (image pull, no room, quota, init containers); then it is deleted, and the attempt has failed.";
    duration("pendingTimeout", text)
}

pub fn ttl_after_finished(_: &mut SchemaGenerator) -> Schema {
    let text = "How long to keep a finished Job, beside the two limits. Default: ttlSecondsAfterFinished of the template, if it has one.";
    duration("ttlAfterFinished", text)
}

pub fn delay(_: &mut SchemaGenerator) -> Schema {
    duration("delay", "How long to wait after the first attempt. Default: 10s.")
}

pub fn max_delay(_: &mut SchemaGenerator) -> Schema {
    duration("maxDelay", "The longest wait. Default: 10m, or delay if that is longer.")
}

pub fn retry_jitter(_: &mut SchemaGenerator) -> Schema {
    duration(
        "jitter",
        "Up to this much is added to each wait, the same for the same attempt. Default: nothing.",
    )
}

fn duration(field: &str, description: &str) -> Schema {
    let rules = all([rules::duration(field)]);
    json_schema!({"description": description, "type": "string", "maxLength": 32, "x-kubernetes-validations": rules})
}

pub fn concurrency_policy(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "What happens to a slot while an earlier run goes on: Allow (default), Forbid, Replace or Queue.",
        "type": "string", "enum": ["Allow", "Forbid", "Replace", "Queue", ""], "default": "Allow"
    })
}

pub fn suspend(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "No run starts while this is true; runs that go on are left alone. Slots that pass are counted as skipped when it ends.",
        "type": "boolean", "default": false
    })
}

fn all(rules: impl IntoIterator<Item = Rule>) -> Vec<Value> {
    rules.into_iter().map(|rule| json!(rule)).collect()
}
