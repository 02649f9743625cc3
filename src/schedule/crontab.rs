//! The `cron` crate, behind a normaliser.
//!
//! Takes field sets; gives the matching wall-clock times before or after another. The crate never sees user text (it
//! numbers weekdays otherwise, and refuses steps that CronJob takes) and never a zone (it goes backwards in a repeated
//! hour): only lists of numbers, evaluated as if wall-clock time were UTC. The caller asks within stretches of constant
//! offset, see [`super::zone`].
//!
//! Local times are seconds since 1970-01-01T00:00:00 on the wall clock.

use std::fmt::Write as _;
use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, Datelike, TimeZone, Utc};

use super::expression::{Crontab, Dates, Times, Years};

/// The wall-clock times that the crate knows, 1970 to 2100: nothing is named outside. In local seconds.
pub(super) const KNOWN: Range<i64> = 0..4_133_980_800;

/// Matching wall-clock times, asked of the crate.
#[derive(Clone, Debug)]
pub(super) struct Matches {
    /// One crate schedule for each of the dates of the union, and the years it is for.
    schedules: Vec<(cron::Schedule, Years)>,
}

impl Matches {
    /// `None` would be a defect of the normaliser: the crate refused its text. A test holds it over all field sets.
    pub(super) fn of(crontab: &Crontab) -> Option<Matches> {
        let schedules = crontab
            .dates
            .iter()
            .map(|dates| {
                let schedule = cron::Schedule::from_str(&normalised(crontab.times, *dates)).ok()?;
                Some((schedule, dates.years))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Matches { schedules })
    }

    /// The first match in `range` (local seconds).
    pub(super) fn first(&self, range: &Range<i64>) -> Option<i64> {
        self.next(range.start).filter(|found| *found < range.end)
    }

    /// The first match at or after a local second.
    pub(super) fn next(&self, from: i64) -> Option<i64> {
        let start = from.max(KNOWN.start);
        if start >= KNOWN.end {
            return None;
        }
        let after = utc(start - 1)?;
        let next = |(schedule, _): &(cron::Schedule, Years)| schedule.after(&after).next();
        let found = self.schedules.iter().filter_map(next).min()?;
        Some(found.timestamp()).filter(|found| *found < KNOWN.end)
    }

    /// The last match before a local second.
    pub(super) fn previous(&self, before: i64) -> Option<i64> {
        let end = before.min(KNOWN.end);
        if KNOWN.start >= end {
            return None;
        }
        let before = utc(end)?;
        let previous = |(schedule, years): &(cron::Schedule, Years)| schedule.after(&years.entered(before)?).next_back();
        let found = self.schedules.iter().filter_map(previous).max()?;
        Some(found.timestamp()).filter(|found| *found >= KNOWN.start)
    }
}

impl Years {
    fn has(self, year: i32) -> bool {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        match self {
            Years::All => true,
            Years::Leap => leap,
            Years::Common => !leap,
        }
    }

    /// Where to go backward from: `before`, or the end of the newest of these years before it.
    ///
    /// The crate 0.17.0, going back from a year that is not in its list, takes the month and the day it came from along into
    /// the year that it reaches, and so misses what lies after them there.
    fn entered(self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let year = utc(before.timestamp() - 1)?.year();
        if self.has(year) {
            return Some(before);
        }
        // Eight, as 1900 and 2100 are common years.
        let newest = (year - 8..year).rev().find(|year| self.has(*year))?;
        Utc.with_ymd_and_hms(newest + 1, 1, 1, 0, 0, 0).single()
    }

    /// The crate's field of years.
    fn normalised(self) -> String {
        if self == Years::All {
            return "*".to_owned();
        }
        let years = (1970..=2100).filter(|year| self.has(*year));
        let years: Vec<String> = years.map(|year| year.to_string()).collect();
        years.join(",")
    }
}

fn utc(local: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(local, 0)
}

/// Seven fields of plain numbers or `*`, in the crate's own numbering (Sunday is 1).
fn normalised(times: Times, dates: Dates) -> String {
    let mut text = String::new();
    list(&mut text, times.seconds, u64::MAX >> 4, 0);
    list(&mut text, times.minutes, u64::MAX >> 4, 0);
    list(&mut text, times.hours, u64::MAX >> 40, 0);
    list(&mut text, dates.days, Dates::ALL_DAYS, 0);
    list(&mut text, dates.months, Dates::ALL_MONTHS, 0);
    list(&mut text, dates.weekdays, Dates::ALL_WEEKDAYS, 1);
    text.push_str(&dates.years.normalised());
    text
}

fn list(text: &mut String, set: u64, all: u64, base: u32) {
    if set == all {
        text.push_str("* ");
        return;
    }
    let mut comma = "";
    for value in (0..64).filter(|n| set >> n & 1 == 1) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{}", value + base);
        comma = ",";
    }
    text.push(' ');
}

#[cfg(test)]
mod tests {
    use super::super::expression::Expression;
    use super::super::hash::Seed;
    use super::*;

    fn crontab(text: &str) -> Crontab {
        match Expression::parse(text, Seed::of("")).unwrap() {
            Expression::Crontab(crontab) => crontab,
            Expression::Every(_) => panic!("{text} is no crontab"),
        }
    }

    impl Matches {
        fn last(&self, range: &Range<i64>) -> Option<i64> {
            self.previous(range.end).filter(|found| *found >= range.start)
        }
    }

    fn matches(text: &str) -> Matches {
        Matches::of(&crontab(text)).unwrap()
    }

    #[test]
    fn the_crate_sees_plain_numbers_in_its_own_numbering() {
        let crontab = crontab("*/20 8-10 * feb sun,3-5");
        let text = normalised(crontab.times, crontab.dates[0]);
        assert_eq!(text, "0 0,20,40 8,9,10 * 2 1,4,5,6 *");
    }

    #[test]
    fn the_crate_takes_each_single_value_and_each_whole_field() {
        for (field, values) in [(0, 0..60), (1, 0..60), (2, 0..24), (3, 1..32), (4, 1..13), (5, 0..7)] {
            for value in values {
                let mut fields = ["*"; 6].map(str::to_owned);
                fields[field] = value.to_string();
                assert!(Matches::of(&crontab(&fields.join(" "))).is_some());
            }
        }
    }

    #[test]
    fn the_ends_of_a_range_are_inclusive_and_exclusive() {
        let minutely = matches("* * * * *");
        assert_eq!(minutely.first(&(60..61)), Some(60));
        assert_eq!(minutely.first(&(61..120)), None);
        assert_eq!(minutely.last(&(60..120)), Some(60));
        assert_eq!(minutely.last(&(60..121)), Some(120));
        assert_eq!(minutely.last(&(61..120)), None);
    }

    #[test]
    fn nothing_is_named_before_1970_or_after_2100() {
        let minutely = matches("* * * * *");
        assert_eq!(minutely.first(&(i64::MIN..i64::MAX)), Some(0));
        assert_eq!(minutely.last(&(i64::MIN..i64::MAX)), Some(KNOWN.end - 60));
        assert_eq!(minutely.first(&(KNOWN.end..i64::MAX)), None);
        assert_eq!(minutely.last(&(i64::MIN..0)), None);
    }

    #[test]
    fn going_backward_from_a_year_that_is_not_listed_misses_nothing() {
        let last_of_february = matches("0 0 L 2 *");
        let local = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp();
        for (before, last) in [
            ("2026-01-15T00:00:00Z", "2025-02-28T00:00:00Z"),
            ("2025-01-15T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("2024-02-29T00:00:00Z", "2023-02-28T00:00:00Z"),
            ("2024-01-01T00:00:00Z", "2023-02-28T00:00:00Z"),
            ("2100-12-31T00:00:00Z", "2100-02-28T00:00:00Z"),
            ("2001-01-01T00:00:00Z", "2000-02-29T00:00:00Z"),
        ] {
            assert_eq!(last_of_february.last(&(0..local(before))), Some(local(last)), "{before}");
        }
        assert_eq!(last_of_february.last(&(0..local("1970-02-28T00:00:00Z"))), None);
    }

    #[test]
    fn an_impossible_date_is_found_to_be_one() {
        assert_eq!(matches("0 0 31 2 *").first(&KNOWN), None);
        assert_eq!(matches("0 0 30,31 2 ?").last(&KNOWN), None);
        assert!(matches("0 0 29 2 *").first(&KNOWN).is_some());
    }
}
