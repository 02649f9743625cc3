//! The API server's words, as little of them as the plan needs.
//!
//! Takes JSON, gives `Task` and `Job`. Never fails for one object: a task that cannot be read is a task that says so.

use crate::api::{self, ScheduledTask, ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use crate::plan::{Exit, Job, JobEnd, Pods, Requests, Spec, Task, job_name};
use crate::schedule::hash;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job as KubeJob;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::Resource;
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A task as the watch brings it: spec and status stay JSON, so that one that does not parse stops nobody else's list.
#[derive(Resource, Clone, Debug, Deserialize)]
#[resource(inherit = "ScheduledTask")]
pub struct RawTask {
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: Value,
    #[serde(default)]
    pub status: Value,
}

/// A Job as the watch brings it: 0.75 KB instead of 24 KB.
#[derive(Resource, Clone, Debug, Deserialize)]
#[resource(inherit = "KubeJob")]
pub struct RawJob {
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    #[serde(default)]
    spec: RawJobSpec,
    #[serde(default)]
    status: Option<RawJobStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct RawJobSpec {
    #[serde(default)]
    suspend: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawJobStatus {
    #[serde(default)]
    conditions: Option<Vec<RawCondition>>,
    #[serde(default)]
    completion_time: Option<Time>,
    #[serde(default)]
    start_time: Option<Time>,
    #[serde(default)]
    ready: Option<i32>,
    #[serde(default)]
    succeeded: Option<i32>,
    #[serde(default)]
    failed: Option<i32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    last_transition_time: Option<Time>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// More than `retryPolicy.limit` allows.
const MOST_ATTEMPTS: i32 = 1000;

/// The annotations that we read, of Jobs and of tasks.
const READ: [&str; 6] = [api::SLOT, api::ATTEMPT, api::TRIGGER, api::RUN_NOW, api::RESUME, api::BACKFILL];

/// The metadata that we read; managed fields and the like are passed over without being built.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    owner_references: Option<Vec<OwnerReference>>,
}

fn slim<'de, D: Deserializer<'de>>(value: D) -> Result<ObjectMeta, D::Error> {
    let meta = SlimMeta::deserialize(value)?;
    let mut annotations = meta.annotations.unwrap_or_default();
    annotations.retain(|name, _| READ.contains(&name.as_str()));
    Ok(ObjectMeta {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        generation: meta.generation,
        creation_timestamp: meta.creation_timestamp,
        deletion_timestamp: meta.deletion_timestamp,
        annotations: (!annotations.is_empty()).then_some(annotations),
        owner_references: meta.owner_references,
        ..ObjectMeta::default()
    })
}

impl RawTask {
    /// The task, decoded. `known` is the same task as it was before: an unchanged spec is not read again.
    #[must_use]
    pub fn into_task(self, known: Option<&Task>) -> Task {
        let meta = self.metadata;
        let uid = meta.uid.unwrap_or_default();
        let generation = meta.generation.unwrap_or_default();
        let (namespace, name) = (meta.namespace.unwrap_or_default(), meta.name.unwrap_or_default());
        let spec = match known {
            Some(known) if known.uid == uid && known.generation == generation => known.spec.clone(),
            _ => ScheduledTaskSpec::read(&self.spec)
                .map(|fields| Arc::new(Spec::new(fields, &format!("{namespace}/{name}"))))
                .map_err(|error| format!("{error}; correct it and apply again")),
        };
        let annotations = meta.annotations.unwrap_or_default();
        // An empty value is how people take one back.
        let request = |name: &str| {
            annotations
                .get(name)
                .filter(|value| !value.trim().is_empty())
                .map(|value| short(value))
        };
        // A status that does not parse was written by somebody else: the ledger begins anew, from now.
        let status: ScheduledTaskStatus = serde_json::from_value(self.status).unwrap_or_default();
        Task {
            requests: Requests {
                run_now: request(api::RUN_NOW),
                resume: request(api::RESUME),
                backfill: request(api::BACKFILL),
            },
            namespace,
            name,
            uid,
            generation,
            resource_version: meta.resource_version.unwrap_or_default(),
            created: meta.creation_timestamp.map_or(Timestamp::UNIX_EPOCH, |at| at.0),
            deleting: meta.deletion_timestamp.is_some(),
            spec,
            status: Arc::new(status),
        }
    }
}

/// The value of a request goes into the status, and an annotation may be as long as 256 KiB: of a long one its beginning and its
/// hash are as good.
fn short(request: &str) -> String {
    match request.char_indices().nth(256) {
        None => request.to_owned(),
        Some(_) => format!("{}… {:016x}", request.chars().take(200).collect::<String>(), hash(request)),
    }
}

impl RawJob {
    /// UID of the task that controls the Job, by owner reference: never by name.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.task().map(|owner| owner.uid.as_str())
    }

    fn task(&self) -> Option<&OwnerReference> {
        let owners = self.metadata.owner_references.as_deref().unwrap_or_default();
        let task = |owner: &&OwnerReference| {
            owner.controller == Some(true) && owner.kind == api::KIND && owner.api_version.starts_with(&format!("{}/", api::GROUP))
        };
        owners.iter().find(task)
    }

    /// What the plan needs to know. Without a slot if its annotations are not what we write: then it is left alone.
    #[must_use]
    pub fn into_job(self) -> Job {
        let annotation = |name: &str| self.metadata.annotations.as_ref().and_then(|all| all.get(name));
        let trigger = annotation(api::TRIGGER).and_then(|word| Trigger::named(word)).unwrap_or_default();
        let attempt = annotation(api::ATTEMPT).map_or(Some(1), |attempt| attempt.parse().ok());
        let attempt = attempt.filter(|attempt| (1..=MOST_ATTEMPTS).contains(attempt));
        let slot: Option<Timestamp> = annotation(api::SLOT).and_then(|slot| slot.parse().ok());
        // Anybody can write annotations, and copy a Job with them; the name of a slot's Job is its own.
        let name = self.metadata.name.as_deref().unwrap_or_default();
        let slot = slot.filter(|slot| {
            let by_name = |task: &OwnerReference| attempt.is_some_and(|attempt| name == job_name(&task.name, *slot, attempt));
            attempt.is_some() && (trigger != Trigger::Schedule || self.task().is_some_and(by_name))
        });
        let created = self.metadata.creation_timestamp.map_or(Timestamp::UNIX_EPOCH, |at| at.0);
        let status = self.status.unwrap_or_default();
        Job {
            name: self.metadata.name.unwrap_or_default(),
            uid: self.metadata.uid.unwrap_or_default(),
            version: self.metadata.resource_version.unwrap_or_default(),
            confirmed: false,
            slot,
            trigger,
            attempt: attempt.unwrap_or(1),
            created,
            began: status.start_time.map(|at| at.0),
            // A Job that is resumed waits on until its controller says otherwise, in the very write that sets startTime.
            suspended: self.spec.suspend == Some(true) || is_true(&status.conditions, "Suspended"),
            ready: [status.ready, status.succeeded, status.failed]
                .iter()
                .any(|pods| pods.is_some_and(|pods| pods > 0)),
            pods: Pods::NotAsked,
            looked: None,
            deleting: self.metadata.deletion_timestamp.map(|at| at.0),
            end: end(status.conditions, status.completion_time, created),
            exit: Exit::NotAsked,
        }
    }
}

fn is_true(conditions: &Option<Vec<RawCondition>>, kind: &str) -> bool {
    let mut all = conditions.iter().flatten();
    all.any(|condition| condition.kind == kind && condition.status == "True")
}

fn end(conditions: Option<Vec<RawCondition>>, completed: Option<Time>, created: Timestamp) -> Option<JobEnd> {
    let conditions = conditions.unwrap_or_default();
    let ended = |condition: &RawCondition| matches!(condition.kind.as_str(), "Complete" | "Failed") && condition.status == "True";
    let condition = conditions.into_iter().find(ended)?;
    let at = completed.or(condition.last_transition_time).map_or(created, |at| at.0);
    Some(JobEnd {
        succeeded: condition.kind == "Complete",
        at,
        reason: condition.reason.unwrap_or_default(),
        message: condition.message.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Slot and attempt of a Job of the task `t`, as they are believed.
    fn read(name: &str, annotations: &Value) -> (Option<String>, i32) {
        let owner =
            json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]);
        let metadata = json!({"name": name, "uid": "job", "annotations": annotations, "ownerReferences": owner});
        let raw: RawJob = serde_json::from_value(json!({"metadata": metadata})).unwrap();
        let job = raw.into_job();
        (job.slot.map(|slot| slot.to_string()), job.attempt)
    }

    #[test]
    fn s3_annotations_are_believed_only_of_the_job_that_has_the_name_of_its_slot() {
        let slot = "2027-01-01T10:01:00Z";
        let believed = |attempt| (Some(slot.to_owned()), attempt);
        assert_eq!(read("t-1798797660", &json!({"punctual.dev/slot": slot})), believed(1));
        assert_eq!(
            read("t-1798797660-2", &json!({"punctual.dev/slot": slot, "punctual.dev/attempt": "2"})),
            believed(2)
        );
        for (name, annotations) in [
            ("by-hand", json!({"punctual.dev/slot": slot})),
            ("t-1798797660", json!({"punctual.dev/slot": "9999-01-01T00:00:00Z"})),
            (
                "t-1798797660",
                json!({"punctual.dev/slot": slot, "punctual.dev/attempt": "2147483647"}),
            ),
            ("t-1798797660", json!({"punctual.dev/slot": slot, "punctual.dev/attempt": "0"})),
            ("t-1798797660", json!({"punctual.dev/slot": slot, "punctual.dev/attempt": "many"})),
            (
                "t-m12",
                json!({"punctual.dev/slot": slot, "punctual.dev/trigger": "Manual", "punctual.dev/attempt": "2147483647"}),
            ),
        ] {
            assert_eq!(read(name, &annotations), (None, 1), "{name} {annotations}");
        }
        let manual = json!({"punctual.dev/slot": slot, "punctual.dev/trigger": "Manual"});
        assert_eq!(read("t-m12", &manual), believed(1));
    }
}
