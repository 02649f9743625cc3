//! The days from 1970 to 2100 on which crontabs have slots, without those that other crontabs exclude.
//!
//! A table of the 91 kinds of months refers to kinds of days: days on which the same crontabs match have the same times. So a
//! search skips days without slots, and a count costs one lookup per month. The table is made once, when the schedule is
//! compiled. Knows no time zone: [`super::zoned_timetable`] handles changes of the clock.

use std::collections::BTreeMap;
use std::fmt;

use super::budget::{self, OverBudget};
use super::cron_matcher::KNOWN;
use super::crontab::Crontab;
use super::month::{MONTH_KINDS, Month, MonthKind};
use super::query::Query;
use super::second_set::DAY;
use super::time_index::TimeIndex;

/// The days of the table, counted from 1970-01-01.
const DAYS: std::ops::Range<i64> = 0..KNOWN.end / DAY;

/// The slots of crontabs without those that others exclude.
#[derive(Clone)]
pub(super) struct Timetable {
    pub(super) times: TimeIndex,
    /// By [`MonthKind::index`].
    months: Vec<MonthTable>,
    pub(super) kinds: Vec<DayKind>,
    /// The most steps to evaluate all of a day.
    pub(super) costliest: u64,
}

/// A kind of day: days on which the same crontabs match.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DayKind {
    /// The crontabs, as a set of bits: see [`TimeIndex`].
    pub(super) crontabs: u64,
    /// The number of slots.
    pub(super) slots: u64,
    /// Whether some second of the day is not excluded.
    pub(super) open: bool,
}

/// The days of a kind of month. Bit n is day n.
#[derive(Clone, Debug)]
struct MonthTable {
    /// The days with slots.
    with_slots: u32,
    /// The days that are not excluded as a whole.
    not_excluded: u32,
    /// The number of slots.
    slots: u64,
    /// The index of the kind of each day, from the first on.
    days: Vec<u16>,
}

/// Which days a search looks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum DayFilter {
    /// Days with slots.
    HasSlots,
    /// Days that are not excluded as a whole.
    NotExcluded,
}

/// Without the tables, which would fill pages.
impl fmt::Debug for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.kinds.len();
        f.debug_struct("Timetable").field("kinds", &kinds).finish_non_exhaustive()
    }
}

impl Timetable {
    /// Makes the table. `members` have slots, `excluded` exclude them.
    ///
    /// # Errors
    /// Too many kinds of days, too many steps in all, or to find a slot on some day.
    pub(super) fn of(members: &[&Crontab], excluded: &[Crontab], query: &Query) -> Result<Timetable, OverBudget> {
        let times = |crontabs: &mut dyn Iterator<Item = &Crontab>| crontabs.map(|crontab| crontab.times).collect::<Vec<_>>();
        let times = TimeIndex::of(&times(&mut members.iter().copied()), &times(&mut excluded.iter()));
        let crontabs: Vec<&Crontab> = members.iter().copied().chain(excluded).collect();
        let mut timetable = Timetable {
            months: Vec::with_capacity(MONTH_KINDS),
            kinds: Vec::new(),
            costliest: 0,
            times,
        };
        // A crontab that excludes the whole day leaves nothing, whatever else matches.
        let whole = (0..)
            .zip(&crontabs)
            .skip(members.len())
            .filter(|(_, crontab)| crontab.times.is_whole_day());
        let whole = whole.fold(0_u64, |whole, (n, _)| whole | 1 << n);
        let mut known = BTreeMap::new();
        for kind in MonthKind::all() {
            let month = timetable.month(kind, &crontabs, whole, &mut known, query)?;
            timetable.months.push(month);
        }
        Ok(timetable)
    }

    /// The table of a kind of month; adds the kinds of its days.
    fn month(
        &mut self,
        kind: MonthKind,
        crontabs: &[&Crontab],
        whole: u64,
        known: &mut BTreeMap<u64, u16>,
        query: &Query,
    ) -> Result<MonthTable, OverBudget> {
        let length = kind.length();
        // Sets of days that are equal so far, with the crontabs that match them.
        let mut groups = vec![(u32::MAX >> (31 - length) & !1, 0_u64)];
        for (n, crontab) in crontabs.iter().enumerate() {
            let days = u32::try_from(crontab.days_in(kind)).unwrap_or_default();
            query.spend(crontab.dates.len() as u64 * 4 + groups.len() as u64 * 2);
            let mut split = Vec::new();
            for (group, matching) in &mut groups {
                let outside = *group & !days;
                if outside == *group {
                    continue;
                }
                if outside != 0 {
                    split.push((outside, *matching));
                }
                *group &= days;
                *matching |= 1 << n;
            }
            groups.append(&mut split);
        }
        query.spend(groups.len() as u64 * 10);
        let mut month = MonthTable {
            with_slots: 0,
            not_excluded: 0,
            slots: 0,
            days: vec![0; usize::try_from(length).unwrap_or_default()],
        };
        for (days, matching) in groups {
            let matching = if matching & whole == 0 { matching } else { matching & whole };
            let index = match known.get(&matching) {
                Some(index) => *index,
                None => self.add(matching, matching & whole == 0, known, query)?,
            };
            let kind = self.kinds.get(usize::from(index)).copied().unwrap_or_default();
            month.with_slots |= if kind.slots > 0 { days } else { 0 };
            month.not_excluded |= if kind.open { days } else { 0 };
            month.slots += kind.slots * u64::from(days.count_ones());
            let dates = (1..).zip(&mut month.days).filter(|(date, _)| days >> date & 1 == 1);
            dates.for_each(|(_, day)| *day = index);
        }
        Ok(month)
    }

    /// Adds a kind of day and returns its index.
    fn add(&mut self, crontabs: u64, maybe_open: bool, known: &mut BTreeMap<u64, u16>, query: &Query) -> Result<u16, OverBudget> {
        budget::kinds(self.kinds.len() + 1)?;
        let summary = self.times.summary(crontabs, query);
        self.costliest = self.costliest.max(summary.steps);
        let first = crontabs & !self.times.excluding;
        if summary.slots > 0 {
            budget::search(summary.longest, first.trailing_zeros())?;
        }
        budget::compile(query)?;
        let excluding = crontabs & self.times.excluding;
        let open = maybe_open && (summary.slots > 0 || excluding == 0 || self.is_open(excluding, query));
        let index = u16::try_from(self.kinds.len()).unwrap_or_default();
        self.kinds.push(DayKind {
            crontabs,
            slots: summary.slots,
            open,
        });
        known.insert(crontabs, index);
        Ok(index)
    }

    fn is_open(&self, excluding: u64, query: &Query) -> bool {
        (0..DAY / 60).any(|minute| self.times.open(excluding, minute, query) != 0)
    }

    /// The kind of a day, an empty one beyond the table.
    pub(super) fn kind(&self, day: i64) -> DayKind {
        let index = self.kind_index(Month::of(day), day);
        index.and_then(|index| self.kinds.get(index)).copied().unwrap_or_default()
    }

    /// The index of the kind of a day; `None` beyond the table.
    pub(super) fn kind_index(&self, month: Month, day: i64) -> Option<usize> {
        if !DAYS.contains(&day) {
            return None;
        }
        let date = usize::try_from(month.date(day) - 1).ok()?;
        self.table(month)?.days.get(date).map(|index| usize::from(*index))
    }

    /// The number of slots of a month in which no clock changes.
    pub(super) fn slots_of(&self, month: Month) -> u64 {
        self.table(month).map_or(0, |table| table.slots)
    }

    /// The first matching day at or after a day.
    pub(super) fn next(&self, filter: DayFilter, day: i64, query: &Query) -> Option<i64> {
        let day = day.max(DAYS.start);
        let mut month = Month::of(day);
        let mut from = month.date(day);
        while month.first < DAYS.end {
            query.spend(2);
            let days = self.days(filter, month) & u32::MAX << from;
            if days != 0 {
                return Some(month.first - 1 + i64::from(days.trailing_zeros()));
            }
            (month, from) = (month.next(), 1);
        }
        None
    }

    /// The last matching day at or before a day.
    pub(super) fn previous(&self, filter: DayFilter, day: i64, query: &Query) -> Option<i64> {
        let day = day.min(DAYS.end - 1);
        let mut month = Month::of(day);
        let mut until = month.date(day);
        while month.end > DAYS.start {
            query.spend(2);
            let days = self.days(filter, month) & u32::MAX >> (31 - until);
            if days != 0 {
                return Some(month.first + 30 - i64::from(days.leading_zeros()));
            }
            month = month.previous();
            until = 31;
        }
        None
    }

    fn days(&self, filter: DayFilter, month: Month) -> u32 {
        self.table(month).map_or(0, |table| match filter {
            DayFilter::HasSlots => table.with_slots,
            DayFilter::NotExcluded => table.not_excluded,
        })
    }

    fn table(&self, month: Month) -> Option<&MonthTable> {
        self.months.get(month.kind.index())
    }
}
