//! A timetable on the wall clock of a time zone.
//!
//! Answers first, last and count for a range of instants. Whole days come from the timetable; near a change of the clock and at
//! the ends of a range the daylight saving policy applies. Days without slots are skipped.
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::daylight_saving::DaylightSaving;
use super::month::Month;
use super::query::{DaySegment, Query};
use super::second_set::{DAY, SecondSet};
use super::timetable::{DayFilter, DayKind, Timetable};
use super::zoned_cron::{MARGIN, bounded};

/// A timetable with its daylight saving policy.
#[derive(Clone, Debug)]
pub(super) struct ZonedTimetable {
    pub(super) timetable: Timetable,
    /// The crontabs of fixed times, to which the policy applies, as a set of bits.
    pub(super) fixed: u64,
    pub(super) policy: DaylightSaving,
}

impl ZonedTimetable {
    /// The first slot in `range`.
    pub(super) fn first(&self, range: &Range<i64>, query: &Query) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.start;
        while at < range.end {
            let segment = query.segment(at, &range);
            // What the clock skipped on the day before may be made up for on this one.
            let day = self.timetable.next(DayFilter::HasSlots, segment.day - 1, query)?;
            if day <= segment.day
                && let Some(second) = self.first_of(&segment, query)
            {
                return Some(segment.instant(second));
            }
            at = segment.instant(segment.end).max(day * DAY - MARGIN);
        }
        None
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, range: &Range<i64>, query: &Query) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.end;
        while at > range.start {
            let segment = query.segment(at - 1, &range);
            let day = self.timetable.previous(DayFilter::HasSlots, segment.day, query)?;
            if day >= segment.day - 1
                && let Some(second) = self.last_of(&segment, query)
            {
                return Some(segment.instant(second));
            }
            at = segment.instant(segment.start).min((day + 1) * DAY + MARGIN);
        }
        None
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, range: &Range<i64>, query: &Query) -> u64 {
        let range = bounded(range);
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let segment = query.segment(at, &range);
            let month = Month::of(segment.day);
            let end = month.end * DAY - segment.period.offset;
            if segment.is_whole() && month.first == segment.day && end <= range.end.min(segment.period.end) {
                slots += self.timetable.slots_of(month);
                at = end;
            } else {
                slots += self.count_of(&segment, query);
                at = segment.instant(segment.end);
            }
        }
        slots
    }

    /// The number of slots in a segment.
    pub(super) fn count_of(&self, segment: &DaySegment, query: &Query) -> u64 {
        if segment.is_whole() {
            return self.timetable.kind(segment.day).slots;
        }
        if self
            .timetable
            .next(DayFilter::HasSlots, segment.day - 1, query)
            .is_none_or(|day| day > segment.day)
        {
            return 0;
        }
        let mut slots = SecondSet::empty();
        self.add(segment, query, &mut slots);
        query.spend(200);
        slots.count()
    }

    /// Adds the slots of a segment to a set of seconds of its day.
    pub(super) fn add(&self, segment: &DaySegment, query: &Query, slots: &mut SecondSet) {
        for (range, crontabs) in self.parts(segment) {
            self.timetable.times.add(crontabs, &range, query, slots);
        }
        if self.makes_up_for_gap(segment, query) {
            slots.insert(segment.start);
        }
    }

    /// The slots of a whole day, and its seconds that are not excluded.
    pub(super) fn slots_and_open(&self, segment: &DaySegment, query: &Query) -> (SecondSet, SecondSet) {
        let DayKind { crontabs, slots, .. } = self.timetable.kind(segment.day);
        let (mut found, mut open) = (SecondSet::empty(), SecondSet::empty());
        for minute in 0..DAY / 60 {
            open.add_minute(minute, self.timetable.times.open(crontabs, minute, query));
        }
        if slots > 0 {
            self.timetable.times.add(crontabs, &segment.seconds(), query, &mut found);
        }
        (found, open)
    }

    fn first_of(&self, segment: &DaySegment, query: &Query) -> Option<i64> {
        if self.makes_up_for_gap(segment, query) {
            return Some(segment.start);
        }
        let parts = self.parts(segment);
        parts
            .into_iter()
            .find_map(|(range, crontabs)| self.timetable.times.first(crontabs, range, query))
    }

    fn last_of(&self, segment: &DaySegment, query: &Query) -> Option<i64> {
        let parts = self.parts(segment);
        let mut parts = parts.into_iter().rev();
        let last = parts.find_map(|(range, crontabs)| self.timetable.times.last(crontabs, range, query));
        last.or_else(|| self.makes_up_for_gap(segment, query).then_some(segment.start))
    }

    /// Ranges of seconds of the day with the crontabs that apply in them: fixed ones do not apply to repeated times.
    fn parts(&self, segment: &DaySegment) -> [(Range<i64>, u64); 2] {
        let DayKind { crontabs, slots, .. } = self.timetable.kind(segment.day);
        let crontabs = if slots == 0 { 0 } else { crontabs };
        let repeated_until = self.policy.view(&segment.period).valid.start - segment.day * DAY;
        let repeated_until = repeated_until.clamp(segment.start, segment.end);
        [
            (segment.start..repeated_until, crontabs & !self.fixed),
            (repeated_until..segment.end, crontabs),
        ]
    }

    /// Whether the start of the segment is a slot that makes up for times skipped just before: one of them is a fixed time that is
    /// not excluded, and the start is not excluded either.
    fn makes_up_for_gap(&self, segment: &DaySegment, query: &Query) -> bool {
        if segment.instant(segment.start) != segment.period.start {
            return false;
        }
        let skipped = self.policy.view(&segment.period).skipped;
        if skipped.is_empty()
            || self
                .timetable
                .times
                .excludes(self.timetable.kind(segment.day).crontabs, segment.start)
        {
            return false;
        }
        let times = &self.timetable.times;
        let mut days = skipped.start.div_euclid(DAY)..=(skipped.end - 1).div_euclid(DAY);
        days.any(|day| {
            let crontabs = self.timetable.kind(day).crontabs & (self.fixed | times.excluding);
            let range = skipped.start - day * DAY..skipped.end - day * DAY;
            times.first(crontabs, range.start.max(0)..range.end.min(DAY), query).is_some()
        })
    }
}
