//! A crontab on the wall clock of a zone.
//!
//! Takes instants; gives the slots first, last and counted in a range of them. A slot is every instant, on a whole second,
//! whose wall-clock fields match, as the daylight saving policy corrects it. Walks over stretches of constant offset, and
//! asks [`super::crontab`] and [`super::count`] inside each of them only. Never reads a clock.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::bits::DAY;
use super::crontab::{KNOWN, Matches};
use super::daylight::{DaylightSaving, Passage};
use super::expression::Crontab;
use super::walk::Walk;
use super::zone::Stretch;

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

    /// The first slot in `range`.
    pub(super) fn first(&self, walk: &Walk, range: &Range<i64>) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.start;
        while at < range.end {
            let stretch = walk.stretch(at);
            let passage = self.passage(&stretch);
            if stretch.start >= range.start && self.makes_up(&passage) {
                return Some(stretch.start);
            }
            let part = part(&stretch, &passage, &range);
            let next = self.ask(walk, || self.matches.next(part.start));
            if let Some(local) = next.filter(|local| part.contains(local)) {
                return Some(local - stretch.offset);
            }
            // Until the next match there is nothing in any stretch. The clock may show again what lies before this part, soon.
            let beyond = next.map_or(range.end, |local| local - MARGIN);
            let long = part.end - part.start > MARGIN;
            at = if long { stretch.end.max(beyond) } else { stretch.end };
        }
        None
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, walk: &Walk, range: &Range<i64>) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.end;
        while at > range.start {
            let stretch = walk.stretch(at - 1);
            let passage = self.passage(&stretch);
            let part = part(&stretch, &passage, &range);
            let previous = self.ask(walk, || self.matches.previous(part.end));
            if let Some(local) = previous.filter(|local| part.contains(local)) {
                return Some(local - stretch.offset);
            }
            if stretch.start >= range.start && self.makes_up(&passage) {
                return Some(stretch.start);
            }
            let before = previous.map_or(range.start, |local| local + MARGIN);
            let long = part.end - part.start > MARGIN;
            at = if long { stretch.start.min(before) } else { stretch.start };
        }
        None
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, walk: &Walk, range: &Range<i64>) -> u64 {
        let range = bounded(range);
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let stretch = walk.stretch(at);
            let passage = self.passage(&stretch);
            walk.take(20 + u64::try_from((range.end.min(stretch.end) - at) / DAY).unwrap_or_default());
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

    /// What the schedule sees of a stretch.
    fn passage(&self, stretch: &Stretch) -> Passage {
        self.daylight_saving.passage(stretch)
    }

    fn makes_up(&self, passage: &Passage) -> bool {
        !passage.made_up.is_empty() && self.matches.first(&passage.made_up).is_some()
    }

    /// Counts a question to the crate: it goes over the months to its answer.
    fn ask(&self, walk: &Walk, question: impl Fn() -> Option<i64>) -> Option<i64> {
        walk.take(300 * self.crontab.dates.len() as u64);
        question()
    }
}

/// The local times of a passage whose instants lie in `range`.
fn part(stretch: &Stretch, passage: &Passage, range: &Range<i64>) -> Range<i64> {
    let start = range.start + stretch.offset;
    let end = range.end + stretch.offset;
    passage.counts.start.max(start)..passage.counts.end.min(end)
}

pub(super) fn bounded(range: &Range<i64>) -> Range<i64> {
    range.start.max(KNOWN.start - MARGIN)..range.end.min(KNOWN.end + MARGIN)
}
