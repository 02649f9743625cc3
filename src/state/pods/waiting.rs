//! Whether the work of a pod has begun, and what it waits for.
//!
//! A pod goes in; a wait with its cause and a sentence comes out. The sentence names the pod, and the next step where the status
//! of a pod cannot tell more: what keeps a volume or a network from a pod is in events only.

use super::Cause;
use super::raw_pod::{RawContainer, RawPod, RawTerminated, Role};

/// What a pod waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Its class.
    pub cause: Cause,
    /// A sentence for people, with the pod's name.
    pub message: String,
}

/// Whether a container of the work ran or runs. A pod that was refused, or whose command could not be started, has not begun;
/// init containers do not count, because a pod that hangs in one is a pod whose work waits.
pub(super) fn has_begun(pod: &RawPod) -> bool {
    pod.is_succeeded()
        || pod
            .containers()
            .iter()
            .any(|(role, container)| *role == Role::Main && ran(container))
}

fn ran(container: &RawContainer) -> bool {
    let ends = || {
        [&container.state, &container.last_state]
            .into_iter()
            .filter_map(|state| state.terminated.as_ref())
    };
    let runs = container.state.running.is_some() || container.last_state.running.is_some();
    let restarted = container.restart_count.unwrap_or(0) > 0 && ends().all(|end| !is_start_error(end));
    runs || restarted || ends().any(is_proof)
}

fn is_start_error(end: &RawTerminated) -> bool {
    Cause::of_exit(&end.reason) == Cause::StartError
}

/// The kubelet writes `ContainerStatusUnknown` also of containers that never were (`status_manager.TerminatePod`).
fn is_proof(end: &RawTerminated) -> bool {
    match Cause::of_exit(&end.reason) {
        Cause::StartError => false,
        Cause::ContainerStatusUnknown => end.started_at.is_some() || end.message.contains("used to be Running"),
        _ => true,
    }
}

fn has_failed(container: &RawContainer) -> bool {
    container.state.terminated.as_ref().is_some_and(|end| end.exit_code != Some(0))
}

/// What the pod waits for; nothing if all its containers run or have ended.
pub(super) fn of(pod: &RawPod) -> Option<Wait> {
    let is_final = |role, container: &RawContainer| role == Role::Init && has_failed(container) && !pod.restarts(&container.name);
    if pod.containers().into_iter().any(|(role, container)| is_final(role, container)) {
        return None;
    }
    unscheduled(pod)
        .or_else(|| {
            pod.containers()
                .into_iter()
                .find_map(|(role, container)| blocked(pod, role, container))
        })
        .or_else(|| not_acknowledged(pod))
        .or_else(|| creating(pod))
}

/// Which wait of several pods tells most: the lowest.
pub(super) fn rank(cause: Cause) -> u8 {
    match cause {
        Cause::Unschedulable | Cause::SchedulingGated => 1,
        Cause::Initializing => 2,
        Cause::NotAcknowledged => 3,
        Cause::ContainerCreating => 4,
        _ => 0,
    }
}

/// How often the pod's containers were started again, but for sidecars.
pub(super) fn restarts(pod: &RawPod) -> u32 {
    let work = pod.containers().into_iter().filter(|(role, _)| *role != Role::Sidecar);
    let restarts = work.map(|(_, container)| u32::try_from(container.restart_count.unwrap_or(0)).unwrap_or(0));
    restarts.fold(0, u32::saturating_add)
}

/// `main ended with 0, istio-proxy still runs`: what keeps the pod from completing.
pub(super) fn lingers(pod: &RawPod) -> Option<String> {
    let main = || {
        pod.containers()
            .into_iter()
            .filter(|(role, _)| *role == Role::Main)
            .map(|(_, container)| container)
    };
    let succeeded = |container: &RawContainer| container.state.terminated.as_ref().is_some_and(|end| end.exit_code == Some(0));
    let done = main().find(|container| succeeded(container))?;
    let runs = main().find(|container| container.state.running.is_some())?;
    let (done, runs, name) = (done.name.as_str(), runs.name.as_str(), pod.metadata.name.as_str());
    Some(format!("pod {name}: {done} ended with 0, {runs} still runs"))
}

/// `pod nightly-1-x: Unschedulable: 0/3 nodes are available …`
fn unscheduled(pod: &RawPod) -> Option<Wait> {
    let condition = pod.condition("PodScheduled", "False")?;
    let cause = match &*condition.reason {
        "SchedulingGated" => Cause::SchedulingGated,
        _ => Cause::Unschedulable,
    };
    let reason = Some(&*condition.reason).filter(|reason| !reason.is_empty());
    Some(wait(pod, cause, &said(reason.unwrap_or(cause.as_str()), &condition.message)))
}

/// The container that keeps the pod from going on: the first that has not done its part, in the order in which they start.
fn blocked(pod: &RawPod, role: Role, container: &RawContainer) -> Option<Wait> {
    let kind = match role {
        Role::Init => "init container",
        Role::Sidecar => "sidecar",
        Role::Main => "container",
    };
    let name = container.name.as_str();
    if let Some(waiting) = &container.state.waiting {
        let cause = Cause::of_waiting(&waiting.reason)?;
        let said = said(&waiting.reason, &waiting.message);
        return Some(wait(pod, cause, &format!("{kind} {name}: {said}")));
    }
    let runs = container.state.running.is_some();
    let failed = has_failed(container);
    match role {
        Role::Init if runs => Some(wait(pod, Cause::Initializing, &format!("{kind} {name} is still running"))),
        Role::Init if failed => Some(wait(
            pod,
            Cause::Initializing,
            &format!("{kind} {name} failed and is started again"),
        )),
        // It runs, and the next init container waits for its startup probe.
        Role::Sidecar if runs && container.started == Some(false) => Some(wait(
            pod,
            Cause::Initializing,
            &format!("{kind} {name} runs and has not started: see its startupProbe"),
        )),
        _ => None,
    }
}

/// It is bound to a node, and its kubelet has said nothing.
fn not_acknowledged(pod: &RawPod) -> Option<Wait> {
    let node = pod.spec.node_name.as_str();
    if node.is_empty() || pod.status.start_time.is_some() || !pod.containers().is_empty() {
        return None;
    }
    let message = format!("node {node} has not acknowledged it; kubectl describe node {node}");
    Some(wait(pod, Cause::NotAcknowledged, &message))
}

/// It is to be created. The sandbox of a pod comes after its volumes and with its network; images are pulled after that.
fn creating(pod: &RawPod) -> Option<Wait> {
    let name = pod.metadata.name.as_str();
    let waits = |container: &RawContainer| container.state.waiting.is_some();
    let first = pod
        .containers()
        .into_iter()
        .map(|(_, container)| container)
        .find(|container| waits(container));
    let Some(container) = first else {
        // Neither scheduled nor refused: nobody has looked at it.
        let is_new = pod.containers().is_empty() && pod.spec.node_name.is_empty() && !has_begun(pod);
        let message = format!("no scheduler has taken it; kubectl describe pod {name}");
        return is_new.then(|| wait(pod, Cause::Unschedulable, &message));
    };
    let missing = if pod.condition("PodReadyToStartContainers", "True").is_some() {
        format!(
            "the image of container {} is being pulled, or the container created",
            container.name.as_str()
        )
    } else {
        "a volume or the network is missing".into()
    };
    let message = format!("ContainerCreating: {missing}; kubectl describe pod {name}");
    Some(wait(pod, Cause::ContainerCreating, &message))
}

fn wait(pod: &RawPod, cause: Cause, message: &str) -> Wait {
    Wait {
        cause,
        message: format!("pod {}: {message}", pod.metadata.name.as_str()),
    }
}

fn said(reason: &str, message: &str) -> String {
    match message {
        "" => reason.to_owned(),
        message => format!("{reason}: {message}"),
    }
}
