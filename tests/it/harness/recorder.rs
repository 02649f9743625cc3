//! A witness: every Job that ever was in a namespace, by the API server's own watch, whatever the operator says.

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use kube::runtime::watcher::{self, Event};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Sees Jobs come.
pub struct Recorder {
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
                    Ok(Event::Init) | Err(_) => {}
                }
            }
        });
        is_ready.await.expect("the watch begins");
        Recorder { seen, watching }
    }

    /// Slots of all Jobs ever seen, in order; a slot that got two Jobs stands there twice.
    pub fn slots(&self) -> Vec<Timestamp> {
        let mut slots: Vec<Timestamp> = self.seen.lock().unwrap().values().map(|(_, slot)| *slot).collect();
        slots.sort();
        slots
    }

    /// Slots of all Jobs ever seen whose name begins so, in order.
    pub fn of(&self, prefix: &str) -> Vec<Timestamp> {
        let mut slots: Vec<Timestamp> = self
            .seen
            .lock()
            .unwrap()
            .values()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(_, slot)| *slot)
            .collect();
        slots.sort();
        slots
    }

    /// Fails if any slot ever had two Jobs.
    pub fn assert_once(&self) {
        let slots = self.slots();
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
