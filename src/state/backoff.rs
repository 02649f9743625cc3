//! What the API server refused, of one task and one kind of write, and when to try again.
//!
//! After a second, then twice as long each time, up to four minutes.

use crate::plan::{Reason, Refusal};
use jiff::{SignedDuration, Timestamp};

/// The last refusal, and how often it was refused in a row.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    /// The last refusal, if nothing has succeeded since.
    pub last: Option<Refusal>,
    in_a_row: u32,
}

impl Backoff {
    /// One more refusal. Returns whether it is news, and not the same answer as before.
    pub fn add(&mut self, reason: Reason, message: &str, now: Timestamp) -> bool {
        let same = |last: &Refusal| (last.reason, last.message.as_str()) == (reason, message);
        let is_news = !self.last.as_ref().is_some_and(same);
        let since = self.last.as_ref().map_or(now, |last| last.since);
        self.last = Some(Refusal {
            reason,
            message: message.to_owned(),
            since,
            retry_at: now + SignedDuration::from_secs(1_i64 << self.in_a_row.min(8)),
        });
        self.in_a_row += 1;
        is_news
    }

    /// Nothing is tried before this time: the API server asks for it.
    pub fn wait_until(&mut self, at: Timestamp) {
        if let Some(last) = &mut self.last {
            last.retry_at = last.retry_at.max(at);
        }
    }
}
