//! All slots of a definition: its expressions, without what is excluded, within the task's life.
//!
//! Answers first, last and count for a range of instants. A single crontab or `@every` is evaluated on its own
//! ([`super::zoned_cron`], [`super::every`]); several of them, or crontabs in `exclude`, are evaluated together
//! ([`super::combined`]). An instant that several expressions match is one slot.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::budget::{self, OverBudget};
use super::combined::{Combined, CountCache};
use super::cron_matcher::KNOWN;
use super::daylight_saving::DaylightSaving;
use super::every::Every;
use super::exclude::Exclusions;
use super::expression::Expression;
use super::query::Query;
use super::zone::Zone;
use super::zoned_cron::{MARGIN, ZonedCron};

/// The crate is asked once for each entry of a crontab's dates; with more entries the timetable is cheaper.
const MAX_DATES: usize = 2;

/// The slots of a definition.
#[derive(Clone, Debug)]
pub(super) struct SlotSet {
    pub(super) zone: Zone,
    slots: Slots,
    /// The task's life without excluded intervals. Each part has a slot, so a question looks at two of them at most.
    parts: Vec<Range<i64>>,
    /// The steps that compiling took.
    pub(super) steps: u64,
}

#[derive(Clone, Debug)]
enum Slots {
    Every(Every),
    ZonedCron(Box<ZonedCron>),
    Combined(Box<Combined>),
}

impl SlotSet {
    /// Compiles the slots within `life`.
    ///
    /// # Errors
    /// They would cost too much.
    pub(super) fn of(
        expressions: &[Expression],
        policy: DaylightSaving,
        zone: Zone,
        exclusions: &Exclusions,
        life: Range<i64>,
    ) -> Result<SlotSet, OverBudget> {
        let query = Query::new(&zone);
        let simple = expressions.len() == 1 && exclusions.crontabs.is_empty();
        // Beyond the years that crontabs support nothing could be excluded, and `@every` would never end.
        let life = if simple {
            life
        } else {
            life.start.max(KNOWN.start + MARGIN)..life.end.min(KNOWN.end - MARGIN)
        };
        let single = match expressions {
            [Expression::Every(every)] if simple => Some(Slots::Every(*every)),
            [Expression::Crontab(crontab)] if simple && crontab.dates.len() <= MAX_DATES => {
                ZonedCron::of(crontab.clone(), policy).map(|cron| Slots::ZonedCron(Box::new(cron)))
            }
            _ => None,
        };
        let slots = match single {
            Some(slots) => slots,
            None => Slots::Combined(Box::new(Combined::of(expressions, policy, &exclusions.crontabs, &life, &query)?)),
        };
        let mut parts = exclusions.open(life);
        parts.retain(|part| slots.first(part, &query).is_some());
        budget::compile(&query)?;
        let steps = query.steps();
        Ok(SlotSet { zone, slots, parts, steps })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn query(&self) -> Query<'_> {
        Query::new(&self.zone)
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, range: &Range<i64>, query: &Query) -> Option<i64> {
        self.open(range).find_map(|part| self.slots.first(&part, query))
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, range: &Range<i64>, query: &Query) -> Option<i64> {
        self.open(range).rev().find_map(|part| self.slots.last(&part, query))
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, range: &Range<i64>, query: &Query) -> u64 {
        let parts = self.open(range);
        match &self.slots {
            Slots::Every(every) => parts.map(|part| every.count(part)).sum(),
            Slots::ZonedCron(cron) => parts.map(|part| cron.count(query, &part)).sum(),
            Slots::Combined(combined) => {
                let mut cache = CountCache::default();
                parts.map(|part| combined.count(&part, &mut cache, query)).sum()
            }
        }
    }

    /// The intersection of `range` with the parts.
    fn open(&self, range: &Range<i64>) -> impl DoubleEndedIterator<Item = Range<i64>> {
        let first = self.parts.partition_point(|part| part.end <= range.start);
        let end = self.parts.partition_point(|part| part.start < range.end);
        let parts = self.parts.get(first..end).unwrap_or_default();
        parts.iter().map(|part| range.start.max(part.start)..range.end.min(part.end))
    }
}

impl Slots {
    fn first(&self, range: &Range<i64>, query: &Query) -> Option<i64> {
        match self {
            Slots::Every(every) => every.first(range.clone()),
            Slots::ZonedCron(cron) => cron.first(query, range),
            Slots::Combined(combined) => combined.first(range.clone(), query),
        }
    }

    fn last(&self, range: &Range<i64>, query: &Query) -> Option<i64> {
        match self {
            Slots::Every(every) => every.last(range.clone()),
            Slots::ZonedCron(cron) => cron.last(query, range),
            Slots::Combined(combined) => combined.last(range.clone(), query),
        }
    }
}
