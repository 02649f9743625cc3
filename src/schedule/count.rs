//! Counts the wall-clock times that a crontab matches, without visiting them.
//!
//! The cost grows with the months in the range, not with the matches: matching days are a bit mask per month, times of day a
//! product. Shares no code with [`super::cron_matcher`], so that tests can check one against the other. Knows no time zone.
//!
//! Local times are seconds since 1970-01-01T00:00:00 on the wall clock.

use std::ops::Range;

use super::cron_matcher::KNOWN;
use super::crontab::{Crontab, Dates, Times};
use super::month::{Month, MonthKind};
use super::second_set::DAY;

impl Crontab {
    /// Whether any date of any year matches.
    pub(super) fn matches_any_date(&self) -> bool {
        MonthKind::all().any(|month| self.days_in(month) != 0)
    }

    /// The number of matching wall-clock times in `range` (local seconds), within 1970 to 2100.
    pub(super) fn count(&self, range: &Range<i64>) -> u64 {
        let (start, end) = (range.start.max(KNOWN.start), range.end.min(KNOWN.end));
        if start >= end {
            return 0;
        }
        let (first, last) = (start.div_euclid(DAY), end.div_euclid(DAY));
        let (from, to) = (start.rem_euclid(DAY), end.rem_euclid(DAY));
        // All times of the days first..last, without those before the start, plus those of the last day.
        let whole = self.days(first..last) * self.times.before(DAY);
        let less = self.days(first..first + 1) * self.times.before(from);
        let more = self.days(last..last + 1) * self.times.before(to);
        whole + more - less
    }

    /// The number of matching days in `range`, counted from 1970-01-01.
    fn days(&self, range: Range<i64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let last = range.end - 1;
        let mut month = Month::of(range.start);
        let mut mask = u64::MAX << month.date(range.start);
        let mut days = 0;
        loop {
            if last < month.end {
                mask &= !(u64::MAX << 1 << month.date(last));
            }
            days += u64::from((self.days_in(month.kind) & mask).count_ones());
            if last < month.end {
                return days;
            }
            (month, mask) = (month.next(), u64::MAX);
        }
    }

    /// The matching days of a month: bit n is day n.
    pub(super) fn days_in(&self, month: MonthKind) -> u64 {
        let of = |dates: &Dates| dates.days_in(month);
        self.dates.iter().map(of).fold(0, |days, more| days | more)
    }
}

impl Dates {
    fn days_in(&self, month: MonthKind) -> u64 {
        if !self.years.include(month.leap) || self.months >> month.number & 1 == 0 {
            return 0;
        }
        let existing = !(u64::MAX << 1 << month.length());
        // Six weeks from the weekday of the first day; shifted by one, as days count from 1.
        let weekday = month.weekday;
        let week = (self.weekdays >> weekday | self.weekdays << (7 - weekday)) & Dates::ALL_WEEKDAYS;
        let weeks = (0..6).fold(0, |weeks, n| weeks | week << (7 * n)) << 1;
        self.days & weeks & existing
    }
}

impl Times {
    /// The number of times of day before `second`, 0 to 86,400.
    fn before(self, second: i64) -> u64 {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let below = |set: u64, value: i64| u64::from((set & !(u64::MAX << value)).count_ones());
        let has = |set: u64, value: i64| set >> value & 1;
        let seconds = below(self.seconds, 60);
        let in_hour = below(self.minutes, minute) * seconds + has(self.minutes, minute) * below(self.seconds, second);
        below(self.hours, hour) * below(self.minutes, 60) * seconds + has(self.hours, hour) * in_hour
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::Expression;
    use super::super::hash::Seed;
    use super::*;

    fn count(text: &str, range: Range<i64>) -> u64 {
        match Expression::parse(text, Seed::of("")).unwrap() {
            Expression::Crontab(crontab) => crontab.count(&range),
            Expression::Every(_) => panic!("{text} is not a crontab"),
        }
    }

    #[test]
    fn whole_and_partial_days_add_up() {
        assert_eq!(count("* * * * * *", 10..DAY * 400 + 7), (DAY * 400 - 3) as u64);
        assert_eq!(count("*/5 9-17 * * *", 0..DAY), 108);
        assert_eq!(count("*/5 9-17 * * *", 9 * 3600..9 * 3600 + 1), 1);
        assert_eq!(count("*/5 9-17 * * *", 9 * 3600 + 1..18 * 3600), 107);
        assert_eq!(count("0 0 * * *", 0..0), 0);
        assert_eq!(count("0 0 * * *", 1..DAY), 0);
    }

    #[test]
    fn leap_days_and_weekdays_are_counted() {
        // 1970 to 2100: 32 leap days (2100 has none).
        assert_eq!(count("0 0 29 2 *", KNOWN), 32);
        assert_eq!(count("0 0 31 2 *", KNOWN), 0);
        assert_eq!(count("0 0 * * *", KNOWN), 47_847);
        assert_eq!(count("0 0 * * thu", 0..DAY), 1);
        // January 1970: Thursdays are the 1st, 8th, 15th, 22nd, 29th.
        assert_eq!(count("0 0 15,16 * thu", 0..31 * DAY), 6);
        assert_eq!(count("0 0 15,16 * *", 0..31 * DAY), 2);
    }

    #[test]
    fn nothing_is_counted_outside_1970_to_2100() {
        assert_eq!(count("* * * * *", i64::MIN..0), 0);
        assert_eq!(count("* * * * *", KNOWN.end..i64::MAX), 0);
        assert_eq!(count("0 0 1 1 *", i64::MIN..i64::MAX), 131);
    }
}
