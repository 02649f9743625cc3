//! Formats durations for people: ages as kubectl shows them, and exact ones.

use jiff::fmt::friendly::{Spacing, SpanPrinter};
use jiff::{RoundMode, SignedDuration, Span, SpanRound, Timestamp, Unit};

/// An age in one or two units, the second only while it matters: `45s`, `7m12s`, `3h5m`, `2d4h`, `31d`.
pub fn age(elapsed: SignedDuration) -> String {
    const PRINTER: SpanPrinter = SpanPrinter::new().spacing(Spacing::None);
    let elapsed = elapsed.max(SignedDuration::ZERO);
    let (largest, smallest) = match elapsed.as_secs() {
        ..120 => (Unit::Second, Unit::Second),
        120..600 => (Unit::Minute, Unit::Second),
        600..10_800 => (Unit::Minute, Unit::Minute),
        10_800..28_800 => (Unit::Hour, Unit::Minute),
        28_800..172_800 => (Unit::Hour, Unit::Hour),
        172_800..691_200 => (Unit::Day, Unit::Hour),
        _ => (Unit::Day, Unit::Day),
    };
    let round = SpanRound::new()
        .largest(largest)
        .smallest(smallest)
        .mode(RoundMode::Trunc)
        .days_are_24_hours();
    let span = Span::try_from(elapsed).and_then(|span| span.round(round));
    span.map_or_else(|_| "unknown".to_owned(), |span| PRINTER.span_to_string(&span))
}

/// A duration in all its units: `1h 30m`.
pub fn exact(duration: std::time::Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| "unknown".to_owned(), |duration| format!("{duration:#}"))
}

/// How far an instant is ahead or behind: `in 3h5m`, `12s ago`.
pub fn from_now(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("in {}", age(at.duration_since(now)))
    } else {
        format!("{} ago", age(now.duration_since(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_in_kubectl() {
        for (seconds, text) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (432, "7m12s"),
            (600, "10m"),
            (10_799, "179m"),
            (11_100, "3h5m"),
            (28_800, "8h"),
            (172_799, "47h"),
            (187_200, "2d4h"),
            (691_200, "8d"),
            (63_072_000, "730d"),
        ] {
            assert_eq!(age(SignedDuration::from_secs(seconds)), text, "{seconds}");
        }
        assert_eq!(age(SignedDuration::MAX), "unknown");
    }

    #[test]
    fn an_instant_is_ahead_or_behind() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(from_now("2026-11-23T15:05:00Z".parse().unwrap(), now), "in 3h5m");
        assert_eq!(from_now("2026-11-23T11:59:48Z".parse().unwrap(), now), "12s ago");
    }
}
