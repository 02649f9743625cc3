//! What is different about one task, once it is no CronJob any more. docs/cronjob.md has the whole list; here stands what matters for
//! this manifest.
//!
//! Takes the CronJob and the task that it becomes, gives sentences. Never changes either.

use super::zone_in;
use crate::api::{DaylightSaving, Gap, Overlap, ScheduledTaskSpec};
use crate::cli::{daylight, manifest};
use jiff::Timestamp;
use serde_json::Value;

/// The differences, the most surprising first.
pub fn of(cron_job: &Value, task: &Value, now: Timestamp) -> Vec<String> {
    let spec = &cron_job["spec"];
    let schedule = spec["schedule"].as_str().unwrap_or_default().trim();
    let mut notes = Vec::new();
    if cron_job.pointer("/metadata/uid").is_some_and(Value::is_string) {
        notes.push("delete or suspend the CronJob when you apply this task, or both will run".to_owned());
    }
    if let Some((zone, _)) = zone_in(schedule) {
        notes.push(format!("timeZone {zone} stood in the schedule"));
    } else if spec["timeZone"].is_null() && names_a_time(schedule) {
        notes.push("timeZone is UTC unless it is set; CronJob read the schedule in the zone of its control plane".to_owned());
    }
    notes.extend(nights(task, now));
    if schedule.starts_with("@every") {
        notes.push("@every counts from 1970-01-01T00:00Z, so that restarts keep its phase; CronJob counts from its last run".to_owned());
    }
    match spec["concurrencyPolicy"].as_str() {
        Some("Forbid") => notes.push(
            "a slot that comes while a run goes on is skipped, and counted; CronJob may start it late, when that run ends (concurrencyPolicy: Queue lets it wait)".to_owned(),
        ),
        Some("Replace") => notes.push("a run starts when the pods of the one that it replaces are gone; CronJob starts it at once".to_owned()),
        _ => {}
    }
    if spec["failedJobsHistoryLimit"].is_null() {
        notes.push("failedJobsHistoryLimit is 3 unless it is set; CronJob keeps 1".to_owned());
    }
    if spec
        .pointer("/jobTemplate/spec/ttlSecondsAfterFinished")
        .is_some_and(Value::is_number)
    {
        notes.push(
            "ttlSecondsAfterFinished is kept by Punctual, after the end of the Job is written down; the Job itself has no such field"
                .to_owned(),
        );
    }
    notes
}

/// Whether it matters in which zone the schedule is read: more than minutes are named.
fn names_a_time(schedule: &str) -> bool {
    if let Some(word) = schedule.strip_prefix('@') {
        return !word.starts_with("every") && word != "hourly";
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let of_the_hour = fields.len().saturating_sub(4);
    fields.iter().skip(of_the_hour).any(|field| !matches!(*field, "*" | "?" | "*/1"))
}

fn nights(task: &Value, now: Timestamp) -> Option<String> {
    let fields = ScheduledTaskSpec::read(&task["spec"]).ok()?;
    let concerned = daylight::nights(&fields, &manifest::key(task), now);
    let cron_job = DaylightSaving {
        gap: Gap::Skip,
        overlap: Overlap::Both,
    };
    (!concerned.is_empty()).then(|| {
        format!(
            "it runs once on the nights when clocks change; CronJob did not run in spring and ran twice in autumn (daylightSaving: {{gap: {:?}, overlap: {:?}}})",
            cron_job.gap, cron_job.overlap
        )
    })
}
