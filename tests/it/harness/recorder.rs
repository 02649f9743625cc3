//! A witness: every Job that ever was in a namespace, by the API server's own watch, whatever the operator says.

use super::until;
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::api::ListParams;
use kube::runtime::watcher::{self, Event};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Sees Jobs come.
pub struct Recorder {
    jobs: Api<Job>,
    /// Name and slot by UID.
    seen: Arc<Mutex<BTreeMap<String, (String, Timestamp)>>>,
    watching: JoinHandle<()>,
}

impl Recorder {
    pub async fn start(jobs: Api<Job>) -> Recorder {
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let (ready, is_ready) = oneshot::channel();
        let mut ready = Some(ready);
        let ours = seen.clone();
        let listed = jobs.clone();
        let watching = tokio::spawn(async move {
            let mut events = std::pin::pin!(kube::runtime::watcher(jobs, watcher::Config::default()));
            while let Some(event) = events.next().await {
                match event {
                    Ok(Event::Apply(job) | Event::InitApply(job) | Event::Delete(job)) => {
                        let slot = job
                            .metadata
                            .annotations
                            .as_ref()
                            .and_then(|all| all.get("punctual.dev/slot"))
                            .and_then(|slot| slot.parse().ok());
                        if let (Some(uid), Some(name), Some(slot)) = (job.metadata.uid, job.metadata.name, slot) {
                            ours.lock().unwrap().insert(uid, (name, slot));
                        }
                    }
                    Ok(Event::InitDone) => {
                        if let Some(ready) = ready.take() {
                            let _ = ready.send(());
                        }
                    }
                    Ok(Event::Init) => {}
                    // At the end of a test each attempt fails at once, and who never waits can not be ended.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        is_ready.await.expect("the watch begins");
        Recorder {
            jobs: listed,
            seen,
            watching,
        }
    }

    /// Waits until the watch has shown every Job that is there, and with it each that came before and is gone.
    async fn catch_up(&self) {
        let there = self.jobs.list(&ListParams::default()).await.expect("Jobs can be listed").items;
        let told = |job: &Job| {
            job.metadata
                .annotations
                .as_ref()
                .is_some_and(|all| all.contains_key("punctual.dev/slot"))
        };
        let uids: Vec<String> = there.into_iter().filter(told).filter_map(|job| job.metadata.uid).collect();
        until("the witness to see every Job", || async {
            let seen = self.seen.lock().unwrap();
            uids.iter().all(|uid| seen.contains_key(uid)).then_some(())
        })
        .await;
    }

    /// Slots of all Jobs ever seen, in order; a slot that got two Jobs stands there twice.
    pub async fn slots(&self) -> Vec<Timestamp> {
        self.of("").await
    }

    /// The same for Jobs whose name begins so.
    pub async fn of(&self, prefix: &str) -> Vec<Timestamp> {
        self.catch_up().await;
        let seen = self.seen.lock().unwrap();
        let mut slots: Vec<Timestamp> = seen
            .values()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, slot)| *slot)
            .collect();
        slots.sort();
        slots
    }

    /// Names of all Jobs ever seen, in order; a name that two Jobs had stands there twice.
    pub async fn names(&self) -> Vec<String> {
        self.catch_up().await;
        let mut names: Vec<String> = self.seen.lock().unwrap().values().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// Fails if two Jobs ever had the same name.
    pub async fn assert_each_once(&self) {
        let names = self.names().await;
        let mut once = names.clone();
        once.dedup();
        assert_eq!(names, once, "a Job was created twice");
    }

    /// Fails if any slot ever had two Jobs.
    pub async fn assert_once(&self) {
        let slots = self.slots().await;
        for pair in slots.windows(2) {
            assert_ne!(
                pair[0],
                pair[1],
                "slot {} was started twice: {:?}",
                pair[0],
                self.seen.lock().unwrap()
            );
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
