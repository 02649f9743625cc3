//! Posts the accepted events in the background.
//!
//! Events come in one after another, and each becomes one request, with the time at which it was accepted. They wait while starts are
//! due. An event that cannot be written is dropped and counted. Decides nothing about events.

use super::context::Context;
use super::events::Accepted;
use super::queue::LONGEST_WAIT;
use jiff::Timestamp;
use kube::api::PostParams;
use kube::core::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Posts events until the process shuts down and none is queued.
pub async fn run(ctx: Arc<Context>, mut accepted: Accepted) {
    let (mut draining, mut starts_wait) = (ctx.draining.subscribe(), ctx.queue.starts_wait());
    let longest = Duration::try_from(LONGEST_WAIT).unwrap_or_default();
    loop {
        let next = tokio::select! {
            biased;
            event = accepted.recv() => event,
            _ = draining.wait_for(|draining| *draining) => None,
        };
        let Some(mut event) = next else { return };
        let patience = longest.saturating_sub(event.since.elapsed());
        let _ = tokio::select! {
            waited = timeout(patience, starts_wait.wait_for(|wait| !*wait)) => waited.is_ok(),
            _ = draining.wait_for(|draining| *draining) => false,
        };
        let accepted_at = ctx
            .clock
            .now()
            .saturating_sub(event.since.elapsed())
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let now = json!(whole_seconds(accepted_at.max(Timestamp::UNIX_EPOCH)));
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

/// An instant as Kubernetes writes it in `metav1.Time`.
fn whole_seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}
