//! Why a schedule was refused.
//!
//! Takes what the parsers of this folder found wrong; gives one message that names the field, the value and the way out.
//! Never holds more than a short excerpt of what the user wrote in its message, and never a cause that only a developer
//! would understand.

use std::fmt;

use thiserror::Error;

/// The longest excerpt of user text in a message, in characters.
const EXCERPT: usize = 100;

/// Why a schedule was refused. `Display` is written for the user who wrote it: the field, the value, the reason, the way out.
///
/// `field` is the path of the field: `schedule`, `schedules[1]`, `exclude[0].from`, `endAt`, `jitter`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ScheduleError {
    /// The expression is not one of the dialect.
    #[error("{field} {}: {reason}{}", Excerpt(.value), WayOut(.way_out))]
    Expression {
        /// Where it stands.
        field: String,
        /// The whole expression, as written.
        value: String,
        /// The field of the crontab that is wrong.
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

    /// Another field is wrong: an end of the task's life, of an excluded interval, the jitter.
    #[error("{field} {}: {reason}{}", Excerpt(.value), WayOut(.way_out))]
    Setting {
        /// Where it stands.
        field: String,
        /// The value, as written or as understood.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        way_out: String,
    },

    /// `schedules` is there, but empty.
    #[error("schedules is empty; write at least one expression, or schedule")]
    Empty,

    /// All is of the dialect, but no instant is named: no day of any year matches (`0 0 31 2 *`), the task's life is over
    /// before the first slot, or everything is excluded. CronJob takes such a schedule and never runs it.
    #[error("{field} {}: never runs, because {reason}{}", Excerpt(.expression), WayOut(.way_out))]
    Never {
        /// Where the expression stands.
        field: String,
        /// The whole expression, as written; several with `; ` between them.
        expression: String,
        /// Which of these it is.
        reason: String,
        /// What to mend.
        way_out: String,
    },

    /// All is well-formed, but to work with it would cost too much: see `docs/limits.md`.
    #[error("{field}: too complex, because {reason}{}", WayOut(.way_out))]
    TooComplex {
        /// Which field to make simpler.
        field: String,
        /// What makes it costly.
        reason: String,
        /// What to write instead.
        way_out: String,
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

    /// The error for the user who wrote `value` in `field`.
    pub(super) fn of(self, field: &str, value: &str) -> ScheduleError {
        ScheduleError::Expression {
            field: field.to_owned(),
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
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
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
