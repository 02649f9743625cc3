//! Several expressions, less what is excluded, within a task's life: the slots of a definition.
//!
//! Takes instants; gives the slots first, last and counted in a range of them. An instant that several expressions name is
//! one slot. A single expression is asked for itself ([`super::wall`], [`super::every`]); several, or such from which crontabs
//! take something, are worked out together ([`super::many`]). Never reads a clock.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::budget::{self, Excess};
use super::crontab::KNOWN;
use super::daylight::DaylightSaving;
use super::every::Every;
use super::exclude::Excluded;
use super::expression::Expression;
use super::many::{Known, Many};
use super::walk::Walk;
use super::wall::{MARGIN, Wall};
use super::zone::Zone;

/// A crontab whose dates are a union of more is not left to the crate, which would be asked for each.
const DATES: usize = 2;
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

impl Union {
    /// # Errors
    /// It would cost too much.
    pub(super) fn of(
        expressions: &[Expression],
        policy: DaylightSaving,
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
                Wall::of(crontab.clone(), policy).map(|wall| Slots::Wall(Box::new(wall)))
            }
            _ => None,
        };
        let slots = match alone {
            Some(slots) => slots,
            None => Slots::Many(Box::new(Many::of(expressions, policy, &excluded.crontabs, &life, &walk)?)),
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
