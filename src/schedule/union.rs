//! Several expressions, less what is excluded, within a task's life: the slots of a definition.
//!
//! Takes instants; gives the slots first, last and counted in a range of them. An instant that several expressions name is
//! one slot. A single expression is asked for itself ([`super::wall`], [`super::every`]); several, or such from which crontabs
//! take something, make a timetable ([`super::zoned`]), beside which each `@every` is asked ([`super::cyclic`]). Never reads a
//! clock.
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
use super::exclude::Excluded;
use super::expression::{Crontab, Expression};
use super::timetable::Timetable;
use super::walk::{Piece, Walk};
use super::wall::{MARGIN, Wall};
use super::zone::Zone;
use super::zoned::Zoned;

/// A crontab whose dates are a union of more is not left to the crate, which would be asked for each.
const DATES: usize = 4;
/// An `@every` with a longer period is counted slot by slot, unless it comes at the same times each day.
const HOUR: i64 = 3_600;
/// What it takes to work out what crontabs name of a day, and what they leave.
const SHEET: i64 = 8_000;
/// What it takes to look at one slot of a long period.
const LOOK: i64 = 4;
/// More of them are not remembered, each 22 KB.
const SHEETS: usize = 64;

/// The slots of a definition.
#[derive(Clone, Debug)]
pub(super) struct Union {
    pub(super) zone: Zone,
    slots: Slots,
    /// The task's life, without excluded intervals; each part holds a slot, so that a question looks into two of them at most.
    parts: Vec<Range<i64>>,
}

#[derive(Clone, Debug)]
enum Slots {
    Every(Every),
    Wall(Box<Wall>),
    Many(Box<Many>),
}

/// A timetable, and what knows no wall clock.
#[derive(Clone, Debug)]
struct Many {
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
struct Known {
    /// The slots of a kind of day in a phase of the short periods, by the number of the kind and the phase.
    slots: BTreeMap<(usize, i64), u64>,
    /// What crontabs name of a kind of day, and what they leave open.
    sheets: BTreeMap<usize, (Seconds, Seconds)>,
}

impl Union {
    /// # Errors
    /// It would cost too much.
    pub(super) fn of(
        expressions: &[Expression],
        policy: &DaylightSaving,
        zone: Zone,
        excluded: &Excluded,
        life: Range<i64>,
    ) -> Result<Union, Excess> {
        let walk = Walk::new(&zone);
        let simple = expressions.len() == 1 && excluded.crontabs.is_empty();
        // Beyond the years that crontabs know, nothing could be excluded, and `@every` would never end.
        let life = if simple {
            life
        } else {
            life.start.max(KNOWN.start + MARGIN)..life.end.min(KNOWN.end - MARGIN)
        };
        let alone = match expressions {
            [Expression::Every(every)] if simple => Some(Slots::Every(*every)),
            [Expression::Crontab(crontab)] if simple && crontab.dates.len() <= DATES => {
                Wall::of(crontab.clone(), policy.clone()).map(|wall| Slots::Wall(Box::new(wall)))
            }
            _ => None,
        };
        let slots = match alone {
            Some(slots) => slots,
            None => Slots::Many(Box::new(Many::of(expressions, policy, excluded, &life, &walk)?)),
        };
        let mut parts = excluded.open(life);
        parts.retain(|part| slots.first(part, &walk).is_some());
        budget::reading(&walk)?;
        Ok(Union { zone, slots, parts })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn walk(&self) -> Walk<'_> {
        Walk::new(&self.zone)
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        self.open(range).find_map(|part| self.slots.first(&part, walk))
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        self.open(range).rev().find_map(|part| self.slots.last(&part, walk))
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, range: &Range<i64>, walk: &Walk) -> u64 {
        let parts = self.open(range);
        match &self.slots {
            Slots::Every(every) => parts.map(|part| every.count(part)).sum(),
            Slots::Wall(wall) => parts.map(|part| wall.count(walk, &part)).sum(),
            Slots::Many(many) => {
                let mut known = Known::default();
                parts.map(|part| many.count(&part, &mut known, walk)).sum()
            }
        }
    }

    /// What of `range` lies in the parts.
    fn open(&self, range: &Range<i64>) -> impl DoubleEndedIterator<Item = Range<i64>> {
        let reach = self.parts.partition_point(|part| part.end <= range.start);
        let beyond = self.parts.partition_point(|part| part.start < range.end);
        let parts = self.parts.get(reach..beyond).unwrap_or_default();
        parts.iter().map(|part| range.start.max(part.start)..range.end.min(part.end))
    }
}

impl Slots {
    fn first(&self, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        match self {
            Slots::Every(every) => every.first(range.clone()),
            Slots::Wall(wall) => wall.first(walk, range),
            Slots::Many(many) => many.first(range.clone(), walk),
        }
    }

    fn last(&self, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        match self {
            Slots::Every(every) => every.last(range.clone()),
            Slots::Wall(wall) => wall.last(walk, range),
            Slots::Many(many) => many.last(range.clone(), walk),
        }
    }
}

impl Many {
    fn of(
        expressions: &[Expression],
        policy: &DaylightSaving,
        excluded: &Excluded,
        life: &Range<i64>,
        walk: &Walk,
    ) -> Result<Many, Excess> {
        let crontabs: Vec<&Crontab> = expressions.iter().filter_map(Expression::crontab).collect();
        let timetable = Timetable::of(&crontabs, &excluded.crontabs, walk)?;
        let fixed = (0..).zip(&crontabs).filter(|(_, crontab)| crontab.fixed);
        let zoned = Zoned {
            fixed: fixed.fold(0, |fixed, (n, _)| fixed | 1 << n),
            policy: policy.clone(),
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

    /// Whether a count over all years stays within its limit.
    fn may_count(&self, walk: &Walk) -> Result<(), Excess> {
        if self.short.is_empty() && self.long.is_empty() {
            return Ok(());
        }
        let (mut changes, mut offsets) = (0, BTreeSet::new());
        let mut at = KNOWN.start;
        while at < KNOWN.end {
            let stretch = walk.stretch(at);
            offsets.insert(stretch.offset.rem_euclid(self.cycle));
            changes += 1;
            at = stretch.end;
        }
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let days = KNOWN.end / DAY;
        let phases = (self.cycle / divisor(self.cycle, DAY)).saturating_mul(number(offsets.len()));
        let kinds = number(self.zoned.timetable.kinds.len());
        let each = |cyclics: &[Cyclic], steps: fn(Every) -> i64| cyclics.iter().map(|cyclic| steps(cyclic.every)).sum::<i64>();
        let of_kinds = phases
            .min(self.cycle)
            .saturating_mul(kinds)
            .min(days)
            .saturating_mul(700 + each(&self.short, steps_of));
        let of_days = days * (30 + each(&self.long, |every| LOOK * (DAY / every.period() + 1)));
        let of_changes = changes * (4_500 + each(&self.short, cyclic::whole_day));
        let all = of_kinds.saturating_add(of_days + of_changes + kinds * SHEET);
        budget::count(u64::try_from(all).unwrap_or(u64::MAX))
    }

    fn first(&self, mut range: Range<i64>, walk: &Walk) -> Option<i64> {
        let mut found = None;
        for cyclic in self.short.iter().chain(&self.long) {
            if let Some(slot) = cyclic.first(&self.zoned, &range, walk) {
                range.end = slot;
                found = Some(slot);
            }
        }
        self.live.then(|| self.zoned.first(&range, walk)).flatten().or(found)
    }

    fn last(&self, mut range: Range<i64>, walk: &Walk) -> Option<i64> {
        let mut found = None;
        for cyclic in self.short.iter().chain(&self.long) {
            if let Some(slot) = cyclic.last(&self.zoned, &range, walk) {
                range.start = slot + 1;
                found = Some(slot);
            }
        }
        self.live.then(|| self.zoned.last(&range, walk)).flatten().or(found)
    }

    fn count(&self, range: &Range<i64>, known: &mut Known, walk: &Walk) -> u64 {
        if self.short.is_empty() && self.long.is_empty() {
            return self.zoned.count(range, walk);
        }
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let piece = walk.piece(at, range);
            walk.take(30);
            slots += match self.zoned.timetable.place(piece.day) {
                Some(place) if piece.is_whole() => {
                    let phase = (piece.stretch.offset - piece.day * DAY).rem_euclid(self.cycle);
                    let of_kind = known.slots.get(&(place, phase)).copied();
                    let of_kind = of_kind.unwrap_or_else(|| {
                        let slots = self.short_of(&piece, place, &mut known.sheets, walk);
                        known.slots.insert((place, phase), slots);
                        slots
                    });
                    of_kind + self.long_of(&piece, walk)
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
    fn long_of(&self, piece: &Piece, walk: &Walk) -> u64 {
        let crontabs = self.zoned.timetable.kind(piece.day).crontabs;
        let mut number = 0;
        for (n, cyclic) in self.long.iter().enumerate() {
            let before = self.short.iter().chain(self.long.iter().take(n));
            let named = |slot: i64| before.clone().any(|other| slot % other.every.period() == 0);
            cyclic.every.each(piece.instants(), |slot| {
                walk.take(LOOK.unsigned_abs());
                let alone = self.zoned.timetable.grid.naming(crontabs, piece.second(slot)) == 0;
                number += u64::from(alone && !named(slot));
            });
        }
        number
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
