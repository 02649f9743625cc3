//! Jobs as the API server sends them.
//!
//! JSON goes in, what the plan needs of a Job comes out. What others may have written on it is read where its name agrees; whether
//! it is believed is for the gate to say.

use super::json::Json;
use super::metadata::slim;
use crate::api::{self, Trigger};
use crate::plan::{JobEnd, JobObject, Task, has_the_form, short};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job as KubeJob;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// A Job as the watch brings it: 0.75 KB instead of 24 KB.
#[derive(Resource, Clone, Debug, Deserialize)]
#[resource(inherit = "KubeJob")]
pub struct RawJob {
    #[serde(deserialize_with = "slim")]
    /// Its metadata.
    pub metadata: ObjectMeta,
    #[serde(default, deserialize_with = "lenient")]
    spec: RawJobSpec,
    #[serde(default, deserialize_with = "lenient")]
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
    #[serde(default, deserialize_with = "time")]
    completion_time: Option<Time>,
    #[serde(default, deserialize_with = "time")]
    start_time: Option<Time>,
    #[serde(default)]
    ready: Option<i32>,
    #[serde(default)]
    succeeded: Option<i32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default, deserialize_with = "time")]
    last_transition_time: Option<Time>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// A time that somebody else may have written. Go knows some that jiff does not (the end of 9999).
fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Time>, D::Error> {
    let text = Option::<String>::deserialize(value)?;
    Ok(text.and_then(|text| text.parse().ok()).map(Time))
}

/// What cannot be read is not there: an object that cannot be read would interrupt the watch for everybody.
fn lenient<'de, D: Deserializer<'de>, T: Default + DeserializeOwned>(value: D) -> Result<T, D::Error> {
    let text = Json::deserialize(value)?;
    Ok(serde_json::from_str(text.as_str()).unwrap_or_default())
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

    /// What a plan needs of it. Without a slot if name and annotations are not what we write: then it is left alone.
    #[must_use]
    pub fn into_object(self) -> JobObject {
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
        JobObject {
            name: self.metadata.name.unwrap_or_default(),
            uid: self.metadata.uid.unwrap_or_default(),
            version: self.metadata.resource_version.unwrap_or_default(),
            slot: slot.map(|(slot, _)| slot),
            mark,
            trigger,
            attempt: slot.map_or(1, |(_, attempt)| attempt),
            created,
            began: status.start_time.map(|at| at.0),
            // A Job that is resumed waits on until its controller says otherwise, in the very write that sets startTime.
            suspended: self.spec.suspend == Some(true) || is_true(&status.conditions, "Suspended"),
            // A pod that failed may never have begun: the kubelet may have refused it.
            ready: [status.ready, status.succeeded]
                .iter()
                .any(|pods| pods.is_some_and(|pods| pods > 0)),
            deleting: self.metadata.deletion_timestamp.map(|at| at.0),
            failing: end(&status.conditions, &["FailureTarget"], None, created),
            end: end(&status.conditions, &["Complete", "Failed"], status.completion_time, created),
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

/// How a Job ended (or is about to), by the first of these conditions that is true.
fn end(conditions: &Option<Vec<RawCondition>>, kinds: &[&str], completed: Option<Time>, created: Timestamp) -> Option<JobEnd> {
    let ended = |condition: &&RawCondition| kinds.contains(&condition.kind.as_str()) && condition.status == "True";
    let condition = conditions.iter().flatten().find(ended)?;
    let at = completed
        .or_else(|| condition.last_transition_time.clone())
        .map_or(created, |at| at.0);
    Some(JobEnd {
        succeeded: condition.kind == "Complete",
        at,
        reason: short(condition.reason.as_deref().unwrap_or_default()),
        message: short(condition.message.as_deref().unwrap_or_default()),
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
        let job = raw.into_object();
        (job.slot.map(|slot| slot.to_string()), job.attempt)
    }

    /// S3
    #[test]
    fn annotations_are_believed_only_of_the_job_that_has_the_name_of_its_slot() {
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
