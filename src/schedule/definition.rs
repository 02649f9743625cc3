//! The fields of a spec that define a schedule, as the user wrote them.
//!
//! [`super::Schedule::new`] parses and checks them; nothing is interpreted here.

use jiff::{SignedDuration, Timestamp};

use super::DaylightSaving;

/// Everything that determines the slots of a task and when their runs start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// One expression or several. An instant that several of them match is one slot.
    pub expressions: Expressions,
    /// An IANA time zone name, in any case.
    pub time_zone: String,
    /// What happens to fixed times of day when clocks change.
    pub daylight_saving: DaylightSaving,
    /// Each run starts up to this long after its slot, and before the next slot. Whole seconds; zero means at the slot.
    pub jitter: SignedDuration,
    /// There are no slots before this instant.
    pub start_at: Option<Timestamp>,
    /// There are no slots at or after this instant.
    pub end_at: Option<Timestamp>,
    /// Slots that match any of these are excluded.
    pub exclude: Vec<Exclusion>,
}

/// The fields `schedule` and `schedules`, of which a task has exactly one. Errors name the field accordingly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expressions {
    /// The field `schedule`.
    One(String),
    /// The field `schedules`.
    Several(Vec<String>),
}

impl Default for Expressions {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// A blackout: an entry of `exclude`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Excludes slots whose wall-clock time matches this crontab. With five fields any second of the minute matches.
    Schedule(String),
    /// Excludes slots in an interval. Each end is an RFC 3339 timestamp (`2026-12-24T18:00:00Z`), a local time in the schedule's
    /// zone (`2026-12-24T18:00:00`), or a date, which means its midnight there.
    Interval {
        /// Start, inclusive.
        from: String,
        /// End, exclusive.
        until: String,
    },
}

impl Expressions {
    /// The name of the field.
    pub(super) fn field(&self) -> &'static str {
        match self {
            Expressions::One(_) => "schedule",
            Expressions::Several(_) => "schedules",
        }
    }

    /// All expressions, in order.
    pub(super) fn all(&self) -> &[String] {
        match self {
            Expressions::One(expression) => std::slice::from_ref(expression),
            Expressions::Several(expressions) => expressions,
        }
    }

    /// The expressions as written, without blanks around them, joined with `; `.
    pub(super) fn text(&self) -> String {
        let trimmed: Vec<&str> = self.all().iter().map(|expression| expression.trim()).collect();
        trimmed.join("; ")
    }
}
