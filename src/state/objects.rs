//! Objects as the API server sends them, and as little of them as the plan needs.
//!
//! JSON goes in, `Task` and `Job` come out. Nothing is held as a tree, and nothing is longer than its budget (docs/limits.md).
//! Never fails for one object: a task that cannot be read is a task that says so.

use crate::api::{self, JobTemplate, ScheduledTask, ScheduledTaskSpec, ScheduledTaskStatus, Trigger, printable};
use crate::plan::{Because, Exit, Job, JobEnd, Pods, Requests, Spec, Task, Unusable, has_the_form, short};
use crate::schedule::hash;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job as KubeJob;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference, Time};
use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A spec whose JSON is longer is not even read: its template alone would be too long.
const LONGEST_SPEC: usize = 2 * JobTemplate::LONGEST;
/// No operator writes a longer status: see `plan::ledger`, which bounds it.
const LONGEST_STATUS: usize = 768 * 1024;

/// JSON as text, in its shortest form.
#[derive(Clone, Debug)]
pub struct Json(String);

impl Default for Json {
    fn default() -> Self {
        Self("null".into())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = serde_json::to_string(&serde_transcode::Transcoder::new(deserializer));
        text.map(Self).map_err(D::Error::custom)
    }
}

/// A task as the watch brings it: spec and status stay JSON, so that one that does not parse stops nobody else's list.
#[derive(Resource, Clone, Debug, Deserialize)]
#[resource(inherit = "ScheduledTask")]
pub struct RawTask {
    #[serde(deserialize_with = "slim")]
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: Json,
    #[serde(default)]
    pub status: Json,
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

/// The annotations that we read, of Jobs and of tasks.
const READ: [&str; 8] = [
    api::SLOT,
    api::ATTEMPT,
    api::TRIGGER,
    api::MARK,
    api::RUN_NOW,
    api::RESUME,
    api::BACKFILL,
    api::RESET_LEDGER,
];

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
    #[serde(default)]
    managed_fields: Option<Vec<Manager>>,
}

/// Who wrote fields; which ones they are is passed over.
#[derive(Deserialize)]
struct Manager {
    #[serde(default)]
    manager: Option<String>,
}

fn slim<'de, D: Deserializer<'de>>(value: D) -> Result<ObjectMeta, D::Error> {
    let meta = SlimMeta::deserialize(value)?;
    let mut annotations = meta.annotations.unwrap_or_default();
    annotations.retain(|name, _| READ.contains(&name.as_str()));
    let first = meta.managed_fields.into_iter().flatten().find_map(|entry| entry.manager);
    let first = first.map(|manager| ManagedFieldsEntry {
        manager: Some(manager),
        ..ManagedFieldsEntry::default()
    });
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
        managed_fields: first.map(|first| vec![first]),
        ..ObjectMeta::default()
    })
}

impl RawTask {
    /// The task, decoded. `known` is the same task as it was before: an unchanged spec is not read again.
    #[must_use]
    pub fn to_task(&self, known: Option<&Task>) -> Task {
        let (generation, key) = (self.metadata.generation.unwrap_or_default(), self.key());
        let spec = match known {
            Some(known) if known.uid == self.uid() && known.generation == generation => known.spec.clone(),
            _ => spec(&self.spec, &key),
        };
        self.with(spec)
    }

    /// The task, of which nothing but status and metadata could be read: a defect of the operator, told on the task.
    #[must_use]
    pub fn to_quarantine(&self) -> Task {
        self.with(Err(Unusable {
            because: Because::OperatorError,
            message: DEFECT.into(),
        }))
    }

    /// `namespace/name`
    #[must_use]
    pub fn key(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{}/{}", part(&self.metadata.namespace), part(&self.metadata.name))
    }

    fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    fn with(&self, spec: Result<Arc<Spec>, Unusable>) -> Task {
        let meta = &self.metadata;
        // An empty value is how people take one back.
        let request = |name: &str| {
            let value = meta.annotations.as_ref().and_then(|annotations| annotations.get(name));
            value.filter(|value| !value.trim().is_empty()).map(|value| request_value(value))
        };
        let (status, damage) = status(&self.status);
        Task {
            requests: Requests {
                run_now: request(api::RUN_NOW),
                resume: request(api::RESUME),
                backfill: request(api::BACKFILL),
                reset_ledger: request(api::RESET_LEDGER),
            },
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: self.uid().to_owned(),
            generation: meta.generation.unwrap_or_default(),
            resource_version: meta.resource_version.clone().unwrap_or_default(),
            created: meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |at| at.0),
            deleting: meta.deletion_timestamp.is_some(),
            spec,
            status: Arc::new(status),
            damage,
        }
    }
}

/// What a task says that brought the operator to a panic.
pub const DEFECT: &str = "the operator failed on this task (a defect: please report its log); other tasks go on. It is tried again when the task changes or the operator restarts";

fn spec(text: &Json, key: &str) -> Result<Arc<Spec>, Unusable> {
    if text.0.len() > LONGEST_SPEC {
        return Err(too_large("spec", text.0.len(), LONGEST_SPEC));
    }
    let fields = ScheduledTaskSpec::read_text(&text.0).map_err(|error| format!("{error}; correct it and apply again"))?;
    let length = fields.job_template.len();
    if length > JobTemplate::LONGEST {
        return Err(too_large("spec.jobTemplate", length, JobTemplate::LONGEST));
    }
    Ok(Arc::new(Spec::new(fields, key)))
}

fn too_large(field: &str, length: usize, limit: usize) -> Unusable {
    Unusable {
        because: Because::TooLarge,
        message: format!("{field} has {length} bytes of JSON, and at most {limit} are allowed: move data into a ConfigMap or the image"),
    }
}

/// The ledger, or nothing and why: what cannot be read was written by somebody else, and the ledger begins anew, from now.
fn status(text: &Json) -> (ScheduledTaskStatus, Option<String>) {
    let length = text.0.len();
    if length > LONGEST_STATUS {
        let message = format!("the status had {length} bytes, more than any operator writes");
        return (ScheduledTaskStatus::default(), Some(message));
    }
    match serde_json::from_str::<Option<ScheduledTaskStatus>>(&text.0) {
        Ok(status) => (status.unwrap_or_default(), None),
        Err(error) => (
            ScheduledTaskStatus::default(),
            Some(format!("the status could not be read ({error})")),
        ),
    }
}

/// The value of a request goes into the status, and an annotation may be as long as 256 KiB: of a long one its beginning and its
/// hash are as good.
fn request_value(request: &str) -> String {
    let request = printable(request);
    match request.char_indices().nth(256) {
        None => request.into_owned(),
        Some(_) => format!("{}… {:016x}", request.chars().take(200).collect::<String>(), hash(&request)),
    }
}

impl RawJob {
    /// UID and name of the task that the Job claims to be of, by owner reference: to be compared, not believed.
    #[must_use]
    pub fn owner(&self) -> Option<(&str, &str)> {
        let owners = self.metadata.owner_references.as_deref().unwrap_or_default();
        let task = |owner: &&OwnerReference| {
            owner.controller == Some(true)
                && owner.kind == api::KIND
                && owner.api_version.split_once('/').is_some_and(|(group, _)| group == api::GROUP)
        };
        owners.iter().find(task).map(|owner| (owner.uid.as_str(), owner.name.as_str()))
    }

    /// Whether the Job claims to be that task's.
    #[must_use]
    pub fn claims(&self, task: &Task) -> bool {
        self.owner() == Some((&task.uid, &task.name)) && self.metadata.namespace.as_deref() == Some(&task.namespace)
    }

    /// What the plan needs to know. Without a slot if name and annotations are not what we write: then it is left alone.
    #[must_use]
    pub fn into_job(self) -> Job {
        let annotation = |name: &str| self.metadata.annotations.as_ref().and_then(|all| all.get(name));
        let trigger = annotation(api::TRIGGER).and_then(|word| Trigger::named(word)).unwrap_or_default();
        let attempt = annotation(api::ATTEMPT).map_or(Some(1), |attempt| attempt.parse().ok());
        let name = self.metadata.name.as_deref().unwrap_or_default();
        let task = self.owner().map_or("", |(_, name)| name);
        // Anybody can write annotations, and copy a Job with them: they are read where the name agrees.
        let slot: Option<Timestamp> = annotation(api::SLOT).and_then(|slot| slot.parse().ok());
        let slot = slot
            .zip(attempt)
            .filter(|(slot, attempt)| has_the_form(task, name, *slot, trigger, *attempt));
        let created = self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |at| at.0);
        let mark = annotation(api::MARK).and_then(|mark| u64::from_str_radix(mark, 16).ok());
        let status = self.status.unwrap_or_default();
        Job {
            name: self.metadata.name.unwrap_or_default(),
            uid: self.metadata.uid.unwrap_or_default(),
            version: self.metadata.resource_version.unwrap_or_default(),
            confirmed: false,
            slot: slot.map(|(slot, _)| slot),
            mark,
            early: false,
            trigger,
            attempt: slot.map_or(1, |(_, attempt)| attempt),
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

    /// Who made the Job and when, as far as the object tells: for people.
    #[must_use]
    pub fn made_by(&self) -> String {
        let created = self
            .metadata
            .creation_timestamp
            .as_ref()
            .map_or(String::new(), |at| format!(" at {}", at.0));
        match &self.metadata.managed_fields {
            Some(managers) if !managers.is_empty() => {
                let manager = managers.iter().find_map(|entry| entry.manager.as_deref()).unwrap_or("somebody");
                format!("{}{created}", short(manager))
            }
            _ => format!("somebody{created}"),
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
        reason: short(&condition.reason.unwrap_or_default()),
        message: short(&condition.message.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
                "t-m000000012",
                json!({"punctual.dev/slot": slot, "punctual.dev/trigger": "Manual", "punctual.dev/attempt": "2147483647"}),
            ),
        ] {
            assert_eq!(read(name, &annotations), (None, 1), "{name} {annotations}");
        }
        let manual = json!({"punctual.dev/slot": slot, "punctual.dev/trigger": "Manual"});
        assert_eq!(
            read("t-by-hand", &manual),
            (None, 1),
            "a run that was asked for has a name of its own form, too"
        );
        assert_eq!(read("t-m000000012", &manual), believed(1));
    }
}
