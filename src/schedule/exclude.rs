//! Blackouts: the entries of `exclude`.
//!
//! They are parsed into crontabs, whose wall-clock times are excluded, and intervals of instants, merged and sorted. This file
//! knows nothing of the slots that they exclude.
//!
//! Instants are Unix seconds, local times are seconds since 1970-01-01T00:00:00 on the wall clock.

use std::ops::Range;

use jiff::Timestamp;

use super::crontab::{Crontab, Times};
use super::definition::Exclusion;
use super::error::{Fault, ScheduleError};
use super::expression::Expression;
use super::hash::Seed;
use super::interval::moment;
use super::zone::Zone;

/// All parsed entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Exclusions {
    pub(super) crontabs: Vec<Crontab>,
    /// Disjoint and sorted, in Unix seconds.
    intervals: Vec<Range<i64>>,
}

impl Exclusions {
    /// Parses the entries. Dates and local times are read in `zone`; `H` is hashed from `seed`.
    ///
    /// # Errors
    /// The first entry that is wrong.
    pub(super) fn parse(entries: &[Exclusion], zone: &Zone, seed: Seed) -> Result<Exclusions, ScheduleError> {
        let mut excluded = Exclusions::default();
        for (n, entry) in entries.iter().enumerate() {
            match entry {
                Exclusion::Schedule(text) => {
                    let field = format!("exclude[{n}].schedule");
                    let crontab = crontab(text.trim(), seed).map_err(|fault| fault.at(&field, text))?;
                    excluded.crontabs.push(crontab);
                }
                Exclusion::Interval { from, until } => {
                    excluded.intervals.push(interval(n, from, until, zone)?);
                }
            }
        }
        excluded.intervals = merged(excluded.intervals);
        Ok(excluded)
    }

    /// The parts of `range` outside the intervals, in order.
    pub(super) fn open(&self, range: Range<i64>) -> Vec<Range<i64>> {
        let mut open = Vec::new();
        let mut start = range.start;
        let reach = self.intervals.partition_point(|interval| interval.end <= start);
        for interval in self.intervals.iter().skip(reach) {
            if interval.start >= range.end {
                break;
            }
            open.push(start..interval.start);
            start = interval.end;
        }
        open.push(start..range.end);
        open.retain(|part| !part.is_empty());
        open
    }
}

fn crontab(text: &str, seed: Seed) -> Result<Crontab, Fault> {
    let Expression::Crontab(mut crontab) = Expression::parse(text, seed)? else {
        let suggestion = "use a crontab, for example * 22-23 * * *, or an interval with from and until";
        return Err(Fault::new("@every is not a time of day", suggestion));
    };
    if text.split_whitespace().count() != 6 {
        crontab.times.seconds = Times::ALL_SECONDS;
    }
    if !crontab.matches_any_date() {
        return Err(no_date());
    }
    Ok(crontab)
}

/// The error for a crontab whose days exist in none of its months.
pub(super) fn no_date() -> Fault {
    Fault::new("never matches a date (for example 31 February)", "fix day of month or month")
}

fn interval(n: usize, from: &str, until: &str, zone: &Zone) -> Result<Range<i64>, ScheduleError> {
    let end = |name: &str, text: &str| {
        moment(text, zone.tz()).ok_or_else(|| ScheduleError::Setting {
            field: format!("exclude[{n}].{name}"),
            value: text.to_owned(),
            reason: "must be a date, a local time or an RFC 3339 timestamp".to_owned(),
            suggestion: "for example 2026-12-24, 2026-12-24T18:00:00 or 2026-12-24T18:00:00Z".to_owned(),
        })
    };
    let (start, stop) = (end("from", from)?, end("until", until)?);
    if stop <= start {
        return Err(ScheduleError::Setting {
            field: format!("exclude[{n}].until"),
            value: until.to_owned(),
            reason: format!("must be after from ({})", from.trim()),
            suggestion: "until is exclusive; for one whole day use the next date".to_owned(),
        });
    }
    Ok(ceiling(start)..ceiling(stop))
}

/// The first whole second at or after an instant.
pub(super) fn ceiling(instant: Timestamp) -> i64 {
    instant.as_second() + i64::from(instant.subsec_nanosecond() > 0)
}

fn merged(mut intervals: Vec<Range<i64>>) -> Vec<Range<i64>> {
    intervals.retain(|interval| !interval.is_empty());
    intervals.sort_by_key(|interval| interval.start);
    let mut merged: Vec<Range<i64>> = Vec::new();
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
            _ => merged.push(interval),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(pairs: &[(&str, &str)]) -> Result<Exclusions, ScheduleError> {
        let entries: Vec<Exclusion> = pairs
            .iter()
            .map(|(from, until)| Exclusion::Interval {
                from: (*from).to_owned(),
                until: (*until).to_owned(),
            })
            .collect();
        Exclusions::parse(&entries, &Zone::named("Europe/Berlin").unwrap(), Seed::of(""))
    }

    fn range(from: &str, until: &str) -> Range<i64> {
        let second = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        second(from)..second(until)
    }

    #[test]
    fn an_end_is_a_date_a_local_time_or_a_timestamp() {
        for (from, until) in [
            ("2026-12-24T17:00:00Z", "2026-12-25T23:00:00Z"),
            ("2026-12-24T18:00:00+01:00", "2026-12-26T00:00:00+01:00"),
            ("2026-12-24T18:00:00", "2026-12-26"),
            (" 2026-12-24T18:00", "2026-12-26T00:00:00 "),
            ("2026-12-24T16:59:59.5Z", "2026-12-25T22:59:59.000000001Z"),
        ] {
            let found = intervals(&[(from, until)]).unwrap().intervals;
            assert_eq!(found, [range("2026-12-24T17:00:00Z", "2026-12-25T23:00:00Z")], "{from}");
        }
    }

    #[test]
    fn skipped_and_repeated_local_times_are_resolved() {
        // Berlin: 02:00 to 03:00 are skipped on 2026-03-29 and repeated on 2026-10-25.
        let found = intervals(&[("2026-03-29T02:30", "2026-10-25T02:30")]).unwrap().intervals;
        assert_eq!(found, [range("2026-03-29T01:30:00Z", "2026-10-25T00:30:00Z")]);
    }

    #[test]
    fn a_malformed_interval_is_refused_with_its_field() {
        for (from, until, message) in [
            (
                "2026-12-26",
                "2026-12-26",
                "exclude[1].until \"2026-12-26\": must be after from (2026-12-26): until is exclusive",
            ),
            ("tomorrow", "2026-12-26", "exclude[1].from \"tomorrow\": must be a date"),
            ("2026-12-24", "", "exclude[1].until \"\": must be a date"),
            ("2026-12-24T18:00:00[Asia/Tokyo]", "2027-01-01", "exclude[1].from"),
            ("2026-02-30", "2027-01-01", "exclude[1].from \"2026-02-30\""),
        ] {
            let refused = intervals(&[("2026-01-01", "2026-01-02"), (from, until)]).unwrap_err();
            assert!(refused.to_string().starts_with(message), "{refused}");
        }
    }

    #[test]
    fn open_parts_are_those_outside_the_intervals() {
        let mut excluded = Exclusions {
            crontabs: Vec::new(),
            intervals: merged(vec![30..40, 10..20, 15..25, 25..26, 5..5]),
        };
        assert_eq!(excluded.intervals, [10..26, 30..40]);
        assert_eq!(excluded.open(0..100), [0..10, 26..30, 40..100]);
        assert_eq!(excluded.open(12..35), vec![26..30]);
        assert_eq!(excluded.open(26..30), vec![26..30]);
        assert!(excluded.open(31..39).is_empty());
        assert!(excluded.open(Range { start: 50, end: 40 }).is_empty());
        excluded.intervals.clear();
        assert_eq!(excluded.open(3..9), vec![3..9]);
    }
}
