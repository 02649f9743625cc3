//! Parses ISO 8601 intervals: `<from>/<until>`, `<from>/<duration>`, `<duration>/<until>`.
//!
//! Dates and local times are read in a given time zone. The result is two instants, the first before the second.

use super::error::Excerpt;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

const EXAMPLE: &str = "use <from>/<until>, for example 2026-11-01/2026-11-08 or 2026-11-01T00:00:00Z/P7D";

/// Parses an interval; its end is exclusive. Dates and local times are read in `zone`.
///
/// # Errors
/// One sentence that says what is wrong and what to write instead.
pub fn interval(text: &str, zone: &TimeZone) -> Result<(Timestamp, Timestamp), String> {
    let text = text.trim();
    let Some((from, until)) = text.split_once('/') else {
        return Err(format!("invalid interval {}: {EXAMPLE}", Excerpt(text)));
    };
    let read = |part: &str| moment(part, zone).ok_or_else(|| format!("invalid time {} in an interval: {EXAMPLE}", Excerpt(part)));
    let out_of_range = || format!("interval {} is out of range: {EXAMPLE}", Excerpt(text));
    let (from, until) = match (span(from), span(until)) {
        (None, None) => (read(from)?, read(until)?),
        (None, Some(span)) => {
            let from = read(from)?;
            let until = from.to_zoned(zone.clone()).checked_add(span).map_err(|_| out_of_range())?;
            (from, until.timestamp())
        }
        (Some(span), None) => {
            let until = read(until)?;
            let from = until.to_zoned(zone.clone()).checked_sub(span).map_err(|_| out_of_range())?;
            (from.timestamp(), until)
        }
        (Some(_), Some(_)) => return Err(format!("interval {} has two durations and no time: {EXAMPLE}", Excerpt(text))),
    };
    if from >= until {
        return Err(format!(
            "interval {} ends at {until}, not after its start {from}: swap the two",
            Excerpt(text)
        ));
    }
    Ok((from, until))
}

/// Parses an RFC 3339 timestamp, a local time, or a date, which means its midnight. A local time that a gap skips moves later by
/// the length of the gap; of a repeated one the first is taken.
#[must_use]
pub fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    // jiff would accept a zone name after a local time, and ignore it.
    let local: DateTime = text.parse().ok().filter(|_| !text.contains('['))?;
    zone.to_ambiguous_zoned(local).compatible().ok().map(|zoned| zoned.timestamp())
}

fn span(text: &str) -> Option<Span> {
    let text = text.trim();
    text.starts_with('P').then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        interval(text, &zone).map(|(from, until)| format!("{from} {until}"))
    }

    #[test]
    fn dates_times_and_durations_are_read_in_the_zone() {
        for (text, expected) in [
            ("2026-11-01/2026-11-08", "2026-10-31T23:00:00Z 2026-11-07T23:00:00Z"),
            ("2026-11-01T06:00:00/P1DT6H", "2026-11-01T05:00:00Z 2026-11-02T11:00:00Z"),
            (
                "2026-11-01T00:00:00Z/2026-11-01T00:00:01Z",
                "2026-11-01T00:00:00Z 2026-11-01T00:00:01Z",
            ),
            // A calendar day, of 25 hours.
            ("P1D/2026-10-26", "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_malformed_interval_is_refused_with_a_fix() {
        for (text, says) in [
            ("", "invalid interval \"\""),
            ("yesterday", "invalid interval \"yesterday\""),
            ("yesterday/today", "invalid time \"yesterday\""),
            ("2026-11-01/", "invalid time \"\""),
            ("P1D/P1D", "has two durations"),
            ("2026-11-08/2026-11-01", "not after its start"),
            ("2026-11-01/2026-11-01", "not after its start"),
            ("2026-13-01/2026-11-01", "invalid time \"2026-13-01\""),
            ("2026-11-01/P9999999Y", "invalid time"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
