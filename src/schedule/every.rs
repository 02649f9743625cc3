//! `@every <duration>`: slots at a fixed interval.
//!
//! The slots are the multiples of a Go duration since the Unix epoch. They depend on the text alone, so they keep their phase
//! across restarts and edits of other fields (kubernetes/kubernetes#104012), and no time zone matters.

use std::ops::Range;

use super::error::{Excerpt, Fault};

/// Units of Go's `time.ParseDuration`, in nanoseconds. Both characters for micro are accepted.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// All multiples of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Every {
    /// In seconds, at least 1.
    period: i64,
}

impl Every {
    /// Parses the duration after `@every`, in the grammar of Go's `time.ParseDuration`.
    ///
    /// # Errors
    /// What Go refuses, less than a second, or a fraction of a second (robfig/cron rounds these without a word).
    pub(super) fn parse(text: &str) -> Result<Every, Fault> {
        let fault = |what: &str| Fault::new(format!("duration {} {what}", Excerpt(text)), usage("90s, 15m, 168h"));
        let unsigned = match text.strip_prefix('-') {
            Some(rest) if nanoseconds(rest).is_some() => return Err(fault("is negative")),
            _ => text.strip_prefix('+').unwrap_or(text),
        };
        let nanos = nanoseconds(unsigned).ok_or_else(|| invalid(text))?;
        if nanos < 1_000_000_000 {
            return Err(fault("is shorter than a second"));
        }
        if nanos % 1_000_000_000 != 0 {
            return Err(fault("is not a whole number of seconds"));
        }
        // Go's durations are nanoseconds in 64 bits.
        match i64::try_from(nanos) {
            Ok(nanos) => Ok(Every {
                period: nanos / 1_000_000_000,
            }),
            Err(_) => Err(fault("is longer than 292 years")),
        }
    }

    /// SecondSet from one slot to the next.
    pub(super) fn period(self) -> i64 {
        self.period
    }

    /// The first slot in `range` (Unix seconds).
    pub(super) fn first(self, range: Range<i64>) -> Option<i64> {
        let slot = (range.start - 1).div_euclid(self.period).checked_add(1)?;
        slot.checked_mul(self.period).filter(|slot| *slot < range.end)
    }

    /// Calls `take` with each slot in `range` (Unix seconds).
    pub(super) fn each(self, range: Range<i64>, mut take: impl FnMut(i64)) {
        let mut next = self.first(range.clone());
        while let Some(slot) = next.filter(|slot| *slot < range.end) {
            take(slot);
            next = slot.checked_add(self.period);
        }
    }

    /// The last slot in `range` (Unix seconds).
    pub(super) fn last(self, range: Range<i64>) -> Option<i64> {
        let slot = (range.end - 1).div_euclid(self.period);
        slot.checked_mul(self.period).filter(|slot| *slot >= range.start)
    }

    /// The number of slots in `range` (Unix seconds).
    pub(super) fn count(self, range: Range<i64>) -> u64 {
        let before = |end: i64| (end - 1).div_euclid(self.period);
        u64::try_from(before(range.end) - before(range.start)).unwrap_or(0)
    }
}

fn usage(examples: &str) -> String {
    format!("use h, m, s and at least 1s, for example {examples}")
}

/// The error for text that is not a duration. Days, weeks and bare numbers are common, so their example is the same duration.
fn invalid(text: &str) -> Fault {
    let (number, unit) = digits(text);
    let hours = |each: u64| number.parse::<u64>().ok()?.checked_mul(each).map(|hours| format!("{hours}h"));
    let meant = match unit.trim() {
        "" if !number.is_empty() => Some(format!("{number}s")),
        "d" | "day" | "days" => hours(24),
        "w" | "week" | "weeks" => hours(7 * 24),
        _ => None,
    };
    let meant = meant.filter(|duration| Every::parse(duration).is_ok());
    Fault::new(
        format!("invalid duration {}", Excerpt(text)),
        usage(meant.as_deref().unwrap_or("90s, 15m, 168h")),
    )
}

/// The length of an unsigned Go duration in nanoseconds; fractions of a nanosecond are cut off, as in Go.
fn nanoseconds(text: &str) -> Option<u128> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() || text.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total += u128::from(whole) * unit + fraction_of(fraction, *unit);
        rest = after;
    }
    Some(total)
}

/// `0.<digits>` of a unit, in nanoseconds. Eighteen digits are more than an hour needs.
fn fraction_of(digits: &str, unit: u128) -> u128 {
    let mut numerator: u128 = 0;
    let mut denominator: u128 = 1;
    for digit in digits.bytes().take(18) {
        numerator = numerator * 10 + u128::from(digit - b'0');
        denominator *= 10;
    }
    unit * numerator / denominator
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> i64 {
        Every::parse(text).unwrap().period
    }

    #[test]
    fn durations_parse_as_in_go() {
        assert_eq!(period("48h"), 172_800);
        assert_eq!(period("1h30m10s"), 5_410);
        assert_eq!(period("1.5h"), 5_400);
        assert_eq!(period(".5h"), 1_800);
        assert_eq!(period("5.m"), 300);
        assert_eq!(period("+5m"), 300);
        assert_eq!(period("1h1h"), 7_200);
        assert_eq!(period("9223372036s"), 9_223_372_036);
        assert_eq!(period("1000000µs"), 1);
    }

    #[test]
    fn fractions_and_malformed_durations_are_refused() {
        for (text, reason) in [
            ("", "invalid duration \"\""),
            ("5", "invalid duration \"5\""),
            ("5x", "invalid duration \"5x\""),
            ("1d", "invalid duration \"1d\""),
            (".s", "invalid duration \".s\""),
            ("-5m", "duration \"-5m\" is negative"),
            ("--5m", "invalid duration \"--5m\""),
            ("0", "duration \"0\" is shorter than a second"),
            ("999ms", "duration \"999ms\" is shorter than a second"),
            ("1.5s", "duration \"1.5s\" is not a whole number of seconds"),
            ("9223372037s", "duration \"9223372037s\" is longer than 292 years"),
        ] {
            assert_eq!(Every::parse(text).unwrap_err().reason, reason);
        }
    }

    #[test]
    fn days_weeks_and_bare_numbers_are_suggested_in_hours_or_seconds() {
        for (text, example) in [
            ("7d", "168h"),
            ("2 weeks", "336h"),
            ("30", "30s"),
            ("0", "90s, 15m, 168h"),
            ("9999999999999999d", "90s, 15m, 168h"),
        ] {
            let suggestion = Every::parse(text).unwrap_err().suggestion;
            assert_eq!(suggestion, format!("use h, m, s and at least 1s, for example {example}"), "{text}");
        }
    }

    #[test]
    fn slots_are_multiples_since_the_epoch() {
        let every = Every::parse("7s").unwrap();
        assert_eq!(every.first(0..100), Some(0));
        assert_eq!(every.first(1..100), Some(7));
        assert_eq!(every.first(-6..100), Some(0));
        assert_eq!(every.first(1..7), None);
        assert_eq!(every.last(0..100), Some(98));
        assert_eq!(every.last(0..98), Some(91));
        assert_eq!(every.last(1..7), None);
        assert_eq!(every.count(0..15), 3);
        assert_eq!(every.count(1..15), 2);
        assert_eq!(every.count(-7..1), 2);
        assert_eq!(every.count(9..9), 0);
    }
}
