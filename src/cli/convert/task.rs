//! Converts a CronJob into the ScheduledTask with the same meaning.

use crate::api;
use serde_json::{Value, json};

/// The fields of metadata that the API server sets.
const SERVER_FIELDS: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// The annotation of client-side `kubectl apply`.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The `ScheduledTask` that a CronJob becomes.
pub fn task(cron_job: &Value) -> Value {
    let mut task = cron_job.clone();
    if let Some(fields) = task.as_object_mut() {
        fields.insert("apiVersion".into(), json!(format!("{}/{}", api::GROUP, api::VERSION)));
        fields.insert("kind".into(), json!(api::KIND));
        fields.remove("status");
    }
    if let Some(metadata) = task.get_mut("metadata").and_then(Value::as_object_mut) {
        SERVER_FIELDS.iter().for_each(|field| drop(metadata.remove(*field)));
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        if annotations.is_some_and(|annotations| annotations.remove(LAST_APPLIED).is_some() && annotations.is_empty()) {
            metadata.remove("annotations");
        }
    }
    // `kubectl create --dry-run` writes it, and it has no meaning.
    for path in ["/spec/jobTemplate/metadata", "/spec/jobTemplate/spec/template/metadata"] {
        if let Some(metadata) = task.pointer_mut(path).and_then(Value::as_object_mut)
            && metadata.get("creationTimestamp").is_some_and(Value::is_null)
        {
            metadata.remove("creationTimestamp");
        }
    }
    move_zone(&mut task);
    task
}

/// Moves the zone out of a schedule such as `TZ=Europe/Paris 0 3 * * *`, which older clusters accepted.
fn move_zone(task: &mut Value) -> Option<()> {
    let spec = task.get_mut("spec")?.as_object_mut()?;
    if spec.get("timeZone").is_some_and(|zone| !zone.is_null()) {
        return None;
    }
    let (zone, rest) = zone_in(spec.get("schedule")?.as_str()?)?;
    let (zone, rest) = (json!(zone), json!(rest));
    spec.insert("timeZone".into(), zone);
    spec.insert("schedule".into(), rest);
    Some(())
}

/// The zone in a schedule, and the schedule without it.
pub fn zone_in(schedule: &str) -> Option<(&str, &str)> {
    let schedule = schedule.trim();
    let named = schedule.strip_prefix("CRON_TZ=").or_else(|| schedule.strip_prefix("TZ="))?;
    named.split_once(char::is_whitespace).map(|(zone, rest)| (zone, rest.trim()))
}
