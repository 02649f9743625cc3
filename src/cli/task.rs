//! A task of the cluster as people look at it: its state in a word, its last run, its next.
//!
//! Takes the object, as raw as the API server has it, gives answers. A field that cannot be read is one that is not there. Never reads
//! the clock.

use super::manifest;
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus, condition};
use crate::plan;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Reasons of `Ready=False` for which nothing will ever be taken in until the spec is mended.
const SPEC_IS_WRONG: [&str; 6] = [
    "InvalidSpec",
    "InvalidSchedule",
    "UnknownTimeZone",
    "NeverRuns",
    "TooComplex",
    "TooLarge",
];

/// A task, read as far as it can be.
#[derive(Clone, Debug)]
pub struct Task {
    pub name: String,
    pub namespace: String,
    pub object: Value,
    pub fields: Option<ScheduledTaskSpec>,
    /// `None` while no operator has written one.
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

    /// The key that `H` and jitter are hashed from.
    pub fn key(&self) -> String {
        manifest::key(&self.object)
    }

    /// The schedule as it is written, also where the rest of the spec cannot be read.
    pub fn schedule(&self) -> String {
        match &self.fields {
            Some(fields) => fields.schedule_text(),
            None => self.text("/spec/schedule").unwrap_or_default().trim().to_owned(),
        }
    }

    /// The zone as it is written.
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

    /// What stands at this place of the object, if it is text.
    fn text(&self, path: &str) -> Option<&str> {
        self.object.pointer(path)?.as_str()
    }

    /// Reason and message of a condition that has this truth.
    fn condition(&self, kind: &str, truth: &str) -> Option<(&str, &str)> {
        let known = self.status.as_ref()?.condition(kind)?;
        (known.status == truth).then_some((known.reason.as_str(), known.message.as_str()))
    }

    /// Why it is not ready.
    pub fn not_ready(&self) -> Option<(&str, &str)> {
        self.condition(condition::READY, "False")
    }

    /// Why it will take nothing in, if its spec is wrong.
    pub fn refusal(&self) -> Option<(&str, &str)> {
        self.not_ready().filter(|(reason, _)| SPEC_IS_WRONG.contains(reason))
    }

    /// Why it is suspended.
    pub fn suspended(&self) -> Option<(&str, &str)> {
        self.condition(condition::SUSPENDED, "True")
    }

    /// The state in a word: what a person should know first.
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
        for (kind, truth, word) in [(condition::OVERDUE, "True", "Overdue"), (condition::HEALTHY, "False", "Failing")] {
            if self.condition(kind, truth).is_some() {
                return word.into();
            }
        }
        "Ready".into()
    }

    /// What became of the newest slot.
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

    /// When the next run starts; not from `status.nextRuns`, which follows only when something else changes.
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

    /// A task with these fields of spec and status laid over one that works.
    pub fn task(name: &str, spec: Value, status: Value) -> Task {
        let mut fields = json!({"schedule": "30 2 * * *", "timeZone": "Europe/Paris", "jobTemplate": {}});
        for (name, value) in spec.as_object().unwrap() {
            fields[name.as_str()] = value.clone();
        }
        Task::of(json!({"metadata": {"name": name, "namespace": "team"}, "spec": fields, "status": status}))
    }

    pub fn condition(kind: &str, truth: &str, reason: &str) -> Value {
        json!({"type": kind, "status": truth, "reason": reason, "message": format!("{reason} it is"), "lastTransitionTime": "2026-11-23T00:00:00Z"})
    }

    #[test]
    fn the_state_is_the_first_thing_that_a_person_should_know() {
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
    fn the_next_run_comes_from_the_schedule_and_not_from_an_old_status() {
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
