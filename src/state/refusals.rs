//! What the API server said no to, of one task and one kind of write.
//!
//! Takes refusals, gives whether they are news, and when to try again: after a second, then twice as long each time, up to four minutes.

use crate::plan::{Reason, Refusal};
use jiff::{SignedDuration, Timestamp};

/// What the API server said no to, and how often in a row.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    pub last: Option<Refusal>,
    in_a_row: u32,
}

/// What kind of write was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// A run: nothing is started until it is time to try again.
    Start,
    /// Finished Jobs above the limits: they wait, the runs do not.
    CleanUp,
}

impl Refusals {
    /// A deletion was taken, whatever was said of others before.
    pub fn accept_delete(&mut self) {
        if self.last.as_ref().is_some_and(|last| last.reason == Reason::DeleteRefused) {
            *self = Self::default();
        }
    }

    /// One more. Says whether that is news, or the same answer as before.
    pub fn add(&mut self, reason: Reason, message: &str, now: Timestamp) -> bool {
        let same = |last: &Refusal| (last.reason, last.message.as_str()) == (reason, message);
        let news = !self.last.as_ref().is_some_and(same);
        self.last = Some(Refusal {
            reason,
            message: message.to_owned(),
            retry_at: now + SignedDuration::from_secs(1_i64 << self.in_a_row.min(8)),
        });
        self.in_a_row += 1;
        news
    }
}
