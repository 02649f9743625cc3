//! Tells one sink what is new to it.
//!
//! Asks the reader what there is, gives it to the sink, and lets the reader know what arrived. Waits while starts are due, and, where
//! messages are for people, for others of the same storm. Decides nothing about messages.

use super::context::Context;
use super::queue::LONGEST_WAIT;
use super::told::Line;
use crate::notify::{Config, Message, Part, Sink, Subject, View};
use crate::schedule::hash;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// A delivery that failed is made again after this, doubled each time, and at most [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A receiver that asks for more time gets this much.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// Tells the sink for as long as it is in use.
pub async fn run(ctx: Arc<Context>, line: Arc<Line>, mut sink: Sink, config: watch::Receiver<Arc<Config>>) {
    let (mut failures, mut has_waited) = (0, false);
    loop {
        let known = config.borrow().clone();
        let (messages, parts) = gather(&ctx, &line, &known, sink.most());
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
        let patience = Duration::try_from(LONGEST_WAIT).unwrap_or_default();
        let mut starts_wait = ctx.queue.starts_wait();
        let _ = timeout(patience, starts_wait.wait_for(|wait| !*wait)).await;
        match deliver(&ctx, &line, &mut sink, &messages, parts).await {
            None => failures = 0,
            Some(asked) => {
                sleep(pause(&line.sink, failures).max(asked.min(LONGEST_ASKED))).await;
                failures += 1;
            }
        }
    }
}

/// What the next tasks have to tell, until there is enough for a delivery. Nothing while it is unknown how far the sink has read.
fn gather(ctx: &Context, line: &Line, config: &Config, most: usize) -> (Vec<Message>, Vec<Part>) {
    let (mut messages, mut parts) = (Vec::new(), Vec::new());
    let mut looked = HashSet::new();
    while messages.len() < most {
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

/// Delivers what there is, and says how long to wait at least if that failed.
async fn deliver(ctx: &Context, line: &Line, sink: &mut Sink, messages: &[Message], parts: Vec<Part>) -> Option<Duration> {
    let (mut delivered, mut failed) = (0, None);
    while failed.is_none()
        && let Some(left) = messages.get(delivered..).filter(|left| !left.is_empty())
    {
        let some = left.get(..sink.most().max(1)).unwrap_or(left);
        match sink.deliver(some).await {
            Ok(()) => {
                count(ctx, line, "delivered", some.len());
                delivered += some.len();
            }
            Err(error) => {
                count(ctx, line, "delivered", error.delivered);
                delivered += error.delivered;
                let about = messages.get(delivered).map(|message| message.subject.to_string());
                if error.is_final {
                    // Where many are one for the receiver, it has refused all of them.
                    let dropped = if sink.groups() { some.len() - error.delivered } else { 1 };
                    tracing::warn!(sink = line.sink, task = about, dropped, "dropped notifications: {}", error.message);
                    count(ctx, line, "dropped", dropped);
                    delivered += dropped;
                } else {
                    tracing::warn!(sink = line.sink, task = about, "notifications wait: {}", error.message);
                    ctx.metrics.notification_failures.with_label_values(&[&line.sink]).inc();
                    failed = Some(error.after.unwrap_or_default());
                }
            }
        }
    }
    let mut reader = line.reader();
    if let Some(reader) = reader.as_mut() {
        let left = reader.settle(parts, delivered);
        again(line, left.iter());
    }
    failed
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

/// Sinks of one server that was away do not come back in the same moment.
fn pause(sink: &str, failures: u32) -> Duration {
    let pause = (FIRST_PAUSE * (1 << failures.min(9))).min(LONGEST_PAUSE);
    let share = u32::try_from(hash(&format!("{sink} {failures}")) % 50).unwrap_or(0);
    pause * (75 + share) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes_and_differ() {
        let pauses: Vec<Duration> = (0..40).map(|failures| pause("chat", failures)).collect();
        assert!(pauses[0] < Duration::from_secs(2) && pauses[5] > Duration::from_secs(20));
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE * 5 / 4));
        assert_ne!(pauses, (0..40).map(|failures| pause("mail", failures)).collect::<Vec<_>>());
    }
}
