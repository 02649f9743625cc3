//! A task of the cluster as the commands show it: its state in a word, its last and its next run.
//!
//! The object is untyped: a field that cannot be read counts as absent, so that one invalid task does not break a list.

use super::manifest;
use crate::api::{NOT_OBSERVED, ScheduledTaskSpec, ScheduledTaskStatus, condition};
use crate::plan;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Reasons of `Ready=False` with which no request is accepted, because the template cannot be read. A run that is requested needs no
/// schedule: it starts although the schedule or the zone is wrong.
const UNUSABLE_SPEC: [&str; 2] = ["InvalidSpec", "TooLarge"];
/// How long after a slot an operator that works has said something about it.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

/// What to say about a task that no operator has processed.
pub const NOT_PROCESSED: &str = "no operator has processed this task: check that Punctual is running and watches this namespace (docs/install.md#no-operator-processes-a-task)";

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
        // The API server fills in the status of a new task.
        let is_new = |status: &Value| status.is_null() || status["observedGeneration"] == NOT_OBSERVED;
        let status = object.get("status").filter(|status| !is_new(status));
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

    /// Reason and message if the spec cannot be used at all.
    pub fn unusable_spec(&self) -> Option<(&str, &str)> {
        self.not_ready().filter(|(reason, _)| UNUSABLE_SPEC.contains(reason))
    }

    /// Whether `suspendAfterFailures` has suspended the task, which the condition does not show beside `spec.suspend`.
    pub fn is_suspended_by_failures(&self) -> bool {
        if self.suspended().is_some_and(|(reason, _)| reason == "TooManyFailures") {
            return true;
        }
        let limit = self.fields.as_ref().and_then(|fields| fields.suspend_after_failures);
        let counted = self
            .status
            .as_ref()
            .map(|status| status.consecutive_failures - status.forgiven_failures);
        limit.zip(counted).is_some_and(|(limit, counted)| counted >= i64::from(limit))
    }

    /// Whether an operator has looked at the task.
    pub fn is_processed(&self) -> bool {
        self.status
            .as_ref()
            .is_some_and(|status| status.condition(condition::READY).is_some())
    }

    /// A start that was announced and has passed without a word: no operator works on this task.
    pub fn ignored_start(&self, now: Timestamp) -> Option<Timestamp> {
        let status = self.status.as_ref().filter(|_| self.suspended().is_none())?;
        self.condition(condition::READY, "True")?;
        let start: Timestamp = status.next_runs.first()?.parse().ok()?;
        let overdue_at = start.checked_add(SLACK).ok()?;
        let is_suspended = self.fields.as_ref().is_some_and(|fields| fields.suspend);
        (overdue_at < now && !is_suspended).then_some(start)
    }

    /// Reason and message if the task is suspended.
    pub fn suspended(&self) -> Option<(&str, &str)> {
        self.condition(condition::SUSPENDED, "True")
    }

    /// The state in a word: what is most important to know.
    pub fn state(&self, now: Timestamp) -> String {
        if self.text("/metadata/deletionTimestamp").is_some() {
            return "Terminating".into();
        }
        if !self.is_processed() {
            return "NotProcessed".into();
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
        if self.ignored_start(now).is_some() {
            return "Overdue".into();
        }
        for (kind, status, word) in [(condition::OVERDUE, "True", "Overdue"), (condition::HEALTHY, "False", "Failing")] {
            if self.condition(kind, status).is_some() {
                return word.into();
            }
        }
        match self.condition(condition::READY, "True") {
            Some(_) => "Ready".into(),
            None => "Unknown".into(),
        }
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
        let known = [&status.last_start_time, &status.last_schedule_time];
        known.into_iter().flatten().map(|time| time.0).chain(newest).max()
    }

    /// The Job of the newest run.
    pub fn last_job(&self) -> Option<&str> {
        let status = self.status.as_ref()?;
        let active = status.active.iter().filter(|run| run.uid.is_some());
        let active = active.map(|run| (run.started.as_ref(), Some(run.job.as_str())));
        let recent = status.recent_runs.iter().map(|run| (run.started.as_ref(), run.job.as_deref()));
        let started = active.chain(recent).filter_map(|(started, job)| Some((started?.0, job?)));
        started.max_by_key(|(started, _)| *started).map(|(_, job)| job)
    }

    /// When the next run starts, if an operator has processed the task. Computed from the schedule: `status.nextRuns` is updated only when something else changes.
    pub fn next_run(&self, now: Timestamp) -> Option<Timestamp> {
        let fields = self
            .fields
            .as_ref()
            .filter(|fields| !fields.suspend && self.suspended().is_none() && self.is_processed())?;
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
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let ready = condition("Ready", "True", "Accepted");
        let failing = condition("Healthy", "False", "JobFailed");
        let overdue = condition("Overdue", "True", "StartedLate");
        let paused = condition("Suspended", "True", "TooManyFailures");
        for (spec, status, state) in [
            (json!({}), json!(null), "NotProcessed"),
            (json!({}), json!({"observedGeneration": -1}), "NotProcessed"),
            (json!({}), json!({}), "NotProcessed"),
            (
                json!({}),
                json!({"conditions": [condition("Ready", "Unknown", "Waiting")]}),
                "Unknown",
            ),
            (
                json!({}),
                json!({"conditions": [ready], "nextRuns": ["2026-11-23T11:55:00Z"]}),
                "Overdue",
            ),
            (
                json!({}),
                json!({"conditions": [ready], "nextRuns": ["2026-11-23T11:59:00Z"]}),
                "Ready",
            ),
            (
                json!({"suspend": true}),
                json!({"conditions": [ready], "nextRuns": ["2026-11-23T11:55:00Z"]}),
                "Suspended",
            ),
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
            assert_eq!(task("x", spec, status.clone()).state(now), state, "{status}");
        }
        let mut deleted = task("x", json!({}), json!({})).object;
        deleted["metadata"]["deletionTimestamp"] = json!("2026-11-23T00:00:00Z");
        assert_eq!(Task::of(deleted).state(now), "Terminating");
    }

    #[test]
    fn the_next_run_comes_from_the_schedule() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let ready = condition("Ready", "True", "Accepted");
        let status = json!({"nextRuns": ["2026-11-20T01:30:00Z"], "conditions": [ready]});
        let next = |spec: Value, status: &Value| task("x", spec, status.clone()).next_run(now).map(|at| at.to_string());
        assert_eq!(next(json!({}), &status).as_deref(), Some("2026-11-24T01:30:00Z"));
        assert_eq!(next(json!({"suspend": true}), &status), None);
        assert_eq!(next(json!({"schedule": 5}), &status), None);
        let paused = json!({"conditions": [ready, condition("Suspended", "True", "TooManyFailures")]});
        assert_eq!(next(json!({}), &paused), None);
        // Nobody will start it.
        assert_eq!(next(json!({}), &json!(null)), None);
    }
}
