//! A measurement of tasks that become due while a session runs.
//!
//! Input: the session's first moment, and afterwards what was seen. Output: tasks, and values for the book. Pure, so that several measurements share
//! a session.

use jiff::Timestamp;

use crate::book::Book;
use crate::observation::Observation;
use crate::peer::Peer;
use crate::workload::Workload;

/// Starts that are due in a session: by whom, in which namespace, how many.
pub type Expected = (Peer, String, usize);

/// A measurement of tasks that become due while a session runs. Seconds are counted from the session's first minute, `base`.
pub trait Scheduled {
    /// The tasks, each workload in a namespace of its own.
    fn workloads(&self, base: Timestamp) -> Vec<(Peer, Workload)>;
    /// How long it takes.
    fn seconds(&self) -> u32;
    /// How many Jobs are to be started.
    fn expected(&self) -> Vec<Expected>;
    /// When the Jobs of which namespace are completed from outside.
    fn completions(&self) -> Vec<(u32, String)> {
        Vec::new()
    }
    /// Writes into the book what was seen.
    fn evaluate(&self, base: Timestamp, seen: &Observation, book: &mut Book);
}
