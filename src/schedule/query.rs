//! The state of one question to a schedule: its cached offset period and its step counter.
//!
//! A question divides time into segments of one day and one offset. It counts its work in steps, the same number on every
//! machine: a step is a few nanoseconds, such as a minute of a day or a month looked at. What is too many is up to
//! [`super::budget`].

use std::cell::Cell;
use std::ops::Range;

use super::second_set::DAY;
use super::zone::{OffsetPeriod, Zone};

/// Steps of a lookup in a zone's transitions.
const ZONE_LOOKUP: u64 = 300;

/// One question to a schedule.
pub(super) struct Query<'a> {
    zone: &'a Zone,
    period: Cell<Option<OffsetPeriod>>,
    steps: Cell<u64>,
}

/// The part of one day within one period of constant offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct DaySegment {
    pub(super) period: OffsetPeriod,
    /// The day on the wall clock, counted from 1970-01-01.
    pub(super) day: i64,
    /// First second of the day, inclusive.
    pub(super) start: i64,
    /// Last second of the day, exclusive.
    pub(super) end: i64,
}

impl<'a> Query<'a> {
    pub(super) fn new(zone: &'a Zone) -> Query<'a> {
        Query {
            zone,
            period: Cell::new(None),
            steps: Cell::new(0),
        }
    }

    /// Counts work.
    pub(super) fn spend(&self, steps: u64) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// The work counted so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// The period of constant offset around an instant.
    pub(super) fn offset_period(&self, at: i64) -> OffsetPeriod {
        if let Some(period) = self.period.get().filter(|period| (period.start..period.end).contains(&at)) {
            return period;
        }
        self.spend(ZONE_LOOKUP);
        let period = self.zone.offset_period(at);
        self.period.set(Some(period));
        period
    }

    /// The segment around an instant, cut to `range`.
    pub(super) fn segment(&self, at: i64, range: &Range<i64>) -> DaySegment {
        self.spend(2);
        let period = self.offset_period(at);
        let day = (at + period.offset).div_euclid(DAY);
        let midnight = day * DAY;
        let start = period.start.max(range.start) + period.offset - midnight;
        let end = period.end.min(range.end) + period.offset - midnight;
        DaySegment {
            period,
            day,
            start: start.max(0),
            end: end.min(DAY),
        }
    }
}

impl DaySegment {
    /// Whether this is a whole day, and no change of the clock affects it.
    pub(super) fn is_whole(&self) -> bool {
        let settled = self.period.start + self.period.offset.max(self.period.offset_before);
        self.start == 0 && self.end == DAY && self.day * DAY > settled
    }

    /// Its seconds of the day.
    pub(super) fn seconds(&self) -> Range<i64> {
        self.start..self.end
    }

    /// The instant of a second of its day.
    pub(super) fn instant(&self, second: i64) -> i64 {
        self.day * DAY + second - self.period.offset
    }

    /// The second of its day at an instant.
    pub(super) fn second(&self, instant: i64) -> i64 {
        instant + self.period.offset - self.day * DAY
    }

    /// Its instants.
    pub(super) fn instants(&self) -> Range<i64> {
        self.instant(self.start)..self.instant(self.end)
    }
}
