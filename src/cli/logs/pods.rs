//! Prints the logs of a Job's pods, oldest pod first, or follows the newest one.
//!
//! A container that has not started has no logs: its pod says why. What containers write is printed as it is, but for escape sequences
//! on a terminal.

use crate::cli::cluster::Cluster;
use crate::cli::output::{self, Out};
use anyhow::{Context, Result, bail};
use futures::AsyncBufReadExt;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::Api;
use kube::api::{ListParams, LogParams};
use kube::runtime::wait::await_condition;
use std::process::ExitCode;

/// The label of the pods of a Job.
const JOB_NAME: &str = "batch.kubernetes.io/job-name";
/// kubectl's annotation for the container that people want to see.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// What is printed.
pub struct Options {
    /// Lines as they come.
    pub follow: bool,
    /// The container, if it is not the default one.
    pub container: Option<String>,
    /// Only so many of the last lines.
    pub tail: Option<u32>,
}

/// Prints the logs of the pods of this Job.
pub async fn print(cluster: &Cluster, job: &str, options: &Options) -> Result<ExitCode> {
    let api: Api<Pod> = Api::namespaced(cluster.client(), &cluster.namespace);
    let params = ListParams::default().labels(&format!("{JOB_NAME}={job}"));
    let mut pods = api.list(&params).await.map_err(|error| cluster.error(error))?.items;
    pods.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
    if pods.is_empty() {
        bail!(
            "Job {job} has no pods: they are deleted, and their logs with them, or not created yet (kubectl describe job/{job} says why)"
        );
    }
    if options.follow && pods.len() > 1 {
        let newest = pods.split_off(pods.len() - 1);
        output::print_error(&format!("Job {job} has {} pods: following the newest", pods.len() + 1));
        pods = newest;
    }
    let several = pods.len() > 1;
    let mut failed = false;
    for pod in &pods {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        if several {
            output::print(&format!("==> pod/{name} <==\n"))?;
        }
        if let Err(error) = print_pod(cluster, &api, pod, options).await {
            failed = true;
            crate::cli::cluster::print_error(&error);
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn print_pod(cluster: &Cluster, api: &Api<Pod>, pod: &Pod, options: &Options) -> Result<()> {
    let name = pod.metadata.name.as_deref().context("a pod without a name")?;
    let container = container(pod, options.container.as_deref())?;
    if !has_started(pod, &container) {
        let why = waits_for(pod, &container);
        if !options.follow {
            bail!("pod/{name}: container {container} has not started: {why}");
        }
        output::print_error(&format!("pod/{name}: container {container} has not started: {why}: waiting"));
        let wanted = container.clone();
        let started = await_condition(api.clone(), name, move |pod: Option<&Pod>| {
            pod.is_none_or(|pod| has_started(pod, &wanted) || has_ended(pod))
        });
        let pod = started.await.with_context(|| format!("cannot watch pod/{name}"))?;
        match pod {
            None => bail!("pod/{name} is deleted"),
            Some(pod) if !has_started(&pod, &container) => {
                bail!("pod/{name}: container {container} did not start: {}", waits_for(&pod, &container))
            }
            Some(_) => {}
        }
    }
    let params = LogParams {
        container: Some(container),
        follow: options.follow,
        tail_lines: options.tail.map(i64::from),
        ..LogParams::default()
    };
    let mut lines = Box::pin(api.log_stream(name, &params).await.map_err(|error| cluster.error(error))?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line).await;
        if read.with_context(|| format!("the log of pod/{name} ended early"))? == 0 {
            return Ok(());
        }
        let written = Out::log_line(&line);
        if written.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
            return Ok(());
        }
        output::ignore_closed_pipe(written)?;
    }
}

/// The container whose log is printed.
fn container(pod: &Pod, wanted: Option<&str>) -> Result<String> {
    let spec = pod.spec.as_ref().context("a pod without a spec")?;
    let init = spec.init_containers.iter().flatten();
    let names: Vec<&str> = spec
        .containers
        .iter()
        .chain(init)
        .map(|container| container.name.as_str())
        .collect();
    if let Some(wanted) = wanted {
        if names.contains(&wanted) {
            return Ok(wanted.to_owned());
        }
        bail!("no container {wanted:?} in the pod: it has {}", names.join(", "));
    }
    let annotated = pod.metadata.annotations.as_ref().and_then(|known| known.get(DEFAULT_CONTAINER));
    let default = annotated.map(String::as_str).filter(|name| names.contains(name));
    let chosen = default.or(names.first().copied()).context("a pod without containers")?;
    if names.len() > 1 && default.is_none() {
        output::print_error(&format!("container {chosen} of {}: use -c for another", names.join(", ")));
    }
    Ok(chosen.to_owned())
}

fn status<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    all.into_iter().find(|status| status.name == container)
}

/// Whether there is a log.
fn has_started(pod: &Pod, container: &str) -> bool {
    let Some(status) = status(pod, container) else { return false };
    let state = status.state.as_ref();
    status.restart_count > 0 || state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Why a container has not started.
fn waits_for(pod: &Pod, container: &str) -> String {
    let said = |reason: Option<&String>, message: Option<&String>| {
        let words: Vec<String> = reason.into_iter().chain(message).map(|word| output::one_line(word)).collect();
        (!words.is_empty()).then(|| words.join(": "))
    };
    let waiting = status(pod, container).and_then(|status| status.state.as_ref()?.waiting.as_ref());
    if let Some(why) = waiting.and_then(|waiting| said(waiting.reason.as_ref(), waiting.message.as_ref())) {
        return why;
    }
    let Some(status) = pod.status.as_ref() else {
        return "Pending".into();
    };
    let conditions = status.conditions.iter().flatten();
    let unscheduled = conditions
        .into_iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    let scheduling = unscheduled.and_then(|condition| said(condition.reason.as_ref(), condition.message.as_ref()));
    let phase = status.phase.clone().unwrap_or_else(|| "Pending".into());
    scheduling
        .or_else(|| said(status.reason.as_ref(), status.message.as_ref()))
        .unwrap_or(phase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(annotations: Value, status: Value) -> Pod {
        let spec = json!({"containers": [{"name": "main"}, {"name": "sidecar"}], "initContainers": [{"name": "setup"}]});
        serde_json::from_value(json!({"metadata": {"annotations": annotations}, "spec": spec, "status": status})).unwrap()
    }

    #[test]
    fn the_first_container_is_the_default() {
        let plain = pod(json!({}), json!({}));
        assert_eq!(container(&plain, None).unwrap(), "main");
        assert_eq!(container(&plain, Some("setup")).unwrap(), "setup");
        assert_eq!(
            container(&plain, Some("other")).unwrap_err().to_string(),
            "no container \"other\" in the pod: it has main, sidecar, setup"
        );
        assert_eq!(
            container(&pod(json!({DEFAULT_CONTAINER: "sidecar"}), json!({})), None).unwrap(),
            "sidecar"
        );
        assert_eq!(
            container(&pod(json!({DEFAULT_CONTAINER: "gone"}), json!({})), None).unwrap(),
            "main"
        );
    }

    #[test]
    fn a_container_without_a_log_says_why() {
        let container =
            |state: Value| json!([{"name": "main", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state}]);
        for (status, text) in [
            (
                json!({"containerStatuses": container(json!({"waiting": {"reason": "ImagePullBackOff", "message": "back-off"}}))}),
                "ImagePullBackOff: back-off",
            ),
            (
                json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]}),
                "Unschedulable: 0/1 nodes",
            ),
            (
                json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}),
                "Evicted: low on memory",
            ),
            (json!({}), "Pending"),
        ] {
            let pod = pod(json!({}), status);
            assert!(!has_started(&pod, "main"));
            assert_eq!(waits_for(&pod, "main"), text);
        }
        for state in [json!({"running": {}}), json!({"terminated": {"exitCode": 1}})] {
            assert!(has_started(&pod(json!({}), json!({"containerStatuses": container(state)})), "main"));
        }
    }
}
