//! How much a schedule may cost: limits in steps, and the errors for schedules beyond them.
//!
//! Steps are counted ([`super::query`]), never timed, so a schedule is accepted or refused the same on every machine. The limits
//! keep compiling below about 5 ms and each later question in the range of microseconds. Checking them when the schedule is
//! compiled is enough, because:
//!
//! - `first` and `last` look at the ends of at most two parts of the task's life between excluded intervals, as each part that
//!   is kept has a slot ([`super::slot_set`]);
//! - crontabs go from there straight to the next day with a slot, over at most 1,572 months, and within that day over at most
//!   [`SEARCH`] steps without a slot;
//! - `@every` was followed from 1970 to 2100 if exclusions may remove many of its slots in a row: no such run costs more than
//!   [`SPARSE`], and evaluating the minutes of a day no more than [`MINUTES`];
//! - `count` adds up months, days and kinds of days; where `@every` makes further kinds, there are no more than [`COUNT`] allows.

use super::definition::{Definition, Expressions};
use super::error::ScheduleError;
use super::query::Query;

/// Most entries of `schedules` and of `exclude`, as in the CRD.
const SCHEDULES: usize = 10;
const EXCLUSIONS: usize = 32;
/// Most kinds of days.
const KINDS: usize = 512;
/// Steps to compile a schedule, including the search for the shortest time between slots if it has jitter.
const COMPILE: u64 = 1_000_000;
/// Steps in a row without a slot, within a day that has one.
const SEARCH: u64 = 2_500;
/// Steps in a row without a slot of an `@every`, summed over all of them.
const SPARSE: u64 = 10_000;
/// Steps to evaluate which seconds of a day exclusions leave to an `@every`.
const MINUTES: u64 = 10_000;
/// Steps to count the slots of [`YEARS`].
const COUNT: u64 = 6_000_000;
/// Years that a count covers: more than from 1970 to any time at which this is likely to run.
pub(super) const YEARS: i64 = 60;

/// The limit that a schedule exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OverBudget {
    Kinds,
    Compile,
    /// The index of the first crontab with slots on such a day, not counting `@every`.
    Search(u32),
    /// The period of the `@every`, in seconds.
    Sparse(i64),
    Count,
    Jitter,
}

pub(super) fn kinds(kinds: usize) -> Result<(), OverBudget> {
    within(kinds <= KINDS, OverBudget::Kinds)
}

pub(super) fn compile(query: &Query) -> Result<(), OverBudget> {
    within(query.steps() <= COMPILE, OverBudget::Compile)
}

pub(super) fn jitter(query: &Query) -> Result<(), OverBudget> {
    within(query.steps() <= COMPILE, OverBudget::Jitter)
}

pub(super) fn search(steps: u64, crontab: u32) -> Result<(), OverBudget> {
    within(steps <= SEARCH, OverBudget::Search(crontab))
}

pub(super) fn sparse(steps: u64, period: i64) -> Result<(), OverBudget> {
    within(steps <= SPARSE, OverBudget::Sparse(period))
}

pub(super) fn minutes(steps: u64, period: i64) -> Result<(), OverBudget> {
    within(steps <= MINUTES, OverBudget::Sparse(period))
}

pub(super) fn count(steps: u64) -> Result<(), OverBudget> {
    within(steps <= COUNT, OverBudget::Count)
}

fn within(fits: bool, over: OverBudget) -> Result<(), OverBudget> {
    if fits { Ok(()) } else { Err(over) }
}

impl OverBudget {
    /// The error for the person who wrote the definition.
    pub(super) fn error(self, definition: &Definition) -> ScheduleError {
        let expressions = &definition.expressions;
        let number = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let schedules = number(expressions.all().len(), "schedule");
        let size = format!("{schedules} and {}", number(definition.exclude.len(), "exclusion"));
        let simpler = "use fewer or simpler exclusions, or several tasks";
        let (reason, suggestion) = match self {
            OverBudget::Kinds => (format!("{size} make more than {KINDS} different kinds of days"), simpler),
            OverBudget::Compile => (format!("{size} take too long to evaluate"), simpler),
            OverBudget::Search(n) => (
                format!("on some days exclude leaves almost nothing of {} ({size})", crontab(expressions, n)),
                "exclude whole minutes or hours rather than seconds, or schedule the remaining times directly",
            ),
            OverBudget::Sparse(period) => (
                format!("the slots of @every {period}s that exclude leaves take too long to find ({size})"),
                "remove that schedule, or exclude less",
            ),
            OverBudget::Count => (
                "@every with a period that does not divide a day makes every day different, so slots take too long to count".to_owned(),
                "use periods that divide a day, for example 5m or 90s, or several tasks",
            ),
            OverBudget::Jitter => (
                format!("the shortest time between two slots takes too long to find ({size})"),
                "omit jitter, or exclude less",
            ),
        };
        let field = if self == OverBudget::Jitter {
            "jitter"
        } else {
            expressions.field()
        };
        too_complex(field, reason, suggestion.to_owned())
    }
}

/// Checks the number of entries.
///
/// # Errors
/// More of them than the CRD allows.
pub(super) fn size(definition: &Definition) -> Result<(), ScheduleError> {
    for (field, number, most) in [
        ("schedules", definition.expressions.all().len(), SCHEDULES),
        ("exclude", definition.exclude.len(), EXCLUSIONS),
    ] {
        if number > most {
            return Err(too_complex(
                field,
                format!("{number} entries"),
                format!("use at most {most}, or several tasks"),
            ));
        }
    }
    Ok(())
}

fn too_complex(field: &str, reason: String, suggestion: String) -> ScheduleError {
    ScheduleError::TooComplex {
        field: field.to_owned(),
        reason,
        suggestion,
    }
}

/// The path of the n-th crontab, not counting `@every`.
fn crontab(expressions: &Expressions, n: u32) -> String {
    let Expressions::Several(expressions) = expressions else {
        return "schedule".to_owned();
    };
    let mut crontabs = (0..).zip(expressions).filter(|(_, text)| !text.trim_start().starts_with("@every"));
    let found: Option<(usize, _)> = crontabs.nth(usize::try_from(n).unwrap_or_default());
    found.map_or_else(|| "schedules".to_owned(), |(index, _)| format!("schedules[{index}]"))
}
