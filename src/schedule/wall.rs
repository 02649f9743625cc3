//! A crontab on the wall clock of a zone.
//!
//! Takes instants; gives the slots first, last and counted in a range of them. A slot is every instant, on a whole second,
//! whose wall-clock fields match, as the daylight saving policy corrects it. Walks over stretches of constant offset, and
//! asks [`super::crontab`] and [`super::count`] inside each of them only. Never reads a clock.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::crontab::{KNOWN, Matches};
use super::daylight::{DaylightSaving, Passage};
use super::expression::Crontab;
use super::zone::{Stretch, Zone};

/// No offset is as large; no zone has skipped or repeated more.
pub(super) const MARGIN: i64 = 2 * 86_400;

/// A crontab, its zone and its policy.
#[derive(Clone, Debug)]
pub(super) struct Wall {
    crontab: Crontab,
    matches: Matches,
    daylight_saving: DaylightSaving,
}

impl Wall {
    /// `None` if the crate refuses what the normaliser wrote, which a test rules out.
    pub(super) fn of(crontab: Crontab, daylight_saving: DaylightSaving) -> Option<Wall> {
        let matches = Matches::of(&crontab)?;
        let daylight_saving = if crontab.fixed { daylight_saving } else { DaylightSaving::NONE };
        Some(Wall {
            crontab,
            matches,
            daylight_saving,
        })
    }

    /// Whether any date matches at all.
    pub(super) fn ever(&self) -> bool {
        self.matches.first(&KNOWN).is_some()
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, zone: &Zone, range: &Range<i64>) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.start;
        while at < range.end {
            let stretch = zone.stretch(at);
            let passage = self.passage(&stretch);
            if stretch.start >= range.start && self.makes_up(&passage) {
                return Some(stretch.start);
            }
            if let Some(local) = self.matches.first(&part(&stretch, &passage, &range)) {
                return Some(local - stretch.offset);
            }
            at = stretch.end;
        }
        None
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, zone: &Zone, range: &Range<i64>) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.end;
        while at > range.start {
            let stretch = zone.stretch(at - 1);
            let passage = self.passage(&stretch);
            if let Some(local) = self.matches.last(&part(&stretch, &passage, &range)) {
                return Some(local - stretch.offset);
            }
            if stretch.start >= range.start && self.makes_up(&passage) {
                return Some(stretch.start);
            }
            at = stretch.start;
        }
        None
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, zone: &Zone, range: &Range<i64>) -> u64 {
        let range = bounded(range);
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let stretch = zone.stretch(at);
            let passage = self.passage(&stretch);
            slots += self.crontab.count(&part(&stretch, &passage, &range));
            if stretch.start >= range.start && self.makes_up(&passage) {
                // One slot, also where a time made up for meets one that is due anyway.
                let begin = stretch.start + stretch.offset;
                slots += 1 - self.crontab.count(&(begin..begin + 1));
            }
            at = stretch.end;
        }
        slots
    }

    pub(super) fn crontab(&self) -> &Crontab {
        &self.crontab
    }

    /// What the schedule sees of a stretch.
    pub(super) fn passage(&self, stretch: &Stretch) -> Passage {
        self.daylight_saving.passage(stretch)
    }

    fn makes_up(&self, passage: &Passage) -> bool {
        self.matches.first(&passage.made_up).is_some()
    }
}

/// The local times of a passage whose instants lie in `range`.
fn part(stretch: &Stretch, passage: &Passage, range: &Range<i64>) -> Range<i64> {
    let start = range.start + stretch.offset;
    let end = range.end + stretch.offset;
    passage.counts.start.max(start)..passage.counts.end.min(end)
}

fn bounded(range: &Range<i64>) -> Range<i64> {
    range.start.max(KNOWN.start - MARGIN)..range.end.min(KNOWN.end + MARGIN)
}
