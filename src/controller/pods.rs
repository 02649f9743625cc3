//! What pods say: how the container that failed last ended, or what those wait for that never began.
//!
//! Takes the pods of one Job, gives words for the plan. Never asks for them: that is `observe`.

use crate::plan::{Exit, Pods};
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, PodCondition};

/// Waits that say no more than that a pod is young.
const YOUNG: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// The container that failed last, of all pods.
pub fn exit(pods: &[Pod]) -> Exit {
    let ended = pods.iter().flat_map(containers).filter_map(|container| {
        let state = |state: &Option<ContainerState>| state.as_ref()?.terminated.clone();
        state(&container.state).or_else(|| state(&container.last_state))
    });
    let last = ended
        .filter(|end| end.exit_code != 0)
        .max_by_key(|end| end.finished_at.as_ref().map(|at| at.0));
    last.map_or(Exit::Unknown, |end| Exit::Known {
        code: end.exit_code,
        message: end
            .message
            .map(|said| said.trim().to_owned())
            .filter(|said| !said.is_empty())
            .or(end.reason),
    })
}

/// Whether any container of the Job's work has begun, and if not, what it waits for.
pub fn progress(pods: &[Pod]) -> Pods {
    let ran = |container: &ContainerStatus| {
        let state = |state: &Option<ContainerState>| {
            state
                .as_ref()
                .is_some_and(|state| state.running.is_some() || state.terminated.is_some())
        };
        container.restart_count > 0 || state(&container.state) || state(&container.last_state)
    };
    let main = |pod: &Pod| {
        pod.status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten().cloned())
            .any(|status| ran(&status))
    };
    if pods.iter().any(main) {
        return Pods::Began;
    }
    let reason = pods.iter().find_map(container_waits).or_else(|| pods.iter().find_map(unscheduled));
    let reason = reason.or_else(|| pods.iter().find_map(init_runs));
    Pods::Waiting(reason.unwrap_or_else(|| match pods.len() {
        0 => "no pod was made: a quota or an admission policy may refuse it; see the events of the Job".into(),
        _ => "its pod does not say why".into(),
    }))
}

fn containers(pod: &Pod) -> Vec<&ContainerStatus> {
    let Some(status) = &pod.status else { return Vec::new() };
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).collect()
}

/// `ImagePullBackOff: Back-off pulling image …`
fn container_waits(pod: &Pod) -> Option<String> {
    let waiting = containers(pod)
        .into_iter()
        .filter_map(|container| container.state.as_ref()?.waiting.as_ref());
    let telling = |reason: &&str| !YOUNG.contains(reason);
    waiting
        .filter_map(|waiting| {
            let reason = waiting.reason.as_deref().filter(telling)?;
            Some(said(reason, waiting.message.as_deref()))
        })
        .next()
}

/// `init container fetch still runs`
fn init_runs(pod: &Pod) -> Option<String> {
    let init = pod.status.as_ref()?.init_container_statuses.as_ref()?;
    let running = init
        .iter()
        .find(|container| container.state.as_ref().is_some_and(|state| state.running.is_some()))?;
    Some(format!("init container {} still runs", running.name))
}

/// `Unschedulable: 0/3 nodes are available …`
fn unscheduled(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = |condition: &&PodCondition| condition.type_ == "PodScheduled" && condition.status == "False";
    let condition = conditions.iter().find(scheduled)?;
    Some(said(
        condition.reason.as_deref().unwrap_or("Unscheduled"),
        condition.message.as_deref(),
    ))
}

fn said(reason: &str, message: Option<&str>) -> String {
    match message.map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pods(status: Value) -> Vec<Pod> {
        vec![serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()]
    }

    fn container(state: Value) -> Value {
        json!({"name": "main", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state})
    }

    #[test]
    fn s1_a_pod_that_cannot_begin_says_why() {
        let pull = json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"no/such\""}});
        let unscheduled = json!({"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
        for (pods, says) in [
            (
                pods(json!({"containerStatuses": [container(pull.clone())]})),
                "ImagePullBackOff: Back-off pulling image \"no/such\"",
            ),
            (
                pods(json!({"initContainerStatuses": [container(pull)],
                "containerStatuses": [container(json!({"waiting": {"reason": "PodInitializing"}}))]})),
                "ImagePullBackOff: Back-off pulling image \"no/such\"",
            ),
            (pods(unscheduled), "Unschedulable: 0/3 nodes are available"),
            (pods(json!({})), "its pod does not say why"),
            (
                Vec::new(),
                "no pod was made: a quota or an admission policy may refuse it; see the events of the Job",
            ),
        ] {
            assert_eq!(progress(&pods), Pods::Waiting(says.into()));
        }
    }

    #[test]
    fn a_container_that_runs_or_ran_has_begun_although_it_is_not_ready() {
        let crashed = json!({"name": "main", "image": "i", "imageID": "", "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 7, "message": " full\n"}}});
        let crashed = pods(json!({"containerStatuses": [crashed]}));
        assert_eq!(progress(&crashed), Pods::Began);
        assert_eq!(
            exit(&crashed),
            Exit::Known {
                code: 7,
                message: Some("full".into())
            }
        );
        assert_eq!(
            progress(&pods(json!({"containerStatuses": [container(json!({"running": {}}))]}))),
            Pods::Began
        );
    }
}
