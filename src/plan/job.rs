//! The Job of a run: its name and its manifest.
//!
//! Takes a task and a slot, gives the name that is the lock and the JSON that is posted. Never reads the world: the same
//! task, slot and attempt give the same name for ever.

use super::{Run, Task};
use crate::api::{self, RunContext, ScheduledTaskSpec, Trigger};
use crate::schedule::hash;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

/// A Job's name becomes a label of its pods, so 63 characters are all there is.
const LONGEST: usize = 63;
/// `-` and ten digits of seconds, `-` and up to three digits of attempt.
const SUFFIX: usize = 11 + 4;
/// A longer task name is cut and gets a hash; the cut form is one longer than any uncut one, so the two never meet.
const LONGEST_UNCUT: usize = LONGEST - SUFFIX - 1;

/// The letters in the names of runs that somebody asked for.
pub const MANUAL: char = 'm';
pub const BACKFILLED: char = 'b';

/// The name of the Job for an attempt at a slot: a function of task, slot and attempt.
///
/// Ten digits of Unix seconds make the end of a name readable from the right, so that `a-1` at 23 and `a` at 1-23 differ.
#[must_use]
pub fn job_name(task: &str, slot: Timestamp, attempt: i32) -> String {
    attempt_name(&run_name(task, slot), attempt)
}

/// The name of the Job for an attempt at a run.
#[must_use]
pub fn attempt_name(run: &str, attempt: i32) -> String {
    if attempt <= 1 { run.to_owned() } else { format!("{run}-{attempt}") }
}

/// The run that the Job of an attempt belongs to.
#[must_use]
pub fn run_of(job: &str, attempt: i32) -> &str {
    if attempt <= 1 {
        return job;
    }
    job.strip_suffix(&format!("-{attempt}")).unwrap_or(job)
}

/// The name of a run that no slot names: `kind` is one letter, `request` whatever tells it from others. As long as a slot's name,
/// and never equal to one, for a slot's has ten digits there.
#[must_use]
pub fn requested_name(task: &str, kind: char, request: &str) -> String {
    format!("{}-{kind}{:09x}", short(task), hash(request) & 0xf_ffff_ffff)
}

/// Whether a run that somebody asked for can have this name.
#[must_use]
pub fn is_requested_name(task: &str, trigger: Trigger, run: &str) -> bool {
    let kind = match trigger {
        Trigger::Schedule => return false,
        Trigger::Manual => MANUAL,
        Trigger::Backfill => BACKFILLED,
    };
    let hash = run
        .strip_prefix(&short(task))
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_prefix(kind));
    hash.is_some_and(|hash| hash.len() == 9 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

/// The name of a run, shared by its attempts.
#[must_use]
pub fn run_name(task: &str, slot: Timestamp) -> String {
    format!("{}-{:010}", short(task), slot.as_second())
}

fn short(task: &str) -> String {
    if task.len() <= LONGEST_UNCUT {
        return task.to_owned();
    }
    let hash = format!("{:012x}", hash(task) & 0xffff_ffff_ffff);
    let mut cut: String = task.chars().take(LONGEST_UNCUT - hash.len()).collect();
    // A name may be cut behind a dot, and no label of a DNS name ends with one or begins with a dash.
    let end = cut.trim_end_matches(['.', '-']).len();
    cut.replace_range(end.., &"x".repeat(cut.len() - end));
    format!("{cut}-{hash}")
}

/// Slots have four digits of a year, and Jobs' names ten digits of seconds.
const FIRST_SLOT: i64 = 0;
const LAST_SLOT: i64 = 253_402_300_799;
/// No policy allows more attempts at a run: `retryPolicy.limit` is at most 100.
const MOST_ATTEMPTS: i32 = 101;

/// Whether the API server could have given this name to a Job or a task: a DNS subdomain. Asked before a name becomes a part of
/// a request's path.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=253).contains(&name.len()) && name.bytes().all(is_plain) && !name.starts_with(['.', '-']) && !name.contains("..")
}

/// Whether name, slot, trigger and attempt of a Job agree with each other and with the name of a task.
#[must_use]
pub fn has_the_form(task: &str, name: &str, slot: Timestamp, trigger: Trigger, attempt: i32) -> bool {
    let is_possible = (FIRST_SLOT..=LAST_SLOT).contains(&slot.as_second()) && (1..=MOST_ATTEMPTS).contains(&attempt);
    is_possible
        && is_plain_name(task)
        && match trigger {
            Trigger::Schedule => name == job_name(task, slot, attempt),
            Trigger::Manual | Trigger::Backfill => is_requested_name(task, trigger, run_of(name, attempt)),
        }
}

/// The Job as CronJob would make it from the same template, plus our labels, annotations and run context.
///
/// `watermark` is the newest slot whose run succeeded, `previous` the slot before this one: the run's interval begins there.
#[must_use]
pub fn build_job(task: &Task, spec: &ScheduledTaskSpec, run: &Run, watermark: Option<Timestamp>, previous: Option<Timestamp>) -> Value {
    let context = context(task, run, watermark, previous);
    let template = spec.job_template.fields();
    let mut labels = string_map(template.get("metadata"), "labels");
    if labels.is_empty() {
        // What Kubernetes itself does for a Job without labels; with ours on it, it no longer would.
        let pod = template.get("spec").and_then(|spec| spec.pointer("/template/metadata"));
        labels = string_map(pod, "labels");
    }
    labels.insert(api::LABEL_TASK_UID.into(), json!(task.uid));
    let mut annotations = string_map(template.get("metadata"), "annotations");
    if run.trigger != Trigger::Manual {
        annotations.insert(api::CRONJOB_TIMESTAMP.into(), json!(local(run.slot, spec.zone())));
    }
    for (name, _, value) in &context {
        annotations.insert((*name).into(), json!(value));
    }
    let mut job_spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    if let Some(spec) = job_spec.as_object_mut() {
        // Punctual owns deletion: a Job that goes before its end is written down would be counted as deleted by somebody.
        spec.remove("ttlSecondsAfterFinished");
    }
    if spec.run_context == RunContext::Env {
        tell_pod(&mut job_spec, &context);
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": run.job,
            "namespace": task.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": format!("{}/{}", api::GROUP, api::VERSION),
                "kind": api::KIND,
                "name": task.name,
                "uid": task.uid,
                "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": job_spec,
    })
}

/// Annotation, environment variable and value of each thing that a run is told about itself.
fn context(task: &Task, run: &Run, watermark: Option<Timestamp>, previous: Option<Timestamp>) -> Vec<(&'static str, &'static str, String)> {
    let mut context = vec![
        (api::TASK, "PUNCTUAL_TASK", task.name.clone()),
        (api::RUN, "PUNCTUAL_RUN", run_of(&run.job, run.attempt).to_owned()),
        (api::TRIGGER, "PUNCTUAL_TRIGGER", run.trigger.as_str().to_owned()),
        (api::ATTEMPT, "PUNCTUAL_ATTEMPT", run.attempt.to_string()),
        (api::SLOT, "PUNCTUAL_SLOT", run.slot.to_string()),
    ];
    if let Some(watermark) = watermark {
        context.push((api::LAST_SUCCESS, "PUNCTUAL_LAST_SUCCESS", watermark.to_string()));
    }
    if let Some(previous) = previous {
        context.push((api::INTERVAL_START, "PUNCTUAL_INTERVAL_START", previous.to_string()));
        context.push((api::INTERVAL_END, "PUNCTUAL_INTERVAL_END", run.slot.to_string()));
    }
    context
}

fn tell_pod(job_spec: &mut Value, context: &[(&'static str, &'static str, String)]) {
    let Some(template) = job_spec.get_mut("template").and_then(Value::as_object_mut) else {
        return;
    };
    let metadata = object(template.entry("metadata").or_insert_with(|| json!({})));
    let annotations = object(metadata.entry("annotations").or_insert_with(|| json!({})));
    for (name, _, value) in context {
        annotations.entry(*name).or_insert_with(|| json!(value));
    }
    let Some(pod) = template.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    for list in ["initContainers", "containers"] {
        for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(container) = container.as_object_mut() else { continue };
            let env = container.entry("env").or_insert_with(|| json!([]));
            if env.is_null() {
                *env = json!([]);
            }
            let Some(env) = env.as_array_mut() else { continue };
            for (_, name, value) in context {
                // What the author wrote himself wins.
                if !env.iter().any(|known| known.get("name").and_then(Value::as_str) == Some(name)) {
                    env.push(json!({"name": name, "value": value}));
                }
            }
        }
    }
}

/// The slot as CronJob's annotation has it: RFC 3339 in the task's zone, to the second.
fn local(slot: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let local = slot.to_zoned(zone);
    if local.offset().is_zero() {
        return slot.to_string();
    }
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("made an object above")
}

fn string_map(metadata: Option<&Value>, key: &str) -> Map<String, Value> {
    metadata
        .and_then(|metadata| metadata.get(key))
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_of_any_length_fits_into_a_label_and_attempts_differ() {
        for length in [1, 46, 47, 48, 52, 63, 253] {
            let task = "x".repeat(length);
            for attempt in [1, 2, 999] {
                assert!(
                    job_name(&task, at("2026-11-23T15:00:00Z"), attempt).len() <= LONGEST,
                    "{length} {attempt}"
                );
            }
        }
        assert_eq!(job_name("backup", at("2026-11-23T15:00:00Z"), 1), "backup-1795446000");
        assert_eq!(job_name("backup", at("2026-11-23T15:00:00Z"), 2), "backup-1795446000-2");
    }

    #[test]
    fn s8_tasks_with_a_common_beginning_never_share_a_name() {
        let long = "a".repeat(60);
        let mut tasks = vec![
            "a".into(),
            "a-1".into(),
            "a-1795446000".into(),
            "a-1795446000-1795446000".into(),
            long.clone(),
        ];
        tasks.extend((0..100).map(|n| format!("{long}-{n}")));
        tasks.extend((30..64).map(|n| "a".repeat(n)));
        tasks.push(short(&format!("{long}-1")));
        tasks.sort();
        tasks.dedup();
        let mut seen = HashSet::new();
        for task in &tasks {
            for slot in ["1970-01-01T00:00:23Z", "2026-11-23T15:00:00Z", "2026-11-23T15:01:00Z"] {
                for attempt in [1, 2, 23] {
                    assert!(seen.insert(job_name(task, at(slot), attempt)), "{task} {slot} {attempt}");
                }
            }
        }
    }
}
