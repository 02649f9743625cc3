//! Several expressions, less what crontabs exclude.
//!
//! Takes instants; gives the slots first, last and counted in a range of them: of the crontabs by their timetable
//! ([`super::zoned`]), and beside it of each `@every` ([`super::cyclic`]). Days on which the same crontabs match and the same phases of
//! `@every` begin are counted once. Never knows the task's life or excluded intervals.
//!
//! Instants are Unix seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::bits::{DAY, Seconds};
use super::budget::{self, Excess};
use super::crontab::KNOWN;
use super::cyclic::{self, Cyclic};
use super::daylight::DaylightSaving;
use super::every::Every;
use super::expression::{Crontab, Expression};
use super::month::Month;
use super::timetable::Timetable;
use super::walk::{Piece, Walk};
use super::zoned::Zoned;

/// An `@every` with a longer period is counted slot by slot, unless it comes at the same times each day.
const HOUR: i64 = 3_600;
/// What it takes to look for a slot of a long period in a day, and again to look at one.
const LOOK: i64 = 4;
/// What a day takes whose kind is known.
const OF_DAY: u64 = 30;
/// More sheets of a day's times are not remembered, each 22 KB.
const SHEETS: usize = 64;

/// A timetable, and what knows no wall clock.
#[derive(Clone, Debug)]
pub(super) struct Many {
    zoned: Zoned,
    /// Whether the timetable holds anything.
    live: bool,
    /// With periods below an hour, or that divide a day: counted by kinds of days, of which there are as many as there are phases.
    short: Vec<Cyclic>,
    /// Counted slot by slot.
    long: Vec<Cyclic>,
    /// What the phases of the short ones repeat with, in seconds.
    cycle: i64,
}

/// What a count remembers.
#[derive(Default)]
pub(super) struct Known {
    /// The slots of a kind of day in a phase of the short periods, by the number of the kind and the phase.
    slots: BTreeMap<(usize, i64), u64>,
    /// What crontabs name of a kind of day, and what they leave open.
    sheets: BTreeMap<usize, (Seconds, Seconds)>,
}

impl Many {
    /// # Errors
    /// It would cost too much.
    pub(super) fn of(
        expressions: &[Expression],
        policy: DaylightSaving,
        excluded: &[Crontab],
        life: &Range<i64>,
        walk: &Walk,
    ) -> Result<Many, Excess> {
        let crontabs: Vec<&Crontab> = expressions.iter().filter_map(Expression::crontab).collect();
        let timetable = Timetable::of(&crontabs, excluded, walk)?;
        let fixed = (0..).zip(&crontabs).filter(|(_, crontab)| crontab.fixed);
        let zoned = Zoned {
            fixed: fixed.fold(0, |fixed, (n, _)| fixed | 1 << n),
            policy,
            timetable,
        };
        let mut many = Many {
            live: zoned.timetable.kinds.iter().any(|kind| kind.slots > 0),
            zoned,
            short: Vec::new(),
            long: Vec::new(),
            cycle: 1,
        };
        let mut steps = 0;
        for every in distinct(expressions) {
            let Some((cyclic, longest)) = Cyclic::of(every, &many.zoned, life, walk)? else {
                continue;
            };
            steps += longest;
            budget::sparse(steps, every.period())?;
            if every.period() < HOUR || DAY % every.period() == 0 {
                many.cycle = common_multiple(many.cycle, every.period());
                many.short.push(cyclic);
            } else {
                many.long.push(cyclic);
            }
        }
        many.may_count(walk)?;
        Ok(many)
    }

    /// Whether a count over many years stays within its limit.
    fn may_count(&self, walk: &Walk) -> Result<(), Excess> {
        let (mut changes, mut offsets) = (0, BTreeSet::new());
        let mut at = KNOWN.start;
        while at < KNOWN.end {
            let stretch = walk.stretch(at);
            offsets.insert(stretch.offset.rem_euclid(self.cycle));
            changes += 1;
            at = stretch.end;
        }
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let each = |cyclics: &[Cyclic], steps: fn(Every) -> i64| cyclics.iter().map(|cyclic| steps(cyclic.every)).sum::<i64>();
        // Days on which the clock changes are looked at in all, others by their kind and phase.
        let crontabs = i64::try_from(self.zoned.timetable.costliest).unwrap_or(i64::MAX) + 2_000;
        let of_changes = changes * budget::YEARS / 131 * (crontabs + each(&self.short, cyclic::whole_day));
        let days = 365 * budget::YEARS;
        let phases = (self.cycle / divisor(self.cycle, DAY)).saturating_mul(number(offsets.len()));
        let kinds = number(self.zoned.timetable.kinds.len());
        let both = phases.min(self.cycle).saturating_mul(kinds).min(days);
        let sheets = if kinds <= number(SHEETS) { kinds } else { both };
        let of_kinds = match self.short.as_slice() {
            [] => 0,
            short => both * (700 + each(short, steps_of)) + sheets * 2 * crontabs,
        };
        let looks: i64 = self.long.iter().map(|cyclic| DAY / cyclic.every.period() + 1).sum();
        let of_days = match (self.short.len(), self.long.len()) {
            (0, 0) => 0,
            _ => days * (i64::try_from(OF_DAY).unwrap_or_default() + 2 + LOOK * number(self.long.len()) + self.look() * looks),
        };
        budget::count(u64::try_from(of_changes + of_kinds + of_days).unwrap_or(u64::MAX))
    }

    pub(super) fn first(&self, mut range: Range<i64>, walk: &Walk) -> Option<i64> {
        let mut found = None;
        for cyclic in self.short.iter().chain(&self.long) {
            if let Some(slot) = cyclic.first(&self.zoned, &range, walk) {
                range.end = slot;
                found = Some(slot);
            }
        }
        self.live.then(|| self.zoned.first(&range, walk)).flatten().or(found)
    }

    pub(super) fn last(&self, mut range: Range<i64>, walk: &Walk) -> Option<i64> {
        let mut found = None;
        for cyclic in self.short.iter().chain(&self.long) {
            if let Some(slot) = cyclic.last(&self.zoned, &range, walk) {
                range.start = slot + 1;
                found = Some(slot);
            }
        }
        self.live.then(|| self.zoned.last(&range, walk)).flatten().or(found)
    }

    pub(super) fn count(&self, range: &Range<i64>, known: &mut Known, walk: &Walk) -> u64 {
        if self.short.is_empty() && self.long.is_empty() {
            return self.zoned.count(range, walk);
        }
        let mut at = range.start;
        let mut slots = 0;
        let mut month = Month::of(at.div_euclid(DAY));
        // What the last day held: often the next one is of its kind.
        let mut last = ((usize::MAX, 0), 0);
        while at < range.end {
            let piece = walk.piece(at, range);
            walk.take(OF_DAY);
            if !(month.first..month.end()).contains(&piece.day) {
                month = Month::of(piece.day);
            }
            slots += match self.zoned.timetable.place_in(month, piece.day) {
                Some(place) if piece.is_whole() => {
                    let kind = (place, (piece.stretch.offset - piece.day * DAY).rem_euclid(self.cycle));
                    if last.0 != kind {
                        let of_kind = known.slots.get(&kind).copied();
                        last = (
                            kind,
                            of_kind.unwrap_or_else(|| self.short_of(&piece, place, &mut known.sheets, walk)),
                        );
                        known.slots.insert(kind, last.1);
                    }
                    last.1 + self.long_of(&piece, place, walk)
                }
                _ => self.all_of(&piece, walk),
            };
            at = piece.instant(piece.end);
        }
        slots
    }

    /// All slots of a whole day but those of long periods alone.
    fn short_of(&self, piece: &Piece, place: usize, sheets: &mut BTreeMap<usize, (Seconds, Seconds)>, walk: &Walk) -> u64 {
        if self.short.is_empty() {
            return self.zoned.count_of(piece, walk);
        }
        if sheets.len() > SHEETS {
            sheets.clear();
        }
        let (crontabs, open) = sheets.entry(place).or_insert_with(|| self.zoned.sheet(piece, walk));
        let mut short = Seconds::none();
        for cyclic in &self.short {
            short.add_every(cyclic.phase(piece), cyclic.every.period());
            walk.take(steps_of(cyclic.every).unsigned_abs());
        }
        walk.take(700);
        crontabs.count_with(&short, open)
    }

    /// All slots of a piece, one by one.
    fn all_of(&self, piece: &Piece, walk: &Walk) -> u64 {
        let mut seconds = Seconds::none();
        if self.live {
            self.zoned.add(piece, walk, &mut seconds);
        }
        let cyclics = self.short.iter().chain(&self.long);
        cyclics.for_each(|cyclic| cyclic.add(&self.zoned, piece, walk, &mut seconds));
        walk.take(300);
        seconds.count()
    }

    /// The slots of long periods in a whole day that nothing else names, and nothing excludes.
    fn long_of(&self, piece: &Piece, place: usize, walk: &Walk) -> u64 {
        let timetable = &self.zoned.timetable;
        let crontabs = timetable.kinds.get(place).map_or(0, |kind| kind.crontabs);
        let mut number = 0;
        for (n, cyclic) in self.long.iter().enumerate() {
            let before = self.short.iter().chain(self.long.iter().take(n));
            let named = |slot: i64| before.clone().any(|other| slot % other.every.period() == 0);
            walk.take(LOOK.unsigned_abs());
            cyclic.every.each(piece.instants(), |slot| {
                walk.take(self.look().unsigned_abs());
                let alone = timetable.grid.naming(crontabs, piece.second(slot)) == 0;
                number += u64::from(alone && !named(slot));
            });
        }
        number
    }

    /// Steps that it takes to look at a slot of a long period, and whether another `@every` names it.
    fn look(&self) -> i64 {
        LOOK + 2 * i64::try_from(self.short.len() + self.long.len()).unwrap_or(i64::MAX)
    }
}

/// What it takes to go over the slots of a day.
fn steps_of(every: Every) -> i64 {
    (DAY / every.period()).min(1_350)
}

/// Each `@every` of a union, without those whose slots are all slots of another.
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

fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The least common multiple. Of one that is beyond all numbers it gives the greatest: each day has a phase of its own then.
fn common_multiple(a: i64, b: i64) -> i64 {
    (a / divisor(a, b)).saturating_mul(b)
}
