//! Days that move from month to month: `L`, `L-3`, `15W`, `LW` in day of month; `FRI#2`, `5L`, `FRIL` in day of week.
//!
//! Takes such an item; gives dates as the rest of the dialect has them, months, days and weekdays that must all match: by
//! the length of a month, and for February by the kind of year, each of these is a few of them. Weekdays are numbered as in a
//! crontab (0 and 7 are Sunday), not as in Quartz. Such an item stands alone or in a list, never in a range or with a step.

use std::collections::BTreeMap;

use super::error::{Excerpt, Fault};
use super::expression::{Dates, Years};
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK};

/// A day that the month decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moving {
    /// So many days before the last one.
    Last(u32),
    /// The weekday, Monday to Friday, that is nearest to this day and in the same month; none where the month has no such day.
    Nearest(u32),
    /// The last day, Monday to Friday.
    LastWorkday,
    /// The n-th of this weekday, 1 to 5.
    Nth(u32, u32),
    /// The last of this weekday.
    LastOf(u32),
}

/// The months of one length, and the years in which they have it.
const LENGTHS: [(u64, Years, u32); 4] = [
    (0b1_0101_1010_1010, Years::All, 31),
    (0b0_1010_0101_0000, Years::All, 30),
    (0b100, Years::Leap, 29),
    (0b100, Years::Common, 28),
];

const WORKDAYS: u64 = 0b011_1110;
const MONDAY: u64 = 1 << 1;
const FRIDAY: u64 = 1 << 5;

/// Reads an item of day of month; `None` if it is of another kind.
///
/// # Errors
/// A number out of range, or more than such an item may hold.
pub(super) fn day_of_month(item: &str) -> Result<Option<Moving>, Fault> {
    let lower = item.to_ascii_lowercase();
    let looks = lower.contains(['l', 'w']) && lower.bytes().all(|b| b"0123456789lw-/*?h()".contains(&b));
    if !looks {
        return Ok(None);
    }
    let moving = match lower.as_str() {
        "l" => Moving::Last(0),
        "lw" => Moving::LastWorkday,
        _ => match (lower.strip_prefix("l-"), lower.strip_suffix('w')) {
            (Some(before), None) => match number(before) {
                Some(before @ 1..=30) => Moving::Last(before),
                _ => {
                    let reason = format!("day of month {} is not a day before the last", Excerpt(item));
                    return Err(DAY_OF_MONTH.fault(reason, "write L-1 to L-30"));
                }
            },
            (None, Some(day)) if number(day).is_some() => Moving::Nearest(DAY_OF_MONTH.value(item, day)?),
            _ => {
                let reason = format!("day of month {} mixes L or W with something else", Excerpt(item));
                return Err(DAY_OF_MONTH.fault(reason, "write L, L-3, 15W or LW, alone or in a list"));
            }
        },
    };
    Ok(Some(moving))
}

/// Reads an item of day of week; `None` if it is of another kind.
///
/// # Errors
/// As [`day_of_month`].
pub(super) fn day_of_week(item: &str) -> Result<Option<Moving>, Fault> {
    if let Some((day, nth)) = item.split_once('#') {
        let day = weekday(item, day)?;
        return match number(nth) {
            Some(nth @ 1..=5) => Ok(Some(Moving::Nth(day, nth))),
            _ => {
                let reason = format!("day of week {}: a month has no such week", Excerpt(item));
                Err(DAY_OF_WEEK.fault(reason, "write #1 to #5, or L for the last: FRI#2, FRIL"))
            }
        };
    }
    match item.strip_suffix(['L', 'l']) {
        None => Ok(None),
        Some("") => {
            let reason = format!("day of week {} does not say which day", Excerpt(item));
            Err(DAY_OF_WEEK.fault(reason, "write FRIL or 5L for the last Friday, SAT for each Saturday"))
        }
        Some(day) => weekday(item, day).map(|day| Some(Moving::LastOf(day))),
    }
}

fn weekday(item: &str, text: &str) -> Result<u32, Fault> {
    if text.contains(['-', '/', '*', '?']) {
        let reason = format!("day of week {} mixes # or L with something else", Excerpt(item));
        return Err(DAY_OF_WEEK.fault(reason, "write FRI#2, 5#2, FRIL or 5L, alone or in a list"));
    }
    DAY_OF_WEEK.value(item, text).map(|day| day % 7)
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl Moving {
    /// The dates in these months, in as few parts as can be: lengths of month that agree are one.
    pub(super) fn dates(self, months: u64) -> Vec<Dates> {
        let mut parts: BTreeMap<(u64, u64, Years), u64> = BTreeMap::new();
        for (of_length, years, length) in LENGTHS {
            for (days, weekdays) in self.days(length) {
                *parts.entry((days, weekdays, years)).or_default() |= of_length & months;
            }
        }
        join_years(&mut parts);
        let dates = |((days, weekdays, years), months)| Dates {
            months,
            days,
            weekdays,
            years,
        };
        parts.into_iter().map(dates).filter(|dates| dates.months != 0).collect()
    }

    /// Days and weekdays that must both match, in a month of this length.
    fn days(self, length: u32) -> Vec<(u64, u64)> {
        let day = |n: u32| 1_u64 << n;
        match self {
            Moving::Last(before) if before < length => vec![(day(length - before), Dates::ALL_WEEKDAYS)],
            Moving::Nearest(n) if n <= length => vec![
                (day(n), WORKDAYS),
                // A Saturday gives way to the day before, a Sunday to the day after; at the month's ends the other way round.
                if n > 1 { (day(n - 1), FRIDAY) } else { (day(3), MONDAY) },
                if n < length { (day(n + 1), MONDAY) } else { (day(n - 2), FRIDAY) },
            ],
            Moving::Last(_) | Moving::Nearest(_) => Vec::new(),
            Moving::LastWorkday => Moving::Nearest(length).days(length),
            Moving::Nth(weekday, nth) => vec![(week(nth * 7 - 6), 1 << weekday)],
            Moving::LastOf(weekday) => vec![(week(length - 6), 1 << weekday)],
        }
    }
}

/// The seven days from `first` on, as far as any month has them.
fn week(first: u32) -> u64 {
    0b111_1111 << first & Dates::ALL_DAYS
}

/// What holds in leap and in common years holds in all.
fn join_years(parts: &mut BTreeMap<(u64, u64, Years), u64>) {
    let leap: Vec<(u64, u64)> = parts
        .keys()
        .filter(|part| part.2 == Years::Leap)
        .map(|part| (part.0, part.1))
        .collect();
    for (days, weekdays) in leap {
        if parts.remove(&(days, weekdays, Years::Common)).is_none() {
            continue;
        }
        if let Some(months) = parts.remove(&(days, weekdays, Years::Leap)) {
            *parts.entry((days, weekdays, Years::All)).or_default() |= months;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(moving: Moving) -> usize {
        moving.dates(Dates::ALL_MONTHS).len()
    }

    #[test]
    fn the_months_of_each_length_are_all_months() {
        let months = LENGTHS.iter().fold(0, |months, (more, _, _)| months | more);
        assert_eq!(months, Dates::ALL_MONTHS);
        assert_eq!(LENGTHS.map(|(months, _, _)| months.count_ones()), [7, 4, 1, 1]);
    }

    #[test]
    fn lengths_that_agree_are_one_part() {
        assert_eq!(parts(Moving::Nth(5, 2)), 1);
        assert_eq!(parts(Moving::Nearest(15)), 3);
        assert_eq!(parts(Moving::Last(0)), 4);
        assert_eq!(Moving::Last(30).dates(1 << 2), []);
        assert_eq!(Moving::Nearest(30).dates(1 << 2), []);
    }

    #[test]
    fn items_are_read_in_any_case() {
        for (item, moving) in [
            ("l", Moving::Last(0)),
            ("L-30", Moving::Last(30)),
            ("lW", Moving::LastWorkday),
            ("031w", Moving::Nearest(31)),
        ] {
            assert_eq!(day_of_month(item), Ok(Some(moving)));
        }
        for (item, moving) in [
            ("Fri#2", Moving::Nth(5, 2)),
            ("7#5", Moving::Nth(0, 5)),
            ("0l", Moving::LastOf(0)),
            ("sunL", Moving::LastOf(0)),
        ] {
            assert_eq!(day_of_week(item), Ok(Some(moving)));
        }
        for item in ["1", "*", "jul", "1-5", "H", "wed", ""] {
            assert_eq!(day_of_month(item), Ok(None));
        }
        for item in ["1", "*", "fri", "1-5", "H", ""] {
            assert_eq!(day_of_week(item), Ok(None));
        }
    }

    #[test]
    fn what_does_not_stand_alone_is_refused() {
        for item in [
            "L/2", "1-L", "15W/2", "L-3W", "1-15W", "WL", "W", "LL", "L-", "L-0", "L-31", "0W", "32W", "HW", "H(1-5)W",
        ] {
            assert!(day_of_month(item).is_err(), "{item}");
        }
        for item in [
            "L",
            "FRI#0",
            "FRI#6",
            "FRI#",
            "#2",
            "8#1",
            "8L",
            "MON-FRI#2",
            "1-5L",
            "*L",
            "FRI#2#3",
            "FRI#2L",
            "FRI#2/2",
        ] {
            assert!(day_of_week(item).is_err(), "{item}");
        }
    }
}
