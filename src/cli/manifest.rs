//! A document that may be a task: its kind, its names, and its spec, unless admission or the controller would refuse it.
//!
//! Takes JSON, gives a spec with its schedule, or every reason against it. Never reads a file: that is `stream`.

use crate::api::{self, Refusals, ScheduledTaskSpec};
use crate::plan::Spec;
use crate::schedule::Schedule;
use anyhow::{Result, bail};
use serde_json::Value;

/// What a document is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    CronJob,
    /// Something else that Kubernetes knows, or may know.
    Other,
}

/// The fields of a CronJob's spec.
const CRON_JOB: [&str; 8] = [
    "schedule",
    "timeZone",
    "startingDeadlineSeconds",
    "concurrencyPolicy",
    "suspend",
    "jobTemplate",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
];

/// What kind of document this is.
///
/// # Errors
/// When it is no object of Kubernetes, or of a version that is not known.
pub fn kind(manifest: &Value) -> Result<Kind> {
    if !manifest.is_object() {
        bail!("expected a ScheduledTask or a CronJob, and this is no object");
    }
    let text = |field: &str| manifest.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        (_, "") => bail!("kind is missing: expected ScheduledTask or CronJob"),
        ("", _) => bail!("apiVersion is missing: expected {}/{} or batch/v1", api::GROUP, api::VERSION),
        (version, api::KIND) if version == format!("{}/{}", api::GROUP, api::VERSION) => Ok(Kind::Task),
        ("batch/v1" | "batch/v1beta1", "CronJob") => Ok(Kind::CronJob),
        (version, kind @ (api::KIND | "CronJob")) => bail!("no matches for kind {kind:?} in version {version:?}"),
        _ => Ok(Kind::Other),
    }
}

/// The name in the metadata.
pub fn name(manifest: &Value) -> Option<&str> {
    manifest.pointer("/metadata/name")?.as_str().filter(|name| !name.is_empty())
}

/// The key of a task, which `H` and jitter are hashed from.
pub fn key(manifest: &Value) -> String {
    let namespace = manifest.pointer("/metadata/namespace").and_then(Value::as_str);
    let namespace = namespace.filter(|namespace| !namespace.is_empty()).unwrap_or("default");
    format!("{namespace}/{}", name(manifest).unwrap_or_default())
}

/// The fields of a CronJob that CronJob does not have.
pub fn not_of_a_cron_job(manifest: &Value) -> Vec<String> {
    let fields = manifest["spec"].as_object().into_iter().flat_map(|fields| fields.keys());
    let own = fields.filter(|name| !CRON_JOB.contains(&name.as_str()));
    let mut unknown = Refusals::default();
    unknown.extend(own.map(|name| format!("unknown field \"spec.{name}\"")));
    unknown.into()
}

/// The spec of a manifest.
///
/// # Errors
/// All that admission has against it; if that is nothing, what the controller has.
pub fn spec(manifest: &Value) -> Result<ScheduledTaskSpec, Vec<String>> {
    let refusals = api::refusals(manifest);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let fields = ScheduledTaskSpec::read(manifest.get("spec").unwrap_or(&Value::Null)).map_err(|error| vec![error])?;
    match fields.job_template.too_large() {
        Some(refusal) => Err(vec![refusal]),
        None => Ok(fields),
    }
}

/// The spec with its schedule. `task` is the task's key.
///
/// # Errors
/// What is wrong with the schedule, in one sentence.
pub fn planned(fields: ScheduledTaskSpec, task: &str) -> Result<(Spec, Schedule), String> {
    let spec = Spec::new(fields, task);
    let schedule = spec.schedule.clone().map_err(|error| error.to_string())?;
    Ok((spec, schedule))
}
