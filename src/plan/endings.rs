//! Attempts that the operator ends: replaced by a newer run, or out of time.
//!
//! Takes entries of `active` with the wish to end, gives deletions. The wish is written down before the Job is deleted, so that
//! whoever finds the Job gone knows why. Pods get their grace period: the Job goes when they are gone. Never says what an end
//! means for the run: that is `runs`.

use super::{Draft, Effect, Reason, claims};

/// Deletes their Jobs, and wakes when those no longer stand in the way.
pub fn end(draft: &mut Draft) {
    let mut patience = Vec::new();
    for run in &draft.ledger.status.active {
        let (Some(ending), Some(uid)) = (&run.ending, &run.uid) else {
            continue;
        };
        patience.extend(claims::gone_by(draft, run).filter(|gone_by| *gone_by > draft.now()));
        let job = draft.observed.jobs.iter().find(|job| job.uid == *uid);
        if let Some(job) = job.filter(|job| job.end.is_none() && job.deleting.is_none()) {
            let reason = [Reason::RunTimeout, Reason::PendingTimeout];
            let reason = reason.into_iter().find(|reason| reason.as_str() == ending.reason);
            draft.jobs.push(Effect::Delete {
                job: run.job.clone(),
                uid: uid.clone(),
                version: job.version.clone(),
                reason: reason.unwrap_or(Reason::Replaced),
            });
        }
    }
    patience.into_iter().for_each(|at| draft.wake_by(at));
}
