//! Kubernetes events on tasks, as `kubectl describe` shows them.
//!
//! Announcements go in; events are posted in the background. Posting never delays a run: events beyond the rate limits are dropped
//! and counted. Each task may post a burst of 25 and one more per minute, as in client-go's spam filter; a limit per namespace keeps
//! one namespace from silencing the others.

use super::leader::LEASE;
use super::{Context, LeaderElectionConfig};
use crate::api::{self, printable};
use crate::metrics::Metrics;
use crate::plan::{Announcement, Outcome, Reason, Task};
use jiff::Timestamp;
use kube::api::PostParams;
use kube::core::Request;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

/// Capacity of the queue of events, for all namespaces.
const WAITING: usize = 2048;
/// Rate limit of one task.
const OF_TASK: Rate = Rate {
    burst: 25.0,
    per_second: 1.0 / 60.0,
};
/// Rate limit of one namespace: the burst is a quarter of the queue.
const OF_NAMESPACE: Rate = Rate {
    burst: 512.0,
    per_second: 5.0,
};
/// Above this number of rate limiters, those that are full again are removed.
const REMEMBERED: usize = 4096;

/// Accepts events. Cloning shares.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::Sender<Event>,
    allowances: Arc<Mutex<HashMap<String, Allowance>>>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Event {
    namespace: String,
    body: Value,
}

/// Posts the accepted events.
#[derive(Debug)]
pub struct Outbox {
    receiver: mpsc::Receiver<Event>,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: f64,
    per_second: f64,
}

#[derive(Clone, Copy, Debug)]
struct Allowance {
    rate: Rate,
    left: f64,
    since: Instant,
}

impl Allowance {
    fn refill(&mut self) {
        self.left = (self.left + self.since.elapsed().as_secs_f64() * self.rate.per_second).min(self.rate.burst);
        self.since = Instant::now();
    }
}

impl Events {
    /// A sink and the outbox that posts its events.
    #[must_use]
    pub fn new(metrics: Metrics) -> (Self, Outbox) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let events = Self {
            sender,
            allowances: Arc::default(),
            metrics,
        };
        (events, Outbox { receiver })
    }

    /// Posts a warning that does not belong to a single outcome.
    pub fn warn(&self, task: &Task, reason: Reason, message: &str) {
        self.post(task, "Warning", reason.as_str(), message);
    }

    /// Posts the outcome of slots. A success posts no event: the status has it, and each run costs one request less.
    pub fn announce(&self, task: &Task, said: &Announcement) {
        let kind = if said.outcome.is_warning() { "Warning" } else { "Normal" };
        match said.outcome {
            Outcome::Succeeded => {}
            Outcome::Started => self.post(task, kind, "Started", &said.message),
            _ => self.post(task, kind, said.reason.as_str(), &said.message),
        }
    }

    /// Posts an event about the election on the Lease.
    pub fn about_lease(&self, config: &LeaderElectionConfig, message: &str) {
        let object = json!({"apiVersion": LEASE.0, "kind": LEASE.1, "name": config.name, "namespace": config.namespace});
        self.send(
            &config.namespace,
            &config.name,
            &config.identity,
            object,
            ["Normal", "LeaderElection", message],
        );
    }

    fn post(&self, task: &Task, kind: &str, reason: &str, message: &str) {
        let object = json!({
            "apiVersion": format!("{}/{}", api::GROUP, api::VERSION),
            "kind": api::KIND,
            "name": task.name,
            "namespace": task.namespace,
            "uid": task.uid,
            "resourceVersion": task.resource_version,
        });
        self.send(&task.namespace, &task.name, &task.uid, object, [kind, reason, message]);
    }

    fn send(&self, namespace: &str, name: &str, key: &str, object: Value, [kind, reason, message]: [&str; 3]) {
        // The name only has to be unique, so the API server generates it.
        let body = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": format!("{}.", short(name)), "namespace": namespace},
            "involvedObject": object,
            "type": kind,
            "reason": reason,
            "message": printable(message).chars().take(1024).collect::<String>(),
            "source": {"component": super::FIELD_MANAGER},
            "reportingComponent": "punctual.dev/controller",
            "count": 1,
        });
        let event = Event {
            namespace: namespace.to_owned(),
            body,
        };
        // A full queue drops the event instead of delaying the caller.
        if !self.may_say(namespace, key) || self.sender.try_send(event).is_err() {
            self.metrics.events_dropped.inc();
        }
    }

    /// Whether the limits of task and namespace allow one more event; if so, it is counted.
    fn may_say(&self, namespace: &str, key: &str) -> bool {
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        if allowances.len() > REMEMBERED {
            allowances.retain(|_, allowance| {
                allowance.refill();
                allowance.left < allowance.rate.burst
            });
        }
        let shares = [(format!("task {key}"), OF_TASK), (format!("namespace {namespace}"), OF_NAMESPACE)];
        let mut may = true;
        for (name, rate) in &shares {
            let fresh = Allowance {
                rate: *rate,
                left: rate.burst,
                since: Instant::now(),
            };
            let allowance = allowances.entry(name.clone()).or_insert(fresh);
            allowance.refill();
            may &= allowance.left >= 1.0;
        }
        if may {
            for (name, _) in &shares {
                allowances.entry(name.clone()).and_modify(|allowance| allowance.left -= 1.0);
            }
        }
        may
    }
}

impl Outbox {
    /// Posts events until the process shuts down and none is queued.
    pub async fn run(mut self, ctx: Arc<Context>) {
        let mut draining = ctx.draining.subscribe();
        loop {
            let next = tokio::select! {
                biased;
                event = self.receiver.recv() => event,
                _ = draining.wait_for(|draining| *draining) => None,
            };
            let Some(mut event) = next else { return };
            let now = json!(super::whole_seconds(Timestamp::max(ctx.clock.now(), Timestamp::UNIX_EPOCH)));
            if let Some(body) = event.body.as_object_mut() {
                body.insert("firstTimestamp".into(), now.clone());
                body.insert("lastTimestamp".into(), now);
            }
            let path = format!("/api/v1/namespaces/{}/events", event.namespace);
            let body = serde_json::to_vec(&event.body).unwrap_or_default();
            let sent = ctx
                .write::<Value>("event", Request::new(path).create(&PostParams::default(), body))
                .await;
            if let Err(error) = sent {
                ctx.metrics.events_dropped.inc();
                tracing::debug!("failed to write an event: {error}");
            }
        }
    }
}

/// `generateName` appends five characters, and the result must not exceed the 253 characters of a DNS name.
fn short(name: &str) -> &str {
    name.get(..240).unwrap_or(name)
}
