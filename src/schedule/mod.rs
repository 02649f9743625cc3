//! When: the slots of a schedule.
//!
//! Takes an expression, a zone and a daylight saving policy; gives the slots before, after and between instants. Pure and
//! synchronous: instants are arguments, the zone data is compiled in, so the answer is the same on every machine and after
//! every restart. Never reads a clock, a file or the environment, and knows nothing of Kubernetes.
//!
//! ```text
//! expression ─► field      what the user wrote, as sets of values
//!            └► every      @every: no wall clock at all
//! zone ─► daylight ─► wall stretches of constant offset, what counts in them, slots
//!                     ├► crontab   next and previous, by the cron crate
//!                     └► count     how many, by arithmetic
//! ```

mod count;
mod crontab;
mod daylight;
mod definition;
mod error;
mod every;
mod expression;
mod field;
mod interval;
mod wall;
mod zone;

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use daylight::{DaylightSaving, Gap, Overlap};
pub use definition::{Definition, Exclusion, Expressions};
pub use error::{Part, ScheduleError};
pub use interval::interval;

use every::Every;
use expression::Expression;
use wall::Wall;
use zone::Zone;

/// The slots that an expression names in a zone. Cloning shares.
///
/// A slot is every instant, on a whole second, whose wall-clock fields match; [`DaylightSaving`] says what becomes of
/// fixed times that the clock skips or shows twice. Crontab slots lie in the years 1970 to 2100 of the wall clock (the
/// `cron` crate knows no others); those of `@every` have no such bound.
#[derive(Clone, Debug)]
pub struct Schedule {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    expression: String,
    zone: Zone,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    Every(Every),
    Wall(Wall),
}

impl Schedule {
    /// Reads an expression: five fields as CronJob's (robfig/cron v3.0.1), an optional leading field of seconds, 7 for
    /// Sunday, `@hourly` to `@yearly`, `@every <Go duration>`. `time_zone` is an IANA name, in any case.
    ///
    /// # Errors
    /// [`ScheduleError::Expression`], [`ScheduleError::TimeZone`], in this order; [`ScheduleError::Never`] if both are
    /// well-formed, but no day of any year matches.
    pub fn parse(expression: &str, time_zone: &str, daylight_saving: DaylightSaving) -> Result<Schedule, ScheduleError> {
        let parsed = Schedule::read(expression)?;
        let zone = Zone::named(time_zone)?;
        Schedule::of(expression, parsed, zone, daylight_saving)
    }

    /// The schedule of a definition. `seed` is what `H` and jitter are hashed from: `namespace/name` of the task.
    ///
    /// # Errors
    /// As [`Schedule::parse`], for each field of the definition.
    pub fn new(definition: &Definition, seed: &str) -> Result<Schedule, ScheduleError> {
        let _ = seed;
        let expression = match &definition.expressions {
            Expressions::One(expression) => expression.as_str(),
            Expressions::Several(expressions) => expressions.first().map_or("", String::as_str),
        };
        Schedule::parse(expression, &definition.time_zone, definition.daylight_saving.clone())
    }

    /// When the run of a slot starts: the slot and its jitter, a whole second before the next slot.
    pub fn starts_at(&self, slot: Timestamp) -> Timestamp {
        slot
    }

    /// The latest instant up to which every slot's run has started, or should have, at `now`: `now` itself, or just before the
    /// newest slot if that still waits for its jitter.
    pub fn started_by(&self, now: Timestamp) -> Timestamp {
        now
    }

    /// The same in a zone given as such, for those whose zone data is not the bundled one.
    ///
    /// # Errors
    /// As [`Schedule::parse`], but for the zone.
    pub fn in_time_zone(expression: &str, time_zone: TimeZone, daylight_saving: DaylightSaving) -> Result<Schedule, ScheduleError> {
        let parsed = Schedule::read(expression)?;
        Schedule::of(expression, parsed, Zone::given(time_zone), daylight_saving)
    }

    fn read(expression: &str) -> Result<Expression, ScheduleError> {
        Expression::parse(expression.trim()).map_err(|fault| fault.of(expression))
    }

    fn of(expression: &str, parsed: Expression, zone: Zone, daylight_saving: DaylightSaving) -> Result<Schedule, ScheduleError> {
        let rule = match parsed {
            Expression::Every(every) => Rule::Every(every),
            Expression::Crontab(crontab) => {
                let wall = Wall::of(crontab, daylight_saving).filter(Wall::ever);
                Rule::Wall(wall.ok_or_else(|| ScheduleError::Never {
                    expression: expression.to_owned(),
                })?)
            }
        };
        Ok(Schedule {
            inner: Arc::new(Inner {
                expression: expression.trim().to_owned(),
                zone,
                rule,
            }),
        })
    }

    /// The first slot strictly after `after`; `None` if there is none until the end of 2100.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.first(floor(after) + 1..END)
    }

    /// The last slot in `(after, until]`, exactly; `None` if there is none.
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        self.last(floor(after) + 1..floor(until) + 1)
    }

    /// The last slot strictly before `before`; `None` if there is none since 1970.
    pub fn previous(&self, before: Timestamp) -> Option<Timestamp> {
        let whole = before.subsec_nanosecond() == 0;
        self.last(START..floor(before) + i64::from(!whole))
    }

    /// The number of slots in `(after, until]`. Costs time in proportion to months and changes of the clock, not to slots.
    pub fn count(&self, after: Timestamp, until: Timestamp) -> u64 {
        let range = floor(after) + 1..floor(until) + 1;
        if range.is_empty() {
            return 0;
        }
        match &self.inner.rule {
            Rule::Every(every) => every.count(range),
            Rule::Wall(wall) => wall.count(&self.inner.zone, &range),
        }
    }

    /// The slots strictly after `after`, in order.
    pub fn slots(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + use<'_> {
        std::iter::successors(self.next(after), |slot| self.next(*slot))
    }

    /// The zone of the schedule.
    pub fn time_zone(&self) -> &TimeZone {
        self.inner.zone.tz()
    }

    /// The expression as the user wrote it, without blanks around it.
    pub fn expression(&self) -> &str {
        &self.inner.expression
    }

    fn first(&self, range: Range<i64>) -> Option<Timestamp> {
        let slot = match &self.inner.rule {
            Rule::Every(every) => every.first(range),
            Rule::Wall(wall) => wall.first(&self.inner.zone, &range),
        };
        slot.and_then(|slot| Timestamp::from_second(slot).ok())
    }

    fn last(&self, range: Range<i64>) -> Option<Timestamp> {
        let slot = match &self.inner.rule {
            Rule::Every(every) => every.last(range),
            Rule::Wall(wall) => wall.last(&self.inner.zone, &range),
        };
        slot.and_then(|slot| Timestamp::from_second(slot).ok())
    }
}

/// Before and after all timestamps, in Unix seconds.
const START: i64 = i64::MIN / 4;
const END: i64 = i64::MAX / 4;

/// The last whole second at or before an instant, in Unix seconds.
fn floor(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}
