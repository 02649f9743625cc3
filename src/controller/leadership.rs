//! Whether this process leads, and for how long it may still write.
//!
//! Renewals of the lease go in; the time left and the term come out. Measured with the monotonic clock. Sends no request.

use super::lease::{LeaderElectionConfig, ObservedLease};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whether this process may write, and until when.
#[derive(Debug)]
pub struct Leadership {
    /// `None`: there is no election and this process always leads.
    config: Option<LeaderElectionConfig>,
    state: Mutex<State>,
}

/// What is known of the election.
#[derive(Debug)]
pub(super) struct State {
    /// This process leads until then.
    pub until: Option<Instant>,
    /// How often this process has started leading.
    term: u64,
    /// The Lease as it was last observed.
    pub observed: ObservedLease,
    /// UID of the Lease.
    pub lease_uid: Option<String>,
}

impl Leadership {
    /// Leadership by election; without a configuration this process always leads.
    pub fn new(config: Option<LeaderElectionConfig>) -> Self {
        let state = State {
            until: None,
            term: 0,
            observed: ObservedLease::none(Instant::now()),
            lease_uid: None,
        };
        Self {
            config,
            state: Mutex::new(state),
        }
    }

    /// Settings of the election, if there is one.
    pub fn config(&self) -> Option<&LeaderElectionConfig> {
        self.config.as_ref()
    }

    /// How long this process may still write, or `None` if it may not. Checked before each write.
    pub fn time_left(&self) -> Option<Duration> {
        if self.config.is_none() {
            return Some(Duration::MAX);
        }
        let left = self.state().until?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    /// Whether this process may write.
    pub fn holds(&self) -> bool {
        self.time_left().is_some()
    }

    /// How often this process has been elected; 0 without an election. If it changed, another replica may have led in between.
    pub fn term(&self) -> u64 {
        self.state().term
    }

    /// Extends the lease. Returns whether a new term starts, that is, whether the lease had expired, even briefly.
    pub fn renew(&self, until: Instant) -> bool {
        let mut state = self.state();
        let is_new_term = state.until.is_none_or(|known| known <= Instant::now());
        state.term += u64::from(is_new_term);
        state.until = Some(until);
        is_new_term
    }

    /// The holder in the Lease as it was last observed.
    pub fn holder(&self) -> Option<String> {
        self.state().observed.holder().map(str::to_owned)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
