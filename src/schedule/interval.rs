//! ISO 8601 intervals: `<from>/<until>`, `<from>/<duration>`, `<duration>/<until>`.
//!
//! Takes text and the zone in which local times and dates are read, gives two instants, the first before the second. Never reads
//! a clock.

use super::error::Excerpt;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

const EXAMPLE: &str = "write <from>/<until>, such as 2026-11-01/2026-11-08 or 2026-11-01T00:00:00Z/P7D";

/// Reads an interval; its end is not part of it.
///
/// # Errors
/// One sentence that names what is wrong, and the way out.
pub fn interval(text: &str, zone: &TimeZone) -> Result<(Timestamp, Timestamp), String> {
    let text = text.trim();
    let Some((from, until)) = text.split_once('/') else {
        return Err(format!("{} is no interval; {EXAMPLE}", Excerpt(text)));
    };
    let read = |part: &str| moment(part, zone).ok_or_else(|| format!("{} is no moment; {EXAMPLE}", Excerpt(part)));
    let beyond = || format!("{} leaves the calendar; {EXAMPLE}", Excerpt(text));
    let (from, until) = match (span(from), span(until)) {
        (None, None) => (read(from)?, read(until)?),
        (None, Some(span)) => {
            let from = read(from)?;
            let until = from.to_zoned(zone.clone()).checked_add(span).map_err(|_| beyond())?;
            (from, until.timestamp())
        }
        (Some(span), None) => {
            let until = read(until)?;
            let from = until.to_zoned(zone.clone()).checked_sub(span).map_err(|_| beyond())?;
            (from.timestamp(), until)
        }
        (Some(_), Some(_)) => return Err(format!("{} has two durations and no moment; {EXAMPLE}", Excerpt(text))),
    };
    if from >= until {
        return Err(format!(
            "{} ends at {until}, not after its start {from}; swap the two",
            Excerpt(text)
        ));
    }
    Ok((from, until))
}

/// An instant (RFC 3339), a local time, or a date, which is its midnight. A local time that the clock skips is the same distance
/// later, one that it shows twice is the first.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    // A local time with a zone's name behind it would be read, and the name ignored.
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
    fn dates_local_times_instants_and_durations_are_read_in_the_zone() {
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
    fn what_is_no_interval_is_refused_with_the_way_out() {
        for (text, says) in [
            ("", "\"\" is no interval"),
            ("yesterday", "\"yesterday\" is no interval"),
            ("yesterday/today", "\"yesterday\" is no moment"),
            ("2026-11-01/", "\"\" is no moment"),
            ("P1D/P1D", "has two durations"),
            ("2026-11-08/2026-11-01", "not after its start"),
            ("2026-11-01/2026-11-01", "not after its start"),
            ("2026-13-01/2026-11-01", "\"2026-13-01\" is no moment"),
            ("2026-11-01/P9999999Y", "is no moment"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
