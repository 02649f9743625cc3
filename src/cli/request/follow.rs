//! What becomes of a run-now request: taken in, queued, running, ended; or refused.
//!
//! Takes the states of the task as the watch shows them, gives the end and its words. The judgement is pure; only [`Request::ended`] waits.

use crate::api::{RUN_NOW, RunRecord, Trigger};
use crate::cli::cluster::{self, Cluster};
use crate::cli::task::Task;
use crate::cli::{elapsed, output};
use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use std::time::Duration;

/// A run is known by its slot and, once there is a Job, by the name of the run.
type Key = (Timestamp, Option<String>);

/// A request, and what there was before it.
#[derive(Debug)]
pub struct Request {
    name: String,
    value: String,
    before: Vec<Key>,
    /// The operator has taken it in.
    handled: bool,
    /// The run that it became.
    own: Option<Key>,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// Still going on, and what is waited for.
    Waits(String),
    Succeeded(String),
    /// Failed, refused or cancelled, and why.
    Failed(String),
}

/// How it ended.
pub struct Ended {
    pub succeeded: bool,
    /// What to say of a success.
    pub says: Option<String>,
    /// The task as it was last seen.
    pub object: Option<Value>,
}

impl Request {
    /// A request with this value; `task` is the answer to it, which no operator has seen yet.
    pub fn new(value: String, task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            value,
            before: manual(task).into_iter().map(|(key, _)| key).collect(),
            handled: false,
            own: None,
        }
    }

    /// Watches the task until the run has ended, and says on standard error what went wrong.
    pub async fn ended(mut self, cluster: &Cluster, timeout: Duration) -> Ended {
        let mut last = (None, "no operator has taken it in yet".to_owned());
        let name = self.name.clone();
        let watched = tokio::time::timeout(timeout, self.watch(cluster, &mut last)).await;
        let full = cluster::full_name(&name);
        let end = watched.unwrap_or_else(|_| Progress::Failed(format!("timed out waiting for its run: {}", last.1)));
        let (succeeded, says) = match end {
            Progress::Succeeded(says) => (true, Some(format!("{full} {says}"))),
            Progress::Failed(says) | Progress::Waits(says) => {
                output::complain(&format!("error: {full}: {}", output::one_line(&says)));
                (false, None)
            }
        };
        Ended {
            succeeded,
            says,
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
                        Progress::Waits(what) => last.1 = what,
                        end => return end,
                    }
                }
                Ok(None) => return Progress::Failed("it was deleted".into()),
                // A watch that breaks is begun anew; one that is forbidden stays so.
                Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) if is_final(&error) => {
                    return Progress::Failed(format!("cannot be watched: {:#}", cluster.said(error)));
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
                return Progress::Failed("another request took the place of this one before an operator saw it".into());
            }
            if let Some((reason, message)) = task.refusal() {
                return Progress::Failed(format!("nothing can run because {reason}: {message}"));
            }
            return Progress::Waits("no operator has taken it in yet".into());
        }
        let mut news: Vec<(Key, Progress)> = manual(task).into_iter().filter(|(key, _)| !self.before.contains(key)).collect();
        news.sort_by_key(|(key, _)| key.0);
        // The first that came after the request; later ones, of whoever asks after us, are not taken for it.
        let own = self
            .own
            .get_or_insert_with(|| news.first().map(|(key, _)| key.clone()).unwrap_or_default());
        match news.into_iter().find(|(key, _)| key == own) {
            Some((_, Progress::Waits(what))) => Progress::Waits(match task.not_ready() {
                Some((reason, message)) => format!("{what}; not ready because {reason}: {message}"),
                None => what,
            }),
            Some((_, end)) => end,
            None => Progress::Failed("its run is not in the status any more: see runHistoryLimit".into()),
        }
    }
}

/// A refusal that trying again does not mend.
fn is_final(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404))
}

/// All manual runs in the status, and how far each has come.
fn manual(task: &Task) -> Vec<(Key, Progress)> {
    let Some(status) = &task.status else { return Vec::new() };
    let is_manual = |trigger: &Trigger| *trigger == Trigger::Manual;
    let ended = status.recent_runs.iter().filter(|run| is_manual(&run.trigger));
    let ended = ended.map(|run| ((run.slot.0, run.job.as_deref().map(run_name)), end(run)));
    let active = status.active.iter().filter(|run| is_manual(&run.trigger)).map(|run| {
        let job = &run.job;
        let what = match (&run.retry_at, &run.started, &run.message) {
            (Some(at), _, _) => format!("attempt {} begins at {}", run.attempt, at.0),
            (_, None, _) => format!("Job {job} is not made yet"),
            (_, _, Some(message)) => format!("Job {job} goes on: {message}"),
            _ => format!("Job {job} goes on"),
        };
        ((run.slot.0, Some(run_name(job))), Progress::Waits(what))
    });
    let queued = status.queued.iter().filter(|run| is_manual(&run.trigger));
    let queued = queued.map(|run| {
        (
            (run.slot.0, Some(run_name(&run.job))),
            Progress::Waits("it waits in the queue".into()),
        )
    });
    ended.chain(active).chain(queued).collect()
}

/// The run that a Job of a manual run belongs to: `…-m` and nine digits, then perhaps the number of the attempt.
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
                format!(" after {}", elapsed::rough(to.0.duration_since(from.0)))
            });
            Progress::Succeeded(format!("run succeeded{took}{job}"))
        }
        "Failed" => Progress::Failed(format!("run failed because {why}{job}")),
        "Cancelled" => Progress::Failed(format!("run cancelled because {why}{job}")),
        _ => Progress::Failed(format!("run refused because {why}")),
    }
}

#[cfg(test)]
mod tests;
