//! `@every` beside crontabs that exclude.
//!
//! Takes instants; gives the slots first and last in a range of them, less what is excluded. Where exclusions could take many
//! slots in a row, that is found out when the schedule is read: [`Cyclic::of`] follows it through all its days, cuts off the time
//! before its first slot and after its last one, and refuses what would have to be looked for too long. Never counts.
//!
//! Instants are Unix seconds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use super::bits::{DAY, Seconds};
use super::budget::{self, Excess};
use super::every::Every;
use super::expression::Times;
use super::grid::{Grid, clipped, minutes};
use super::month::Month;
use super::timetable::{Kind, Wanted};
use super::walk::{Piece, Walk};
use super::wall::MARGIN;
use super::zoned::Zoned;

/// Shorter periods are looked at minute by minute, others slot by slot.
const MINUTE: i64 = 60;
/// Longer periods have so few slots a day that each can be looked at.
const HOUR: i64 = 3_600;
/// More of them are not kept, each up to 450 bytes.
const KEPT: usize = 16;

/// One `@every` of a union.
#[derive(Clone, Debug)]
pub(super) struct Cyclic {
    pub(super) every: Every,
    /// No slot lies outside.
    life: Range<i64>,
    /// What exclusions leave, by the excluding crontabs; without an entry it is looked for.
    left: BTreeMap<u64, Left>,
}

/// The slots of a day modulo a period that some exclusions leave.
#[derive(Clone, Debug)]
enum Left {
    None,
    All,
    /// Bit n is the remainder n.
    Some(Vec<u64>),
}

impl Cyclic {
    /// `None` if all of its slots are excluded. The number is the most steps that a search takes beyond a day.
    ///
    /// # Errors
    /// It takes too long to find out.
    pub(super) fn of(every: Every, zoned: &Zoned, life: &Range<i64>, walk: &Walk) -> Result<Option<(Cyclic, u64)>, Excess> {
        let whole = Cyclic {
            every,
            life: life.clone(),
            left: BTreeMap::new(),
        };
        let grid = &zoned.timetable.grid;
        if grid.excluding == 0 {
            return Ok(Some((whole, 0)));
        }
        let mut left: BTreeMap<u64, Left> = BTreeMap::new();
        for kind in zoned.timetable.kinds.iter().filter(|kind| kind.open && every.period() < DAY) {
            let excluding = kind.crontabs & grid.excluding;
            if let Entry::Vacant(entry) = left.entry(excluding) {
                let before = walk.steps();
                entry.insert(Left::of(grid, excluding, every.period(), walk));
                if every.period() < MINUTE {
                    budget::minutes(walk.steps() - before, every.period())?;
                }
            }
            budget::reading(walk)?;
        }
        // Whatever their phase, days that are not closed have a slot.
        if every.period() < DAY && left.values().all(|left| matches!(left, Left::All)) {
            return Ok((!left.is_empty()).then_some((whole, 0)));
        }
        let keep = every.period() < HOUR && left.len() <= KEPT;
        let kept = if keep { left.clone() } else { BTreeMap::new() };
        whole.followed(zoned, &left, kept, walk)
    }

    fn followed(
        self,
        zoned: &Zoned,
        left: &BTreeMap<u64, Left>,
        kept: BTreeMap<u64, Left>,
        walk: &Walk,
    ) -> Result<Option<(Cyclic, u64)>, Excess> {
        let (mut run, mut longest) = (0, 0);
        let mut found: Option<Range<i64>> = None;
        let mut at = self.life.start;
        let mut month = Month::of(at.div_euclid(DAY));
        while at < self.life.end {
            if self.every.period() >= DAY {
                let Some(slot) = self.every.first(at..self.life.end) else { break };
                at = slot;
            }
            let piece = walk.piece(at, &self.life);
            if !(month.first..month.end()).contains(&piece.day) {
                month = Month::of(piece.day);
            }
            let kind = zoned.timetable.kind_in(month, piece.day);
            at = piece.instant(piece.end);
            walk.take(4);
            budget::reading(walk)?;
            if !kind.open {
                let Some(open) = zoned.timetable.next(Wanted::Open, piece.day, walk) else {
                    break;
                };
                at = at.max(open * DAY - MARGIN);
                run += 60 + u64::try_from((open - piece.day) / 14).unwrap_or_default();
                continue;
            }
            let excluding = kind.crontabs & zoned.timetable.grid.excluding;
            let hit = match left.get(&excluding) {
                Some(left) if !left.has(self.phase(&piece)) => false,
                Some(_) if piece.is_whole() => true,
                _ => self.first_of(zoned, &piece, piece.start, walk).is_some(),
            };
            if hit {
                longest = longest.max(if found.is_some() { run } else { 0 });
                found = Some(found.map_or(piece.instant(piece.start), |found| found.start)..at);
                run = 0;
            } else {
                run += if kept.contains_key(&excluding) {
                    20
                } else {
                    whole_day(self.every).unsigned_abs()
                };
            }
        }
        let cyclic = |life| Cyclic {
            life,
            every: self.every,
            left: kept,
        };
        Ok(found.map(|life| (cyclic(life), longest)))
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, zoned: &Zoned, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        let range = range.start.max(self.life.start)..range.end.min(self.life.end);
        let mut at = range.start;
        loop {
            walk.take(4);
            let slot = self.every.first(at..range.end)?;
            if zoned.timetable.grid.excluding == 0 {
                return Some(slot);
            }
            let piece = walk.piece(slot, &range);
            at = piece.instant(piece.end);
            let kind = zoned.timetable.kind(piece.day);
            if !kind.open {
                let open = zoned.timetable.next(Wanted::Open, piece.day, walk)?;
                at = at.max(open * DAY - MARGIN);
            } else if self.is_in_vain(zoned, kind, &piece) {
                walk.take(10);
            } else if let Some(second) = self.first_of(zoned, &piece, piece.second(slot), walk) {
                return Some(piece.instant(second));
            }
        }
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, zoned: &Zoned, range: &Range<i64>, walk: &Walk) -> Option<i64> {
        let range = range.start.max(self.life.start)..range.end.min(self.life.end);
        let mut at = range.end;
        loop {
            walk.take(4);
            let slot = self.every.last(range.start..at)?;
            if zoned.timetable.grid.excluding == 0 {
                return Some(slot);
            }
            let piece = walk.piece(slot, &range);
            at = piece.instant(piece.start);
            let kind = zoned.timetable.kind(piece.day);
            if !kind.open {
                let open = zoned.timetable.previous(Wanted::Open, piece.day, walk)?;
                at = at.min((open + 1) * DAY + MARGIN);
            } else if self.is_in_vain(zoned, kind, &piece) {
                walk.take(10);
            } else if let Some(second) = self.last_of(zoned, &piece, piece.second(slot), walk) {
                return Some(piece.instant(second));
            }
        }
    }

    /// Whether the whole day, or as much of it as is asked for, is known to hold no slot.
    fn is_in_vain(&self, zoned: &Zoned, kind: Kind, piece: &Piece) -> bool {
        let left = self.left.get(&(kind.crontabs & zoned.timetable.grid.excluding));
        left.is_some_and(|left| !left.has(self.phase(piece)))
    }

    /// The first slot of a piece at or after a second of its day.
    fn first_of(&self, zoned: &Zoned, piece: &Piece, from: i64, walk: &Walk) -> Option<i64> {
        if self.every.period() < MINUTE {
            let range = from..piece.end;
            return minutes(&range).find_map(|minute| {
                let slots = clipped(self.open(zoned, piece, minute, walk), minute, &range);
                (slots != 0).then(|| minute * 60 + i64::from(slots.trailing_zeros()))
            });
        }
        let mut second = piece.second(self.every.first(piece.instant(from)..piece.instant(piece.end))?);
        while zoned.is_excluded(piece, second) {
            walk.take(4);
            second = second.saturating_add(self.every.period());
            if second >= piece.end {
                return None;
            }
        }
        Some(second)
    }

    /// The last slot of a piece at or before a second of its day.
    fn last_of(&self, zoned: &Zoned, piece: &Piece, until: i64, walk: &Walk) -> Option<i64> {
        if self.every.period() < MINUTE {
            let range = piece.start..until + 1;
            return minutes(&range).rev().find_map(|minute| {
                let slots = clipped(self.open(zoned, piece, minute, walk), minute, &range);
                (slots != 0).then(|| minute * 60 + 63 - i64::from(slots.leading_zeros()))
            });
        }
        let mut second = piece.second(self.every.last(piece.instant(piece.start)..piece.instant(until) + 1)?);
        while zoned.is_excluded(piece, second) {
            walk.take(4);
            second -= self.every.period();
            if second < piece.start {
                return None;
            }
        }
        Some(second)
    }

    /// Adds the slots of a piece to a set of seconds of its day.
    pub(super) fn add(&self, zoned: &Zoned, piece: &Piece, walk: &Walk, slots: &mut Seconds) {
        if self.every.period() < MINUTE {
            for minute in minutes(&piece.seconds()) {
                let open = self.open(zoned, piece, minute, walk);
                slots.add_minute(minute, clipped(open, minute, &piece.seconds()));
            }
            return;
        }
        self.every.each(piece.instants(), |slot| {
            walk.take(4);
            if !zoned.is_excluded(piece, piece.second(slot)) {
                slots.insert(piece.second(slot));
            }
        });
    }

    /// The slots of a minute of a piece's day, if the period is shorter than a minute.
    fn open(&self, zoned: &Zoned, piece: &Piece, minute: i64, walk: &Walk) -> u64 {
        walk.take(4);
        let period = self.every.period();
        let first = (-piece.instant(minute * 60)).rem_euclid(period);
        let multiples = (0..MINUTE)
            .step_by(usize::try_from(period).unwrap_or(1))
            .fold(0_u64, |set, n| set | 1 << n);
        let slots = multiples << first & Times::ALL_SECONDS;
        slots & zoned.timetable.grid.open(zoned.timetable.kind(piece.day).crontabs, minute, walk)
    }

    /// Seconds from midnight to the first slot of a piece's day.
    pub(super) fn phase(&self, piece: &Piece) -> i64 {
        (piece.stretch.offset - piece.day * DAY).rem_euclid(self.every.period())
    }
}

/// Steps that it takes to look at a whole day.
pub(super) fn whole_day(every: Every) -> i64 {
    let looks = if every.period() < MINUTE { 24 * 60 } else { DAY / every.period() };
    20 + 6 * looks
}

impl Left {
    fn of(grid: &Grid, excluding: u64, period: i64, walk: &Walk) -> Left {
        // A multiple of the period that holds a minute, so that each minute goes in by words.
        let ring = period * ((MINUTE + period - 1) / period);
        let Ok(words) = usize::try_from((ring + MINUTE) / 64 + 2) else {
            return Left::None;
        };
        let mut bits = vec![0_u64; words];
        for minute in 0..DAY / MINUTE {
            put(&mut bits, minute * MINUTE % ring, grid.open(excluding, minute, walk));
            walk.take(2);
        }
        let has = |bits: &[u64], n: i64| {
            usize::try_from(n / 64)
                .ok()
                .and_then(|word| bits.get(word))
                .is_some_and(|word| word >> (n % 64) & 1 == 1)
        };
        // What lies beyond the period goes round: a minute of it, or as much as is left of a ring of two minutes.
        for n in (period..ring + MINUTE).filter(|n| has(&bits, *n)).collect::<Vec<_>>() {
            put(&mut bits, n % period, 1);
        }
        let mut left = bits;
        let whole = usize::try_from(period / 64).unwrap_or_default();
        left.truncate(whole + 1);
        if let Some(last) = left.last_mut() {
            *last &= !(u64::MAX << (period % 64));
        }
        walk.take(180 + left.len() as u64 / 4);
        let number: i64 = left.iter().map(|word| i64::from(word.count_ones())).sum();
        match number {
            0 => Left::None,
            all if all == period => Left::All,
            _ => Left::Some(left),
        }
    }

    fn has(&self, remainder: i64) -> bool {
        match self {
            Left::None => false,
            Left::All => true,
            Left::Some(bits) => {
                let word = usize::try_from(remainder / 64).ok().and_then(|word| bits.get(word));
                word.is_some_and(|word| word >> (remainder % 64) & 1 == 1)
            }
        }
    }
}

/// Adds up to 60 bits from a place on.
fn put(bits: &mut [u64], place: i64, set: u64) {
    let (word, bit) = (usize::try_from(place / 64).unwrap_or_default(), place % 64);
    let wide = u128::from(set) << bit;
    for (n, part) in [(word, wide), (word + 1, wide >> 64)] {
        if let Some(word) = bits.get_mut(n) {
            *word |= part as u64;
        }
    }
}
