//! Waits for the run of a run-now request: accepted, queued, running and finished, or refused.
//!
//! Only [`Request::wait`] is async; how far the request has come is a function of the task.

use crate::api::{RUN_NOW, RunRecord, Trigger};
use crate::cli::cluster::{self, Cluster};
use crate::cli::task::Task;
use crate::cli::{duration, output};
use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use std::time::Duration;

const NOT_PROCESSED: &str = "no Punctual operator has processed this request: is one running and watching this namespace?";

/// Identifies a run: its slot and, once there is a Job, its name.
type Key = (Timestamp, Option<String>);

/// A request, and the runs before it.
#[derive(Debug)]
pub struct Request {
    name: String,
    value: String,
    before: Vec<Key>,
    /// Whether the operator has accepted it.
    handled: bool,
    /// The run that it started.
    own: Option<Key>,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// Not finished, and what it waits for.
    Waiting(String),
    Succeeded(String),
    /// Failed, cancelled or refused, and why.
    Failed(String),
}

/// The end of a request.
pub struct End {
    pub succeeded: bool,
    /// The message of a success.
    pub message: Option<String>,
    /// The last known state of the task.
    pub object: Option<Value>,
}

impl Request {
    /// A request with this value. `task` is the API server's answer to it.
    pub fn new(value: String, task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            value,
            before: manual_runs(task).into_iter().map(|(key, _)| key).collect(),
            handled: false,
            own: None,
        }
    }

    /// Watches the task until the run has finished, and prints errors.
    pub async fn wait(mut self, cluster: &Cluster, timeout: Duration) -> End {
        let mut last = (None, NOT_PROCESSED.to_owned());
        let name = self.name.clone();
        let watched = tokio::time::timeout(timeout, self.watch(cluster, &mut last)).await;
        let full = cluster::full_name(&name);
        let end = watched.unwrap_or_else(|_| Progress::Failed(format!("timed out waiting for the run: {}", last.1)));
        let (succeeded, message) = match end {
            Progress::Succeeded(message) => (true, Some(format!("{full} {message}"))),
            Progress::Failed(message) | Progress::Waiting(message) => {
                output::print_error(&format!("error: {full}: {}", output::one_line(&message)));
                (false, None)
            }
        };
        End {
            succeeded,
            message,
            object: last.0,
        }
    }

    async fn watch(&mut self, cluster: &Cluster, last: &mut (Option<Value>, String)) -> Progress {
        let states = watcher::watch_object(cluster.tasks(), &self.name).default_backoff();
        pin_mut!(states);
        while let Some(state) = states.next().await {
            match state {
                Ok(Some(object)) => {
                    let Ok(object) = cluster::as_kubectl_shows(object) else { continue };
                    let progress = self.progress(&Task::of(object.clone()));
                    last.0 = Some(object);
                    match progress {
                        Progress::Waiting(what) => last.1 = what,
                        end => return end,
                    }
                }
                Ok(None) => return Progress::Failed("the task was deleted".into()),
                // The watcher restarts by itself, but not where it is forbidden.
                Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) if is_permanent(&error) => {
                    return Progress::Failed(format!("cannot watch the task: {:#}", cluster.error(error)));
                }
                Err(_) => {}
            }
        }
        Progress::Failed("the watch ended".into())
    }

    fn progress(&mut self, task: &Task) -> Progress {
        let status = task.status.as_ref();
        let refused = status.and_then(|status| status.last_refused_request.as_ref());
        if let Some(refused) = refused.filter(|refused| refused.annotation == RUN_NOW && refused.value == self.value) {
            return Progress::Failed(format!("run refused: {}", refused.message));
        }
        let handled = status.and_then(|status| status.last_handled_run_now.as_deref());
        self.handled |= handled == Some(&self.value);
        if !self.handled {
            if task.annotation(RUN_NOW) != Some(&self.value) {
                return Progress::Failed("another request replaced this one before an operator processed it".into());
            }
            if let Some((reason, message)) = task.unusable_spec() {
                return Progress::Failed(format!("no run starts until the spec is fixed ({reason}): {message}"));
            }
            return Progress::Waiting(NOT_PROCESSED.into());
        }
        let mut new: Vec<(Key, Progress)> = manual_runs(task)
            .into_iter()
            .filter(|(key, _)| !self.before.contains(key))
            .collect();
        new.sort_by_key(|(key, _)| key.0);
        // The first run after the request; later ones belong to other requests.
        let own = self
            .own
            .get_or_insert_with(|| new.first().map(|(key, _)| key.clone()).unwrap_or_default());
        match new.into_iter().find(|(key, _)| key == own) {
            Some((_, Progress::Waiting(what))) => Progress::Waiting(match task.not_ready() {
                Some((reason, message)) => format!("{what}; the task is not ready ({reason}): {message}"),
                None => what,
            }),
            Some((_, end)) => end,
            None => Progress::Failed("the run is no longer in status.recentRuns: see runHistoryLimit".into()),
        }
    }
}

/// Whether trying again is useless.
fn is_permanent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404))
}

/// All manual runs in the status, and their progress.
fn manual_runs(task: &Task) -> Vec<(Key, Progress)> {
    let Some(status) = &task.status else { return Vec::new() };
    let is_manual = |trigger: &Trigger| *trigger == Trigger::Manual;
    let ended = status.recent_runs.iter().filter(|run| is_manual(&run.trigger));
    let ended = ended.map(|run| ((run.slot.0, run.job.as_deref().map(run_name)), end(run)));
    let active = status.active.iter().filter(|run| is_manual(&run.trigger)).map(|run| {
        let job = &run.job;
        let what = match (&run.retry_at, &run.started, &run.message) {
            (Some(at), _, _) => format!("attempt {} starts at {}", run.attempt, at.0),
            (_, None, _) => format!("Job {job} is not created yet"),
            (_, _, Some(message)) => format!("Job {job} is running: {message}"),
            _ => format!("Job {job} is running"),
        };
        ((run.slot.0, Some(run_name(job))), Progress::Waiting(what))
    });
    let queued = status.queued.iter().filter(|run| is_manual(&run.trigger));
    let queued = queued.map(|run| {
        (
            (run.slot.0, Some(run_name(&run.job))),
            Progress::Waiting("the run is queued".into()),
        )
    });
    ended.chain(active).chain(queued).collect()
}

/// The name of a manual run from that of its Job: it ends with `-m` and nine digits, and an attempt number may follow.
fn run_name(job: &str) -> String {
    let end = job.rfind("-m").map_or(job.len(), |at| (at + 11).min(job.len()));
    job.get(..end).unwrap_or(job).to_owned()
}

fn end(run: &RunRecord) -> Progress {
    let job = run.job.as_ref().map_or_else(String::new, |job| format!(" (Job {job})"));
    let code = run.exit_code.map(|code| format!("exit code {code}"));
    let details: Vec<String> = [code, run.message.clone()].into_iter().flatten().collect();
    let why = match details.is_empty() {
        true => run.reason.clone(),
        false => format!("{}: {}", run.reason, details.join(": ")),
    };
    match run.outcome.as_str() {
        "Succeeded" => {
            let took = run.started.as_ref().zip(run.finished.as_ref());
            let took = took.map_or_else(String::new, |(from, to)| {
                format!(" after {}", duration::age(to.0.duration_since(from.0)))
            });
            Progress::Succeeded(format!("run succeeded{took}{job}"))
        }
        "Failed" => Progress::Failed(format!("run failed: {why}{job}")),
        "Cancelled" => Progress::Failed(format!("run cancelled: {why}{job}")),
        _ => Progress::Failed(format!("run refused: {why}")),
    }
}

#[cfg(test)]
mod tests;
