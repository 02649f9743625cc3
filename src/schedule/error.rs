//! Why a schedule was refused.
//!
//! Each error prints as one message for the person who wrote the task: the field, the value, what is wrong, what to write
//! instead. Messages quote only a short excerpt of user text.

use std::fmt;

use thiserror::Error;

/// The longest excerpt of user text in a message, in characters.
const EXCERPT: usize = 100;

/// Why a schedule was refused. [`Display`](fmt::Display) is written for the person who wrote it.
///
/// `field` is the path of the field below `spec`: `schedule`, `schedules[1]`, `exclude[0].from`, `endAt`, `jitter`.
/// `suggestion` is empty where the reason says it all.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ScheduleError {
    /// The expression does not follow the grammar.
    #[error("{field} {}: {reason}{}", Excerpt(.value), Suggestion(.suggestion))]
    Expression {
        /// The field with the expression.
        field: String,
        /// The whole expression, as written.
        value: String,
        /// What is wrong with it, with the part and its value.
        reason: String,
        /// What to write instead.
        suggestion: String,
    },

    /// The zone is not a name of the IANA time zone database.
    #[error("{reason}{}", Suggestion(.suggestion))]
    TimeZone {
        /// The name, as written.
        value: String,
        /// What is wrong with it, with an excerpt of the name.
        reason: String,
        /// What to write instead, with similar names if there are any.
        suggestion: String,
    },

    /// Another field is wrong: `endAt`, an end of an excluded interval, `jitter`.
    #[error("{field} {}: {reason}{}", Excerpt(.value), Suggestion(.suggestion))]
    Setting {
        /// The field.
        field: String,
        /// The value, as written or as parsed.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        suggestion: String,
    },

    /// `schedules` is an empty list.
    #[error("schedules is empty: use at least one expression, or schedule")]
    Empty,

    /// All fields are valid, but there is no slot: no date matches (`0 0 31 2 *`), `startAt` and `endAt` leave none, or all are
    /// excluded. CronJob accepts such a schedule and never runs it.
    #[error("{field} {}: {reason}{}", Excerpt(.expression), Suggestion(.suggestion))]
    Never {
        /// The field with the expression.
        field: String,
        /// The whole expression, as written; several are joined with `; `.
        expression: String,
        /// Why there is no slot.
        reason: String,
        /// What to fix.
        suggestion: String,
    },

    /// All fields are valid, but evaluating them would cost too much: see `docs/limits.md`.
    #[error("{field}: too complex: {reason}{}", Suggestion(.suggestion))]
    TooComplex {
        /// The field to simplify.
        field: String,
        /// What makes it expensive.
        reason: String,
        /// What to write instead.
        suggestion: String,
    },
}

/// A parse error in an expression, before the field that holds the expression is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: String,
    pub(super) suggestion: String,
}

impl Fault {
    pub(super) fn new(reason: impl Into<String>, suggestion: impl Into<String>) -> Fault {
        Fault {
            reason: reason.into(),
            suggestion: suggestion.into(),
        }
    }

    /// The error for the expression `value` in `field`.
    pub(super) fn at(self, field: &str, value: &str) -> ScheduleError {
        ScheduleError::Expression {
            field: field.to_owned(),
            value: value.to_owned(),
            reason: self.reason,
            suggestion: self.suggestion,
        }
    }
}

/// Prints user text in quotes, escaped, and cut off after [`EXCERPT`] characters.
pub(super) struct Excerpt<'a>(pub(super) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(EXCERPT) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
        }
    }
}

struct Suggestion<'a>(&'a str);

impl fmt::Display for Suggestion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            text => write!(f, ": {text}"),
        }
    }
}
