//! Reads a document as a task: its kind, its name, and its validated spec and schedule.

use super::admission::{self, ErrorList};
use crate::api::{self, ScheduledTaskSpec};
use crate::plan::Spec;
use crate::schedule::Schedule;
use anyhow::{Result, bail};
use serde_json::Value;

/// The kind of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    CronJob,
    /// Another kind of object.
    Other,
}

/// The fields of a CronJob's spec.
const CRON_JOB_FIELDS: [&str; 8] = [
    "schedule",
    "timeZone",
    "startingDeadlineSeconds",
    "concurrencyPolicy",
    "suspend",
    "jobTemplate",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
];

/// The kind of a document.
///
/// # Errors
/// When it is not a Kubernetes object, or has an unknown version of a kind that is supported.
pub fn kind(manifest: &Value) -> Result<Kind> {
    if !manifest.is_object() {
        bail!("expected a ScheduledTask or a CronJob, but the document is not an object");
    }
    let text = |field: &str| manifest.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        (_, "") => bail!("kind is missing: expected ScheduledTask or CronJob{}", other_case(manifest, "kind")),
        ("", _) => bail!(
            "apiVersion is missing: expected {}/{} or batch/v1{}",
            api::GROUP,
            api::VERSION,
            other_case(manifest, "apiVersion")
        ),
        (version, api::KIND) if version == format!("{}/{}", api::GROUP, api::VERSION) => Ok(Kind::Task),
        ("batch/v1" | "batch/v1beta1", "CronJob") => Ok(Kind::CronJob),
        (version, kind) if is_meant(version, kind) => bail!(
            "no matches for kind {kind:?} in version {version:?}: expected ScheduledTask in {}/{}, or CronJob in batch/v1",
            api::GROUP,
            api::VERSION
        ),
        _ => Ok(Kind::Other),
    }
}

/// Whether an unknown kind can only be one of ours that is written in another way.
fn is_meant(version: &str, kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_suffix('s').unwrap_or(&kind);
    kind == "scheduledtask" || kind == "cronjob" || version.starts_with(&format!("{}/", api::GROUP))
}

/// A hint if the field is there in another case.
fn other_case(manifest: &Value, field: &str) -> String {
    let names = manifest.as_object().into_iter().flat_map(|fields| fields.keys());
    let found = names.into_iter().find(|name| name.eq_ignore_ascii_case(field) && *name != field);
    found
        .map(|name| format!(" (the field {name:?} is written {field:?})"))
        .unwrap_or_default()
}

/// The name in the metadata.
pub fn name(manifest: &Value) -> Option<&str> {
    manifest.pointer("/metadata/name")?.as_str().filter(|name| !name.is_empty())
}

/// The key of a task, namespace/name, from which `H` and jitter are hashed.
pub fn key(manifest: &Value) -> String {
    let namespace = manifest.pointer("/metadata/namespace").and_then(Value::as_str);
    let namespace = namespace.filter(|namespace| !namespace.is_empty()).unwrap_or("default");
    format!("{namespace}/{}", name(manifest).unwrap_or_default())
}

/// Errors for the fields in a CronJob's spec that only ScheduledTask has. Admission reports those that neither has.
pub fn unknown_cron_job_fields(manifest: &Value) -> Vec<String> {
    let fields = manifest["spec"].as_object().into_iter().flat_map(|fields| fields.keys());
    let unknown = fields.filter(|name| !CRON_JOB_FIELDS.contains(&name.as_str()) && admission::is_spec_field(name));
    let mut errors = ErrorList::default();
    errors.extend(unknown.map(|name| format!("unknown field \"spec.{name}\"")));
    errors.into()
}

/// The spec of a manifest.
///
/// # Errors
/// All errors of admission; if there are none, the error of the controller.
pub fn spec(manifest: &Value) -> Result<ScheduledTaskSpec, Vec<String>> {
    let errors = admission::validate(manifest);
    if !errors.is_empty() {
        return Err(errors);
    }
    let fields = ScheduledTaskSpec::read(manifest.get("spec").unwrap_or(&Value::Null)).map_err(|error| vec![error])?;
    match fields.job_template.too_large() {
        Some(error) => Err(vec![error]),
        None => Ok(fields),
    }
}

/// The spec with its parsed schedule. `task` is the key of the task.
///
/// # Errors
/// What is wrong with the schedule, in one sentence.
pub fn scheduled(fields: ScheduledTaskSpec, task: &str) -> Result<(Spec, Schedule), String> {
    let spec = Spec::new(fields, task);
    let schedule = spec.schedule.clone().map_err(|error| error.to_string())?;
    Ok((spec, schedule))
}
