//! The time: the only reader of the wall clock.
//!
//! Takes nothing, gives the time and a wait. Never sleeps past a second: a wall clock can be set, a machine can be suspended,
//! and a timer that was armed for months knows of neither.

use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::watch;

/// How long a wait lasts at most before the clock is read again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where the operator's time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// A time that a test sets, forwards and backwards.
    Manual(watch::Receiver<Timestamp>),
}

impl Clock {
    /// A clock that stands at `start` until the sender sets it.
    #[must_use]
    pub fn manual(start: Timestamp) -> (watch::Sender<Timestamp>, Self) {
        let (sender, receiver) = watch::channel(start);
        (sender, Self::Manual(receiver))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => wall_clock(),
            Self::Manual(time) => *time.borrow(),
        }
    }

    /// Waits until `at`, or shorter: the caller looks at the clock again. Without `at` it waits for a look-again.
    pub async fn wait(&self, at: Option<Timestamp>) {
        match self {
            Self::System => {
                let left = at.map_or(LOOK_AGAIN, |at| {
                    Duration::try_from(at.duration_since(wall_clock())).unwrap_or_default()
                });
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
            Self::Manual(time) => {
                let mut time = time.clone();
                time.mark_unchanged();
                if at.is_some_and(|at| at <= *time.borrow()) {
                    return;
                }
                // A closed channel is a clock that nobody will set again.
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
