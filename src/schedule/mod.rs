//! When: the slots of a schedule.
//!
//! Takes a definition; gives the slots before, after and between instants, and when their runs start. Pure and synchronous:
//! instants are arguments, the zone data is compiled in, so the answer is the same on every machine and after every restart.
//! Never reads a clock, a file or the environment, and knows nothing of Kubernetes.
//!
//! ```text
//! definition ─► reading ─► expression ─► field    what the user wrote, as sets of values
//!                       │             ├► hashed   H: values that the seed picks
//!                       │             ├► calendar L, W and #: days that move from month to month
//!                       │             └► every    @every: no wall clock at all
//!                       └► exclude                blackouts
//! zone ─► daylight ─► wall   one expression: stretches of constant offset, what counts in them, slots
//!                     ├► crontab   next and previous, by the cron crate
//!                     └► count     how many, by arithmetic
//! union    several expressions, less exclusions, within a life
//! ├► many      all but a single expression from which crontabs take nothing
//! ├► zoned ─► timetable   kinds of months and days, worked out once ─► month, grid, bits
//! ├► cyclic    @every beside exclusions
//! └► walk, budget   what a question costs, in steps, and how much it may
//! jitter ─► hash       how long after its slot a run starts
//! ```

mod bits;
mod budget;
mod calendar;
#[cfg(test)]
mod cost;
mod count;
mod crontab;
mod cyclic;
mod daylight;
mod definition;
mod error;
mod every;
mod exclude;
mod expression;
mod field;
mod grid;
mod hash;
mod hashed;
mod interval;
mod jitter;
mod many;
mod month;
mod reading;
mod timetable;
mod union;
mod walk;
mod wall;
mod zone;
mod zoned;

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use daylight::{DaylightSaving, Gap, Overlap};
pub use definition::{Definition, Exclusion, Expressions};
pub use error::{Part, ScheduleError};
pub use hash::hash;
pub use interval::interval;

use hash::Seed;
use jitter::Jitter;
use reading::ALWAYS;
use union::Union;
use zone::Zone;

/// So many gaps are looked at to find the shortest, to which jitter is held.
const GAPS: usize = 1_000;

/// Where they begin, unless the task's life says it: 2026-01-01T00:00:00Z.
const GAPS_FROM: i64 = 1_767_225_600;

/// The slots that a definition names. Cloning shares.
///
/// A slot is every instant, on a whole second, whose wall-clock fields match; [`DaylightSaving`] says what becomes of
/// fixed times that the clock skips or shows twice. Crontab slots lie in the years 1970 to 2100 of the wall clock (the
/// `cron` crate knows no others); those of a single `@every` have no such bound. Where several expressions or excluding
/// crontabs come together, the first and the last two days of these years are left out.
#[derive(Clone, Debug)]
pub struct Schedule {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    expression: String,
    slots: Union,
    jitter: Jitter,
}

impl Schedule {
    /// The schedule of one expression and nothing else. `H` is hashed from an empty seed.
    ///
    /// # Errors
    /// As [`Schedule::new`].
    pub fn parse(expression: &str, time_zone: &str, daylight_saving: DaylightSaving) -> Result<Schedule, ScheduleError> {
        let definition = Definition {
            time_zone: time_zone.to_owned(),
            ..alone(expression, daylight_saving)
        };
        Schedule::new(&definition, "")
    }

    /// The same in a zone given as such, for those whose zone data is not the bundled one.
    ///
    /// # Errors
    /// As [`Schedule::new`], but for the zone.
    pub fn in_time_zone(expression: &str, time_zone: TimeZone, daylight_saving: DaylightSaving) -> Result<Schedule, ScheduleError> {
        Schedule::of(&alone(expression, daylight_saving), "", Some(Zone::given(time_zone)))
    }

    /// The schedule of a definition. `seed` is what `H` and jitter are hashed from: `namespace/name` of the task.
    ///
    /// An expression has five fields as CronJob's (robfig/cron v3.0.1), or six with seconds first, or is one of `@hourly` to
    /// `@yearly` or `@every <Go duration>`. 7 is Sunday, too. `H`, `H(0-29)`, `H/15` and `H(0-29)/10` are Jenkins'. `L`, `L-3`, `15W`, `LW` in
    /// day of month and `FRI#2`, `5L` in day of week are days that move from month to month.
    ///
    /// # Errors
    /// The first thing that is wrong: what is not of the dialect, an unknown zone, a wrong exclusion, a life that ends before
    /// it begins; then [`ScheduleError::Never`] if all is well-formed, but no instant is named; then a jitter that is longer
    /// than the way from slot to slot.
    pub fn new(definition: &Definition, seed: &str) -> Result<Schedule, ScheduleError> {
        Schedule::of(definition, seed, None)
    }

    fn of(definition: &Definition, seed: &str, zone: Option<Zone>) -> Result<Schedule, ScheduleError> {
        let seed = Seed::of(seed);
        let slots = reading::read(definition, zone, seed)?;
        let jitter = Jitter::of(definition.jitter, seed)?;
        let schedule = Schedule {
            inner: Arc::new(Inner {
                expression: reading::text(&definition.expressions),
                slots,
                jitter,
            }),
        };
        schedule.hold_jitter(definition)?;
        Ok(schedule)
    }

    /// Refuses a jitter that is longer than the shortest gap. Looks at the first ones only: parsing must be quick.
    fn hold_jitter(&self, definition: &Definition) -> Result<(), ScheduleError> {
        if self.inner.jitter.is_none() || self.inner.jitter.fits(0, 1).is_ok() {
            return Ok(());
        }
        let slots = &self.inner.slots;
        let walk = slots.walk();
        let Some(mut slot) = slots.first(&(definition.start_at.map_or(GAPS_FROM, floor)..ALWAYS.end), &walk) else {
            return Ok(());
        };
        let mut shortest: Option<(i64, i64)> = None;
        for _ in 0..GAPS {
            let Some(next) = slots.first(&(slot + 1..ALWAYS.end), &walk) else {
                break;
            };
            budget::gaps(&walk).map_err(|excess| excess.of(definition))?;
            if shortest.is_none_or(|(from, to)| next - slot < to - from) {
                shortest = Some((slot, next));
            }
            slot = next;
        }
        shortest.map_or(Ok(()), |(slot, next)| self.inner.jitter.fits(slot, next))
    }

    /// When the run of a slot starts: at the slot or some whole seconds later, and before the next slot.
    pub fn starts_at(&self, slot: Timestamp) -> Timestamp {
        if self.inner.jitter.is_none() {
            return slot;
        }
        let next = self.next(slot).map(Timestamp::as_second);
        let offset = self.inner.jitter.after(floor(slot), next);
        slot.saturating_add(SignedDuration::from_secs(offset)).unwrap_or(slot)
    }

    /// The latest instant up to which every slot's run has started, or should have, at `now`: `now` itself, or just before the
    /// newest slot if that still waits for its jitter.
    pub fn started_by(&self, now: Timestamp) -> Timestamp {
        if self.inner.jitter.is_none() {
            return now;
        }
        // No older slot can be waiting: each starts before the next one's instant.
        match self.last(ALWAYS.start..floor(now) + 1) {
            Some(newest) if self.starts_at(newest) > now => newest.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(now),
            _ => now,
        }
    }

    /// The first slot strictly after `after`; `None` if there is none until the end of 2100.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.first(floor(after) + 1..ALWAYS.end)
    }

    /// The last slot in `(after, until]`, exactly; `None` if there is none.
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        self.last(floor(after) + 1..floor(until) + 1)
    }

    /// The last slot strictly before `before`; `None` if there is none since 1970.
    pub fn previous(&self, before: Timestamp) -> Option<Timestamp> {
        let whole = before.subsec_nanosecond() == 0;
        self.last(ALWAYS.start..floor(before) + i64::from(!whole))
    }

    /// The number of slots in `(after, until]`. Costs time in proportion to months and changes of the clock, with exclusions
    /// or several expressions to days; never to slots.
    pub fn count(&self, after: Timestamp, until: Timestamp) -> u64 {
        let slots = &self.inner.slots;
        slots.count(&(floor(after) + 1..floor(until) + 1), &slots.walk())
    }

    /// The slots strictly after `after`, in order.
    pub fn slots(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + use<'_> {
        std::iter::successors(self.next(after), |slot| self.next(*slot))
    }

    /// The zone of the schedule.
    pub fn time_zone(&self) -> &TimeZone {
        self.inner.slots.zone.tz()
    }

    /// The expression as the user wrote it, without blanks around it; several with `; ` between them.
    pub fn expression(&self) -> &str {
        &self.inner.expression
    }

    fn first(&self, range: Range<i64>) -> Option<Timestamp> {
        let slots = &self.inner.slots;
        let slot = slots.first(&range, &slots.walk())?;
        Timestamp::from_second(slot).ok()
    }

    fn last(&self, range: Range<i64>) -> Option<Timestamp> {
        let slots = &self.inner.slots;
        let slot = slots.last(&range, &slots.walk())?;
        Timestamp::from_second(slot).ok()
    }
}

/// A definition of one expression, still without a zone.
fn alone(expression: &str, daylight_saving: DaylightSaving) -> Definition {
    Definition {
        expressions: Expressions::One(expression.to_owned()),
        daylight_saving,
        ..Definition::default()
    }
}

/// The last whole second at or before an instant, in Unix seconds.
fn floor(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}
