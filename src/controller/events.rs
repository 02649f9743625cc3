//! Kubernetes events on tasks, as `kubectl describe` shows them.
//!
//! Announcements go in, events to be posted come out. Accepting one never delays a run: events beyond the rate limits are dropped
//! and counted. Each task may post a burst of 25 and one more per minute, as in client-go's spam filter; a limit per namespace keeps
//! one namespace from silencing the others.

use super::field_manager::FIELD_MANAGER;
use super::lease::{LEASE, LeaderElectionConfig};
use crate::api::{self, printable};
use crate::metrics::Metrics;
use crate::plan::{Announcement, Outcome, Reason, Task};
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

/// An event to be posted.
#[derive(Debug)]
pub struct Event {
    /// Namespace of the object.
    pub namespace: String,
    /// The event as JSON, without its times.
    pub body: Value,
    /// When it was accepted.
    pub since: Instant,
}

/// Events that were accepted and not posted yet.
pub type Accepted = mpsc::Receiver<Event>;

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
    /// A sink and the events that it accepts.
    #[must_use]
    pub fn new(metrics: Metrics) -> (Self, Accepted) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let events = Self {
            sender,
            allowances: Arc::default(),
            metrics,
        };
        (events, receiver)
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
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": "punctual.dev/controller",
            "count": 1,
        });
        let event = Event {
            namespace: namespace.to_owned(),
            body,
            since: Instant::now(),
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

/// `generateName` appends five characters, and the result must not exceed the 253 characters of a DNS name.
fn short(name: &str) -> &str {
    name.get(..240).unwrap_or(name)
}
