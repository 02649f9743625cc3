//! The schedule that a spec, or a ledger, speaks of.

use crate::api::{self, ObservedSchedule};
use crate::schedule::{DaylightSaving, Definition, Exclusion, Expressions, Schedule, ScheduleError};
use jiff::SignedDuration;

/// The schedule that these fields define. `task` is its key (`namespace/name`), from which `H` and jitter are hashed.
///
/// # Errors
/// When an expression, the zone or another field is invalid, or all of them together never match an instant.
pub fn schedule_of(observed: &ObservedSchedule, task: &str) -> Result<Schedule, ScheduleError> {
    let exclusion = |exclusion: &api::Exclusion| match &exclusion.schedule {
        Some(schedule) => Exclusion::Schedule(schedule.clone()),
        None => Exclusion::Interval {
            from: exclusion.from.clone().unwrap_or_default(),
            until: exclusion.until.clone().unwrap_or_default(),
        },
    };
    let jitter = observed.jitter.map_or(SignedDuration::ZERO, |jitter| {
        SignedDuration::try_from(std::time::Duration::from(jitter)).unwrap_or(SignedDuration::MAX)
    });
    let definition = Definition {
        expressions: match &observed.schedule {
            Some(schedule) => Expressions::One(schedule.clone()),
            None => Expressions::Several(observed.schedules.clone()),
        },
        time_zone: observed.time_zone.clone(),
        daylight_saving: DaylightSaving {
            gap: observed.gap,
            overlap: observed.overlap,
        },
        jitter,
        start_at: observed.start_at.as_ref().map(|at| at.0),
        end_at: observed.end_at.as_ref().map(|at| at.0),
        exclude: observed.exclude.iter().map(exclusion).collect(),
    };
    Schedule::new(&definition, task)
}
