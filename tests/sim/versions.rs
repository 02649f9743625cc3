//! Fields of the status that an older CRD or an older operator does not know.
//!
//! A status goes in, the same status without these fields comes out. A CRD drops them from every write; an operator that reads the
//! status into a struct drops them when it reads, and again when it writes. Never changes a field that both versions know.

use punctual::api::ScheduledTaskStatus;
use std::fmt;

/// Fields that may be dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped(u8);

impl Dropped {
    pub const NOTHING: Self = Self(0);
    pub const JITTER: Self = Self(1);
    pub const RETRY_AT: Self = Self(2);
    pub const SUSPENSION: Self = Self(4);
    pub const ACCEPTED_GENERATION: Self = Self(8);
    pub const EXIT_CODES: Self = Self(16);
    /// No version is without this one: a mutant is.
    pub const HANDLED_REQUESTS: Self = Self(32);
    /// What an older CRD may lack.
    pub const ALL: [Self; 5] = [
        Self::JITTER,
        Self::RETRY_AT,
        Self::SUSPENSION,
        Self::ACCEPTED_GENERATION,
        Self::EXIT_CODES,
    ];

    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn is_nothing(self) -> bool {
        self == Self::NOTHING
    }

    /// What is left of a status.
    pub fn strip(self, status: &mut ScheduledTaskStatus) {
        if self.contains(Self::JITTER)
            && let Some(schedule) = &mut status.observed_schedule
        {
            schedule.jitter = None;
        }
        if self.contains(Self::RETRY_AT) {
            status.active.iter_mut().for_each(|run| run.retry_at = None);
        }
        if self.contains(Self::SUSPENSION) {
            status.suspension = None;
        }
        if self.contains(Self::ACCEPTED_GENERATION) {
            status.accepted_generation = None;
        }
        if self.contains(Self::EXIT_CODES) {
            status.active.iter_mut().for_each(|run| run.exit_codes.clear());
            status.recent_runs.iter_mut().for_each(|run| run.exit_codes.clear());
        }
        if self.contains(Self::HANDLED_REQUESTS) {
            (status.last_handled_run_now, status.last_handled_backfill) = (None, None);
        }
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::JITTER, "observedSchedule.jitter"),
            (Self::RETRY_AT, "active[].retryAt"),
            (Self::SUSPENSION, "suspension"),
            (Self::ACCEPTED_GENERATION, "acceptedGeneration"),
            (Self::EXIT_CODES, "exitCodes"),
            (Self::HANDLED_REQUESTS, "lastHandled…"),
        ];
        let names: Vec<&str> = names
            .iter()
            .filter(|(field, _)| self.contains(*field))
            .map(|(_, name)| *name)
            .collect();
        write!(f, "{}", names.join(", "))
    }
}
