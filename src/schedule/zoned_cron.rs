//! A single crontab in a time zone.
//!
//! Answers first, last and count for a range of instants. A slot is every instant, on a whole second, whose wall-clock fields
//! match, as corrected by the daylight saving policy. Within each period of constant offset it asks [`super::cron_matcher`] and
//! [`super::count`].
//!
//! Instants are Unix seconds.

use std::ops::Range;

use super::cron_matcher::{CronMatcher, KNOWN};
use super::crontab::Crontab;
use super::daylight_saving::{DaylightSaving, OffsetView};
use super::query::Query;
use super::second_set::DAY;
use super::zone::OffsetPeriod;

/// Two days, in seconds: larger than any offset, gap or overlap.
pub(super) const MARGIN: i64 = 2 * 86_400;

/// A crontab with its daylight saving policy.
#[derive(Clone, Debug)]
pub(super) struct ZonedCron {
    crontab: Crontab,
    matcher: CronMatcher,
    daylight_saving: DaylightSaving,
}

impl ZonedCron {
    /// `None` if the crate refuses the crontab: see [`CronMatcher::of`].
    pub(super) fn of(crontab: Crontab, daylight_saving: DaylightSaving) -> Option<ZonedCron> {
        let matcher = CronMatcher::of(&crontab)?;
        let daylight_saving = if crontab.fixed { daylight_saving } else { DaylightSaving::NONE };
        Some(ZonedCron {
            crontab,
            matcher,
            daylight_saving,
        })
    }

    /// The first slot in `range`.
    pub(super) fn first(&self, query: &Query, range: &Range<i64>) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.start;
        while at < range.end {
            let period = query.offset_period(at);
            let view = self.daylight_saving.view(&period);
            if period.start >= range.start && self.makes_up_for_gap(&view) {
                return Some(period.start);
            }
            let part = part(&period, &view, &range);
            let next = self.ask(query, || self.matcher.next(part.start));
            if let Some(local) = next.filter(|local| part.contains(local)) {
                return Some(local - period.offset);
            }
            // There is no slot before the next match, but a repeated hour soon may show times before this part again.
            let beyond = next.map_or(range.end, |local| local - MARGIN);
            let long = part.end - part.start > MARGIN;
            at = if long { period.end.max(beyond) } else { period.end };
        }
        None
    }

    /// The last slot in `range`.
    pub(super) fn last(&self, query: &Query, range: &Range<i64>) -> Option<i64> {
        let range = bounded(range);
        let mut at = range.end;
        while at > range.start {
            let period = query.offset_period(at - 1);
            let view = self.daylight_saving.view(&period);
            let part = part(&period, &view, &range);
            let previous = self.ask(query, || self.matcher.previous(part.end));
            if let Some(local) = previous.filter(|local| part.contains(local)) {
                return Some(local - period.offset);
            }
            if period.start >= range.start && self.makes_up_for_gap(&view) {
                return Some(period.start);
            }
            let before = previous.map_or(range.start, |local| local + MARGIN);
            let long = part.end - part.start > MARGIN;
            at = if long { period.start.min(before) } else { period.start };
        }
        None
    }

    /// The number of slots in `range`.
    pub(super) fn count(&self, query: &Query, range: &Range<i64>) -> u64 {
        let range = bounded(range);
        let mut at = range.start;
        let mut slots = 0;
        while at < range.end {
            let period = query.offset_period(at);
            let view = self.daylight_saving.view(&period);
            query.spend(20 + u64::try_from((range.end.min(period.end) - at) / DAY).unwrap_or_default());
            slots += self.crontab.count(&part(&period, &view, &range));
            if period.start >= range.start && self.makes_up_for_gap(&view) {
                // Still one slot if the end of the gap is a slot anyway.
                let begin = period.start + period.offset;
                slots += 1 - self.crontab.count(&(begin..begin + 1));
            }
            at = period.end;
        }
        slots
    }

    fn makes_up_for_gap(&self, view: &OffsetView) -> bool {
        !view.skipped.is_empty() && self.matcher.first(&view.skipped).is_some()
    }

    /// Asks the crate, which visits the months up to its answer, and counts the steps.
    fn ask(&self, query: &Query, question: impl Fn() -> Option<i64>) -> Option<i64> {
        query.spend(300 * self.crontab.dates.len() as u64);
        question()
    }
}

/// The local times that count in a period and whose instants lie in `range`.
fn part(period: &OffsetPeriod, view: &OffsetView, range: &Range<i64>) -> Range<i64> {
    let start = range.start + period.offset;
    let end = range.end + period.offset;
    view.valid.start.max(start)..view.valid.end.min(end)
}

/// A range cut to the years that crontabs support.
pub(super) fn bounded(range: &Range<i64>) -> Range<i64> {
    range.start.max(KNOWN.start - MARGIN)..range.end.min(KNOWN.end + MARGIN)
}
