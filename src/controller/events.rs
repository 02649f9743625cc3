//! Events on the task: what `kubectl describe` shows at its end.
//!
//! Announcements go in, events are posted in the background. Never delays a run: when there is too much to say, it is dropped and
//! counted. A task may say 25 things at once and one more each minute, much like client-go's spam filter; all tasks of a namespace
//! together so many that the next namespace is heard.

use super::leader::LEASE;
use super::{Context, Terms};
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

/// Events that wait, of all namespaces.
const WAITING: usize = 2048;
/// What a task may say at once, and how soon once more.
const OF_TASK: Rate = Rate {
    burst: 25.0,
    per_second: 1.0 / 60.0,
};
/// What all tasks of a namespace may say: a quarter of those that wait, and less than is posted.
const OF_NAMESPACE: Rate = Rate {
    burst: 512.0,
    per_second: 5.0,
};
/// Beyond this many allowances those that are full again are forgotten.
const REMEMBERED: usize = 4096;

/// Where announcements go.
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

/// The end that posts them.
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
    /// A sink and its outbox.
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

    /// A warning that concerns no single outcome.
    pub fn warn(&self, task: &Task, reason: Reason, message: &str) {
        self.post(task, "Warning", reason.as_str(), message);
    }

    /// What became of slots. A success says nothing: the status does, and it is one request less for each run.
    pub fn announce(&self, task: &Task, said: &Announcement) {
        let kind = if said.outcome.is_warning() { "Warning" } else { "Normal" };
        match said.outcome {
            Outcome::Succeeded => {}
            Outcome::Started => self.post(task, kind, "Started", &said.message),
            _ => self.post(task, kind, said.reason.as_str(), &said.message),
        }
    }

    /// Who leads, told on the Lease.
    pub fn about_lease(&self, terms: &Terms, message: &str) {
        let object = json!({"apiVersion": LEASE.0, "kind": LEASE.1, "name": terms.name, "namespace": terms.namespace});
        self.send(
            &terms.namespace,
            &terms.name,
            &terms.identity,
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
        // The name needs to be unique, no more: the API server makes it so.
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
        // Full: drop before delay.
        if !self.may_say(namespace, key) || self.sender.try_send(event).is_err() {
            self.metrics.events_dropped.inc();
        }
    }

    /// Whether task and namespace may still say something, and takes it from what they may.
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
    /// Posts events until the process leaves and none waits.
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
                tracing::debug!("event not written: {error}");
            }
        }
    }
}

/// A generated name gets five more characters and must stay a DNS name of 253.
fn short(name: &str) -> &str {
    name.get(..240).unwrap_or(name)
}
