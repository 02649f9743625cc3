//! Finds the wall-clock times that a crontab matches, with the `cron` crate.
//!
//! The crate never sees user text (it numbers weekdays differently and refuses steps that CronJob accepts) and never a time zone
//! (it runs backwards in a repeated hour). It gets lists of numbers, evaluated as if wall-clock time were UTC; callers ask within
//! periods of constant offset, see [`super::zone`].
//!
//! Local times are seconds since 1970-01-01T00:00:00 on the wall clock.

use std::fmt::Write as _;
use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, Datelike, TimeZone, Utc};

use super::crontab::{Crontab, Dates, Times, Years};

/// The wall-clock times that the crate supports, 1970 to 2100, in local seconds. There are no slots outside.
pub(super) const KNOWN: Range<i64> = 0..4_133_980_800;

/// Finds matching wall-clock times.
#[derive(Clone, Debug)]
pub(super) struct CronMatcher {
    /// One schedule of the crate for each entry of the crontab's dates, with the years it applies to.
    schedules: Vec<(cron::Schedule, Years)>,
}

impl CronMatcher {
    /// `None` if the crate refuses the normalized text. That would be a bug; a test covers each value of each field.
    pub(super) fn of(crontab: &Crontab) -> Option<CronMatcher> {
        let schedules = crontab
            .dates
            .iter()
            .map(|dates| {
                let schedule = cron::Schedule::from_str(&normalized(crontab.times, *dates)).ok()?;
                Some((schedule, dates.years))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(CronMatcher { schedules })
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
        let previous = |(schedule, years): &(cron::Schedule, Years)| schedule.after(&years.search_start(before)?).next_back();
        let found = self.schedules.iter().filter_map(previous).max()?;
        Some(found.timestamp()).filter(|found| *found >= KNOWN.start)
    }
}

impl Years {
    fn has(self, year: i32) -> bool {
        self.include(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    }

    /// Where to search backward from: `before`, or the end of the newest of these years before it.
    ///
    /// Searching backward from a year outside its list, cron 0.17.0 keeps the current month and day when it moves to a listed
    /// year, and so misses later dates of that year.
    fn search_start(self, before: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let year = utc(before.timestamp() - 1)?.year();
        if self.has(year) {
            return Some(before);
        }
        // Eight, as 1900 and 2100 are common years.
        let newest = (year - 8..year).rev().find(|year| self.has(*year))?;
        Utc.with_ymd_and_hms(newest + 1, 1, 1, 0, 0, 0).single()
    }

    /// The crate's field of years.
    fn normalized(self) -> String {
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

/// Seven fields of plain numbers or `*`, in the crate's numbering (Sunday is 1).
fn normalized(times: Times, dates: Dates) -> String {
    let mut text = String::new();
    list(&mut text, times.seconds, u64::MAX >> 4, 0);
    list(&mut text, times.minutes, u64::MAX >> 4, 0);
    list(&mut text, times.hours, u64::MAX >> 40, 0);
    list(&mut text, dates.days, Dates::ALL_DAYS, 0);
    list(&mut text, dates.months, Dates::ALL_MONTHS, 0);
    list(&mut text, dates.weekdays, Dates::ALL_WEEKDAYS, 1);
    text.push_str(&dates.years.normalized());
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
            Expression::Every(_) => panic!("{text} is not a crontab"),
        }
    }

    impl CronMatcher {
        fn last(&self, range: &Range<i64>) -> Option<i64> {
            self.previous(range.end).filter(|found| *found >= range.start)
        }
    }

    fn matches(text: &str) -> CronMatcher {
        CronMatcher::of(&crontab(text)).unwrap()
    }

    #[test]
    fn the_crate_gets_plain_numbers() {
        let crontab = crontab("*/20 8-10 * feb sun,3-5");
        let text = normalized(crontab.times, crontab.dates[0]);
        assert_eq!(text, "0 0,20,40 8,9,10 * 2 1,4,5,6 *");
    }

    #[test]
    fn the_crate_accepts_every_value() {
        for (field, values) in [(0, 0..60), (1, 0..60), (2, 0..24), (3, 1..32), (4, 1..13), (5, 0..7)] {
            for value in values {
                let mut fields = ["*"; 6].map(str::to_owned);
                fields[field] = value.to_string();
                assert!(CronMatcher::of(&crontab(&fields.join(" "))).is_some());
            }
        }
    }

    #[test]
    fn a_range_includes_its_start_only() {
        let minutely = matches("* * * * *");
        assert_eq!(minutely.first(&(60..61)), Some(60));
        assert_eq!(minutely.first(&(61..120)), None);
        assert_eq!(minutely.last(&(60..120)), Some(60));
        assert_eq!(minutely.last(&(60..121)), Some(120));
        assert_eq!(minutely.last(&(61..120)), None);
    }

    #[test]
    fn nothing_matches_before_1970_or_after_2100() {
        let minutely = matches("* * * * *");
        assert_eq!(minutely.first(&(i64::MIN..i64::MAX)), Some(0));
        assert_eq!(minutely.last(&(i64::MIN..i64::MAX)), Some(KNOWN.end - 60));
        assert_eq!(minutely.first(&(KNOWN.end..i64::MAX)), None);
        assert_eq!(minutely.last(&(i64::MIN..0)), None);
    }

    #[test]
    fn backward_from_an_unlisted_year_misses_nothing() {
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
    fn an_impossible_date_never_matches() {
        assert_eq!(matches("0 0 31 2 *").first(&KNOWN), None);
        assert_eq!(matches("0 0 30,31 2 ?").last(&KNOWN), None);
        assert!(matches("0 0 29 2 *").first(&KNOWN).is_some());
    }
}
