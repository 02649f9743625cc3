//! The clock: the only place that reads the wall clock.
//!
//! It returns the current time and waits for an instant. No wait lasts longer than a second, because a wall clock can be set and a
//! machine can be suspended, and a timer armed for months would notice neither.

use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::watch;

/// The longest wait before the clock is read again.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The source of the operator's time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The wall clock of the machine.
    System,
    /// A time that a test sets, forward and backward.
    Manual(watch::Receiver<Timestamp>),
}

impl Clock {
    /// A clock that shows `start` until the sender sets another time.
    #[must_use]
    pub fn manual(start: Timestamp) -> (watch::Sender<Timestamp>, Self) {
        let (sender, receiver) = watch::channel(start);
        (sender, Self::Manual(receiver))
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => wall_clock(),
            Self::Manual(time) => *time.borrow(),
        }
    }

    /// Waits until `at`, or less: the caller must check the clock again. Without `at` it waits for a second, or until a manual clock
    /// is set.
    pub async fn wait(&self, at: Option<Timestamp>) {
        match self {
            Self::System => {
                let left = at.map_or(MAX_WAIT, |at| {
                    Duration::try_from(at.duration_since(wall_clock())).unwrap_or_default()
                });
                tokio::time::sleep(left.min(MAX_WAIT)).await;
            }
            Self::Manual(time) => {
                let mut time = time.clone();
                time.mark_unchanged();
                if at.is_some_and(|at| at <= *time.borrow()) {
                    return;
                }
                // A closed channel means that the clock will never be set again.
                if time.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}
