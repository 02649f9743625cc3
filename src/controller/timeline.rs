//! Notices that etcd went back in time: a backup was restored.
//!
//! Versions of tasks, as they are read and written, go in; a signal to list everything again comes out. A watch that resumes from a
//! version of the lost future is told nothing until versions have caught up, and the API server does not say so. Sends no request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The newest version of any task that was seen.
#[derive(Debug)]
pub struct Timeline {
    newest: Mutex<u128>,
    /// How often etcd went back.
    restored: watch::Sender<u64>,
}

impl Timeline {
    /// Nothing was seen.
    pub fn new() -> Self {
        Self {
            newest: Mutex::new(0),
            restored: watch::Sender::new(0),
        }
    }

    /// A task of this version was read.
    pub fn saw(&self, version: &str) {
        let mut newest = self.newest();
        *newest = number(version).max(*newest);
    }

    /// The newest version so far: what is written from now on is newer.
    pub fn now(&self) -> u128 {
        *self.newest()
    }

    /// A task was written, or is known to be unchanged but for others' writes: `version` cannot be older than `before`, unless etcd
    /// went back. If so, watchers are told.
    pub fn check(&self, before: u128, version: &str) {
        let version = number(version);
        if version < before {
            *self.newest() = version;
            self.restored.send_modify(|count| *count += 1);
            tracing::warn!("etcd went back in time (a backup was restored): listing tasks and Jobs again");
        }
    }

    /// Changes whenever everything is to be listed again.
    pub fn restored(&self) -> watch::Receiver<u64> {
        self.restored.subscribe()
    }

    fn newest(&self) -> MutexGuard<'_, u128> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resource versions of one kind are ordered numbers (Kubernetes 1.35 says so; etcd always did it).
fn number(version: &str) -> u128 {
    version.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F12
    #[test]
    fn a_write_with_an_older_version_is_a_restored_etcd() {
        let timeline = Timeline::new();
        let restored = timeline.restored();
        timeline.saw("100");
        timeline.saw("70");
        timeline.check(timeline.now(), "101");
        timeline.saw("101");
        assert_eq!(*restored.borrow(), 0);
        timeline.check(timeline.now(), "60");
        assert_eq!(*restored.borrow(), 1);
        timeline.check(timeline.now(), "61");
        assert_eq!(*restored.borrow(), 1, "told once");
    }
}
