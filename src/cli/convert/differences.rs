//! Explains how a CronJob behaves differently as a ScheduledTask: the differences that matter to this manifest, a sentence each.
//!
//! docs/cronjob.md has the complete list.

use super::task::zone_in;
use crate::api::{DaylightSaving, Gap, Overlap, ScheduledTaskSpec};
use crate::cli::{clock_changes, manifest};
use jiff::Timestamp;
use serde_json::Value;

/// The differences, most surprising first.
pub fn of(cron_job: &Value, task: &Value, now: Timestamp) -> Vec<String> {
    let spec = &cron_job["spec"];
    let schedule = spec["schedule"].as_str().unwrap_or_default().trim();
    let mut notes = Vec::new();
    if cron_job.pointer("/metadata/uid").is_some_and(Value::is_string) {
        notes.push("delete or suspend the CronJob when you apply this task; otherwise both run".to_owned());
    }
    if let Some((zone, _)) = zone_in(schedule) {
        notes.push(format!("timeZone {zone} was part of the schedule"));
    } else if spec["timeZone"].is_null() && names_a_time(schedule) {
        notes.push("timeZone defaults to UTC; CronJob used the time zone of kube-controller-manager".to_owned());
    }
    notes.extend(clock_change(task, now));
    if schedule.starts_with("@every") {
        notes.push("@every counts from 1970-01-01T00:00Z and keeps its phase across restarts; CronJob counts from its last run".to_owned());
    }
    match spec["concurrencyPolicy"].as_str() {
        Some("Forbid") => notes.push(
            "a slot during an active run is skipped and counted; CronJob may start it late, after that run (to wait instead: concurrencyPolicy: Queue)".to_owned(),
        ),
        Some("Replace") => notes.push("a run starts after the pods of the replaced run have terminated; CronJob starts it immediately".to_owned()),
        _ => {}
    }
    if spec["failedJobsHistoryLimit"].is_null() {
        notes.push("failedJobsHistoryLimit defaults to 3; CronJob keeps 1".to_owned());
    }
    if spec
        .pointer("/jobTemplate/spec/ttlSecondsAfterFinished")
        .is_some_and(Value::is_number)
    {
        notes.push(
            "ttlSecondsAfterFinished is applied by Punctual after the end of the Job is recorded; the Job itself does not have the field"
                .to_owned(),
        );
    }
    notes
}

/// Whether the schedule depends on the zone: it names more than minutes.
fn names_a_time(schedule: &str) -> bool {
    if let Some(word) = schedule.strip_prefix('@') {
        return !word.starts_with("every") && word != "hourly";
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let seconds_and_minutes = fields.len().saturating_sub(4);
    fields
        .iter()
        .skip(seconds_and_minutes)
        .any(|field| !matches!(*field, "*" | "?" | "*/1"))
}

fn clock_change(task: &Value, now: Timestamp) -> Option<String> {
    let fields = ScheduledTaskSpec::read(&task["spec"]).ok()?;
    let changes = clock_changes::next(&fields, &manifest::key(task), now);
    let cron_job = DaylightSaving {
        gap: Gap::Skip,
        overlap: Overlap::Both,
    };
    (!changes.is_empty()).then(|| {
        format!(
            "it runs once when the clocks change; CronJob does not run in spring and runs twice in autumn (to keep that: daylightSaving: {{gap: {:?}, overlap: {:?}}})",
            cron_job.gap, cron_job.overlap
        )
    })
}
