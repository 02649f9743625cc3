//! `@every` without the slots that crontabs exclude.
//!
//! Answers first and last for a range of instants. Where exclusions could remove many slots in a row, [`FilteredEvery::of`] follows
//! the slots through all their days when the schedule is compiled: it cuts off the time before the first and after the last slot,
//! and refuses what would take too long to search. Counting is done in [`super::combined`].
//!
//! Instants are Unix seconds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use super::budget::{self, OverBudget};
use super::crontab::Times;
use super::every::Every;
use super::month::Month;
use super::query::{DaySegment, Query};
use super::second_set::{DAY, SecondSet, multiples};
use super::time_index::{TimeIndex, clipped, minutes};
use super::timetable::{DayFilter, DayKind};
use super::zoned_cron::MARGIN;
use super::zoned_timetable::ZonedTimetable;

/// Shorter periods are evaluated minute by minute, others slot by slot.
const MINUTE: i64 = 60;
/// Longer periods have so few slots a day that open phases are not kept.
const HOUR: i64 = 3_600;
/// Most sets of open phases that are kept, each of up to 450 bytes.
const KEPT: usize = 16;

/// One `@every` of a task.
#[derive(Clone, Debug)]
pub(super) struct FilteredEvery {
    pub(super) every: Every,
    /// There are no slots outside.
    life: Range<i64>,
    /// The open phases by the set of excluding crontabs. Without an entry, slots are evaluated.
    open: BTreeMap<u64, OpenPhases>,
}

/// The phases that some exclusions leave open: a day with this phase (see [`FilteredEvery::phase`]) has a slot.
#[derive(Clone, Debug)]
enum OpenPhases {
    None,
    All,
    /// Bit n is phase n.
    Some(Vec<u64>),
}

impl FilteredEvery {
    /// `None` if all of its slots are excluded. The number is the most steps that a search spends on days without a slot.
    ///
    /// # Errors
    /// It takes too long to find out.
    pub(super) fn of(
        every: Every,
        zoned: &ZonedTimetable,
        life: &Range<i64>,
        query: &Query,
    ) -> Result<Option<(FilteredEvery, u64)>, OverBudget> {
        let whole = FilteredEvery {
            every,
            life: life.clone(),
            open: BTreeMap::new(),
        };
        let times = &zoned.timetable.times;
        if times.excluding == 0 {
            return Ok(Some((whole, 0)));
        }
        let mut open: BTreeMap<u64, OpenPhases> = BTreeMap::new();
        for kind in zoned.timetable.kinds.iter().filter(|kind| kind.open && every.period() < DAY) {
            let excluding = kind.crontabs & times.excluding;
            if let Entry::Vacant(entry) = open.entry(excluding) {
                let before = query.steps();
                entry.insert(OpenPhases::of(times, excluding, every.period(), query));
                if every.period() < MINUTE {
                    budget::minutes(query.steps() - before, every.period())?;
                }
            }
            budget::compile(query)?;
        }
        // Every day that is not excluded as a whole has a slot, whatever its phase.
        if every.period() < DAY && open.values().all(|open| matches!(open, OpenPhases::All)) {
            return Ok((!open.is_empty()).then_some((whole, 0)));
        }
        let keep = every.period() < HOUR && open.len() <= KEPT;
        let kept = if keep { open.clone() } else { BTreeMap::new() };
        whole.follow(zoned, &open, kept, query)
    }

    /// Follows all days with slots; keeps the open phases `kept`.
    fn follow(
        self,
        zoned: &ZonedTimetable,
        open: &BTreeMap<u64, OpenPhases>,
        kept: BTreeMap<u64, OpenPhases>,
        query: &Query,
    ) -> Result<Option<(FilteredEvery, u64)>, OverBudget> {
        let (timetable, excluding) = (&zoned.timetable, zoned.timetable.times.excluding);
        let phases = |kind: &DayKind| (*kind, open.get(&(kind.crontabs & excluding)));
        let kinds: Vec<(DayKind, Option<&OpenPhases>)> = timetable.kinds.iter().map(phases).collect();
        let (mut run, mut longest) = (0, 0);
        let mut found: Option<Range<i64>> = None;
        let mut at = self.life.start;
        let mut month = Month::of(at.div_euclid(DAY));
        while at < self.life.end {
            if self.every.period() >= DAY {
                let Some(slot) = self.every.first(at..self.life.end) else { break };
                at = slot;
            }
            let segment = query.segment(at, &self.life);
            if !month.contains(segment.day) {
                month = Month::of(segment.day);
            }
            let kind = timetable.kind_index(month, segment.day).and_then(|index| kinds.get(index));
            let (kind, open) = kind.copied().unwrap_or_default();
            at = segment.instant(segment.end);
            query.spend(4);
            budget::compile(query)?;
            if !kind.open {
                let Some(day) = timetable.next(DayFilter::NotExcluded, segment.day, query) else {
                    break;
                };
                at = at.max(day * DAY - MARGIN);
                run += 60 + u64::try_from((day - segment.day) / 14).unwrap_or_default();
                continue;
            }
            let hit = match open {
                Some(open) if !open.has(self.phase(&segment)) => false,
                Some(_) if segment.is_whole() => true,
                _ => self.first_of(zoned, &segment, segment.start, query).is_some(),
            };
            if hit {
                longest = longest.max(if found.is_some() { run } else { 0 });
                found = Some(found.map_or(segment.instant(segment.start), |found| found.start)..at);
                run = 0;
            } else {
                let is_kept = kept.contains_key(&(kind.crontabs & excluding));
                run += if is_kept { 20 } else { whole_day(self.every).unsigned_abs() };
            }
        }
        let filtered = |life| FilteredEvery {
            life,
            every: self.every,
            open: kept,
        };
        Ok(found.map(|life| (filtered(life), longest)))
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, zoned: &ZonedTimetable, range: &Range<i64>, query: &Query) -> Option<i64> {
        let range = range.start.max(self.life.start)..range.end.min(self.life.end);
        let mut at = range.start;
        loop {
            query.spend(4);
            let slot = self.every.first(at..range.end)?;
            if zoned.timetable.times.excluding == 0 {
                return Some(slot);
            }
            let segment = query.segment(slot, &range);
            at = segment.instant(segment.end);
            let kind = zoned.timetable.kind(segment.day);
            if !kind.open {
                let day = zoned.timetable.next(DayFilter::NotExcluded, segment.day, query)?;
                at = at.max(day * DAY - MARGIN);
            } else if self.has_no_slot(zoned, kind, &segment) {
                query.spend(10);
            } else if let Some(second) = self.first_of(zoned, &segment, segment.second(slot), query) {
                return Some(segment.instant(second));
            }
        }
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, zoned: &ZonedTimetable, range: &Range<i64>, query: &Query) -> Option<i64> {
        let range = range.start.max(self.life.start)..range.end.min(self.life.end);
        let mut at = range.end;
        loop {
            query.spend(4);
            let slot = self.every.last(range.start..at)?;
            if zoned.timetable.times.excluding == 0 {
                return Some(slot);
            }
            let segment = query.segment(slot, &range);
            at = segment.instant(segment.start);
            let kind = zoned.timetable.kind(segment.day);
            if !kind.open {
                let day = zoned.timetable.previous(DayFilter::NotExcluded, segment.day, query)?;
                at = at.min((day + 1) * DAY + MARGIN);
            } else if self.has_no_slot(zoned, kind, &segment) {
                query.spend(10);
            } else if let Some(second) = self.last_of(zoned, &segment, segment.second(slot), query) {
                return Some(segment.instant(second));
            }
        }
    }

    /// Whether the day of a segment is known to have no slot.
    fn has_no_slot(&self, zoned: &ZonedTimetable, kind: DayKind, segment: &DaySegment) -> bool {
        let open = self.open.get(&(kind.crontabs & zoned.timetable.times.excluding));
        open.is_some_and(|open| !open.has(self.phase(segment)))
    }

    /// The first slot of a segment at or after a second of its day.
    fn first_of(&self, zoned: &ZonedTimetable, segment: &DaySegment, from: i64, query: &Query) -> Option<i64> {
        let crontabs = zoned.timetable.kind(segment.day).crontabs;
        if self.every.period() < MINUTE {
            let range = from..segment.end;
            return minutes(&range).find_map(|minute| {
                let slots = clipped(
                    self.slots_in_minute(zoned, crontabs, segment.instant(minute * MINUTE), minute, query),
                    minute,
                    &range,
                );
                (slots != 0).then(|| minute * 60 + i64::from(slots.trailing_zeros()))
            });
        }
        let mut second = segment.second(self.every.first(segment.instant(from)..segment.instant(segment.end))?);
        while zoned.timetable.times.excludes(crontabs, second) {
            query.spend(4);
            second = second.saturating_add(self.every.period());
            if second >= segment.end {
                return None;
            }
        }
        Some(second)
    }

    /// The last slot of a segment at or before a second of its day.
    fn last_of(&self, zoned: &ZonedTimetable, segment: &DaySegment, until: i64, query: &Query) -> Option<i64> {
        let crontabs = zoned.timetable.kind(segment.day).crontabs;
        if self.every.period() < MINUTE {
            let range = segment.start..until + 1;
            return minutes(&range).rev().find_map(|minute| {
                let slots = clipped(
                    self.slots_in_minute(zoned, crontabs, segment.instant(minute * MINUTE), minute, query),
                    minute,
                    &range,
                );
                (slots != 0).then(|| minute * 60 + 63 - i64::from(slots.leading_zeros()))
            });
        }
        let mut second = segment.second(self.every.last(segment.instant(segment.start)..segment.instant(until) + 1)?);
        while zoned.timetable.times.excludes(crontabs, second) {
            query.spend(4);
            second -= self.every.period();
            if second < segment.start {
                return None;
            }
        }
        Some(second)
    }

    /// Adds the slots of a segment to a set of seconds of its day.
    pub(super) fn add(&self, zoned: &ZonedTimetable, segment: &DaySegment, query: &Query, slots: &mut SecondSet) {
        let crontabs = zoned.timetable.kind(segment.day).crontabs;
        if self.every.period() < MINUTE {
            for minute in minutes(&segment.seconds()) {
                let open = self.slots_in_minute(zoned, crontabs, segment.instant(minute * MINUTE), minute, query);
                slots.add_minute(minute, clipped(open, minute, &segment.seconds()));
            }
            return;
        }
        self.every.each(segment.instants(), |slot| {
            query.spend(4);
            if !zoned.timetable.times.excludes(crontabs, segment.second(slot)) {
                slots.insert(segment.second(slot));
            }
        });
    }

    /// The slots of a minute of the day that starts at an instant, for a period shorter than a minute.
    fn slots_in_minute(&self, zoned: &ZonedTimetable, crontabs: u64, start: i64, minute: i64, query: &Query) -> u64 {
        query.spend(4);
        let period = self.every.period();
        let first = (-start).rem_euclid(period);
        let slots = multiples(period) << first & Times::ALL_SECONDS;
        slots & zoned.timetable.times.open(crontabs, minute, query)
    }

    /// SecondSet from midnight to the first slot of a segment's day.
    pub(super) fn phase(&self, segment: &DaySegment) -> i64 {
        (segment.period.offset - segment.day * DAY).rem_euclid(self.every.period())
    }
}

/// Steps to evaluate a whole day.
pub(super) fn whole_day(every: Every) -> i64 {
    let looks = if every.period() < MINUTE { 24 * 60 } else { DAY / every.period() };
    20 + 6 * looks
}

impl OpenPhases {
    fn of(times: &TimeIndex, excluding: u64, period: i64, query: &Query) -> OpenPhases {
        // At least a minute long and a multiple of the period, so that whole minutes can be added.
        let ring = period * ((MINUTE + period - 1) / period);
        let Ok(words) = usize::try_from((ring + MINUTE) / 64 + 2) else {
            return OpenPhases::None;
        };
        let mut bits = vec![0_u64; words];
        let mut place = 0;
        for minute in 0..DAY / MINUTE {
            put(&mut bits, place, times.open(excluding, minute, query));
            query.spend(4);
            place += if place + MINUTE < ring { MINUTE } else { MINUTE - ring };
        }
        // Bits beyond the period wrap around: up to a minute of them, or the rest of a ring of two minutes.
        for n in (period..ring + MINUTE).filter(|n| has(&bits, *n)).collect::<Vec<_>>() {
            put(&mut bits, n % period, 1);
        }
        let mut open = bits;
        let whole = usize::try_from(period / 64).unwrap_or_default();
        open.truncate(whole + 1);
        if let Some(last) = open.last_mut() {
            *last &= !(u64::MAX << (period % 64));
        }
        query.spend(180 + open.len() as u64 / 4);
        let number: i64 = open.iter().map(|word| i64::from(word.count_ones())).sum();
        match number {
            0 => OpenPhases::None,
            all if all == period => OpenPhases::All,
            _ => OpenPhases::Some(open),
        }
    }

    fn has(&self, phase: i64) -> bool {
        match self {
            OpenPhases::None => false,
            OpenPhases::All => true,
            OpenPhases::Some(bits) => has(bits, phase),
        }
    }
}

/// Whether bit n is set.
fn has(bits: &[u64], n: i64) -> bool {
    let word = usize::try_from(n / 64).ok().and_then(|word| bits.get(word));
    word.is_some_and(|word| word >> (n % 64) & 1 == 1)
}

/// Adds up to 60 bits from bit n on.
fn put(bits: &mut [u64], n: i64, set: u64) {
    let (word, bit) = (usize::try_from(n / 64).unwrap_or_default(), n % 64);
    let wide = u128::from(set) << bit;
    for (index, part) in [(word, wide), (word + 1, wide >> 64)] {
        if let Some(word) = bits.get_mut(index) {
            *word |= part as u64;
        }
    }
}
