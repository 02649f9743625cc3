//! A task of the cluster as the commands show it: its state in a word, its last and its next run.
//!
//! The object is untyped: a field that cannot be read counts as absent, so that one invalid task does not break a list.

use super::manifest;
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus, condition};
use crate::plan;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Reasons of `Ready=False` that mean that the spec is invalid, so that no request is accepted.
const INVALID_SPEC: [&str; 6] = [
    "InvalidSpec",
    "InvalidSchedule",
    "UnknownTimeZone",
    "NeverRuns",
    "TooComplex",
    "TooLarge",
];

/// A task, as far as it can be read.
#[derive(Clone, Debug)]
pub struct Task {
    pub name: String,
    pub namespace: String,
    pub object: Value,
    pub fields: Option<ScheduledTaskSpec>,
    /// `None` until an operator has processed the task.
    pub status: Option<ScheduledTaskStatus>,
}

impl Task {
    pub fn of(object: Value) -> Self {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let status = object.get("status").filter(|status| !status.is_null());
        Self {
            name: text("/metadata/name"),
            namespace: text("/metadata/namespace"),
            fields: object.get("spec").and_then(|spec| ScheduledTaskSpec::read(spec).ok()),
            status: status.and_then(|status| ScheduledTaskStatus::deserialize(status).ok()),
            object,
        }
    }

    /// The key from which `H` and jitter are hashed.
    pub fn key(&self) -> String {
        manifest::key(&self.object)
    }

    /// The schedule as written, even if the rest of the spec cannot be read.
    pub fn schedule(&self) -> String {
        match &self.fields {
            Some(fields) => fields.schedule_text(),
            None => self.text("/spec/schedule").unwrap_or_default().trim().to_owned(),
        }
    }

    /// The time zone as written.
    pub fn zone(&self) -> &str {
        match &self.fields {
            Some(fields) => fields.zone(),
            None => self.text("/spec/timeZone").unwrap_or_default(),
        }
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.object.pointer("/metadata/annotations")?.get(name)?.as_str()
    }

    /// The string at a path of the object.
    fn text(&self, path: &str) -> Option<&str> {
        self.object.pointer(path)?.as_str()
    }

    /// Reason and message of a condition, if it has this status.
    fn condition(&self, kind: &str, status: &str) -> Option<(&str, &str)> {
        let known = self.status.as_ref()?.condition(kind)?;
        (known.status == status).then_some((known.reason.as_str(), known.message.as_str()))
    }

    /// Reason and message if the task is not ready.
    pub fn not_ready(&self) -> Option<(&str, &str)> {
        self.condition(condition::READY, "False")
    }

    /// Reason and message if the spec is invalid.
    pub fn invalid_spec(&self) -> Option<(&str, &str)> {
        self.not_ready().filter(|(reason, _)| INVALID_SPEC.contains(reason))
    }

    /// Reason and message if the task is suspended.
    pub fn suspended(&self) -> Option<(&str, &str)> {
        self.condition(condition::SUSPENDED, "True")
    }

    /// The state in a word: what is most important to know.
    pub fn state(&self) -> String {
        if self.text("/metadata/deletionTimestamp").is_some() {
            return "Terminating".into();
        }
        if self.status.is_none() {
            return "Pending".into();
        }
        if let Some((reason, _)) = self.not_ready() {
            return format!("NotReady({reason})");
        }
        if self.fields.as_ref().is_some_and(|fields| fields.suspend) {
            return "Suspended".into();
        }
        match self.suspended() {
            Some(("Suspended", _)) | None => {}
            Some((reason, _)) => return format!("Suspended({reason})"),
        }
        if self
            .condition(condition::READY, "True")
            .is_some_and(|(reason, _)| reason == "Ended")
        {
            return "Ended".into();
        }
        for (kind, status, word) in [(condition::OVERDUE, "True", "Overdue"), (condition::HEALTHY, "False", "Failing")] {
            if self.condition(kind, status).is_some() {
                return word.into();
            }
        }
        "Ready".into()
    }

    /// The outcome of the newest slot.
    pub fn last_result(&self) -> Option<&str> {
        let newest = self.status.as_ref()?.recent_runs.first()?;
        Some(&newest.outcome)
    }

    /// When a run last started.
    pub fn last_run(&self) -> Option<Timestamp> {
        let status = self.status.as_ref()?;
        let active = status.active.iter().filter_map(|run| run.started.as_ref());
        let recent = status.recent_runs.iter().filter_map(|run| run.started.as_ref());
        let newest = active.chain(recent).map(|time| time.0).max();
        newest.max(status.last_schedule_time.as_ref().map(|time| time.0))
    }

    /// When the next run starts, computed from the schedule: `status.nextRuns` is updated only when something else changes.
    pub fn next_run(&self, now: Timestamp) -> Option<Timestamp> {
        let fields = self
            .fields
            .as_ref()
            .filter(|fields| !fields.suspend && self.suspended().is_none())?;
        let schedule = plan::schedule_of(&fields.observed_schedule(), &self.key()).ok()?;
        let mut starts = schedule.slots(schedule.started_by(now)).map(|slot| schedule.starts_at(slot));
        starts.find(|start| *start > now)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    /// A valid task with these fields of spec and status changed.
    pub fn task(name: &str, spec: Value, status: Value) -> Task {
        let mut fields = json!({"schedule": "30 2 * * *", "timeZone": "Europe/Paris", "jobTemplate": {}});
        for (name, value) in spec.as_object().unwrap() {
            fields[name.as_str()] = value.clone();
        }
        Task::of(json!({"metadata": {"name": name, "namespace": "team"}, "spec": fields, "status": status}))
    }

    pub fn condition(kind: &str, status: &str, reason: &str) -> Value {
        json!({"type": kind, "status": status, "reason": reason, "message": format!("{reason} it is"), "lastTransitionTime": "2026-11-23T00:00:00Z"})
    }

    #[test]
    fn the_state_is_the_most_important_condition() {
        let ready = condition("Ready", "True", "Accepted");
        let failing = condition("Healthy", "False", "JobFailed");
        let overdue = condition("Overdue", "True", "StartedLate");
        let paused = condition("Suspended", "True", "TooManyFailures");
        for (spec, status, state) in [
            (json!({}), json!(null), "Pending"),
            (json!({}), json!({"conditions": [ready]}), "Ready"),
            (json!({}), json!({"conditions": [ready, failing]}), "Failing"),
            (json!({}), json!({"conditions": [ready, failing, overdue]}), "Overdue"),
            (
                json!({}),
                json!({"conditions": [ready, failing, paused]}),
                "Suspended(TooManyFailures)",
            ),
            (json!({"suspend": true}), json!({"conditions": [ready, failing]}), "Suspended"),
            (json!({}), json!({"conditions": [condition("Ready", "True", "Ended")]}), "Ended"),
            (
                json!({"suspend": true}),
                json!({"conditions": [condition("Ready", "False", "JobRefused")]}),
                "NotReady(JobRefused)",
            ),
        ] {
            assert_eq!(task("x", spec, status.clone()).state(), state, "{status}");
        }
        let mut deleted = task("x", json!({}), json!({})).object;
        deleted["metadata"]["deletionTimestamp"] = json!("2026-11-23T00:00:00Z");
        assert_eq!(Task::of(deleted).state(), "Terminating");
    }

    #[test]
    fn the_next_run_comes_from_the_schedule() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let status = json!({"nextRuns": ["2026-11-20T01:30:00Z"]});
        let next = |spec: Value, status: &Value| task("x", spec, status.clone()).next_run(now).map(|at| at.to_string());
        assert_eq!(next(json!({}), &status).as_deref(), Some("2026-11-24T01:30:00Z"));
        assert_eq!(next(json!({"suspend": true}), &status), None);
        assert_eq!(next(json!({"schedule": 5}), &status), None);
        let paused = json!({"conditions": [condition("Suspended", "True", "TooManyFailures")]});
        assert_eq!(next(json!({}), &paused), None);
    }
}
