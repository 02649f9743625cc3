//! Which schedule the slots of a ledger stand under.

use super::observed::Task;
use super::schedule_of::schedule_of;
use crate::api::ScheduledTaskStatus;
use crate::schedule::Schedule;
use std::borrow::Cow;

/// The schedule under which the slots since `accountedUntil` stand: the spec's, or the one before it until an edit is accounted for.
#[must_use]
pub fn in_force<'a>(task: &'a Task, status: &ScheduledTaskStatus) -> Option<Cow<'a, Schedule>> {
    let spec = task.spec.as_ref().ok()?;
    match &status.observed_schedule {
        Some(known) if *known != spec.fields.observed_schedule() => schedule_of(known, &task.key()).ok().map(Cow::Owned),
        _ => spec.schedule.as_ref().ok().map(Cow::Borrowed),
    }
}
