//! Sees Jobs run, by the API server's own watch: two of one task at once are an overlap.
//!
//! Takes a namespace, gives overlaps. Never asks the operator, nor trusts a clock: the order is the API server's.

use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::runtime::watcher::{self, Event};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

pub struct Witness {
    seen: Arc<Mutex<Seen>>,
    watching: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// UID and name of the Jobs that run, by task.
    running: BTreeMap<String, BTreeMap<String, String>>,
    overlaps: Vec<(String, String)>,
}

impl Witness {
    pub fn start(jobs: Api<Job>) -> Witness {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let ours = seen.clone();
        let watching = tokio::spawn(async move {
            let mut events = std::pin::pin!(kube::runtime::watcher(jobs, watcher::Config::default()));
            while let Some(event) = events.next().await {
                let mut seen = ours.lock().unwrap();
                match event {
                    Ok(Event::Apply(job) | Event::InitApply(job)) => seen.see(job, false),
                    Ok(Event::Delete(job)) => seen.see(job, true),
                    Ok(Event::Init) => seen.running.clear(),
                    Ok(Event::InitDone) | Err(_) => {}
                }
            }
        });
        Witness { seen, watching }
    }

    /// Each Job that began while another of its task ran, with that task.
    pub fn overlaps(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().overlaps.clone()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Seen {
    fn see(&mut self, job: Job, gone: bool) {
        let (name, uid) = (job.metadata.name.unwrap_or_default(), job.metadata.uid.unwrap_or_default());
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
