//! Jitter: the delay from a slot to the start of its run.
//!
//! The delay is a number of whole seconds hashed from the seed and the slot, so the same slot always has the same delay. It is
//! less than the jitter and less than the time to the next slot, so runs start in the order of their slots.

use jiff::SignedDuration;

use super::error::ScheduleError;
use super::hash::Seed;

/// The upper bound of the delay, and the seed from which each delay is hashed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter {
    seconds: i64,
    seed: Seed,
}

impl Jitter {
    /// # Errors
    /// The duration is negative or not a whole number of seconds.
    pub(super) fn of(duration: SignedDuration, seed: Seed) -> Result<Jitter, ScheduleError> {
        let refuse = |reason: &str, suggestion: &str| {
            let sign = if duration.is_negative() { "-" } else { "" };
            let value = match duration.subsec_nanos() {
                0 => written(duration.as_secs().saturating_abs()),
                _ => format!("{}s", duration.as_secs_f64().abs()),
            };
            Err(refusal(format!("{sign}{value}"), reason.to_owned(), suggestion.to_owned()))
        };
        if duration.is_negative() {
            return refuse("must not be negative", "for example 30s or 5m; omit it for no jitter");
        }
        if duration.subsec_nanos() != 0 {
            return refuse("must be a whole number of seconds", "for example 30s or 5m");
        }
        Ok(Jitter {
            seconds: duration.as_secs(),
            seed,
        })
    }

    pub(super) fn is_zero(self) -> bool {
        self.seconds == 0
    }

    /// Whether the whole jitter fits between a slot and the next one (Unix seconds).
    ///
    /// # Errors
    /// It does not; the message names the longest that does.
    pub(super) fn fits(self, slot: i64, next: i64) -> Result<(), ScheduleError> {
        let gap = next - slot;
        if self.seconds <= gap {
            return Ok(());
        }
        let gap = written(gap);
        let reason = format!("must not be longer than the {gap} between two slots");
        Err(refusal(written(self.seconds), reason, format!("use at most {gap}")))
    }

    /// SecondSet from a slot to the start of its run.
    pub(super) fn delay(self, slot: i64, next: Option<i64>) -> i64 {
        let gap = next.map_or(i64::MAX, |next| next - slot);
        let bound = u64::try_from(self.seconds.min(gap)).unwrap_or_default();
        let mut purpose = *b"jitter........";
        purpose[6..].copy_from_slice(&slot.to_le_bytes());
        i64::try_from(self.seed.below(&purpose, bound)).unwrap_or_default()
    }
}

fn refusal(value: String, reason: String, suggestion: String) -> ScheduleError {
    ScheduleError::Setting {
        field: "jitter".to_owned(),
        value,
        reason,
        suggestion,
    }
}

/// Formats seconds as a duration: `1h30m`.
fn written(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "m"), (seconds, "s")];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number != 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jitter(seconds: i64) -> Jitter {
        Jitter::of(SignedDuration::from_secs(seconds), Seed::of("default/backup")).unwrap()
    }

    #[test]
    fn a_delay_is_less_than_jitter_and_time_to_the_next_slot() {
        for slot in 0..2000 {
            assert!((0..300).contains(&jitter(300).delay(slot, None)));
            assert!((0..7).contains(&jitter(300).delay(slot, Some(slot + 7))));
            assert_eq!(jitter(300).delay(slot, Some(slot + 1)), 0);
            assert_eq!(jitter(0).delay(slot, None), 0);
        }
    }

    #[test]
    fn a_delay_is_the_same_in_every_release() {
        let found: Vec<i64> = (0..6).map(|n| jitter(3600).delay(1_767_225_600 + n * 86_400, None)).collect();
        assert_eq!(found, [1658, 1935, 1033, 154, 2031, 1163]);
    }

    #[test]
    fn delays_spread_over_the_whole_jitter() {
        let found: Vec<i64> = (0..10_000).map(|slot| jitter(10).delay(slot, None)).collect();
        for value in 0..10 {
            let share = found.iter().filter(|found| **found == value).count();
            assert!((870..1130).contains(&share), "{value}: {share}");
        }
    }

    #[test]
    fn durations_are_formatted_with_units() {
        assert_eq!([5400, 0, 61, 86_400].map(written), ["1h30m", "0s", "1m1s", "24h"]);
    }
}
