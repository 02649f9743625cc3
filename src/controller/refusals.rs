//! What the API server said no to, of one task and one kind of write.
//!
//! Takes refusals, gives whether they are news. Never decides when to try again: that comes with the refusal.

use crate::plan::{Because, Refusal};

/// What the API server said no to, and how often in a row.
#[derive(Debug, Default)]
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
        if self.last.as_ref().is_some_and(|last| last.because == Because::DeleteRefused) {
            *self = Self::default();
        }
    }

    /// One more; it is given how many came in a row before it. Says whether that is news, or the same answer as before.
    pub fn add(&mut self, refusal: impl FnOnce(u32) -> Refusal) -> bool {
        let refusal = refusal(self.in_a_row);
        let same = |last: &Refusal| (last.because, &last.message) == (refusal.because, &refusal.message);
        let news = !self.last.as_ref().is_some_and(same);
        self.last = Some(refusal);
        self.in_a_row += 1;
        news
    }
}
