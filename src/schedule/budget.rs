//! How much a schedule may cost: limits in steps, and what is said of one that is beyond them.
//!
//! Takes what reading a schedule has found; gives the error that names what makes it costly. Steps are counted, never timed
//! ([`super::walk`]), so that a schedule is refused everywhere or nowhere. The limits are such that reading takes at most some
//! 5 ms, and each question later some microseconds, on a slow machine. Why reading is enough to know what questions will cost:
//!
//! - `first` and `last` look at the ends of at most two parts of the task's life between excluded intervals, for each part that is
//!   kept holds a slot ([`super::union`]);
//! - crontabs go from there straight to the next day that holds a slot, over at most 1,572 months, and in it over at most
//!   [`SEARCH`] steps that find nothing: no kind of day has more of them in a row;
//! - `@every` has been followed from 1970 to 2100 if exclusions may take many of its slots in a row: no stretch of such costs
//!   more than [`SPARSE`], and to look at the minutes of a day no more than [`MINUTES`];
//! - `count` adds up months, days and kinds of days; where `@every` makes kinds of its own there are no more than [`COUNT`] allows.

use super::definition::{Definition, Expressions};
use super::error::ScheduleError;
use super::walk::Walk;

/// As the CRD allows.
pub(super) const SCHEDULES: usize = 10;
pub(super) const EXCLUSIONS: usize = 32;
/// More kinds of days are not kept.
const KINDS: usize = 512;
/// Steps that reading a schedule may take.
const READING: u64 = 1_800_000;
/// Steps in a row that find nothing, in a day that holds a slot.
const SEARCH: u64 = 2_500;
/// Steps in a row that find no slot of an `@every`, all of them together.
const SPARSE: u64 = 10_000;
/// Steps that it takes to look at the minutes of a day for what exclusions leave.
const MINUTES: u64 = 10_000;
/// Steps that a count over [`YEARS`] may take.
const COUNT: u64 = 6_000_000;
/// As many as lie between 1970 and any time at which this is likely to run.
pub(super) const YEARS: i64 = 60;

/// What is beyond its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Kinds,
    Reading,
    /// The first of the crontabs that name slots on such a day.
    Search(u32),
    /// The period of the `@every`.
    Sparse(i64),
    Count,
    Gaps,
}

pub(super) fn kinds(kinds: usize) -> Result<(), Excess> {
    within(kinds <= KINDS, Excess::Kinds)
}

pub(super) fn reading(walk: &Walk) -> Result<(), Excess> {
    within(walk.steps() <= READING, Excess::Reading)
}

pub(super) fn gaps(walk: &Walk) -> Result<(), Excess> {
    within(walk.steps() <= READING, Excess::Gaps)
}

pub(super) fn search(steps: u64, crontab: u32) -> Result<(), Excess> {
    within(steps <= SEARCH, Excess::Search(crontab))
}

pub(super) fn sparse(steps: u64, period: i64) -> Result<(), Excess> {
    within(steps <= SPARSE, Excess::Sparse(period))
}

pub(super) fn minutes(steps: u64, period: i64) -> Result<(), Excess> {
    within(steps <= MINUTES, Excess::Sparse(period))
}

pub(super) fn count(steps: u64) -> Result<(), Excess> {
    within(steps <= COUNT, Excess::Count)
}

fn within(fits: bool, excess: Excess) -> Result<(), Excess> {
    if fits { Ok(()) } else { Err(excess) }
}

impl Excess {
    /// The error for the user who wrote the definition.
    pub(super) fn of(self, definition: &Definition) -> ScheduleError {
        let (whole, several) = match &definition.expressions {
            Expressions::One(_) => ("schedule", 1),
            Expressions::Several(expressions) => ("schedules", expressions.len()),
        };
        let plural = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let size = format!(
            "{} and {}",
            plural(several, "schedule"),
            plural(definition.exclude.len(), "exclusion")
        );
        let less = "use fewer or simpler exclusions, or several tasks";
        let (field, reason, way_out) = match self {
            Excess::Kinds => (whole, format!("{size} make more than {KINDS} different kinds of days"), less),
            Excess::Reading => (whole, format!("{size} take too long to work out"), less),
            Excess::Search(n) => {
                let culprit = crontab(&definition.expressions, n);
                let reason = format!("on some days exclude leaves next to nothing of {culprit} ({size})");
                (
                    whole,
                    reason,
                    "exclude whole minutes or hours rather than seconds, or write the times that are left",
                )
            }
            Excess::Sparse(period) => {
                let reason = format!("what exclude leaves of @every {period}s takes too long to find ({size})");
                (whole, reason, "take it out, or exclude less")
            }
            Excess::Count => {
                let reason =
                    "@every with periods that do not divide a day makes each day different, and slots could not be counted over years";
                (
                    whole,
                    reason.to_owned(),
                    "write periods that divide a day, such as 5m or 90s, or several tasks",
                )
            }
            Excess::Gaps => {
                let reason = format!("the shortest time between two slots takes too long to find, to which jitter is held ({size})");
                ("jitter", reason, "leave jitter out, or exclude less")
            }
        };
        ScheduleError::TooComplex {
            field: field.to_owned(),
            reason,
            way_out: way_out.to_owned(),
        }
    }
}

/// More than the CRD allows.
///
/// # Errors
/// Names the list, and how long it may be.
pub(super) fn size(definition: &Definition) -> Result<(), ScheduleError> {
    let schedules = match &definition.expressions {
        Expressions::One(_) => 1,
        Expressions::Several(expressions) => expressions.len(),
    };
    for (field, number, most) in [
        ("schedules", schedules, SCHEDULES),
        ("exclude", definition.exclude.len(), EXCLUSIONS),
    ] {
        if number > most {
            return Err(ScheduleError::TooComplex {
                field: field.to_owned(),
                reason: format!("it has {number} entries"),
                way_out: format!("write at most {most}, or several tasks"),
            });
        }
    }
    Ok(())
}

/// The field of the n-th crontab, not counting `@every`, and its text.
fn crontab(expressions: &Expressions, n: u32) -> String {
    let Expressions::Several(expressions) = expressions else {
        return "schedule".to_owned();
    };
    let crontabs = (0..).zip(expressions).filter(|(_, text)| !text.trim_start().starts_with("@every"));
    let found = crontabs
        .map(|(place, _): (usize, _)| place)
        .nth(usize::try_from(n).unwrap_or_default());
    found.map_or_else(|| "schedules".to_owned(), |place| format!("schedules[{place}]"))
}
