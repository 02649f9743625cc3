//! A timetable on the wall clock of a zone.
//!
//! Takes instants; gives the slots first, last and counted in a range of them. On whole days the timetable's table answers; near
//! a change of the clock and at the ends of a range the daylight saving policy has its say. Never looks at days that hold
//! nothing, nor at the stretches between them.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::bits::{DAY, Seconds};
use super::daylight::DaylightSaving;
use super::month::Month;
use super::timetable::{Kind, Timetable, Wanted};
use super::walk::{Piece, Walk};
use super::wall::{MARGIN, bounded};

/// Crontabs less others, as the clock of a zone shows them.
#[derive(Clone, Debug)]
pub(super) struct Zoned {
    pub(super) timetable: Timetable,
    /// The crontabs of fixed times, for which the policy is.
    pub(super) fixed: u64,
    pub(super) policy: DaylightSaving,
}

impl Zoned {
    /// The first slot in `range`.
    pub(super) fn first(&self, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.start;
        while at < range.end {
            let piece = walk.piece(at, &range);
            // What the clock skipped the day before is made up for on this one.
            let live = self.timetable.next(Wanted::Live, piece.day - 1, walk)?;
            if live <= piece.day
                && let Some(second) = self.first_of(&piece, walk)
            {
                return Some(piece.instant(second));
            }
            at = piece.instant(piece.end).max(live * DAY - MARGIN);
        }
        None
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.end;
        while at > range.start {
            let piece = walk.piece(at - 1, &range);
            let live = self.timetable.previous(Wanted::Live, piece.day, walk)?;
            if live >= piece.day - 1
                && let Some(second) = self.last_of(&piece, walk)
            {
                return Some(piece.instant(second));
            }
            at = piece.instant(piece.start).min((live + 1) * DAY + MARGIN);
        }
        None
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, range: &Range<i64>, walk: &Walk) -> u64 {
        let range = bounded(range);
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let piece = walk.piece(at, &range);
            let month = Month::of(piece.day);
            let end = month.end() * DAY - piece.stretch.offset;
            if piece.is_whole() && month.first == piece.day && end <= range.end.min(piece.stretch.end) {
                slots += self.timetable.slots_of(month);
                at = end;
            } else {
                slots += self.count_of(&piece, walk);
                at = piece.instant(piece.end);
            }
        }
        slots
    }

    /// The number of slots in a piece of a day.
    pub(super) fn count_of(&self, piece: &Piece, walk: &Walk) -> u64 {
        if piece.is_whole() {
            return self.timetable.kind(piece.day).slots;
        }
        if self
            .timetable
            .next(Wanted::Live, piece.day - 1, walk)
            .is_none_or(|live| live > piece.day)
        {
            return 0;
        }
        let mut slots = Seconds::none();
        self.add(piece, walk, &mut slots);
        walk.take(200);
        slots.count()
    }

    /// Adds the slots of a piece to a set of seconds of its day.
    pub(super) fn add(&self, piece: &Piece, walk: &Walk, slots: &mut Seconds) {
        for (range, crontabs) in self.parts(piece) {
            self.timetable.grid.add(crontabs, &range, walk, slots);
        }
        if self.makes_up(piece, walk) {
            slots.insert(piece.start);
        }
    }

    /// The slots of a whole day, and the seconds that are not excluded.
    pub(super) fn sheet(&self, piece: &Piece, walk: &Walk) -> (Seconds, Seconds) {
        let Kind { crontabs, slots, .. } = self.timetable.kind(piece.day);
        let (mut named, mut open) = (Seconds::none(), Seconds::none());
        for minute in 0..DAY / 60 {
            open.add_minute(minute, self.timetable.grid.open(crontabs, minute, walk));
        }
        if slots > 0 {
            self.timetable.grid.add(crontabs, &piece.seconds(), walk, &mut named);
        }
        (named, open)
    }

    fn first_of(&self, piece: &Piece, walk: &Walk) -> Option<i64> {
        if self.makes_up(piece, walk) {
            return Some(piece.start);
        }
        let parts = self.parts(piece);
        parts
            .into_iter()
            .find_map(|(range, crontabs)| self.timetable.grid.first(crontabs, range, walk))
    }

    fn last_of(&self, piece: &Piece, walk: &Walk) -> Option<i64> {
        let parts = self.parts(piece);
        let mut parts = parts.into_iter().rev();
        let last = parts.find_map(|(range, crontabs)| self.timetable.grid.last(crontabs, range, walk));
        last.or_else(|| self.makes_up(piece, walk).then_some(piece.start))
    }

    /// Seconds of the day and the crontabs that count in them: times that the clock shows again are not for fixed ones.
    fn parts(&self, piece: &Piece) -> [(Range<i64>, u64); 2] {
        let Kind { crontabs, slots, .. } = self.timetable.kind(piece.day);
        let crontabs = if slots == 0 { 0 } else { crontabs };
        let counts = self.policy.passage(&piece.stretch).counts.start - piece.day * DAY;
        let counts = counts.clamp(piece.start, piece.end);
        [(piece.start..counts, crontabs & !self.fixed), (counts..piece.end, crontabs)]
    }

    /// Whether the times that the clock skipped just before make the piece's start a slot: one of them is a fixed time that is not
    /// excluded, and neither is the start.
    fn makes_up(&self, piece: &Piece, walk: &Walk) -> bool {
        if piece.instant(piece.start) != piece.stretch.start {
            return false;
        }
        let lost = self.policy.passage(&piece.stretch).made_up;
        if lost.is_empty() || self.is_excluded(piece, piece.start) {
            return false;
        }
        let grid = &self.timetable.grid;
        let mut days = lost.start.div_euclid(DAY)..=(lost.end - 1).div_euclid(DAY);
        days.any(|day| {
            let crontabs = self.timetable.kind(day).crontabs & (self.fixed | grid.excluding);
            let range = lost.start - day * DAY..lost.end - day * DAY;
            grid.first(crontabs, range.start.max(0)..range.end.min(DAY), walk).is_some()
        })
    }

    /// Whether a crontab excludes a second of a piece's day.
    pub(super) fn is_excluded(&self, piece: &Piece, second: i64) -> bool {
        let grid = &self.timetable.grid;
        grid.naming(self.timetable.kind(piece.day).crontabs, second) & grid.excluding != 0
    }
}
