//! How long a watch pauses after an error.
//!
//! The kind of each error goes in, the pause comes out. An API server that comes back is met within ten seconds; a namespace that must
//! not be listed is asked about once a minute, after a few quick attempts: an API server that starts refuses what it later allows.

use kube::runtime::watcher;
use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause after an error that is no refusal.
const LONGEST: Duration = Duration::from_secs(5);
/// Refusals that are retried as quickly as other errors.
const QUICK_REFUSALS: u32 = 3;
/// The first and the longest pause after further refusals.
const FIRST_OF_REFUSALS: Duration = Duration::from_secs(1);
const LONGEST_OF_REFUSALS: Duration = Duration::from_secs(60);

/// What failed since the watch last succeeded.
#[derive(Debug, Default)]
pub struct WatchBackoff {
    errors: u32,
    refusals: u32,
}

impl WatchBackoff {
    /// The watch works: the next error is a first one.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The pause after an error.
    pub fn failed(&mut self) -> Duration {
        self.errors = self.errors.saturating_add(1);
        doubled(FIRST, self.errors, LONGEST)
    }

    /// The pause after a refusal.
    pub fn forbidden(&mut self) -> Duration {
        self.refusals = self.refusals.saturating_add(1);
        match self.refusals.saturating_sub(QUICK_REFUSALS) {
            0 => doubled(FIRST, self.refusals, LONGEST),
            further => doubled(FIRST_OF_REFUSALS, further, LONGEST_OF_REFUSALS),
        }
    }

    /// Whether it was refused more often than an API server that starts does.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refusals >= QUICK_REFUSALS
    }
}

/// The `n`th pause, counted from 1.
fn doubled(first: Duration, n: u32, longest: Duration) -> Duration {
    (first * (1 << n.saturating_sub(1).min(10))).min(longest)
}

/// Whether the API server says that this client must not list or watch.
#[must_use]
pub fn is_forbidden(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => status.code == 403,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(pauses: impl Iterator<Item = Duration>) -> Vec<f64> {
        pauses.map(|pause| pause.as_secs_f64()).collect()
    }

    #[test]
    fn an_api_server_that_is_away_is_asked_every_five_seconds() {
        let mut backoff = WatchBackoff::default();
        let pauses = seconds((0..8).map(|_| backoff.failed()));
        assert_eq!(pauses, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]);
        assert_eq!(seconds((0..1_000_000).map(|_| backoff.failed())).last(), Some(&5.0));
        backoff.succeeded();
        assert_eq!(backoff.failed(), FIRST);
    }

    /// F03: ten requests a second would be for nothing.
    #[test]
    fn a_namespace_that_is_forbidden_is_asked_once_a_minute() {
        let mut backoff = WatchBackoff::default();
        let pauses = seconds((0..11).map(|_| backoff.forbidden()));
        assert_eq!(pauses, [0.1, 0.2, 0.4, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        assert_eq!(backoff.failed(), FIRST, "the API server is away");
        assert_eq!(backoff.forbidden(), LONGEST_OF_REFUSALS, "it is back, and says the same");
        backoff.succeeded();
        assert!(!backoff.is_refused());
        assert_eq!(backoff.forbidden(), FIRST);
    }
}
