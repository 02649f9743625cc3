//! Several expressions, or crontabs in `exclude`: all slots evaluated together.
//!
//! Answers first, last and count for a range of instants. Crontabs come from a timetable ([`super::zoned_timetable`]), each `@every`
//! is evaluated beside it ([`super::filtered_every`]). To count, days of the same kind and with the same phases of `@every` are
//! evaluated once. Knows nothing of the task's life or of excluded intervals.
//!
//! Instants are Unix seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::budget::{self, OverBudget};
use super::cron_matcher::KNOWN;
use super::crontab::Crontab;
use super::daylight_saving::DaylightSaving;
use super::every::Every;
use super::expression::Expression;
use super::filtered_every::{self, FilteredEvery};
use super::month::Month;
use super::query::{DaySegment, Query};
use super::second_set::{DAY, SecondSet};
use super::timetable::Timetable;
use super::zoned_timetable::ZonedTimetable;

/// A longer period is counted slot by slot, unless it divides a day.
const HOUR: i64 = 3_600;
/// Steps to find a slot of a long period in a day, and again to check one.
const CHECK: i64 = 4;
/// Steps for a day whose kind is known.
const KNOWN_DAY: u64 = 30;
/// Most day sets that a count caches, each of 22 KB.
const CACHED_DAYS: usize = 64;

/// The crontabs and `@every` expressions of a task.
#[derive(Clone, Debug)]
pub(super) struct Combined {
    zoned: ZonedTimetable,
    /// Whether any crontab has a slot.
    crontabs: bool,
    /// Periods below an hour, or that divide a day. Counted by kinds of days, of which each phase makes one.
    short: Vec<FilteredEvery>,
    /// Other periods. Counted slot by slot.
    long: Vec<FilteredEvery>,
    /// Seconds after which the phases of all short periods repeat.
    cycle: i64,
}

/// What a count caches across its ranges.
#[derive(Default)]
pub(super) struct CountCache {
    /// Slots of a whole day, by the index of its kind and its phase.
    slots: BTreeMap<(usize, i64), u64>,
    /// Slots of crontabs and seconds that are not excluded, by the index of the kind.
    days: BTreeMap<usize, (SecondSet, SecondSet)>,
}

impl Combined {
    /// Compiles the slots within `life`.
    ///
    /// # Errors
    /// They would cost too much.
    pub(super) fn of(
        expressions: &[Expression],
        policy: DaylightSaving,
        excluded: &[Crontab],
        life: &Range<i64>,
        query: &Query,
    ) -> Result<Combined, OverBudget> {
        let crontabs: Vec<&Crontab> = expressions.iter().filter_map(Expression::crontab).collect();
        let timetable = Timetable::of(&crontabs, excluded, query)?;
        let fixed = (0..).zip(&crontabs).filter(|(_, crontab)| crontab.fixed);
        let zoned = ZonedTimetable {
            fixed: fixed.fold(0, |fixed, (n, _)| fixed | 1 << n),
            policy,
            timetable,
        };
        let mut combined = Combined {
            crontabs: zoned.timetable.kinds.iter().any(|kind| kind.slots > 0),
            zoned,
            short: Vec::new(),
            long: Vec::new(),
            cycle: 1,
        };
        let mut without_slot = 0;
        for every in distinct(expressions) {
            let Some((filtered, longest)) = FilteredEvery::of(every, &combined.zoned, life, query)? else {
                continue;
            };
            without_slot += longest;
            budget::sparse(without_slot, every.period())?;
            if every.period() < HOUR || DAY % every.period() == 0 {
                combined.cycle = common_multiple(combined.cycle, every.period());
                combined.short.push(filtered);
            } else {
                combined.long.push(filtered);
            }
        }
        combined.check_count(query)?;
        Ok(combined)
    }

    /// Estimates the steps of a count over [`budget::YEARS`].
    fn check_count(&self, query: &Query) -> Result<(), OverBudget> {
        let (mut changes, mut offsets) = (0, BTreeSet::new());
        let mut at = KNOWN.start;
        while at < KNOWN.end {
            let period = query.offset_period(at);
            offsets.insert(period.offset.rem_euclid(self.cycle));
            changes += 1;
            at = period.end;
        }
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let each = |filtered: &[FilteredEvery], steps: fn(Every) -> i64| filtered.iter().map(|filtered| steps(filtered.every)).sum::<i64>();
        // Days with a change of the clock are evaluated in full, others once for each kind and phase.
        let crontabs = i64::try_from(self.zoned.timetable.costliest).unwrap_or(i64::MAX) + 2_000;
        let of_changes = changes * budget::YEARS / 131 * (crontabs + each(&self.short, filtered_every::whole_day));
        let days = 365 * budget::YEARS;
        let phases = (self.cycle / divisor(self.cycle, DAY)).saturating_mul(number(offsets.len()));
        let kinds = number(self.zoned.timetable.kinds.len());
        let both = phases.min(self.cycle).saturating_mul(kinds).min(days);
        let day_sets = if kinds <= number(CACHED_DAYS) { kinds } else { both };
        let of_kinds = match self.short.as_slice() {
            [] => 0,
            short => both * (700 + each(short, steps_of)) + day_sets * 2 * crontabs,
        };
        let checks: i64 = self.long.iter().map(|filtered| DAY / filtered.every.period() + 1).sum();
        let of_days = match (self.short.len(), self.long.len()) {
            (0, 0) => 0,
            _ => days * (i64::try_from(KNOWN_DAY).unwrap_or_default() + 2 + CHECK * number(self.long.len()) + self.check_steps() * checks),
        };
        budget::count(u64::try_from(of_changes + of_kinds + of_days).unwrap_or(u64::MAX))
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, mut range: Range<i64>, query: &Query) -> Option<i64> {
        let mut found = None;
        for filtered in self.short.iter().chain(&self.long) {
            if let Some(slot) = filtered.first(&self.zoned, &range, query) {
                range.end = slot;
                found = Some(slot);
            }
        }
        self.crontabs.then(|| self.zoned.first(&range, query)).flatten().or(found)
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, mut range: Range<i64>, query: &Query) -> Option<i64> {
        let mut found = None;
        for filtered in self.short.iter().chain(&self.long) {
            if let Some(slot) = filtered.last(&self.zoned, &range, query) {
                range.start = slot + 1;
                found = Some(slot);
            }
        }
        self.crontabs.then(|| self.zoned.last(&range, query)).flatten().or(found)
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, range: &Range<i64>, cache: &mut CountCache, query: &Query) -> u64 {
        if self.short.is_empty() && self.long.is_empty() {
            return self.zoned.count(range, query);
        }
        let mut at = range.start;
        let mut slots = 0;
        let mut month = Month::of(at.div_euclid(DAY));
        // Often the next day has the same kind and phase.
        let mut last = ((usize::MAX, 0), 0);
        while at < range.end {
            let segment = query.segment(at, range);
            query.spend(KNOWN_DAY);
            if !month.contains(segment.day) {
                month = Month::of(segment.day);
            }
            slots += match self.zoned.timetable.kind_index(month, segment.day) {
                Some(index) if segment.is_whole() => {
                    let kind = (index, (segment.period.offset - segment.day * DAY).rem_euclid(self.cycle));
                    if last.0 != kind {
                        let of_kind = cache.slots.get(&kind).copied();
                        last = (
                            kind,
                            of_kind.unwrap_or_else(|| self.short_of(&segment, index, &mut cache.days, query)),
                        );
                        cache.slots.insert(kind, last.1);
                    }
                    last.1 + self.long_of(&segment, index, query)
                }
                _ => self.all_of(&segment, query),
            };
            at = segment.instant(segment.end);
        }
        slots
    }

    /// The slots of a whole day, without those that only long periods have.
    fn short_of(&self, segment: &DaySegment, index: usize, days: &mut BTreeMap<usize, (SecondSet, SecondSet)>, query: &Query) -> u64 {
        if self.short.is_empty() {
            return self.zoned.count_of(segment, query);
        }
        if days.len() > CACHED_DAYS {
            days.clear();
        }
        let (crontabs, open) = days.entry(index).or_insert_with(|| self.zoned.slots_and_open(segment, query));
        let mut short = SecondSet::empty();
        for filtered in &self.short {
            short.add_every(filtered.phase(segment), filtered.every.period());
            query.spend(steps_of(filtered.every).unsigned_abs());
        }
        query.spend(700);
        crontabs.count_with(&short, open)
    }

    /// The slots of a segment, one by one.
    fn all_of(&self, segment: &DaySegment, query: &Query) -> u64 {
        let mut seconds = SecondSet::empty();
        if self.crontabs {
            self.zoned.add(segment, query, &mut seconds);
        }
        let filtered = self.short.iter().chain(&self.long);
        filtered.for_each(|filtered| filtered.add(&self.zoned, segment, query, &mut seconds));
        query.spend(300);
        seconds.count()
    }

    /// The slots of long periods in a whole day that no other expression has and no crontab excludes.
    fn long_of(&self, segment: &DaySegment, index: usize, query: &Query) -> u64 {
        let timetable = &self.zoned.timetable;
        let crontabs = timetable.kinds.get(index).map_or(0, |kind| kind.crontabs);
        let mut number = 0;
        for (n, filtered) in self.long.iter().enumerate() {
            let before = self.short.iter().chain(self.long.iter().take(n));
            let is_other = |slot: i64| before.clone().any(|other| slot % other.every.period() == 0);
            query.spend(CHECK.unsigned_abs());
            filtered.every.each(segment.instants(), |slot| {
                query.spend(self.check_steps().unsigned_abs());
                let alone = timetable.times.matching(crontabs, segment.second(slot)) == 0;
                number += u64::from(alone && !is_other(slot));
            });
        }
        number
    }

    /// Steps to check a slot of a long period against crontabs and the other `@every`.
    fn check_steps(&self) -> i64 {
        CHECK + 2 * i64::try_from(self.short.len() + self.long.len()).unwrap_or(i64::MAX)
    }
}

/// Steps to add the slots of a day to a set.
fn steps_of(every: Every) -> i64 {
    (DAY / every.period()).min(1_350)
}

/// The `@every` expressions, without those whose slots are all slots of another.
fn distinct(expressions: &[Expression]) -> Vec<Every> {
    let mut all: Vec<Every> = expressions.iter().filter_map(Expression::every).collect();
    all.sort_by_key(|every| every.period());
    let mut distinct: Vec<Every> = Vec::new();
    for every in all {
        if distinct.iter().all(|other| every.period() % other.period() != 0) {
            distinct.push(every);
        }
    }
    distinct
}

/// The greatest common divisor.
fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The least common multiple, saturating: each day has its own phase then.
fn common_multiple(a: i64, b: i64) -> i64 {
    (a / divisor(a, b)).saturating_mul(b)
}
