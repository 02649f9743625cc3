//! What happened to a Job, according to its pods: how it failed, or how far its work is.
//!
//! ```text
//!   pods (slim) ─► failure: how each pod failed ──┐
//!              └─► waiting: what each waits for ──┴─► report: the pod that decided, and the progress of all
//! ```
//! The state of a Job and its pods go in, a `PodReport` of plain values comes out. Never asks for pods, and never decides what
//! follows. The rules and their sources: `docs/decisions/12-what-a-run-ended-of.md`.

mod cause;
mod failure;
mod raw_pod;
#[cfg(test)]
mod shapes;
mod termination;
mod waiting;

pub use cause::Cause;
pub use raw_pod::RawPod;
pub use termination::Termination;
pub use waiting::Wait;

use failure::{Failure, ONE_EVENT};
use jiff::Timestamp;
use std::cmp::Reverse;

/// How a Job stands when its pods are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState<'a> {
    /// Neither finished nor about to.
    Active,
    /// Its condition `FailureTarget` or `Failed` is true.
    Failed {
        /// The condition's reason.
        reason: &'a str,
        /// The condition's message.
        message: &'a str,
    },
    /// Punctual deletes it, or is about to: a timeout, or a run that replaces it.
    Terminating,
}

/// What the pods of a Job say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodReport {
    /// The failure that decided; of a Job that is active, the newest one so far. A Job that succeeds may have one, too.
    pub exit: Option<Termination>,
    /// No pod runs any more: reading them again adds nothing to `exit`.
    pub is_complete: bool,
    /// How far the work is.
    pub progress: Progress,
}

/// How far the work of a Job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// A container of the work has run.
    pub began: bool,
    /// What a pod waits for: of several, the one that tells most.
    pub waits: Option<Wait>,
    /// Pods that failed, but for those that were deleted first.
    pub failed_pods: u32,
    /// How often containers of the work were started again.
    pub restarts: u32,
    /// How a pod or a container failed last, if it was not deleted first.
    pub newest_failure: Option<Termination>,
    /// A container of the work has completed, and others keep the pod running.
    pub lingers: Option<String>,
}

const NO_POD: &str = "no pod was made: a quota or an admission policy may refuse it; see the events of the Job";

/// A failure and the pod that it is of.
type Failed<'a> = (&'a RawPod, Failure);

/// What the pods of a Job say of it.
#[must_use]
pub fn report(job: JobState, pods: &[RawPod]) -> PodReport {
    let time_is_over = match job {
        JobState::Active => false,
        JobState::Failed { reason, .. } => reason == "DeadlineExceeded",
        JobState::Terminating => true,
    };
    let failed = |pod| Some((pod, failure::of(pod, time_is_over)?));
    let failures: Vec<Failed> = pods.iter().filter_map(failed).collect();
    let newest = newest_event(&failures).map(|(_, failure)| failure.termination.clone());
    let chosen = decisive(job, time_is_over, &failures);
    let exit = chosen.map(|failure| deadline_of_job(job, failure));
    PodReport {
        exit: exit.or_else(|| never_began(job, pods)),
        is_complete: pods.iter().all(|pod| pod.is_failed() || pod.is_succeeded()),
        progress: progress(pods, &failures, newest),
    }
}

impl PodReport {
    /// What people read of a run that is active, if there is more to say than that it runs.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let progress = &self.progress;
        let times = |count: u32, one: &str, many: &str| match count {
            0 => None,
            1 => Some(one.to_owned()),
            count => Some(format!("{count} {many}")),
        };
        let pods = times(progress.failed_pods, "1 pod failed", "pods failed");
        let restarts = times(progress.restarts, "1 restart", "restarts");
        let counts: Vec<String> = pods.into_iter().chain(restarts).collect();
        let last = progress.newest_failure.as_ref().filter(|_| !counts.is_empty());
        let failing = last.map(|last| format!("{}, last: {}", counts.join(", "), last.sentence()));
        // That a container waits before it is started again is no news beside how often it failed.
        let waits = progress.waits.as_ref();
        let waits = waits.filter(|wait| progress.restarts == 0 || !wait.cause.is_backoff());
        let words = [failing, progress.lingers.clone(), waits.map(|wait| wait.message.clone())];
        let words: Vec<String> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// The failure that decided.
fn decisive<'f>(job: JobState, time_is_over: bool, failures: &'f [Failed]) -> Option<&'f Failure> {
    let named = failures.iter().find(|(pod, _)| is_named(job, pod));
    let stopped = || {
        let stopped = failures.iter().filter(|(_, failure)| failure.by_deletion || failure.restarts);
        stopped.max_by_key(|(pod, failure)| (failure.by_deletion, created(pod)))
    };
    let in_time = || stopped().filter(|_| time_is_over);
    let chosen = named.or_else(in_time).or_else(|| newest_event(failures)).or_else(stopped);
    chosen.map(|(_, failure)| failure)
}

/// Whether the Job's message names the pod: `podFailurePolicy` says which one it matched.
fn is_named(job: JobState, pod: &RawPod) -> bool {
    let JobState::Failed {
        reason: "PodFailurePolicy",
        message,
    } = job
    else {
        return false;
    };
    message.contains(&format!("/{} ", pod.metadata.name.as_str()))
}

/// The first of the failures that came together last, of pods that failed by themselves.
fn newest_event<'f, 'a>(failures: &'f [Failed<'a>]) -> Option<&'f Failed<'a>> {
    let own = || failures.iter().filter(|(_, failure)| !failure.by_deletion);
    let newest = own().max_by_key(|failed| (ended(failed), created(failed.0)))?;
    let together = |failed: &&Failed| {
        let at = ended(failed);
        at > created(newest.0) && ended(newest).duration_since(at) < ONE_EVENT
    };
    own().filter(together).min_by_key(|failed| ended(failed)).or(Some(newest))
}

fn created(pod: &RawPod) -> Timestamp {
    pod.metadata.creation_timestamp.unwrap_or(Timestamp::MIN)
}

fn ended((pod, failure): &Failed) -> Timestamp {
    failure.at.unwrap_or(created(pod))
}

/// The Job controller deletes the pods of a Job whose time is over: how they end is reported beside that.
fn deadline_of_job(job: JobState, failure: &Failure) -> Termination {
    let mut termination = failure.termination.clone();
    if let JobState::Failed {
        reason: "DeadlineExceeded",
        message,
    } = job
        && (failure.by_deletion || failure.restarts)
    {
        termination.cause = Cause::DeadlineExceeded;
        "DeadlineExceeded".clone_into(&mut termination.reason);
        termination.message = termination.message.or_else(|| Some(message.to_owned()));
    }
    termination
}

/// A Job ends of which no pod failed: what its newest pod waits for that never began.
fn never_began(job: JobState, pods: &[RawPod]) -> Option<Termination> {
    let waiting = pods.iter().filter(|pod| !waiting::has_begun(pod));
    let pod = waiting.filter(|_| job != JobState::Active).max_by_key(|pod| created(pod))?;
    let wait = waiting::of(pod)?;
    let failure = failure::plain(pod, wait.cause, Some(wait.message));
    Some(deadline_of_job(
        job,
        &Failure {
            by_deletion: true,
            ..failure
        },
    ))
}

fn progress(pods: &[RawPod], failures: &[Failed], newest_failure: Option<Termination>) -> Progress {
    let alive = || pods.iter().filter(|pod| !pod.is_failed() && !pod.is_succeeded());
    let waits = alive().filter_map(|pod| Some((pod, waiting::of(pod)?)));
    let waits = waits.min_by_key(|(pod, wait)| (waiting::rank(wait.cause), Reverse(created(pod))));
    let no_pod = || Wait {
        cause: Cause::NoPod,
        message: NO_POD.into(),
    };
    let failed = failures.iter().filter(|(pod, failure)| pod.is_failed() && !failure.by_deletion);
    Progress {
        began: pods.iter().any(waiting::has_begun),
        waits: waits.map(|(_, wait)| wait).or_else(|| pods.is_empty().then(no_pod)),
        failed_pods: u32::try_from(failed.count()).unwrap_or(u32::MAX),
        restarts: pods.iter().map(waiting::restarts).fold(0, u32::saturating_add),
        newest_failure,
        lingers: alive().filter(|pod| !pod.is_deleted()).find_map(waiting::lingers),
    }
}
