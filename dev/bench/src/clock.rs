//! The wall clock of the benchmark: slots are instants of the day, so lateness is measured against it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The time now.
#[expect(clippy::disallowed_methods, reason = "the benchmark's only reading of the wall clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits until `instant`; returns at once if it has passed.
pub async fn sleep_until(instant: Timestamp) {
    // In short steps: the monotonic clock and the wall clock may drift apart.
    while let Ok(rest) = Duration::try_from(instant.duration_since(now()))
        && !rest.is_zero()
    {
        tokio::time::sleep(rest.min(Duration::from_secs(5))).await;
    }
}

/// The first whole minute that is at least `lead` after `instant`.
pub fn next_minute(instant: Timestamp, lead: Duration) -> Timestamp {
    let earliest = (instant + lead).as_second();
    let minute = earliest.div_euclid(60) * 60 + if earliest.rem_euclid(60) == 0 { 0 } else { 60 };
    Timestamp::from_second(minute).unwrap_or(instant)
}

/// The first whole second that is at least `lead` after `instant`.
pub fn next_second(instant: Timestamp, lead: Duration) -> Timestamp {
    Timestamp::from_second((instant + lead).as_second() + 1).unwrap_or(instant)
}

/// `base` and so many seconds.
pub fn after(base: Timestamp, seconds: u32) -> Timestamp {
    base + SignedDuration::from_secs(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_minute_leaves_the_lead() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let lead = Duration::from_secs(50);
        assert_eq!(next_minute(at("2026-01-01T00:00:10Z"), lead), at("2026-01-01T00:01:00Z"));
        assert_eq!(next_minute(at("2026-01-01T00:00:11Z"), lead), at("2026-01-01T00:02:00Z"));
    }
}
