//! An inverted index from hours, minutes and seconds to crontabs.
//!
//! It holds the times of up to 64 crontabs: first those with slots, then those that exclude. For the crontabs that match a date it
//! finds the first slot, the last slot and the number of slots of the day. It visits the minutes of the day, never the seconds, and
//! evaluates all crontabs at once as a set of bits. Knows no date and no time zone.

use std::ops::Range;

use super::crontab::Times;
use super::query::Query;
use super::second_set::{DAY, SecondSet};

/// Which crontabs match an hour, a minute, a second: bit n is crontab n.
#[derive(Clone, Debug)]
pub(super) struct TimeIndex {
    hours: [u64; 24],
    minutes: [u64; 60],
    seconds: [u64; 60],
    /// The seconds of each crontab: bit n is second n.
    sets: Vec<u64>,
    /// The crontabs that exclude.
    pub(super) excluding: u64,
    /// Those of them that exclude whole minutes.
    whole_minutes: u64,
    /// Those of them that exclude whole hours.
    whole_hours: u64,
}

/// The slots of a part of a day, and the cost to search it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DaySummary {
    pub(super) slots: u64,
    /// The most steps in a row without a slot: before the first, after the last, or between two.
    pub(super) longest: u64,
    /// The steps to evaluate all of it.
    pub(super) steps: u64,
    /// Steps before the first slot.
    before: u64,
    /// Steps after the last slot.
    after: u64,
}

const ALL: u64 = Times::ALL_SECONDS;

impl TimeIndex {
    pub(super) fn of(members: &[Times], excluded: &[Times]) -> TimeIndex {
        let all: Vec<Times> = members.iter().chain(excluded).copied().collect();
        let matching = |set: fn(&Times) -> u64, value: usize| {
            let bit = |(n, times): (usize, &Times)| (set(times) >> value & 1) << n;
            all.iter().enumerate().map(bit).fold(0, |bits, more| bits | more)
        };
        let excludes = |n: &usize| *n >= members.len();
        let minutely = |n: &usize| all.get(*n).is_some_and(|times| times.seconds == ALL);
        let hourly = |n: &usize| minutely(n) && all.get(*n).is_some_and(|times| times.minutes == ALL);
        let bits = |ns: &mut dyn Iterator<Item = usize>| ns.fold(0, |bits, n| bits | 1 << n);
        TimeIndex {
            hours: std::array::from_fn(|hour| matching(|times| times.hours, hour)),
            minutes: std::array::from_fn(|minute| matching(|times| times.minutes, minute)),
            seconds: std::array::from_fn(|second| matching(|times| times.seconds, second)),
            sets: all.iter().map(|times| times.seconds).collect(),
            excluding: bits(&mut (0..all.len()).filter(excludes)),
            whole_minutes: bits(&mut (0..all.len()).filter(excludes).filter(minutely)),
            whole_hours: bits(&mut (0..all.len()).filter(excludes).filter(hourly)),
        }
    }

    /// Which of `crontabs` match a second of the day.
    pub(super) fn matching(&self, crontabs: u64, second: i64) -> u64 {
        crontabs & at(&self.hours, second / 3600) & at(&self.minutes, second / 60 % 60) & at(&self.seconds, second % 60)
    }

    /// Whether any of `crontabs` excludes a second of the day.
    pub(super) fn excludes(&self, crontabs: u64, second: i64) -> bool {
        self.matching(crontabs & self.excluding, second) != 0
    }

    /// The first slot in a range of seconds.
    pub(super) fn first(&self, crontabs: u64, range: Range<i64>, query: &Query) -> Option<i64> {
        let mut minute = range.start.max(0) / 60;
        while minute * 60 < range.end {
            let here = crontabs & at(&self.hours, minute / 60);
            if self.has_no_slot(here) {
                query.spend(1);
                minute = (minute / 60 + 1) * 60;
                continue;
            }
            let slots = clipped(self.slots(here & at(&self.minutes, minute % 60), query), minute, &range);
            if slots != 0 {
                return Some(minute * 60 + i64::from(slots.trailing_zeros()));
            }
            minute += 1;
        }
        None
    }

    /// The last slot in a range of seconds.
    pub(super) fn last(&self, crontabs: u64, range: Range<i64>, query: &Query) -> Option<i64> {
        let mut minute = (range.end.min(DAY) - 1).div_euclid(60);
        while minute >= 0 && minute * 60 + 60 > range.start {
            let here = crontabs & at(&self.hours, minute / 60);
            if self.has_no_slot(here) {
                query.spend(1);
                minute = minute / 60 * 60 - 1;
                continue;
            }
            let slots = clipped(self.slots(here & at(&self.minutes, minute % 60), query), minute, &range);
            if slots != 0 {
                return Some(minute * 60 + 63 - i64::from(slots.leading_zeros()));
            }
            minute -= 1;
        }
        None
    }

    /// Adds the slots of a range of seconds to a set.
    pub(super) fn add(&self, crontabs: u64, range: &Range<i64>, query: &Query, to: &mut SecondSet) {
        for minute in minutes(range) {
            let here = crontabs & at(&self.hours, minute / 60) & at(&self.minutes, minute % 60);
            to.add_minute(minute, clipped(self.slots(here, query), minute, range));
        }
    }

    /// The slots of a whole day, and the cost to search it.
    pub(super) fn summary(&self, crontabs: u64, query: &Query) -> DaySummary {
        let mut day = DaySummary::default();
        // Consecutive hours often have the same crontabs.
        let mut known = (0, DaySummary::empty(1));
        for hours in &self.hours {
            let here = crontabs & hours;
            if self.has_no_slot(here) {
                query.spend(1);
                day = day.then(DaySummary::empty(1));
                continue;
            }
            if known.0 != here {
                let hour = self.minutes.iter().map(|minutes| {
                    let before = query.steps();
                    let slots = self.slots(here & minutes, query);
                    DaySummary::minute(slots, query.steps() - before)
                });
                known = (here, hour.fold(DaySummary::default(), DaySummary::then));
            }
            day = day.then(known.1);
        }
        day
    }

    /// Whether an hour that only these crontabs match has no slot.
    fn has_no_slot(&self, crontabs: u64) -> bool {
        crontabs & !self.excluding == 0 || crontabs & self.whole_hours != 0
    }

    /// The seconds of a minute of the day that none of `crontabs`, those that match the date, excludes.
    pub(super) fn open(&self, crontabs: u64, minute: i64, query: &Query) -> u64 {
        let here = crontabs & self.excluding & at(&self.hours, minute / 60) & at(&self.minutes, minute % 60);
        self.without(ALL, here, query)
    }

    /// The slots of a minute that only these crontabs match, as a set of its seconds.
    fn slots(&self, crontabs: u64, query: &Query) -> u64 {
        if crontabs & self.whole_minutes != 0 {
            query.spend(1);
            return 0;
        }
        let members = crontabs & !self.excluding;
        query.spend(1 + u64::from(members.count_ones()));
        let set = ones(members).fold(0, |set, n| set | at(&self.sets, n));
        if set == 0 {
            0
        } else {
            self.without(set, crontabs & self.excluding, query)
        }
    }

    /// `set` without the seconds that the crontabs `excluding` exclude.
    fn without(&self, mut set: u64, excluding: u64, query: &Query) -> u64 {
        query.spend(1);
        if excluding & self.whole_minutes != 0 {
            return 0;
        }
        for n in ones(excluding) {
            query.spend(1);
            set &= !at(&self.sets, n);
            if set == 0 {
                break;
            }
        }
        set
    }
}

impl DaySummary {
    fn empty(steps: u64) -> DaySummary {
        DaySummary {
            slots: 0,
            longest: steps,
            steps,
            before: steps,
            after: steps,
        }
    }

    fn minute(slots: u64, steps: u64) -> DaySummary {
        DaySummary {
            slots: u64::from(slots.count_ones()),
            after: if slots == 0 { steps } else { 0 },
            ..DaySummary::empty(steps)
        }
    }

    /// This part followed by another.
    fn then(self, next: DaySummary) -> DaySummary {
        let between = self.after + next.before;
        DaySummary {
            slots: self.slots + next.slots,
            longest: self.longest.max(next.longest).max(between),
            steps: self.steps + next.steps,
            before: if self.slots == 0 { self.before + next.before } else { self.before },
            after: if next.slots == 0 { self.after + next.after } else { next.after },
        }
    }
}

/// The minutes of the day that overlap a range of seconds.
pub(super) fn minutes(range: &Range<i64>) -> Range<i64> {
    range.start.max(0) / 60..(range.end.clamp(0, DAY) + 59) / 60
}

/// The part of a minute's seconds within a range of the day's seconds.
pub(super) fn clipped(set: u64, minute: i64, range: &Range<i64>) -> u64 {
    let (from, to) = ((range.start - minute * 60).clamp(0, 60), (range.end - minute * 60).clamp(0, 60));
    set & u64::MAX << from & !(u64::MAX << to)
}

/// The positions of the bits that are set.
fn ones(mut bits: u64) -> impl Iterator<Item = i64> {
    std::iter::from_fn(move || {
        let n = (bits != 0).then(|| i64::from(bits.trailing_zeros()));
        bits &= bits.wrapping_sub(1);
        n
    })
}

/// The word at an index, 0 beyond the end.
fn at(words: &[u64], n: i64) -> u64 {
    usize::try_from(n).ok().and_then(|n| words.get(n)).copied().unwrap_or_default()
}
