//! The manifest of a run's Job: what CronJob would make from the same template, plus our labels, annotations and run context.

use super::names::run_of;
use super::trace::TraceIds;
use super::{Start, Task};
use crate::api::{self, RunContext, ScheduledTaskSpec, Trigger};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

/// <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>
const TRACEPARENT: &str = "TRACEPARENT";

/// The manifest of an attempt.
///
/// `watermark` is the newest slot whose run succeeded, `previous` the slot before this one: the run's interval begins there. With a
/// `trace`, programs can go on with it.
#[must_use]
pub fn build_job(
    task: &Task,
    spec: &ScheduledTaskSpec,
    run: &Start,
    watermark: Option<Timestamp>,
    previous: Option<Timestamp>,
    trace: Option<TraceIds>,
) -> Value {
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
        let env = context.iter().map(|(_, name, value)| (*name, value.clone()));
        let env: Vec<_> = env.chain(trace.map(|trace| (TRACEPARENT, trace.traceparent()))).collect();
        inject_context(&mut job_spec, &context, &env);
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

/// Annotation, environment variable and value of everything that a run gets to know about itself.
fn context(
    task: &Task,
    run: &Start,
    watermark: Option<Timestamp>,
    previous: Option<Timestamp>,
) -> Vec<(&'static str, &'static str, String)> {
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

fn inject_context(job_spec: &mut Value, context: &[(&'static str, &'static str, String)], env_of_run: &[(&'static str, String)]) {
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
            // Kubernetes expands `$(NAME)` only from variables that stand before: ours come first, so that the author's can use them.
            // The author's own variable of the same name wins.
            let is_set = |name: &str| env.iter().any(|known| known.get("name").and_then(Value::as_str) == Some(name));
            let ours = env_of_run.iter().filter(|(name, _)| !is_set(name));
            let ours: Vec<Value> = ours.map(|(name, value)| json!({"name": name, "value": value})).collect();
            env.splice(0..0, ours);
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
