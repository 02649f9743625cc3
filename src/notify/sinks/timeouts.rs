//! How long a delivery waits.

use std::time::Duration;

/// How long a delivery waits.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For a whole request and its answer, or for the confirmation of what was published.
    pub request: Duration,
    /// For a whole mail: mail servers may take their time.
    pub mail: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(10),
            mail: Duration::from_secs(30),
        }
    }
}
