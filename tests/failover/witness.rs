//! Sees Jobs come, run, end and go, and each version of a task, by the API server's own watch: two Jobs of one name are a
//! double, two of one task at once an overlap.
//!
//! Takes a namespace, gives Jobs, versions and overlaps. (An audit log knows less: a POST whose sender has gone is answered 504 there, and may
//! have made its Job all the same.) Never asks the operator, nor trusts a clock: the order is the API server's.

use crate::harness::until;
use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use kube::runtime::watcher::{self, Event};
use kube::{Api, ResourceExt};
use punctual::api::ScheduledTask;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    watching: [JoinHandle<()>; 2],
}

/// What was seen.
#[derive(Clone, Default)]
pub struct Seen {
    /// UIDs of all Jobs there ever were, by name.
    pub jobs: BTreeMap<String, BTreeSet<String>>,
    /// Each Job that began while another of its task ran, with that task.
    pub overlaps: Vec<(String, String)>,
    /// Names of the Jobs that are gone.
    pub deleted: BTreeSet<String>,
    /// The versions of each task.
    pub versions: BTreeMap<String, BTreeSet<String>>,
    /// UID and name of the Jobs that run, by task.
    running: BTreeMap<String, BTreeMap<String, String>>,
}

/// At the end of a test each attempt fails at once, and who never waits can not be ended.
async fn pause_after<T, E>(event: &Result<T, E>) {
    if event.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Witness {
    pub fn start(jobs: Api<Job>, tasks: Api<ScheduledTask>) -> Witness {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let ours = seen.clone();
        let watching_tasks = tokio::spawn(async move {
            let mut events = std::pin::pin!(kube::runtime::watcher(tasks, watcher::Config::default()));
            while let Some(event) = events.next().await {
                pause_after(&event).await;
                if let Ok(Event::Apply(task) | Event::InitApply(task)) = event {
                    let version = task.resource_version().unwrap_or_default();
                    ours.lock().unwrap().versions.entry(task.name_any()).or_default().insert(version);
                }
            }
        });
        let ours = seen.clone();
        let watching_jobs = tokio::spawn(async move {
            let mut events = std::pin::pin!(kube::runtime::watcher(jobs, watcher::Config::default()));
            while let Some(event) = events.next().await {
                pause_after(&event).await;
                let mut seen = ours.lock().unwrap();
                match event {
                    Ok(Event::Apply(job) | Event::InitApply(job)) => seen.see(job, false),
                    Ok(Event::Delete(job)) => seen.see(job, true),
                    Ok(Event::Init) => seen.running.clear(),
                    Ok(Event::InitDone) | Err(_) => {}
                }
            }
        });
        Witness {
            seen,
            watching: [watching_tasks, watching_jobs],
        }
    }

    /// Everything, once the watch has shown each of the Jobs and tasks that are there.
    pub async fn seen(&self, jobs: &[String], tasks: &[ScheduledTask]) -> Seen {
        until("the witness to have seen everything", || async {
            let seen = self.seen.lock().unwrap();
            let jobs = jobs.iter().all(|name| seen.jobs.contains_key(name));
            let versions = |task: &ScheduledTask| seen.versions.get(&task.name_any()).zip(task.resource_version());
            let tasks = tasks
                .iter()
                .all(|task| versions(task).is_some_and(|(seen, now)| seen.contains(&now)));
            (jobs && tasks).then(|| seen.clone())
        })
        .await
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.watching.iter().for_each(JoinHandle::abort);
    }
}

impl Seen {
    fn see(&mut self, job: Job, gone: bool) {
        let (name, uid) = (job.metadata.name.unwrap_or_default(), job.metadata.uid.unwrap_or_default());
        self.jobs.entry(name.clone()).or_default().insert(uid.clone());
        if gone {
            self.deleted.insert(name.clone());
        }
        let Some((task, _)) = name.rsplit_once('-') else { return };
        let running = self.running.entry(task.to_owned()).or_default();
        let ended = job.status.and_then(|status| status.conditions).into_iter().flatten();
        let ended = ended
            .into_iter()
            .any(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed") && condition.status == "True");
        if gone || ended {
            running.remove(&uid);
        } else if running.insert(uid, name.clone()).is_none() && running.len() > 1 {
            let others: Vec<&String> = running.values().filter(|other| **other != name).collect();
            self.overlaps.push((task.to_owned(), format!("{name} began beside {others:?}")));
        }
    }
}
