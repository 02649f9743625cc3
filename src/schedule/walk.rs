//! One question's way through time: days in pieces of constant offset, and the steps that it takes.
//!
//! Takes instants; gives the stretch they lie in and the piece of a day around them. Counts the work that is done on the way, in
//! steps: the same number on every machine. A step is what takes about a nanosecond or two: a minute of a day or a month looked
//! at, eight words of a set, a tenth of a look at the zone. Never decides how many are too many: see [`super::budget`].

use std::cell::Cell;
use std::ops::Range;

use super::bits::DAY;
use super::zone::{Stretch, Zone};

/// A look at a zone's transitions, in steps.
const ZONE: u64 = 300;

/// What one question remembers.
pub(super) struct Walk<'a> {
    zone: &'a Zone,
    stretch: Cell<Option<Stretch>>,
    steps: Cell<u64>,
}

/// A part of a day within one stretch of constant offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) stretch: Stretch,
    /// Counted from 1970-01-01, on the wall clock.
    pub(super) day: i64,
    /// The first second of the day, and the one after the last.
    pub(super) start: i64,
    pub(super) end: i64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(zone: &'a Zone) -> Walk<'a> {
        Walk {
            zone,
            stretch: Cell::new(None),
            steps: Cell::new(0),
        }
    }

    pub(super) fn take(&self, steps: u64) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// How many were taken.
    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// The stretch in which an instant lies.
    pub(super) fn stretch(&self, at: i64) -> Stretch {
        if let Some(stretch) = self.stretch.get().filter(|stretch| (stretch.start..stretch.end).contains(&at)) {
            return stretch;
        }
        self.take(ZONE);
        let stretch = self.zone.stretch(at);
        self.stretch.set(Some(stretch));
        stretch
    }

    /// The piece of `range` in which an instant lies.
    pub(super) fn piece(&self, at: i64, range: &Range<i64>) -> Piece {
        self.take(2);
        let stretch = self.stretch(at);
        let day = (at + stretch.offset).div_euclid(DAY);
        let midnight = day * DAY;
        let start = stretch.start.max(range.start) + stretch.offset - midnight;
        let end = stretch.end.min(range.end) + stretch.offset - midnight;
        Piece {
            stretch,
            day,
            start: start.max(0),
            end: end.min(DAY),
        }
    }
}

impl Piece {
    /// All of a day, and no change of the clock near it.
    pub(super) fn is_whole(&self) -> bool {
        let settled = self.stretch.start + self.stretch.offset.max(self.stretch.offset_before);
        self.start == 0 && self.end == DAY && self.day * DAY > settled
    }

    pub(super) fn seconds(&self) -> Range<i64> {
        self.start..self.end
    }

    pub(super) fn instant(&self, second: i64) -> i64 {
        self.day * DAY + second - self.stretch.offset
    }

    pub(super) fn second(&self, instant: i64) -> i64 {
        instant + self.stretch.offset - self.day * DAY
    }

    pub(super) fn instants(&self) -> Range<i64> {
        self.instant(self.start)..self.instant(self.end)
    }
}
