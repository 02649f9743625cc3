//! Why a schedule was refused.
//!
//! Takes what the parsers of this folder found wrong; gives one message that names the field, the value and the way out.
//! Never holds more than a short excerpt of what the user wrote in its message, and never a cause that only a developer
//! would understand.

use std::fmt;

use thiserror::Error;

/// The longest excerpt of user text in a message, in characters.
const EXCERPT: usize = 100;

/// Why [`super::Schedule::parse`] refused its input. `Display` is written for the user who wrote the schedule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ScheduleError {
    /// The expression is not one of the dialect.
    #[error("schedule {}: {reason}{}", Excerpt(.value), WayOut(.way_out))]
    Expression {
        /// The whole expression, as written.
        value: String,
        /// The field that is wrong.
        part: Part,
        /// What is wrong with it, naming the field and the value.
        reason: String,
        /// What to write instead; empty where the reason says it all.
        way_out: String,
    },

    /// The zone is not a name of the IANA time zone database.
    #[error("time zone {}: {reason}{}", Excerpt(.value), WayOut(.way_out))]
    TimeZone {
        /// The name, as written.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead, with near names if there are any.
        way_out: String,
    },

    /// The expression is of the dialect, but no day of any year matches it (`0 0 31 2 *`). CronJob takes such a schedule
    /// at admission and never runs it.
    #[error(
        "schedule {}: never runs, because no month it names has a day it names; mend day of month or month",
        Excerpt(.expression)
    )]
    Never {
        /// The whole expression, as written.
        expression: String,
    },
}

/// The part of an expression that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The expression as a whole: number of fields, prefixes, unknown `@` words.
    Whole,
    /// The optional first field of six.
    Second,
    /// Minute.
    Minute,
    /// Hour.
    Hour,
    /// Day of month.
    DayOfMonth,
    /// Month.
    Month,
    /// Day of week.
    DayOfWeek,
    /// The duration of `@every`.
    Every,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Whole => "expression",
            Part::Second => "second",
            Part::Minute => "minute",
            Part::Hour => "hour",
            Part::DayOfMonth => "day of month",
            Part::Month => "month",
            Part::DayOfWeek => "day of week",
            Part::Every => "@every",
        })
    }
}

/// What a parser found wrong, before the whole expression is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) part: Part,
    pub(super) reason: String,
    pub(super) way_out: String,
}

impl Fault {
    pub(super) fn new(part: Part, reason: impl Into<String>, way_out: impl Into<String>) -> Fault {
        Fault {
            part,
            reason: reason.into(),
            way_out: way_out.into(),
        }
    }

    /// The error for the user who wrote `value`.
    pub(super) fn of(self, value: &str) -> ScheduleError {
        ScheduleError::Expression {
            value: value.to_owned(),
            part: self.part,
            reason: self.reason,
            way_out: self.way_out,
        }
    }
}

/// Shows user text in quotes, escaped, and cut where it is longer than [`EXCERPT`].
pub(super) struct Excerpt<'a>(pub(super) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(EXCERPT) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}

struct WayOut<'a>(&'a str);

impl fmt::Display for WayOut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            text => write!(f, "; {text}"),
        }
    }
}
