//! Asks the API server about a task and the Job that the operator would create, as dry runs with the rights of the user.
//!
//! Nothing is stored. What comes out are the errors of the API server, each with its field and, where there is one, a way out.

use crate::api::{ScheduledTask, ScheduledTaskSpec};
use crate::cli::cluster::Cluster;
use crate::cli::manifest;
use crate::clock::Clock;
use crate::plan::{self, Effect, Observed, Task};
use anyhow::Result;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::{ApiResource, Status};
use serde_json::Value;
use std::sync::Arc;

const MANAGER: &str = "punctual-cli";

/// Errors of the API server about this task.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn errors(cluster: &Cluster, task: &Value) -> Result<Vec<String>> {
    let namespace = task.pointer("/metadata/namespace").and_then(Value::as_str);
    let namespace = namespace.filter(|name| !name.is_empty()).unwrap_or(&cluster.namespace);
    let refused = match ask_about_task(cluster, namespace, task).await {
        Ok(()) => None,
        Err(kube::Error::Api(status)) if !is_missing_crd(&status) => Some(messages(&status, "", namespace)),
        Err(error) => return Err(cluster.error(error)),
    };
    if let Some(errors) = refused {
        return Ok(errors);
    }
    let Some(job) = job(namespace, task) else {
        return Ok(Vec::new());
    };
    match create(cluster, &format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &job).await {
        Ok(()) => Ok(Vec::new()),
        Err(kube::Error::Api(status)) => Ok(messages(&status, "spec.jobTemplate.", namespace)),
        Err(error) => Err(cluster.error(error)),
    }
}

/// Whether the API server has no such kind: an answer that is not about the object.
fn is_missing_crd(status: &Status) -> bool {
    status.code == 404 && status.reason == "Failed to parse error data"
}

async fn ask_about_task(cluster: &Cluster, namespace: &str, task: &Value) -> kube::Result<()> {
    let resource = ApiResource::erase::<ScheduledTask>(&());
    let path = format!("/apis/{}/namespaces/{namespace}/{}", resource.api_version, resource.plural);
    let mut task = task.clone();
    if let Some(fields) = task.as_object_mut() {
        fields.remove("status");
    }
    match (create(cluster, &path, &task).await, manifest::name(&task)) {
        // The task exists: would an update be accepted?
        (Err(kube::Error::Api(status)), Some(name)) if status.reason == "AlreadyExists" => {
            let params = PatchParams {
                dry_run: true,
                force: true,
                field_manager: Some(MANAGER.into()),
                field_validation: Some(ValidationDirective::Strict),
            };
            let api: Api<DynamicObject> = Api::namespaced_with(cluster.client(), namespace, &resource);
            api.patch(name, &params, &Patch::Apply(&task)).await.map(drop)
        }
        (answer, _) => answer,
    }
}

async fn create(cluster: &Cluster, path: &str, object: &Value) -> kube::Result<()> {
    let url = format!("{path}?dryRun=All&fieldValidation=Strict&fieldManager={MANAGER}");
    let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError)?;
    let request = http::Request::post(url)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body);
    let request = request.map_err(kube::Error::HttpError)?;
    cluster.client().request::<Value>(request).await.map(drop)
}

/// The Job of the next run, exactly as the operator asks about it. None where no run is left.
fn job(namespace: &str, task: &Value) -> Option<Value> {
    let fields = ScheduledTaskSpec::read(task.get("spec")?).ok()?;
    let now = Clock::System.now();
    let task = Task::new(namespace, manifest::name(task).unwrap_or("generated"), "dry-run", now, fields);
    let effects = plan::plan(&Observed::new(now, Arc::new(task))).effects;
    let mut job = effects.into_iter().find_map(|effect| match effect {
        Effect::DryRunCreate { manifest } => Some(manifest),
        _ => None,
    })?;
    // The task has no UID yet, and whether the user may set owners is not the question.
    job.get_mut("metadata")?.as_object_mut()?.remove("ownerReferences");
    Some(job)
}

/// Each error, with the field as it is in the manifest: that of a Job is below `prefix`.
fn messages(status: &Status, prefix: &str, namespace: &str) -> Vec<String> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let causes: Vec<String> = causes
        .filter(|cause| !cause.field.is_empty())
        .map(|cause| match cause.field.as_str() {
            field if field.starts_with("metadata") && !prefix.is_empty() => format!("Job: {field}: {}", cause.message),
            field => format!("{prefix}{field}: {}", cause.message),
        })
        .collect();
    if !causes.is_empty() {
        return causes;
    }
    let what = if prefix.is_empty() {
        "the API server refuses the task"
    } else {
        "the API server refuses the Job"
    };
    vec![format!("{what}: {}{}", status.message, fix(status, namespace))]
}

/// What to do about it.
fn fix(status: &Status, namespace: &str) -> String {
    let message = &status.message;
    let says = |words: &str| message.contains(words);
    match status.code {
        404 if says("namespaces") => format!(": create namespace {namespace}, or select another with -n"),
        403 if says("exceeded quota") => ": lower the requests of the template, free some of the quota, or raise it".into(),
        403 if says("must specify") => {
            ": set these requests and limits in jobTemplate, because a quota of the namespace demands them".into()
        }
        403 if says("cannot create resource") || says("cannot patch resource") => {
            format!(": you need a Role in namespace {namespace} that allows it")
        }
        400 if says("strict decoding error") || says("unknown field") => ": remove the field, or correct its name".into(),
        _ => String::new(),
    }
}
