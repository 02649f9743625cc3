//! How one pod of a Job failed: the container that decided, or what ended the pod.
//!
//! A pod goes in; its failure comes out, if it has one. Containers are told apart by their role: a sidecar's exit is never the
//! pod's. Times tell what came first: a program that failed before its pod was disrupted or deleted failed by itself.

use super::raw_pod::{Deletion, RawContainer, RawPod, RawTerminated, Role};
use super::{Cause, Termination, waiting};
use jiff::{SignedDuration, Timestamp};

/// Failures of pods that ran at the same time and ended within this time are one event, and the first of them is its cause. The
/// Job controller makes no new pod sooner after a failure (`DefaultJobPodFailureBackOff`).
pub(super) const ONE_EVENT: SignedDuration = SignedDuration::from_secs(10);

/// A failure, and what is needed to choose among the failures of several pods.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub termination: Termination,
    /// When it ended, as far as that is known.
    pub at: Option<Timestamp>,
    /// The pod was deleted first: without that it might not have failed.
    pub by_deletion: bool,
    /// The container is, or was to be, started again (`restartPolicy: OnFailure`).
    pub restarts: bool,
}

/// What ended a pod from outside.
struct PodEnd<'a> {
    cause: Cause,
    reason: &'a str,
    message: &'a str,
    /// Since when, if that is known.
    since: Option<Timestamp>,
}

/// The exit of a container of the work.
struct Exit<'a> {
    role: Role,
    container: &'a RawContainer,
    end: &'a RawTerminated,
    /// The container was started again since, or is to be.
    restarts: bool,
}

/// How the pod failed, if it did. Of a Job whose time is over, what was stopped tells more than what failed and was started again.
pub(super) fn of(pod: &RawPod, time_is_over: bool) -> Option<Failure> {
    if pod.is_succeeded() {
        return None;
    }
    let deletion = pod.deletion();
    let is_killed = |exit: &Exit| deletion.is_some_and(|deletion| exit.is_of(deletion, time_is_over));
    let (killed, mut own): (Vec<Exit>, Vec<Exit>) = exits(pod).into_iter().partition(is_killed);
    // Of a container the newest: its state comes before its last state.
    own.dedup_by(|older, newer| std::ptr::eq(older.container, newer.container));
    let decided = decisive(&own);
    let outside = pod_end(pod);
    match (decided, outside) {
        (Some(exit), None) if time_is_over && exit.restarts && !killed.is_empty() => stopped(pod, &killed),
        (Some(exit), None) => Some(exit.failure(pod, false)),
        (Some(exit), Some(end)) if exit.is_before(end.since) => Some(exit.failure(pod, false)),
        (_, Some(end)) => Some(ended_from_outside(pod, &end, &own, &killed)),
        (None, None) => lost(pod).or_else(|| stopped(pod, &killed)).or_else(|| unexplained(pod)),
    }
}

/// The exits of the containers of the work that did not succeed: at most two of a container, its state and its last state.
fn exits(pod: &RawPod) -> Vec<Exit<'_>> {
    let mut exits = Vec::new();
    for (role, container) in pod.containers().into_iter().filter(|(role, _)| *role != Role::Sidecar) {
        let ended = |end: &&RawTerminated| is_failed(role, end);
        let state = container.state.terminated.as_ref();
        // A container that succeeded at last has not failed.
        if state.is_some_and(|end| !is_failed(role, end) && !is_no_exit(end)) {
            continue;
        }
        let last = container.last_state.terminated.as_ref();
        for (end, restarts) in [(state, pod.restarts(&container.name)), (last, true)] {
            if let Some(end) = end.filter(ended) {
                exits.push(Exit {
                    role,
                    container,
                    end,
                    restarts,
                });
            }
        }
    }
    exits
}

/// An init container that was killed for its memory has failed even if it exited with 0 (the kubelet's `isInitContainerFailed`).
fn is_failed(role: Role, end: &RawTerminated) -> bool {
    let code = end.exit_code.unwrap_or(0);
    !is_no_exit(end) && (code != 0 || role == Role::Init && &*end.reason == "OOMKilled")
}

/// Codes that no program gave: the kubelet writes 137 where it does not know, or where it restarts all containers.
fn is_no_exit(end: &RawTerminated) -> bool {
    matches!(&*end.reason, "ContainerStatusUnknown" | "RestartingAllContainers")
}

/// The first of those that are final. Where all are started again, the first of those that failed last.
fn decisive<'e, 'a>(exits: &'e [Exit<'a>]) -> Option<&'e Exit<'a>> {
    let first = |exit: &&Exit| exit.end.finished_at.unwrap_or(Timestamp::MAX);
    let finals = exits.iter().filter(|exit| !exit.restarts).min_by_key(first);
    let newest = exits.iter().filter_map(|exit| exit.end.finished_at).max();
    let is_new = |exit: &&Exit| {
        let known = newest.zip(exit.end.finished_at);
        newest.is_none() || known.is_some_and(|(newest, at)| newest.duration_since(at) < ONE_EVENT)
    };
    finals.or_else(|| exits.iter().filter(is_new).min_by_key(first))
}

impl Exit<'_> {
    /// Whether it came of the deletion. Kubernetes tells whole seconds: in the same one, a signal is the deletion's, and so is any exit
    /// of a Job whose time is over. The same holds shortly before the end of the deletion, where no more is known of it.
    fn is_of(&self, deletion: Deletion, time_is_over: bool) -> bool {
        let signal = matches!(self.end.exit_code, Some(137 | 143)) && &*self.end.reason != "OOMKilled";
        let Some(finished) = self.end.finished_at else { return false };
        match deletion {
            Deletion::Requested(at) => finished > at || finished == at && (signal || time_is_over),
            Deletion::RequestedBefore(end) => end.duration_since(finished) < ONE_EVENT && (signal || time_is_over),
        }
    }

    /// Whether it came before the pod was ended from outside, for good.
    fn is_before(&self, since: Option<Timestamp>) -> bool {
        let known = since.zip(self.end.finished_at);
        !self.restarts && known.is_some_and(|(since, finished)| finished < since)
    }

    fn failure(&self, pod: &RawPod, by_deletion: bool) -> Failure {
        let message = (!self.end.message.is_empty()).then(|| self.end.message.to_string());
        Failure {
            termination: Termination {
                cause: Cause::of_exit(&self.end.reason),
                reason: self.end.reason.to_string(),
                exit_code: self.end.exit_code,
                message,
                container: Some(self.container.name.to_string()),
                is_init: self.role == Role::Init,
                pod: pod.metadata.name.to_string(),
            },
            at: self.end.finished_at,
            by_deletion,
            restarts: self.restarts,
        }
    }
}

/// What the pod itself says: the kubelet's reason, or the condition that a disruption leaves.
fn pod_end(pod: &RawPod) -> Option<PodEnd<'_>> {
    let status = &pod.status;
    let disrupted = pod.condition("DisruptionTarget", "True");
    let said = (pod.is_failed() || &*status.reason == "NodeLost").then(|| Cause::of_pod(&status.reason, &status.message));
    if let Some(cause) = said.flatten() {
        let deadline = pod.spec.active_deadline_seconds.map(SignedDuration::from_secs);
        let deadline = status
            .start_time
            .zip(deadline)
            .and_then(|(start, after)| start.checked_add(after).ok());
        return Some(PodEnd {
            cause,
            reason: &status.reason,
            message: &status.message,
            since: match cause {
                Cause::DeadlineExceeded => deadline,
                _ => disrupted.and_then(|condition| condition.last_transition_time),
            },
        });
    }
    // While neither is true, the pod may survive: the condition is taken back after two minutes.
    let condition = disrupted.filter(|_| pod.is_failed() || pod.is_deleted())?;
    Some(PodEnd {
        cause: Cause::of_disruption(&condition.reason),
        reason: &condition.reason,
        message: &condition.message,
        since: condition.last_transition_time,
    })
}

/// The code of a container that a disruption killed is not the program's. What a program says when its time is over is.
fn ended_from_outside(pod: &RawPod, end: &PodEnd, own: &[Exit], killed: &[Exit]) -> Failure {
    let exits = || own.iter().chain(killed);
    let said = exits().find(|exit| !exit.end.message.is_empty());
    let last = said.or(exits().next()).filter(|_| end.cause == Cause::DeadlineExceeded);
    let words = last.map(|exit| &*exit.end.message).filter(|words| !words.is_empty());
    let words = words.unwrap_or(end.message);
    Failure {
        termination: Termination {
            cause: end.cause,
            reason: end.reason.to_owned(),
            exit_code: last.and_then(|exit| exit.end.exit_code),
            message: (!words.is_empty()).then(|| words.to_owned()),
            container: last.map(|exit| exit.container.name.to_string()),
            is_init: last.is_some_and(|exit| exit.role == Role::Init),
            pod: pod.metadata.name.to_string(),
        },
        at: end.since.or(exits().filter_map(|exit| exit.end.finished_at).max()),
        by_deletion: false,
        restarts: false,
    }
}

/// The kubelet lost a container, and nothing else says why the pod failed.
fn lost(pod: &RawPod) -> Option<Failure> {
    let is_lost = |container: &&RawContainer| {
        let states = [&container.state.terminated, &container.last_state.terminated];
        let mut ends = states.into_iter().flatten();
        ends.any(|end| &*end.reason == "ContainerStatusUnknown")
    };
    // A pod that never began is told by what it waited for.
    let began = waiting::has_begun(pod) || !pod.is_deleted();
    let containers = pod.containers().into_iter().filter(|(role, _)| *role != Role::Sidecar);
    let (role, container) = containers.filter(|_| began).find(|(_, container)| is_lost(container))?;
    let mut failure = plain(pod, Cause::ContainerStatusUnknown, None);
    failure.termination.container = Some(container.name.to_string());
    failure.termination.is_init = role == Role::Init;
    failure.by_deletion = pod.is_deleted();
    Some(failure)
}

/// The pod was deleted while it worked, or before it began.
fn stopped(pod: &RawPod, killed: &[Exit]) -> Option<Failure> {
    let (Deletion::Requested(deleted) | Deletion::RequestedBefore(deleted)) = pod.deletion()?;
    // A container that was stopped beside one that comes first and has completed did not decide: a proxy that outlived the work.
    if let Some((done, beside)) = outlived(pod, killed) {
        let words = format!("{} ended with 0, and {} still ran", done.name.as_str(), beside.name.as_str());
        let mut failure = plain(pod, Cause::Deleted, Some(words));
        (failure.at, failure.by_deletion) = (Some(deleted), true);
        return Some(failure);
    }
    let said = killed.iter().find(|exit| !exit.end.message.is_empty());
    if let Some(exit) = said.or(killed.first()) {
        let mut failure = exit.failure(pod, true);
        failure.termination.cause = Cause::Deleted;
        return Some(failure);
    }
    if !pod.is_failed() {
        return None;
    }
    let waited = waiting::of(pod).filter(|_| !waiting::has_begun(pod));
    let mut failure = match waited {
        Some(wait) => plain(pod, wait.cause, Some(wait.message)),
        None => plain(pod, Cause::Deleted, None),
    };
    (failure.at, failure.by_deletion) = (Some(deleted), true);
    Some(failure)
}

/// The first main container, if it has succeeded, and one that was stopped beside it.
fn outlived<'a>(pod: &'a RawPod, killed: &[Exit<'a>]) -> Option<(&'a RawContainer, &'a RawContainer)> {
    let (_, first) = pod.containers().into_iter().find(|(role, _)| *role == Role::Main)?;
    let succeeded = first.state.terminated.as_ref().is_some_and(|end| end.exit_code == Some(0));
    Some((first, killed.first()?.container)).filter(|_| succeeded)
}

/// The pod has failed, and no container of the work says why.
fn unexplained(pod: &RawPod) -> Option<Failure> {
    if !pod.is_failed() {
        return None;
    }
    let words = [&*pod.status.reason, &*pod.status.message];
    let words = words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(": ");
    let words = Some(words).filter(|words| !words.is_empty()).or_else(|| sidecar(pod));
    Some(plain(pod, Cause::Unknown, words))
}

/// Where nothing else is known, how a sidecar ended is a hint. Its code is not the run's.
fn sidecar(pod: &RawPod) -> Option<String> {
    let mut sidecars = pod.containers().into_iter().filter(|(role, _)| *role == Role::Sidecar);
    sidecars.find_map(|(_, container)| {
        let code = container.state.terminated.as_ref()?.exit_code.filter(|code| *code != 0)?;
        Some(format!("sidecar {} exited with code {code}", container.name.as_str()))
    })
}

/// A failure that no container's exit tells of.
pub(super) fn plain(pod: &RawPod, cause: Cause, message: Option<String>) -> Failure {
    Failure {
        termination: Termination {
            cause,
            reason: cause.as_str().to_owned(),
            exit_code: None,
            message,
            container: None,
            is_init: false,
            pod: pod.metadata.name.to_string(),
        },
        at: None,
        by_deletion: false,
        restarts: false,
    }
}
