//! Tasks as the API server sends them.
//!
//! JSON goes in, `Task` comes out. Nothing is held as a tree, and nothing is longer than its budget (docs/limits.md). Never fails
//! for one object: a task that cannot be read is a task that says so.

use super::json::Json;
use super::metadata::slim_with_labels;
use crate::api::{self, JobTemplate, ScheduledTask, ScheduledTaskSpec, ScheduledTaskStatus, printable};
use crate::plan::{ConditionReason, Requests, Spec, Task, Unusable};
use crate::schedule::hash;
use jiff::Timestamp;
use kube::Resource;
use kube::api::ObjectMeta;
use serde::Deserialize;
use std::sync::Arc;

/// A spec whose JSON is longer is not even read: its template alone would be too long.
const LONGEST_SPEC: usize = 2 * JobTemplate::LONGEST;
/// No operator writes a longer status: see `plan::bounds`, which bounds it.
const LONGEST_STATUS: usize = 1024 * 1024;

/// A task as the watch brings it: spec and status stay JSON, so that one that does not parse stops nobody else's list.
#[derive(Resource, Clone, Debug, Deserialize)]
#[resource(inherit = "ScheduledTask")]
pub struct RawTask {
    #[serde(deserialize_with = "slim_with_labels")]
    /// Its metadata.
    pub metadata: ObjectMeta,
    #[serde(default)]
    /// The spec, as text.
    pub spec: Json,
    #[serde(default)]
    /// The status, as text.
    pub status: Json,
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

    /// The task, of which nothing but status and metadata could be read: a defect of the operator, reported on the task.
    #[must_use]
    pub fn to_quarantine(&self) -> Task {
        self.with(Err(Unusable {
            reason: ConditionReason::OperatorError,
            message: DEFECT.into(),
        }))
    }

    /// The status in this text, or an empty one if it cannot be read.
    #[must_use]
    pub fn read_status(text: &Json) -> ScheduledTaskStatus {
        status(text).0
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
            labels: meta.labels.clone().unwrap_or_default(),
            spec,
            status: Arc::new(status),
            damage,
        }
    }
}

/// What a task says that brought the operator to a panic.
pub const DEFECT: &str = "the operator failed on this task by a defect (please report its log); other tasks are not affected. It is retried when the task changes or the operator restarts";

fn spec(text: &Json, key: &str) -> Result<Arc<Spec>, Unusable> {
    if text.as_str().len() > LONGEST_SPEC {
        let message = format!(
            "spec has {} bytes of JSON, and at most {LONGEST_SPEC} are read: move data into a ConfigMap or the image",
            text.as_str().len()
        );
        return Err(too_large(message));
    }
    let fields = ScheduledTaskSpec::read_text(text.as_str()).map_err(|error| format!("{error}; correct it and apply again"))?;
    match fields.job_template.too_large() {
        Some(message) => Err(too_large(message)),
        None => Ok(Arc::new(Spec::new(fields, key))),
    }
}

fn too_large(message: String) -> Unusable {
    Unusable {
        reason: ConditionReason::TooLarge,
        message,
    }
}

/// The ledger, or nothing and why: what cannot be read was written by somebody else, and the ledger begins anew, from now.
fn status(text: &Json) -> (ScheduledTaskStatus, Option<String>) {
    let length = text.as_str().len();
    if length > LONGEST_STATUS {
        let message = format!("the status had {length} bytes, more than any operator writes");
        return (ScheduledTaskStatus::default(), Some(message));
    }
    match serde_json::from_str::<Option<ScheduledTaskStatus>>(text.as_str()) {
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
