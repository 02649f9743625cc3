//! The times of one day that some crontabs name and others exclude.
//!
//! Takes the times of up to 64 crontabs, those that name slots before those that exclude them; gives, for the crontabs that match
//! a date, the first and the last slot of the day and their number. Goes over the minutes of the day, never over its seconds, and
//! asks for all crontabs at once: each hour and minute knows which of them name it, as a set of bits. Knows no date and no zone.

use std::ops::Range;

use super::bits::{DAY, Seconds};
use super::expression::Times;
use super::walk::Walk;

/// Which crontabs name an hour, a minute, a second: bit n is crontab n.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    hours: [u64; 24],
    minutes: [u64; 60],
    seconds: [u64; 60],
    /// The seconds of each crontab: bit n is second n.
    sets: Vec<u64>,
    /// The crontabs that exclude.
    pub(super) excluding: u64,
    /// Those of them that exclude whole minutes, and whole hours.
    minutely: u64,
    hourly: u64,
}

/// What a part of a day holds, and what a search through it costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Holding {
    pub(super) slots: u64,
    /// The most steps in a row that find nothing: before the first slot, after the last, and between two.
    pub(super) longest: u64,
    /// What it costs to look at all of it.
    pub(super) steps: u64,
    before: u64,
    after: u64,
}

const ALL: u64 = Times::ALL_SECONDS;

impl Grid {
    pub(super) fn of(members: &[Times], excluded: &[Times]) -> Grid {
        let all: Vec<Times> = members.iter().chain(excluded).copied().collect();
        let naming = |set: fn(&Times) -> u64, value: usize| {
            let names = |(n, times): (usize, &Times)| (set(times) >> value & 1) << n;
            all.iter().enumerate().map(names).fold(0, |names, more| names | more)
        };
        let excludes = |n: &usize| *n >= members.len();
        let minutely = |n: &usize| all.get(*n).is_some_and(|times| times.seconds == ALL);
        let hourly = |n: &usize| minutely(n) && all.get(*n).is_some_and(|times| times.minutes == ALL);
        let bits = |ns: &mut dyn Iterator<Item = usize>| ns.fold(0, |bits, n| bits | 1 << n);
        Grid {
            hours: std::array::from_fn(|hour| naming(|times| times.hours, hour)),
            minutes: std::array::from_fn(|minute| naming(|times| times.minutes, minute)),
            seconds: std::array::from_fn(|second| naming(|times| times.seconds, second)),
            sets: all.iter().map(|times| times.seconds).collect(),
            excluding: bits(&mut (0..all.len()).filter(excludes)),
            minutely: bits(&mut (0..all.len()).filter(excludes).filter(minutely)),
            hourly: bits(&mut (0..all.len()).filter(excludes).filter(hourly)),
        }
    }

    /// Which of `crontabs` name a second of the day.
    pub(super) fn naming(&self, crontabs: u64, second: i64) -> u64 {
        crontabs & at(&self.hours, second / 3600) & at(&self.minutes, second / 60 % 60) & at(&self.seconds, second % 60)
    }

    /// The first slot in a range of seconds.
    pub(super) fn first(&self, crontabs: u64, range: Range<i64>, walk: &Walk) -> Option<i64> {
        let mut minute = range.start.max(0) / 60;
        while minute * 60 < range.end {
            let here = crontabs & at(&self.hours, minute / 60);
            if self.is_dead(here) {
                walk.take(1);
                minute = (minute / 60 + 1) * 60;
                continue;
            }
            let slots = clipped(self.slots(here & at(&self.minutes, minute % 60), walk), minute, &range);
            if slots != 0 {
                return Some(minute * 60 + i64::from(slots.trailing_zeros()));
            }
            minute += 1;
        }
        None
    }

    /// The last slot in a range of seconds.
    pub(super) fn last(&self, crontabs: u64, range: Range<i64>, walk: &Walk) -> Option<i64> {
        let mut minute = (range.end.min(DAY) - 1).div_euclid(60);
        while minute >= 0 && minute * 60 + 60 > range.start {
            let here = crontabs & at(&self.hours, minute / 60);
            if self.is_dead(here) {
                walk.take(1);
                minute = minute / 60 * 60 - 1;
                continue;
            }
            let slots = clipped(self.slots(here & at(&self.minutes, minute % 60), walk), minute, &range);
            if slots != 0 {
                return Some(minute * 60 + 63 - i64::from(slots.leading_zeros()));
            }
            minute -= 1;
        }
        None
    }

    /// Adds the slots of a range of seconds to a set.
    pub(super) fn add(&self, crontabs: u64, range: &Range<i64>, walk: &Walk, to: &mut Seconds) {
        for minute in minutes(range) {
            let here = crontabs & at(&self.hours, minute / 60) & at(&self.minutes, minute % 60);
            to.add_minute(minute, clipped(self.slots(here, walk), minute, range));
        }
    }

    /// What a whole day holds.
    pub(super) fn holding(&self, crontabs: u64, walk: &Walk) -> Holding {
        let mut day = Holding::default();
        let mut known = (0, Holding::empty(1));
        for hours in &self.hours {
            let here = crontabs & hours;
            if self.is_dead(here) {
                walk.take(1);
                day = day.then(Holding::empty(1));
                continue;
            }
            if known.0 != here {
                let hour = self.minutes.iter().map(|minutes| {
                    let before = walk.steps();
                    let slots = self.slots(here & minutes, walk);
                    Holding::minute(slots, walk.steps() - before)
                });
                known = (here, hour.fold(Holding::default(), Holding::then));
            }
            day = day.then(known.1);
        }
        day
    }

    /// Whether an hour that just these crontabs name holds nothing.
    fn is_dead(&self, crontabs: u64) -> bool {
        crontabs & !self.excluding == 0 || crontabs & self.hourly != 0
    }

    /// The seconds of a minute that no crontab excludes: of those that match the date, `crontabs` are given.
    pub(super) fn open(&self, crontabs: u64, minute: i64, walk: &Walk) -> u64 {
        let here = crontabs & self.excluding & at(&self.hours, minute / 60) & at(&self.minutes, minute % 60);
        self.less(ALL, here, walk)
    }

    /// The slots of a minute that just these crontabs name, as a set of its seconds.
    fn slots(&self, crontabs: u64, walk: &Walk) -> u64 {
        if crontabs & self.minutely != 0 {
            walk.take(1);
            return 0;
        }
        let named = crontabs & !self.excluding;
        walk.take(1 + u64::from(named.count_ones()));
        let set = ones(named).fold(0, |set, n| set | at(&self.sets, n));
        if set == 0 {
            0
        } else {
            self.less(set, crontabs & self.excluding, walk)
        }
    }

    fn less(&self, mut set: u64, excluding: u64, walk: &Walk) -> u64 {
        walk.take(1);
        if excluding & self.minutely != 0 {
            return 0;
        }
        for n in ones(excluding) {
            walk.take(1);
            set &= !at(&self.sets, n);
            if set == 0 {
                break;
            }
        }
        set
    }
}

impl Holding {
    fn empty(steps: u64) -> Holding {
        Holding {
            slots: 0,
            longest: steps,
            steps,
            before: steps,
            after: steps,
        }
    }

    fn minute(slots: u64, steps: u64) -> Holding {
        Holding {
            slots: u64::from(slots.count_ones()),
            after: if slots == 0 { steps } else { 0 },
            ..Holding::empty(steps)
        }
    }

    /// This, and after it another.
    fn then(self, next: Holding) -> Holding {
        let between = self.after + next.before;
        Holding {
            slots: self.slots + next.slots,
            longest: self.longest.max(next.longest).max(between),
            steps: self.steps + next.steps,
            before: if self.slots == 0 { self.before + next.before } else { self.before },
            after: if next.slots == 0 { self.after + next.after } else { next.after },
        }
    }
}

/// The minutes of the day that meet a range of seconds.
pub(super) fn minutes(range: &Range<i64>) -> Range<i64> {
    range.start.max(0) / 60..(range.end.clamp(0, DAY) + 59) / 60
}

/// What of a minute's seconds lies in a range of the day's.
pub(super) fn clipped(set: u64, minute: i64, range: &Range<i64>) -> u64 {
    let (from, to) = ((range.start - minute * 60).clamp(0, 60), (range.end - minute * 60).clamp(0, 60));
    set & u64::MAX << from & !(u64::MAX << to)
}

fn ones(mut bits: u64) -> impl Iterator<Item = i64> {
    std::iter::from_fn(move || {
        let n = (bits != 0).then(|| i64::from(bits.trailing_zeros()));
        bits &= bits.wrapping_sub(1);
        n
    })
}

fn at(words: &[u64], n: i64) -> u64 {
    usize::try_from(n).ok().and_then(|n| words.get(n)).copied().unwrap_or_default()
}
