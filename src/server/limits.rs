//! How much the peers of the metrics port can consume.
//!
//! Plain values with their defaults. Enforces nothing itself.

use std::time::Duration;

/// Limits on what peers can consume.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of open connections.
    pub connections: usize,
    /// Maximum size of a request's head, in bytes.
    pub head: usize,
    /// Time from accepting a connection until the head of its request is complete.
    pub head_time: Duration,
    /// Time from accepting a connection until it is closed.
    pub exchange_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            head: 16 * 1024,
            head_time: Duration::from_secs(5),
            exchange_time: Duration::from_secs(10),
        }
    }
}
