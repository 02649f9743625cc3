//! Months by arithmetic, and the kinds of months.
//!
//! Days are counted from 1970-01-01. Two months have the same dates on the same weekdays if number, length and first weekday
//! agree. There are 91 such kinds, so a table over kinds covers all years. Knows no time zone.

/// A month of some year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Month {
    year: i64,
    pub(super) kind: MonthKind,
    /// The first day, counted from 1970-01-01.
    pub(super) first: i64,
    /// The day after the last one.
    pub(super) end: i64,
}

/// What the calendar of a month depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MonthKind {
    /// 1 to 12.
    pub(super) number: u32,
    /// Whether the year is a leap year. It matters in February only.
    pub(super) leap: bool,
    /// The weekday of the first day; Sunday is 0.
    pub(super) weekday: u32,
}

/// The number of kinds: twelve months and a February of 29 days, each with seven first weekdays.
pub(super) const MONTH_KINDS: usize = 13 * 7;

impl Month {
    /// The month of a day.
    ///
    /// In the proleptic Gregorian calendar 400 years have 146,097 days; the arithmetic is `civil_from_days` of Howard Hinnant's
    /// "chrono-Compatible Low-Level Date Algorithms", with years that begin in March.
    pub(super) fn of(day: i64) -> Month {
        let day_of_era = (day + 719_468).rem_euclid(146_097);
        let era = (day + 719_468).div_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day_of_month = day_of_year - (153 * from_march + 2) / 5;
        let number = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(number <= 2);
        Month::new(year, u32::try_from(number).unwrap_or(1), day - day_of_month)
    }

    fn new(year: i64, number: u32, first: i64) -> Month {
        let kind = MonthKind {
            number,
            leap: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0),
            // 1970-01-01 was a Thursday.
            weekday: u32::try_from((first + 4).rem_euclid(7)).unwrap_or_default(),
        };
        Month {
            year,
            kind,
            first,
            end: first + i64::from(kind.length()),
        }
    }

    pub(super) fn next(self) -> Month {
        match self.kind.number {
            12 => Month::new(self.year + 1, 1, self.end),
            number => Month::new(self.year, number + 1, self.end),
        }
    }

    pub(super) fn previous(self) -> Month {
        Month::of(self.first - 1)
    }

    pub(super) fn contains(&self, day: i64) -> bool {
        (self.first..self.end).contains(&day)
    }

    /// The day of the month of a day, from 1.
    pub(super) fn date(self, day: i64) -> u32 {
        u32::try_from(day - self.first + 1).unwrap_or_default()
    }
}

impl MonthKind {
    /// All kinds, in the order of [`MonthKind::index`].
    pub(super) fn all() -> impl Iterator<Item = MonthKind> {
        let months = (1..=12).map(|number| (number, false)).chain([(2, true)]);
        months.flat_map(|(number, leap)| (0..7).map(move |weekday| MonthKind { number, leap, weekday }))
    }

    /// A number below [`MONTH_KINDS`].
    pub(super) fn index(self) -> usize {
        let month = if self.leap && self.number == 2 { 12 } else { self.number - 1 };
        usize::try_from(month * 7 + self.weekday).unwrap_or_default()
    }

    /// The number of days.
    pub(super) fn length(self) -> u32 {
        match self.number {
            2 => 28 + u32::from(self.leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use jiff::tz::Offset;

    use super::super::second_set::DAY;
    use super::super::zone::timestamp;
    use super::*;

    fn date(day: i64) -> Date {
        Offset::UTC.to_datetime(timestamp(day * DAY)).date()
    }

    #[test]
    fn months_equal_those_of_jiff() {
        for day in -7_305..54_787 {
            let (month, date) = (Month::of(day), date(day));
            assert_eq!(i64::from(date.year()), month.year);
            assert_eq!(u32::try_from(date.month()).unwrap(), month.kind.number);
            assert_eq!(u32::try_from(date.day()).unwrap(), month.date(day));
            assert_eq!(u32::try_from(date.days_in_month()).unwrap(), month.kind.length());
            let weekday = date.first_of_month().weekday().to_sunday_zero_offset();
            assert_eq!(u32::try_from(weekday).unwrap(), month.kind.weekday);
            assert_eq!(date.in_leap_year(), month.kind.leap);
            assert_eq!(month.next(), Month::of(month.end));
            assert_eq!(month.previous(), Month::of(month.first - 1));
        }
    }

    #[test]
    fn each_kind_of_month_has_its_own_index() {
        let indices: Vec<usize> = MonthKind::all().map(MonthKind::index).collect();
        assert_eq!(indices, (0..MONTH_KINDS).collect::<Vec<_>>());
    }
}
