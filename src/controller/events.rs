//! Events on the task: what `kubectl describe` shows at its end.
//!
//! Takes announcements, posts events in the background. Never delays a run: when there is too much to say, it is dropped
//! and counted. A task may say 25 things at once and one more each minute, much like client-go's spam filter.

use super::leader::LEASE;
use super::{Context, Terms};
use crate::api;
use crate::plan::{Announcement, Because, Outcome, Task};
use jiff::Timestamp;
use kube::api::PostParams;
use kube::core::Request;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

const WAITING: usize = 2048;
const BURST: f64 = 25.0;
const PER_SECOND: f64 = 1.0 / 60.0;
/// Beyond this many tasks the allowances of the quiet ones are forgotten.
const REMEMBERED: usize = 4096;

/// Where announcements go.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::Sender<Event>,
}

#[derive(Debug)]
struct Event {
    namespace: String,
    /// Whose allowance it is.
    key: String,
    body: Value,
}

/// The end that posts them.
#[derive(Debug)]
pub struct Outbox {
    receiver: mpsc::Receiver<Event>,
}

impl Events {
    /// A sink and its outbox.
    #[must_use]
    pub fn new() -> (Self, Outbox) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender }, Outbox { receiver })
    }

    /// A warning that concerns no single outcome.
    pub fn warn(&self, task: &Task, because: Because, message: &str) {
        self.post(task, "Warning", because.as_str(), message);
    }

    /// What became of slots. A success says nothing: the status does, and it is one request less for each run.
    pub fn announce(&self, task: &Task, said: &Announcement) {
        let kind = if said.outcome.is_warning() { "Warning" } else { "Normal" };
        match said.outcome {
            Outcome::Succeeded => {}
            Outcome::Started => self.post(task, kind, "Started", &said.message),
            _ => self.post(task, kind, said.because.as_str(), &said.message),
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
            "message": message.chars().take(1024).collect::<String>(),
            "source": {"component": super::FIELD_MANAGER},
            "reportingComponent": "punctual.dev/controller",
            "count": 1,
        });
        let event = Event {
            namespace: namespace.to_owned(),
            key: key.to_owned(),
            body,
        };
        // Full: drop before delay.
        let _ = self.sender.try_send(event);
    }
}

impl Outbox {
    /// Posts events until the process leaves and none waits.
    pub async fn run(mut self, ctx: Arc<Context>) {
        let mut allowances: HashMap<String, (f64, Instant)> = HashMap::new();
        let mut draining = ctx.draining.subscribe();
        loop {
            let next = tokio::select! {
                biased;
                event = self.receiver.recv() => event,
                _ = draining.wait_for(|draining| *draining) => None,
            };
            let Some(mut event) = next else { return };
            if allowances.len() > REMEMBERED {
                allowances.clear();
            }
            if !spend(allowances.entry(event.key).or_insert((BURST, Instant::now()))) {
                ctx.metrics.events_dropped.inc();
                continue;
            }
            let now = json!(super::whole_seconds(Timestamp::max(ctx.clock.now(), Timestamp::UNIX_EPOCH)));
            event.body["firstTimestamp"] = now.clone();
            event.body["lastTimestamp"] = now;
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

fn spend((tokens, since): &mut (f64, Instant)) -> bool {
    *tokens = (*tokens + since.elapsed().as_secs_f64() * PER_SECOND).min(BURST);
    *since = Instant::now();
    if *tokens < 1.0 {
        return false;
    }
    *tokens -= 1.0;
    true
}

/// A generated name gets five more characters and must stay a DNS name of 253.
fn short(name: &str) -> &str {
    &name[..name.len().min(240)]
}
