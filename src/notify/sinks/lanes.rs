//! Sends messages side by side, and those of one lane one after the other.

use super::failure::NotDelivered;
use futures::StreamExt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sends all messages. `lane` says which of them keep their order, `send` gets the number of a message.
///
/// # Errors
/// That of the first message that was not delivered, with how many before it were. After a failure, no further message is sent.
pub async fn in_lanes<K, F, S>(count: usize, at_once: usize, lane: impl Fn(usize) -> K, send: S) -> Result<(), NotDelivered>
where
    K: std::hash::Hash + Eq,
    F: Future<Output = Result<(), NotDelivered>>,
    S: Fn(usize) -> F,
{
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    for index in 0..count {
        let number = *known.entry(lane(index)).or_insert(lanes.len());
        match lanes.get_mut(number) {
            Some(lane) => lane.push(index),
            None => lanes.push(vec![index]),
        }
    }
    let has_failed = AtomicBool::new(false);
    let (has_failed, send) = (&has_failed, &send);
    let outcomes = futures::stream::iter(lanes).map(|lane| async move {
        let mut sent = Vec::new();
        for index in lane {
            if has_failed.load(Ordering::Relaxed) {
                return (sent, None);
            }
            match send(index).await {
                Ok(()) => sent.push(index),
                Err(error) => {
                    has_failed.store(true, Ordering::Relaxed);
                    return (sent, Some((index, error)));
                }
            }
        }
        (sent, None)
    });
    let outcomes: Vec<_> = outcomes.buffer_unordered(at_once).collect().await;
    prefix(count, outcomes)
}

type Outcome = (Vec<usize>, Option<(usize, NotDelivered)>);

/// What was delivered from the first message on. A message that was not sent because of another failure is not delivered either.
fn prefix(count: usize, outcomes: Vec<Outcome>) -> Result<(), NotDelivered> {
    let mut is_sent = vec![false; count];
    let mut failures = Vec::new();
    for (sent, failure) in outcomes {
        for index in sent {
            if let Some(is_sent) = is_sent.get_mut(index) {
                *is_sent = true;
            }
        }
        failures.extend(failure);
    }
    let Some(at) = failures.iter().map(|(index, _)| *index).min() else {
        return Ok(());
    };
    let delivered = is_sent.iter().take_while(|is_sent| **is_sent).count();
    // A failure is final for its own message only.
    let first = failures.into_iter().find(|(index, _)| *index == at).map(|(_, failure)| failure);
    let failure = first.unwrap_or_else(|| NotDelivered::new("not sent"));
    Err(NotDelivered {
        delivered,
        is_final: failure.is_final && at == delivered,
        ..failure
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Sends `count` messages in three lanes, of which those in `fail` are refused for good; returns the outcome and what was tried.
    async fn send(count: usize, at_once: usize, fail: &[usize]) -> (Result<(), NotDelivered>, Vec<usize>) {
        let tried = Mutex::new(Vec::new());
        let outcome = in_lanes(
            count,
            at_once,
            |index| index % 3,
            |index| {
                tried.lock().unwrap().push(index);
                let refused = fail.contains(&index).then(|| NotDelivered {
                    is_final: true,
                    ..NotDelivered::new(index.to_string())
                });
                async {
                    tokio::task::yield_now().await;
                    refused.map_or(Ok(()), Err)
                }
            },
        )
        .await;
        (outcome, tried.into_inner().unwrap())
    }

    #[tokio::test]
    async fn messages_of_a_lane_keep_their_order() {
        let (outcome, tried) = send(30, 3, &[]).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(tried.len(), 30);
        for lane in 0..3 {
            let of_lane: Vec<_> = tried.iter().filter(|index| **index % 3 == lane).collect();
            assert!(of_lane.is_sorted(), "{tried:?}");
        }
    }

    #[tokio::test]
    async fn only_what_was_sent_from_the_first_on_counts() {
        // All lanes are at their second message when that of the second lane fails.
        let (outcome, _) = send(9, 3, &[4]).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.delivered, error.is_final, error.message.as_str()), (4, true, "4"));
        // One lane after the other: the second one fails before the third is begun.
        let (outcome, tried) = send(9, 1, &[4]).await;
        let error = outcome.unwrap_err();
        assert_eq!(tried, [0, 3, 6, 1, 4]);
        assert_eq!(
            (error.delivered, error.is_final),
            (2, false),
            "2 was not sent, and must not be dropped"
        );
    }
}
