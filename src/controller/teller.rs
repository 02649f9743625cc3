//! Tells one sink what is new to it.
//!
//! Asks the reader what there is, gives it to the sink, and lets the reader know what arrived. Waits while starts are due, and, where
//! messages are for people, for others of the same storm. Decides nothing about messages.

use super::context::Context;
use super::queue::LONGEST_WAIT;
use super::told::Line;
use crate::notify::{Config, Message, NotDelivered, Pace, Part, Sink, Subject, View};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// So many tasks are looked at before others have their turn.
const LOOKS: usize = 32;

/// Tells the sink for as long as it is in use.
pub async fn run(ctx: Arc<Context>, line: Arc<Line>, mut sink: Sink, config: watch::Receiver<Arc<Config>>) {
    let (mut pace, mut has_waited) = (Pace::new(&line.sink), false);
    let patience = Duration::try_from(LONGEST_WAIT).unwrap_or_default();
    let mut starts_wait = ctx.queue.starts_wait();
    loop {
        let _ = timeout(patience, starts_wait.wait_for(|wait| !*wait)).await;
        let known = config.borrow().clone();
        let most = pace.most(sink.most());
        let (messages, parts) = gather(&ctx, &line, &known, most).await;
        let waiting = i64::try_from(line.waiting() + parts.len()).unwrap_or(i64::MAX);
        ctx.metrics.notification_tasks_waiting.with_label_values(&[&line.sink]).set(waiting);
        if parts.is_empty() {
            has_waited = false;
            line.changed().await;
            continue;
        }
        if sink.groups() && !has_waited {
            again(&line, parts.iter().map(Part::subject));
            has_waited = true;
            sleep(known.group_wait).await;
            continue;
        }
        has_waited = false;
        let (settled, failed) = deliver(&ctx, &line, &mut sink, most, &messages).await;
        let left = line.reader().as_mut().map(|reader| reader.settle(parts, settled));
        again(&line, left.iter().flatten());
        match failed {
            None => pace.succeeded(),
            Some(failed) => sleep(pace.failed(messages.len(), settled, failed.after)).await,
        }
    }
}

/// What the next tasks have to tell, until there is enough for a delivery. Nothing while it is unknown how far the sink has read.
async fn gather(ctx: &Context, line: &Line, config: &Config, most: usize) -> (Vec<Message>, Vec<Part>) {
    let (mut messages, mut parts) = (Vec::new(), Vec::new());
    let mut looked = HashSet::new();
    while messages.len() < most {
        if looked.len() % LOOKS == LOOKS - 1 {
            tokio::task::yield_now().await;
        }
        let mut reader = line.reader();
        let Some(reader) = reader.as_mut().filter(|_| ctx.leadership.holds()) else {
            break;
        };
        let Some(key) = line.take() else { break };
        if !looked.insert(key.clone()) {
            // It was touched meanwhile. What it tells now begins where this delivery ends.
            let namespace = ctx.queue.namespace(&key);
            line.add(&key, namespace.as_deref().unwrap_or_default());
            break;
        }
        let Some(task) = ctx.cache.shown(&key).and_then(|shown| shown.standing()) else {
            continue;
        };
        let subject = Subject {
            namespace: task.namespace,
            name: task.name,
            uid: task.uid,
        };
        let view = View {
            subject: &subject,
            created: task.created,
            labels: &task.labels,
            status: &task.status,
        };
        parts.extend(reader.look(view, config, ctx.clock.now(), &mut messages));
    }
    (messages, parts)
}

/// Delivers the messages, so many at once. Returns how many of them, from the first on, need not be sent again, and why not all.
async fn deliver(ctx: &Context, line: &Line, sink: &mut Sink, most: usize, messages: &[Message]) -> (usize, Option<NotDelivered>) {
    let mut settled = 0;
    while let Some(left) = messages.get(settled..).filter(|left| !left.is_empty()) {
        let some = left.get(..most).unwrap_or(left);
        let Err(error) = sink.deliver(some).await else {
            count(ctx, line, "delivered", some.len());
            settled += some.len();
            continue;
        };
        count(ctx, line, "delivered", error.delivered);
        settled += error.delivered;
        let about = messages.get(settled).map(|message| message.subject.to_string());
        // Where many are one for the receiver, it is not known which of them it refuses.
        if error.is_final && (some.len() == 1 || !sink.groups()) {
            tracing::warn!(sink = line.sink, task = about, "dropped a notification: {}", error.message);
            count(ctx, line, "dropped", 1);
            settled += 1;
            continue;
        }
        tracing::warn!(sink = line.sink, task = about, "notifications wait: {}", error.message);
        ctx.metrics.notification_failures.with_label_values(&[&line.sink]).inc();
        return (settled, Some(error));
    }
    (settled, None)
}

fn again<'a>(line: &Line, subjects: impl Iterator<Item = &'a Subject>) {
    for subject in subjects {
        line.add(&subject.uid.as_str().into(), &subject.namespace);
    }
}

fn count(ctx: &Context, line: &Line, result: &str, messages: usize) {
    let counter = ctx.metrics.notifications.with_label_values(&[line.sink.as_str(), result]);
    counter.inc_by(u64::try_from(messages).unwrap_or(0));
}
