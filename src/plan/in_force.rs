//! Which schedule the slots of a ledger stand under.

use super::observed::Task;
use super::schedule_of::schedule_of;
use crate::api::ObservedSchedule;
use crate::api::ScheduledTaskStatus;
use crate::schedule::Schedule;
use std::borrow::Cow;

/// The schedule under which the slots since `accountedUntil` stand: the spec's, or the one before it until an edit is accounted for.
#[must_use]
pub fn in_force<'a>(task: &'a Task, status: &ScheduledTaskStatus) -> Option<Cow<'a, Schedule>> {
    let spec = task.spec.as_ref().ok()?;
    let written = spec.fields.observed_schedule();
    // As it was read: while an edit is accounted for, the status already names its generation.
    let is_same_generation = task.status.observed_generation == Some(task.generation);
    match &status.observed_schedule {
        Some(known) if *known != written && !is_pruned(known, &written, is_same_generation) => {
            schedule_of(known, &task.key()).ok().map(Cow::Owned)
        }
        _ => spec.schedule.as_ref().ok().map(Cow::Borrowed),
    }
}

/// Whether the schedule in the status is that of the spec without the fields that an older CRD does not know. An edit changes the
/// generation, too.
#[must_use]
pub fn is_pruned(known: &ObservedSchedule, written: &ObservedSchedule, is_same_generation: bool) -> bool {
    let fields = |schedule| serde_json::to_value(schedule).unwrap_or_default();
    let (known, written) = (fields(known), fields(written));
    let (Some(known), Some(written)) = (known.as_object(), written.as_object()) else {
        return false;
    };
    is_same_generation && known.iter().all(|(name, value)| written.get(name) == Some(value))
}
