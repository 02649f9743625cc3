//! Which finished Jobs are forgotten: those above the two history limits, oldest first.
//!
//! Takes Jobs whose end is written in the status that the API server holds, gives deletions. Never touches one whose end
//! is not written down yet, so that nothing is forgotten before it is counted.

use super::{Because, Draft, Effect, Job};
use std::cmp::Reverse;

/// Deletes finished Jobs above the limits.
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
        let above = finished.into_iter().skip(usize::try_from(limit).unwrap_or(0));
        let deletions = above.map(|job| Effect::Delete {
            job: job.name.clone(),
            uid: job.uid.clone(),
            because: Because::HistoryLimit,
        });
        draft.forget.extend(deletions);
    }
}

fn is_forgettable(draft: &Draft, job: &Job, succeeded: bool) -> bool {
    let written = &draft.observed.task.status;
    let counted = !written.active.iter().any(|run| run.job == job.name)
        && job
            .slot
            .zip(written.accounted_until.as_ref())
            .is_some_and(|(slot, until)| slot <= until.0);
    !job.deleting && counted && job.end.as_ref().is_some_and(|end| end.succeeded == succeeded)
}
