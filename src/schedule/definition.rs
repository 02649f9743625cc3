//! What a schedule is made of.
//!
//! Takes what the user wrote, field by field; gives one value from which a [`super::Schedule`] is made. Never reads it.

use jiff::{SignedDuration, Timestamp};

use super::DaylightSaving;

/// Everything that names slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// One expression, or several: an instant that several name is one slot.
    pub expressions: Expressions,
    /// IANA name, in any case.
    pub time_zone: String,
    /// What becomes of fixed times of day when clocks change.
    pub daylight_saving: DaylightSaving,
    /// A run starts up to this long after its slot, and before the next one. Zero: at its slot.
    pub jitter: SignedDuration,
    /// No slot lies before this instant.
    pub start_at: Option<Timestamp>,
    /// No slot lies at or after this instant.
    pub end_at: Option<Timestamp>,
    /// Slots that match any of these are none.
    pub exclude: Vec<Exclusion>,
}

/// The fields `schedule` and `schedules`: exactly one of the two is given. Errors name the field by this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expressions {
    /// `schedule`
    One(String),
    /// `schedules`
    Several(Vec<String>),
}

impl Default for Expressions {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// A blackout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Slots whose wall clock matches this crontab are excluded. With five fields any second of the minute matches.
    Schedule(String),
    /// Slots from `from` on (inclusive) and before `until` (exclusive) are excluded. Each is an RFC 3339 instant
    /// (`2026-12-24T18:00:00Z`), a local time in the schedule's zone (`2026-12-24T18:00:00`), or a date, which is its midnight there.
    Interval {
        /// The first instant that is excluded.
        from: String,
        /// The first instant that no longer is.
        until: String,
    },
}
