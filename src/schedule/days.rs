//! Slots by whole days.
//!
//! Takes some of the expressions of a union; gives first, last and number of their slots, less what crontabs exclude, at a
//! cost that grows with days and not with slots: days on which the same expressions and exclusions match have the same
//! times, so the times of each kind of day are worked out once. Days that are not whole (the ends of a range, a change of
//! the clock) are worked out one by one. Never asks the `cron` crate.

use std::collections::BTreeMap;
use std::ops::Range;

use super::bits::{DAY, Seconds};
use super::count::date;
use super::every::Every;
use super::expression::Crontab;
use super::union::{Member, Union};
use super::zone::Stretch;

/// More kinds of days are not remembered: periods of `@every` that share no factor with a day make each day its own kind.
const KINDS: usize = 10_000;

/// What one walk over days remembers.
pub(super) struct Days<'a> {
    union: &'a Union,
    members: &'a [Member],
    /// The times of each member's day (none for `@every`), and of each exclusion's.
    times: Vec<Seconds>,
    excluded: Vec<Seconds>,
    stretch: Option<Stretch>,
    month: Option<Month>,
    kinds: BTreeMap<Vec<i64>, Sum>,
    blocked: BTreeMap<Vec<i64>, Seconds>,
}

/// The matching days of one month: bit n is day n.
struct Month {
    days: Range<i64>,
    members: Vec<u64>,
    excluded: Vec<u64>,
}

/// A part of a day within one stretch of constant offset.
struct Piece {
    stretch: Stretch,
    /// Midnight, in local seconds.
    midnight: i64,
    /// Seconds of the day.
    seconds: Range<i64>,
}

/// What a day or a part of it holds, in seconds of the day.
#[derive(Clone, Copy)]
struct Sum {
    first: Option<i64>,
    last: Option<i64>,
    count: u64,
}

impl<'a> Days<'a> {
    /// `members` are some of the union's.
    pub(super) fn of(union: &'a Union, members: &'a [Member]) -> Days<'a> {
        let times = |crontab: &Crontab| Seconds::of(crontab.times);
        let of_member = |member: &Member| match member {
            Member::Every(_) => Seconds::none(),
            Member::Wall(wall) => times(wall.crontab()),
        };
        Days {
            union,
            members,
            times: members.iter().map(of_member).collect(),
            excluded: union.excluded.crontabs.iter().map(times).collect(),
            stretch: None,
            month: None,
            kinds: BTreeMap::new(),
            blocked: BTreeMap::new(),
        }
    }

    /// The first slot in `range`.
    pub(super) fn first(&mut self, range: &Range<i64>) -> Option<i64> {
        let mut at = range.start;
        while at < range.end {
            let piece = self.piece(at, range);
            if let Some(second) = self.sum(&piece).first {
                return Some(piece.instant(second));
            }
            at = piece.instant(piece.seconds.end);
        }
        None
    }

    /// The last slot in `range`.
    pub(super) fn last(&mut self, range: &Range<i64>) -> Option<i64> {
        let mut at = range.end;
        while at > range.start {
            let piece = self.piece(at - 1, range);
            if let Some(second) = self.sum(&piece).last {
                return Some(piece.instant(second));
            }
            at = piece.instant(piece.seconds.start);
        }
        None
    }

    /// The number of slots in `range`.
    pub(super) fn count(&mut self, range: &Range<i64>) -> u64 {
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let piece = self.piece(at, range);
            slots += self.sum(&piece).count;
            at = piece.instant(piece.seconds.end);
        }
        slots
    }

    /// The piece of `range` in which an instant lies.
    fn piece(&mut self, at: i64, range: &Range<i64>) -> Piece {
        let known = self.stretch.filter(|stretch| (stretch.start..stretch.end).contains(&at));
        let stretch = known.unwrap_or_else(|| self.union.zone.stretch(at));
        self.stretch = Some(stretch);
        let midnight = (at + stretch.offset).div_euclid(DAY) * DAY;
        let start = stretch.start.max(range.start) + stretch.offset - midnight;
        let end = stretch.end.min(range.end) + stretch.offset - midnight;
        Piece {
            stretch,
            midnight,
            seconds: start.max(0)..end.min(DAY),
        }
    }

    fn sum(&mut self, piece: &Piece) -> Sum {
        if !piece.is_whole() {
            return Sum::of(&self.slots(piece));
        }
        let kind = self.kind(piece);
        if let Some(sum) = self.kinds.get(&kind) {
            return *sum;
        }
        let sum = match self.members {
            [Member::Every(every)] => self.sum_of_every(*every, &kind),
            _ => Sum::of(&self.slots(piece)),
        };
        if self.kinds.len() < KINDS {
            self.kinds.insert(kind, sum);
        }
        sum
    }

    /// What the times of a whole day depend on: for each member, whether the date matches or the phase of its `@every`; for
    /// each exclusion, whether the date matches.
    fn kind(&mut self, piece: &Piece) -> Vec<i64> {
        let day = piece.midnight / DAY;
        let month = match self.month.take() {
            Some(month) if month.days.contains(&day) => month,
            _ => self.month_of(day),
        };
        let bit = day - month.days.start + 1;
        let matches = |days: &u64| i64::from(days >> bit & 1 == 1);
        // Seconds from midnight to the first slot; all that are beyond the day are alike.
        let phase = |(member, days): (&Member, &u64)| match member {
            Member::Every(every) => (piece.stretch.offset - piece.midnight).rem_euclid(every.period()).min(DAY),
            Member::Wall(_) => matches(days),
        };
        let mut kind: Vec<i64> = self.members.iter().zip(&month.members).map(phase).collect();
        kind.extend(month.excluded.iter().map(matches));
        self.month = Some(month);
        kind
    }

    fn month_of(&self, day: i64) -> Month {
        let first = date(day).first_of_month();
        let start = day + 1 - i64::from(date(day).day());
        let of_member = |member: &Member| match member {
            Member::Every(_) => 0,
            Member::Wall(wall) => wall.crontab().days_of(first),
        };
        let excluded = &self.union.excluded.crontabs;
        Month {
            days: start..start + i64::from(first.days_in_month()),
            members: self.members.iter().map(of_member).collect(),
            excluded: excluded.iter().map(|crontab| crontab.days_of(first)).collect(),
        }
    }

    /// The slots of one piece, in seconds of the day.
    fn slots(&self, piece: &Piece) -> Seconds {
        let day = piece.midnight / DAY;
        let mut slots = Seconds::none();
        for (member, times) in self.members.iter().zip(&self.times) {
            let wall = match member {
                Member::Every(every) => {
                    every.each(piece.instants(), |slot| slots.insert(piece.second(slot)));
                    continue;
                }
                Member::Wall(wall) => wall,
            };
            let passage = wall.passage(&piece.stretch);
            if wall.crontab().on(day) {
                let start = piece.seconds.start.max(passage.counts.start - piece.midnight);
                let mut times = times.clone();
                times.keep(&(start..piece.seconds.end));
                slots.add(&times);
            }
            if piece.instants().contains(&piece.stretch.start) && self.union.makes_up(wall, &passage) {
                slots.insert(piece.second(piece.stretch.start));
            }
        }
        for (crontab, times) in self.union.excluded.crontabs.iter().zip(&self.excluded) {
            if crontab.on(day) {
                slots.remove(times);
            }
        }
        slots
    }

    /// A whole day of a single `@every`: few slots, each looked up among the times that are excluded.
    fn sum_of_every(&mut self, every: Every, kind: &[i64]) -> Sum {
        let (phase, matching) = (kind[0], &kind[1..]);
        if !self.blocked.contains_key(matching) {
            let mut blocked = Seconds::none();
            for (_, times) in matching.iter().zip(&self.excluded).filter(|(matches, _)| **matches == 1) {
                blocked.add(times);
            }
            self.blocked.insert(matching.to_vec(), blocked);
        }
        let blocked = &self.blocked[matching];
        let mut sum = Sum::NONE;
        let mut second = phase;
        while second < DAY {
            if !blocked.has(second) {
                sum.first = sum.first.or(Some(second));
                sum.last = Some(second);
                sum.count += 1;
            }
            second = second.saturating_add(every.period());
        }
        sum
    }
}

impl Piece {
    /// All of a day, and no change of the clock near it.
    fn is_whole(&self) -> bool {
        let settled = self.stretch.start + self.stretch.offset.max(self.stretch.offset_before);
        self.seconds == (0..DAY) && self.midnight > settled
    }

    fn instant(&self, second: i64) -> i64 {
        self.midnight + second - self.stretch.offset
    }

    fn second(&self, instant: i64) -> i64 {
        instant + self.stretch.offset - self.midnight
    }

    fn instants(&self) -> Range<i64> {
        self.instant(self.seconds.start)..self.instant(self.seconds.end)
    }
}

impl Sum {
    const NONE: Sum = Sum {
        first: None,
        last: None,
        count: 0,
    };

    fn of(seconds: &Seconds) -> Sum {
        Sum {
            first: seconds.first(),
            last: seconds.last(),
            count: seconds.count(),
        }
    }
}
