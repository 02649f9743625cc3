//! Which finished Jobs are forgotten: those above the two history limits, oldest first, and those older than `ttlAfterFinished`.
//!
//! Takes Jobs whose end is written in the status that the API server holds, gives deletions. Never touches one whose end
//! is not written down yet, so that nothing is forgotten before it is counted.

use super::{Because, Draft, Effect, Job, Spec};
use crate::api::Trigger;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::time::Duration;

/// Deletes finished Jobs above the limits, and wakes when the next one is too old.
pub fn forget(draft: &mut Draft) {
    let Some(spec) = draft.spec else { return };
    if let Some(refusal) = draft
        .observed
        .clean_up_refusal
        .as_ref()
        .filter(|refusal| refusal.holds(draft.now()))
    {
        draft.wake_by(refusal.retry_at);
        return;
    }
    let limits = [
        (true, spec.fields.successful_jobs_history_limit),
        (false, spec.fields.failed_jobs_history_limit),
    ];
    for (succeeded, limit) in limits {
        let mut finished: Vec<&Job> = draft
            .observed
            .jobs
            .iter()
            .filter(|job| is_forgettable(draft, job, succeeded))
            .collect();
        finished.sort_by_key(|job| Reverse((job.slot, job.attempt)));
        let limit = usize::try_from(limit).unwrap_or(0);
        for (newer, job) in finished.into_iter().enumerate() {
            let because = if newer >= limit {
                Because::HistoryLimit
            } else if expires(spec, job).is_some_and(|at| at <= draft.now()) {
                Because::TtlAfterFinished
            } else {
                expires(spec, job).into_iter().for_each(|at| draft.wake_by(at));
                continue;
            };
            draft.forget.push(Effect::Delete {
                job: job.name.clone(),
                uid: job.uid.clone(),
                version: job.version.clone(),
                because,
            });
        }
    }
}

/// When a finished Job is too old to be kept.
fn expires(spec: &Spec, job: &Job) -> Option<Timestamp> {
    let ended = job.end.as_ref()?.at;
    let template = || {
        let seconds = spec.fields.job_template.0.get("spec")?.get("ttlSecondsAfterFinished")?.as_u64()?;
        Some(Duration::from_secs(seconds))
    };
    let ttl = spec.fields.ttl_after_finished.map(Duration::from).or_else(template)?;
    ended.checked_add(ttl).ok()
}

fn is_forgettable(draft: &Draft, job: &Job, succeeded: bool) -> bool {
    let written = &draft.observed.task.status;
    let accounted = |slot| written.accounted_until.as_ref().is_some_and(|until| slot <= until.0);
    // A manual run is claimed before its Job is made, so one that is not active is counted.
    let booked = job.slot.is_some_and(|slot| job.trigger != Trigger::Schedule || accounted(slot));
    let counted = booked && !written.active.iter().any(|run| run.job == job.name);
    job.deleting.is_none() && counted && job.end.as_ref().is_some_and(|end| end.succeeded == succeeded)
}
