//! Which finished Jobs are forgotten: those above the two history limits, oldest first, and those older than `ttlAfterFinished`.
//!
//! Takes Jobs whose end is written in the status that the API server holds, gives deletions. Never touches one whose end
//! is not written down yet, so that nothing is forgotten before it is counted.

use super::{Draft, Effect, Job, Reason, Spec};
use crate::api::KeptJob;
use jiff::Timestamp;
use std::cmp::Reverse;

/// A history limit beyond this is this one: the ledger names each Job that is kept.
pub const MOST_KEPT: usize = 100;

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
        let mut finished: Vec<&Job> = kept(draft, succeeded);
        finished.sort_by_key(|job| Reverse((job.slot, job.attempt)));
        let limit = usize::try_from(limit).unwrap_or(0).min(MOST_KEPT);
        for (newer, job) in finished.into_iter().enumerate() {
            let reason = if newer >= limit {
                Reason::HistoryLimit
            } else if expires(spec, job).is_some_and(|at| at <= draft.now()) {
                Reason::TtlAfterFinished
            } else {
                expires(spec, job).into_iter().for_each(|at| draft.wake_by(at));
                continue;
            };
            draft.forget.push(Effect::Delete {
                job: job.name.clone(),
                uid: job.uid.clone(),
                version: job.version.clone(),
                reason,
            });
        }
    }
}

/// The finished Jobs that the written ledger names: no other Job is ever pruned, nor does one push others out.
fn kept<'a>(draft: &Draft<'a>, succeeded: bool) -> Vec<&'a Job> {
    let written = &draft.observed.task.status.kept_jobs;
    let kept = written.iter().filter(|kept| kept.succeeded == succeeded);
    let job = |kept: &KeptJob| draft.observed.jobs.iter().find(|job| job.uid == kept.uid && job.name == kept.job);
    kept.filter_map(job).filter(|job| job.deleting.is_none()).collect()
}

/// Finished Jobs that are gone are no longer kept. Said with the next write, never in one of its own.
pub fn drop_gone(draft: &mut Draft) {
    let observed = draft.observed;
    let status = &mut draft.ledger.status;
    status.kept_jobs.retain(|kept| !observed.gone.contains(&kept.uid));
    let Some(spec) = draft.spec else { return };
    for (succeeded, limit) in [
        (true, spec.fields.successful_jobs_history_limit),
        (false, spec.fields.failed_jobs_history_limit),
    ] {
        let limit = usize::try_from(limit).unwrap_or(0).min(MOST_KEPT);
        let all = status.kept_jobs.iter().filter(|kept| kept.succeeded == succeeded).count();
        // Of those beyond the limit, the ones that nobody saw since the operator started were pruned right before.
        let mut surplus = all.saturating_sub(limit);
        status.kept_jobs.retain(|kept| {
            let is_surplus = kept.succeeded == succeeded && surplus > 0;
            surplus -= usize::from(is_surplus);
            !is_surplus || observed.jobs.iter().any(|job| job.uid == kept.uid)
        });
    }
}

/// When a finished Job is too old to be kept.
fn expires(spec: &Spec, job: &Job) -> Option<Timestamp> {
    job.end.as_ref()?.at.checked_add(spec.ttl?).ok()
}
