//! How much a sink gets at once, and how long it is left alone after a failure.
//!
//! After a failure half as much is delivered at once, down to one message, and after a success twice as much again: a message that a
//! receiver refuses is soon alone, and what waits behind it goes on. Measures no time.

use crate::schedule::hash;
use std::time::Duration;

/// A delivery that failed is made again after this, doubled each time, and at most [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A receiver that asks for more time gets this much.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The pace of one sink.
#[derive(Clone, Debug)]
pub struct Pace {
    sink: String,
    /// So many messages at once, if fewer than the sink takes.
    limit: Option<usize>,
    failures: u32,
}

impl Pace {
    /// The pace of a sink that has not failed.
    #[must_use]
    pub fn new(sink: &str) -> Self {
        Self {
            sink: sink.into(),
            limit: None,
            failures: 0,
        }
    }

    /// How many messages it gets at once, of a sink that takes so many.
    #[must_use]
    pub fn most(&self, of_sink: usize) -> usize {
        self.limit.unwrap_or(usize::MAX).min(of_sink).max(1)
    }

    /// Everything arrived.
    pub fn succeeded(&mut self) {
        self.limit = self.limit.map(|limit| limit.saturating_mul(2));
        self.failures = 0;
    }

    /// Of so many messages not all arrived. Returns how long to wait; at least as long as the receiver `asked`.
    pub fn failed(&mut self, messages: usize, arrived: usize, asked: Option<Duration>) -> Duration {
        self.limit = Some((messages / 2).max(1));
        if arrived > 0 {
            self.failures = 0;
        }
        let pause = (FIRST_PAUSE * (1 << self.failures.min(9))).min(LONGEST_PAUSE);
        // Sinks of one server that was away do not come back in the same moment.
        let share = u32::try_from(hash(&format!("{} {}", self.sink, self.failures)) % 50).unwrap_or(0);
        self.failures = self.failures.saturating_add(1);
        (pause * (75 + share) / 100).max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes_and_differ() {
        let pauses = |sink: &str| {
            let mut pace = Pace::new(sink);
            (0..40).map(|_| pace.failed(64, 0, None)).collect::<Vec<Duration>>()
        };
        let chat = pauses("chat");
        assert!(chat[0] < Duration::from_secs(2) && chat[5] > Duration::from_secs(20));
        assert!(chat.iter().all(|pause| *pause <= LONGEST_PAUSE * 5 / 4));
        assert_ne!(chat, pauses("mail"));
        let mut asked = Pace::new("chat");
        assert_eq!(asked.failed(64, 0, Some(Duration::from_secs(99))), Duration::from_secs(99));
        assert_eq!(asked.failed(64, 0, Some(Duration::MAX)), LONGEST_ASKED);
    }

    /// One message of a hundred is refused for ever. All others arrive, soon.
    #[test]
    fn what_waits_behind_a_refused_message_goes_on() {
        let mut pace = Pace::new("mail");
        let mut waiting: std::collections::VecDeque<u32> = (0..100).collect();
        let mut waited = Duration::ZERO;
        while waiting != [7] {
            let some: Vec<u32> = waiting.drain(..pace.most(64).min(waiting.len())).collect();
            if some.contains(&7) {
                waited += pace.failed(some.len(), 0, None);
                waiting.extend(some);
            } else {
                pace.succeeded();
            }
        }
        assert!(waited < Duration::from_secs(600), "{waited:?}");
        assert_eq!((pace.most(0), Pace::new("mail").most(64)), (1, 64));
    }
}
