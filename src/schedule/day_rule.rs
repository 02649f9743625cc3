//! Day rules, whose date depends on the month: `L`, `L-3`, `15W`, `LW` in day of month; `FRI#2`, `5L`, `FRIL` in day of week.
//!
//! A rule is parsed from one item of a field and translated into [`Dates`]: for each length of month, and for February each kind
//! of year, it is a few sets of months, days and weekdays. The items are those of the Quartz scheduler, but weekdays are
//! numbered as in a crontab (0 and 7 are Sunday). An item stands alone or in a list, never in a range or with a step.

use std::collections::BTreeMap;

use super::crontab::{Dates, Years};
use super::error::{Excerpt, Fault};
use super::field::{DAY_OF_MONTH, DAY_OF_WEEK};

/// A day that depends on the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayRule {
    /// `L`, `L-3`: this many days before the last day.
    Last(u32),
    /// `15W`: the working day (Monday to Friday) nearest to this day in the same month; none where the month lacks the day.
    Nearest(u32),
    /// `LW`: the last working day.
    LastWorkday,
    /// `FRI#2`: this weekday, for the n-th time in the month (1 to 5).
    Nth(u32, u32),
    /// `FRIL`: the last of this weekday in the month.
    LastOf(u32),
}

/// The months of each length, and the years in which they have it.
const LENGTHS: [(u64, Years, u32); 4] = [
    (0b1_0101_1010_1010, Years::All, 31),
    (0b0_1010_0101_0000, Years::All, 30),
    (0b100, Years::Leap, 29),
    (0b100, Years::Common, 28),
];

const WORKDAYS: u64 = 0b011_1110;
const MONDAY: u64 = 1 << 1;
const FRIDAY: u64 = 1 << 5;

/// Parses a rule in day of month; `None` if the item is not a rule.
///
/// # Errors
/// A number out of range, or a rule combined with a range, a step or another rule.
pub(super) fn day_of_month(item: &str) -> Result<Option<DayRule>, Fault> {
    let lower = item.to_ascii_lowercase();
    let looks = lower.contains(['l', 'w']) && lower.bytes().all(|b| b"0123456789lw-/*?h()".contains(&b));
    if !looks {
        return Ok(None);
    }
    let rule = match lower.as_str() {
        "l" => DayRule::Last(0),
        "lw" => DayRule::LastWorkday,
        _ => match (lower.strip_prefix("l-"), lower.strip_suffix('w')) {
            (Some(before), None) => match number(before) {
                Some(before @ 1..=30) => DayRule::Last(before),
                _ => {
                    let reason = format!("day of month {} is not a day before the last", Excerpt(item));
                    return Err(Fault::new(reason, "use L-1 to L-30"));
                }
            },
            (None, Some(day)) if number(day).is_some() => DayRule::Nearest(DAY_OF_MONTH.value(item, day)?),
            _ => {
                let reason = format!("day of month {} combines L or W with something else", Excerpt(item));
                return Err(Fault::new(reason, "use L, L-3, 15W or LW, alone or in a list"));
            }
        },
    };
    Ok(Some(rule))
}

/// Parses a rule in day of week; `None` if the item is not a rule.
///
/// # Errors
/// As [`day_of_month`].
pub(super) fn day_of_week(item: &str) -> Result<Option<DayRule>, Fault> {
    if let Some((day, nth)) = item.split_once('#') {
        let day = weekday(item, day)?;
        return match number(nth) {
            Some(nth @ 1..=5) => Ok(Some(DayRule::Nth(day, nth))),
            _ => {
                let reason = format!("day of week {}: no month has this week", Excerpt(item));
                Err(Fault::new(reason, "use #1 to #5, or L for the last: FRI#2, FRIL"))
            }
        };
    }
    match item.strip_suffix(['L', 'l']) {
        None => Ok(None),
        Some("") => {
            let reason = format!("day of week {} does not name a day", Excerpt(item));
            Err(Fault::new(reason, "use FRIL or 5L for the last Friday, SAT for every Saturday"))
        }
        Some(day) => weekday(item, day).map(|day| Some(DayRule::LastOf(day))),
    }
}

fn weekday(item: &str, text: &str) -> Result<u32, Fault> {
    if text.contains(['-', '/', '*', '?']) {
        let reason = format!("day of week {} combines # or L with something else", Excerpt(item));
        return Err(Fault::new(reason, "use FRI#2, 5#2, FRIL or 5L, alone or in a list"));
    }
    DAY_OF_WEEK.value(item, text).map(|day| day % 7)
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl DayRule {
    /// The dates in these months, with months of different length merged where they agree.
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

    /// Pairs of days and weekdays that must both match, in a month of this length.
    fn days(self, length: u32) -> Vec<(u64, u64)> {
        let day = |n: u32| 1_u64 << n;
        match self {
            DayRule::Last(before) if before < length => vec![(day(length - before), Dates::ALL_WEEKDAYS)],
            DayRule::Nearest(n) if n <= length => vec![
                (day(n), WORKDAYS),
                // Saturday moves to Friday, Sunday to Monday; at the ends of the month the other way, to stay in the month.
                if n > 1 { (day(n - 1), FRIDAY) } else { (day(3), MONDAY) },
                if n < length { (day(n + 1), MONDAY) } else { (day(n - 2), FRIDAY) },
            ],
            DayRule::Last(_) | DayRule::Nearest(_) => Vec::new(),
            DayRule::LastWorkday => DayRule::Nearest(length).days(length),
            DayRule::Nth(weekday, nth) => vec![(week(nth * 7 - 6), 1 << weekday)],
            DayRule::LastOf(weekday) => vec![(week(length - 6), 1 << weekday)],
        }
    }
}

/// The seven days from `first` on, up to the 31st.
fn week(first: u32) -> u64 {
    0b111_1111 << first & Dates::ALL_DAYS
}

/// Merges what holds in leap and in common years into all years.
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

    fn parts(rule: DayRule) -> usize {
        rule.dates(Dates::ALL_MONTHS).len()
    }

    #[test]
    fn lengths_cover_all_months() {
        let months = LENGTHS.iter().fold(0, |months, (more, _, _)| months | more);
        assert_eq!(months, Dates::ALL_MONTHS);
        assert_eq!(LENGTHS.map(|(months, _, _)| months.count_ones()), [7, 4, 1, 1]);
    }

    #[test]
    fn months_that_agree_are_merged() {
        assert_eq!(parts(DayRule::Nth(5, 2)), 1);
        assert_eq!(parts(DayRule::Nearest(15)), 3);
        assert_eq!(parts(DayRule::Last(0)), 4);
        assert_eq!(DayRule::Last(30).dates(1 << 2), []);
        assert_eq!(DayRule::Nearest(30).dates(1 << 2), []);
    }

    #[test]
    fn rules_parse_in_any_case() {
        for (item, rule) in [
            ("l", DayRule::Last(0)),
            ("L-30", DayRule::Last(30)),
            ("lW", DayRule::LastWorkday),
            ("031w", DayRule::Nearest(31)),
        ] {
            assert_eq!(day_of_month(item), Ok(Some(rule)));
        }
        for (item, rule) in [
            ("Fri#2", DayRule::Nth(5, 2)),
            ("7#5", DayRule::Nth(0, 5)),
            ("0l", DayRule::LastOf(0)),
            ("sunL", DayRule::LastOf(0)),
        ] {
            assert_eq!(day_of_week(item), Ok(Some(rule)));
        }
        for item in ["1", "*", "jul", "1-5", "H", "wed", ""] {
            assert_eq!(day_of_month(item), Ok(None));
        }
        for item in ["1", "*", "fri", "1-5", "H", ""] {
            assert_eq!(day_of_week(item), Ok(None));
        }
    }

    #[test]
    fn a_rule_in_a_range_or_step_is_refused() {
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
