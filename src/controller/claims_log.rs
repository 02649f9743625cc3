//! The claims log as an object of the API server: a ConfigMap that one process holds at a time.
//!
//! Sends what the writer asks for, and says what people should know. Decides nothing.

use super::config_map::ConfigMapRef;
use super::context::Context;
use super::error::Error;
use crate::state::{Failure, LogAnswer, LogReply, LogRequest, WriterNotice};
use k8s_openapi::api::core::v1::ConfigMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The key of the ConfigMap under which the text stands.
const TEXT: &str = "claims";
/// A request that failed is sent again after this, doubled each time, and at most [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// When opening the log is refused so often, nobody will grant the right: ten seconds.
const MOST_REFUSALS: u32 = 10;

/// Sends what the writer asks for. Ends only if the log cannot be opened because the API server refuses it: with its words.
pub async fn run(ctx: Arc<Context>) -> String {
    let (mut failures, mut refusals) = (0, 0);
    loop {
        let request = ctx.claims.next_request().await;
        let answer = send(&ctx, request).await;
        let pause = pause(&answer, &mut failures);
        for notice in ctx.claims.answered(answer) {
            if let WriterNotice::Refused(message) = &notice
                && !ctx.claims.is_open()
            {
                refusals += 1;
                if refusals >= MOST_REFUSALS {
                    return refused(ctx.claims.place(), message);
                }
            }
            say(&ctx, notice);
        }
        if ctx.claims.is_open() {
            refusals = 0;
        }
        if pause > Duration::ZERO {
            tokio::time::sleep(pause).await;
        }
    }
}

/// How long to wait before the next request.
fn pause(answer: &LogAnswer, failures: &mut u32) -> Duration {
    let asked = match answer {
        // Another write was first, or the object is not there: what that means is read at once.
        Ok(_) | Err(Failure::Conflict(_) | Failure::NotFound(_)) => {
            *failures = 0;
            return Duration::ZERO;
        }
        Err(Failure::Later { after, .. }) => Duration::try_from(*after).unwrap_or_default(),
        Err(Failure::Refused(_) | Failure::Unanswered(_)) => Duration::ZERO,
    };
    let wait = (FIRST_PAUSE * (1 << (*failures).min(6))).min(LONGEST_PAUSE);
    *failures += 1;
    wait.max(asked)
}

async fn send(ctx: &Context, request: LogRequest) -> LogAnswer {
    let place = ctx.claims.place();
    let is_creation = matches!(request, LogRequest::Create { .. });
    let answer = match request {
        LogRequest::Read => ctx.send("get claims", place.get()).await,
        LogRequest::Create { text } => ctx.write("claims", place.put(None, content(text))).await,
        LogRequest::Replace { version, text } => {
            ctx.metrics.claims_log_bytes.inc_by(u64::try_from(text.len()).unwrap_or(0));
            ctx.write("claims", place.put(Some(version), content(text))).await
        }
    };
    let failure = match answer {
        Ok(object) => return Ok(reply(object)),
        // Its namespace does not exist.
        Err(Error::NotFound(message)) if is_creation => Error::Refused(message),
        Err(error) => error,
    };
    Err(failure.into_failure().unwrap_or_else(|ours| Failure::Unanswered(ours.to_string())))
}

fn content(text: String) -> ConfigMap {
    ConfigMap {
        data: Some(BTreeMap::from([(TEXT.into(), text)])),
        ..ConfigMap::default()
    }
}

fn reply(object: ConfigMap) -> LogReply {
    LogReply {
        version: object.metadata.resource_version.unwrap_or_default(),
        text: object.data.and_then(|mut data| data.remove(TEXT)).unwrap_or_default(),
    }
}

fn say(ctx: &Arc<Context>, notice: WriterNotice) {
    let ConfigMapRef { namespace, name } = ctx.claims.place();
    match notice {
        WriterNotice::Opened(claims) => {
            tracing::info!(namespace, name, claims, "opened the claims log");
            // Nothing was started while it was not open. What it names is carried out, also of tasks that are gone: then it is dropped.
            ctx.wake_all();
            for key in ctx.claims.tasks() {
                ctx.wake(Some(key));
            }
        }
        WriterNotice::Gone => tracing::warn!(
            namespace,
            name,
            "the claims log was deleted or emptied by somebody: it is written again from memory"
        ),
        WriterNotice::Damaged(lines) => tracing::warn!(
            namespace,
            name,
            lines,
            "lines of the claims log cannot be read: somebody changed it; it is written again from memory"
        ),
        WriterNotice::Deposed(holder) => {
            tracing::warn!(namespace, name, holder, "another process holds the claims log");
            // Where etcd was restored, the log says who led then. And without an election this process leads all the same: two operators are
            // a mistake of whoever started them.
            if ctx.leadership.holds() {
                ctx.claims.open();
            }
        }
        WriterNotice::Refused(message) => tracing::warn!(namespace, name, "the API server refuses the claims log: {message}"),
    }
}

fn refused(place: &ConfigMapRef, message: &str) -> String {
    let ConfigMapRef { namespace, name } = place;
    format!(
        "the claims log, ConfigMap {namespace}/{name}, cannot be used: {message}; create the namespace, and grant get and update on this ConfigMap and create on configmaps there, as the chart does"
    )
}
