//! Schedules: when the slots of a task are.
//!
//! A [`Definition`] is compiled into a [`Schedule`], which answers what comes next, what came last and how many slots lie between
//! two instants, and when each slot's run starts. Pure and synchronous: instants are arguments and the time zone data is compiled
//! in, so the answer is the same on every machine and after every restart. No clock, no files, no environment, no Kubernetes.
//!
//! ```text
//! definition ─► compile ─► expression ─► field_list      a crontab, as sets of values: field
//!                       │             │  └► jenkins_hash  H: values picked by hash
//!                       │             ├► day_rule         L, W and #: days that depend on the month
//!                       │             └► every            @every: a fixed interval
//!                       └► exclude                        blackouts
//! slot_set   all slots of a definition
//! ├► every                            a single @every
//! ├► zoned_cron                       a single crontab: zone, daylight_saving
//! │  ├► cron_matcher                  next and previous, by the cron crate
//! │  └► count                         number of slots, by arithmetic
//! └► combined                         several expressions, or crontabs in exclude
//!    ├► zoned_timetable ─► timetable  kinds of months and days, computed once: month, time_index, second_set
//!    └► filtered_every                @every with exclusions
//! jitter ─► hash                      the delay from a slot to the start of its run
//! query, budget                       what a question costs, in steps, and how much it may cost
//! ```

#![warn(missing_docs)]

mod budget;
mod combined;
mod compile;
#[cfg(test)]
mod cost_tests;
mod count;
mod cron_matcher;
mod crontab;
mod day_rule;
mod daylight_saving;
mod definition;
mod error;
mod every;
mod exclude;
mod expression;
mod field;
mod field_list;
mod filtered_every;
#[cfg(test)]
mod golden_tests;
mod hash;
mod interval;
mod jenkins_hash;
mod jitter;
mod month;
mod query;
mod second_set;
mod slot_set;
mod time_index;
mod timetable;
mod zone;
mod zone_name;
mod zone_offset;
mod zoned_cron;
mod zoned_timetable;

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use daylight_saving::{DaylightSaving, Gap, Overlap};
pub use definition::{Definition, Exclusion, Expressions};
pub use error::ScheduleError;
pub use hash::hash;
pub use interval::{interval, moment};
pub use zone::suggestion as time_zone_suggestion;

use compile::ALL_TIME;
use hash::Seed;
use jitter::Jitter;
use slot_set::SlotSet;
use zone::Zone;

/// How many times between slots are checked against the jitter.
const CHECKED_GAPS: usize = 1_000;

/// Where that check starts, unless the task has a `startAt`: 2026-01-01T00:00:00Z, in Unix seconds.
const CHECK_START: i64 = 1_767_225_600;

/// The slots of a task.
///
/// A slot is an instant, on a whole second, whose wall-clock time matches an expression; [`DaylightSaving`] says what happens to
/// fixed times that a change of the clock skips or repeats. Crontab slots lie in the years 1970 to 2100 of the wall clock, the
/// range of the `cron` crate; slots of a single `@every` have no such bound. With several expressions, or crontabs in `exclude`,
/// the first and the last two days of these years are left out.
///
/// Cloning is cheap: clones share the compiled slots.
///
/// ```
/// use jiff::Timestamp;
/// use punctual::schedule::{DaylightSaving, Schedule};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let nightly = Schedule::parse("30 2 * * *", "Europe/Berlin", DaylightSaving::default())?;
///
/// // On 2026-03-29 clocks go from 02:00 to 03:00, so 02:30 does not exist: the slot moves to the end of the gap.
/// let saturday: Timestamp = "2026-03-28T12:00:00+01:00".parse()?;
/// let sunday: Timestamp = "2026-03-29T03:00:00+02:00".parse()?;
/// assert_eq!(nightly.next(saturday), Some(sunday));
///
/// // Slots that were missed while nothing ran are found and counted without visiting each of them.
/// let christmas: Timestamp = "2026-12-25T00:00:00+01:00".parse()?;
/// assert_eq!(nightly.count(saturday, christmas), 271);
/// assert_eq!(nightly.latest(saturday, christmas), Some("2026-12-24T02:30:00+01:00".parse()?));
///
/// // An error says what is wrong and how to fix it.
/// let never = Schedule::parse("0 0 31 2 *", "UTC", DaylightSaving::default());
/// assert_eq!(
///     never.unwrap_err().to_string(),
///     "schedule \"0 0 31 2 *\": never matches a date (for example 31 February): fix day of month or month"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    expression: String,
    slots: SlotSet,
    jitter: Jitter,
}

impl Schedule {
    /// The schedule of a single expression, with no other field set. `H` is hashed from an empty seed.
    ///
    /// # Errors
    /// As [`Schedule::new`].
    pub fn parse(expression: &str, time_zone: &str, daylight_saving: DaylightSaving) -> Result<Schedule, ScheduleError> {
        let definition = Definition {
            expressions: Expressions::One(expression.to_owned()),
            time_zone: time_zone.to_owned(),
            daylight_saving,
            ..Definition::default()
        };
        Schedule::new(&definition, "")
    }

    /// The schedule of a definition. `H` and jitter are hashed from `seed`, the `namespace/name` of the task.
    ///
    /// An expression has five fields like CronJob's (robfig/cron v3.0.1), or six with seconds first, or is one of `@hourly` to
    /// `@yearly` or `@every <Go duration>`. 7 is Sunday, like 0. `H`, `H(0-29)`, `H/15` and `H(0-29)/10` are those of Jenkins. `L`,
    /// `L-3`, `15W`, `LW` in day of month and `FRI#2`, `5L` in day of week are those of the Quartz scheduler.
    ///
    /// # Errors
    /// The first of these: a field that is malformed; [`ScheduleError::TooComplex`]; [`ScheduleError::Never`] if there is no slot;
    /// a jitter longer than the shortest time between two slots.
    pub fn new(definition: &Definition, seed: &str) -> Result<Schedule, ScheduleError> {
        Schedule::compile(definition, seed, Zone::named)
    }

    fn compile(
        definition: &Definition,
        seed: &str,
        zone: impl FnOnce(&str) -> Result<Zone, ScheduleError>,
    ) -> Result<Schedule, ScheduleError> {
        let seed = Seed::of(seed);
        let slots = compile::compile(definition, seed, zone)?;
        let jitter = Jitter::of(definition.jitter, seed)?;
        let schedule = Schedule {
            inner: Arc::new(Inner {
                expression: definition.expressions.text(),
                slots,
                jitter,
            }),
        };
        schedule.check_jitter(definition)?;
        Ok(schedule)
    }

    /// Refuses a jitter longer than the shortest time between two slots. Checks a limited number of them, to stay cheap.
    fn check_jitter(&self, definition: &Definition) -> Result<(), ScheduleError> {
        if self.inner.jitter.is_zero() || self.inner.jitter.fits(0, 1).is_ok() {
            return Ok(());
        }
        let slots = &self.inner.slots;
        let query = slots.query();
        query.spend(slots.steps);
        let Some(mut slot) = slots.first(&(definition.start_at.map_or(CHECK_START, floor)..ALL_TIME.end), &query) else {
            return Ok(());
        };
        let mut shortest: Option<(i64, i64)> = None;
        for _ in 0..CHECKED_GAPS {
            let Some(next) = slots.first(&(slot + 1..ALL_TIME.end), &query) else {
                break;
            };
            budget::jitter(&query).map_err(|over| over.error(definition))?;
            if shortest.is_none_or(|(from, to)| next - slot < to - from) {
                shortest = Some((slot, next));
            }
            slot = next;
        }
        shortest.map_or(Ok(()), |(slot, next)| self.inner.jitter.fits(slot, next))
    }

    /// When the run of a slot starts: at the slot, or with jitter some whole seconds later, and always before the next slot.
    pub fn starts_at(&self, slot: Timestamp) -> Timestamp {
        if self.inner.jitter.is_zero() {
            return slot;
        }
        let next = self.next(slot).map(Timestamp::as_second);
        let delay = self.inner.jitter.delay(floor(slot), next);
        slot.saturating_add(SignedDuration::from_secs(delay)).unwrap_or(slot)
    }

    /// The latest instant up to which every slot is due to have started at `now`: `now` itself, or just before the newest slot
    /// while that waits for its jitter.
    pub fn started_by(&self, now: Timestamp) -> Timestamp {
        if self.inner.jitter.is_zero() {
            return now;
        }
        // No older slot can be waiting: each starts before the next slot.
        match self.last(ALL_TIME.start..floor(now) + 1) {
            Some(newest) if self.starts_at(newest) > now => newest.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(now),
            _ => now,
        }
    }

    /// The first slot strictly after `after`; `None` if there is none until the end of 2100.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.first(floor(after) + 1..ALL_TIME.end)
    }

    /// The last slot in `(after, until]`; `None` if there is none.
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        self.last(floor(after) + 1..floor(until) + 1)
    }

    /// The last slot strictly before `before`; `None` if there is none since 1970.
    pub fn previous(&self, before: Timestamp) -> Option<Timestamp> {
        let whole = before.subsec_nanosecond() == 0;
        self.last(ALL_TIME.start..floor(before) + i64::from(!whole))
    }

    /// The number of slots in `(after, until]`. The cost grows with months and changes of the clock in the range, with exclusions
    /// or several expressions with days; never with slots.
    pub fn count(&self, after: Timestamp, until: Timestamp) -> u64 {
        let slots = &self.inner.slots;
        slots.count(&(floor(after) + 1..floor(until) + 1), &slots.query())
    }

    /// The slots strictly after `after`, in order.
    pub fn slots(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + use<'_> {
        std::iter::successors(self.next(after), |slot| self.next(*slot))
    }

    /// The time zone of the schedule.
    pub fn time_zone(&self) -> &TimeZone {
        self.inner.slots.zone.tz()
    }

    /// The expression as written, without blanks around it; several are joined with `; `.
    pub fn expression(&self) -> &str {
        &self.inner.expression
    }

    fn first(&self, range: Range<i64>) -> Option<Timestamp> {
        let slots = &self.inner.slots;
        let slot = slots.first(&range, &slots.query())?;
        Timestamp::from_second(slot).ok()
    }

    fn last(&self, range: Range<i64>) -> Option<Timestamp> {
        let slots = &self.inner.slots;
        let slot = slots.last(&range, &slots.query())?;
        Timestamp::from_second(slot).ok()
    }
}

/// The last whole second at or before an instant, in Unix seconds.
fn floor(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}
