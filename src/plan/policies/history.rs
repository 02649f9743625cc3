//! Which finished Jobs are pruned: those above the two history limits, oldest first, and those older than `ttlAfterFinished`.
//!
//! Only Jobs that the written ledger names are pruned, so that nothing is pruned before it is counted, and nothing of others.

use crate::api::{KeptJob, ScheduledTaskSpec};
use crate::plan::effect::Effect;
use crate::plan::planner::Planner;
use crate::plan::{Job, Reason, Spec, WriteKind};
use jiff::Timestamp;
use std::cmp::Reverse;

/// A history limit beyond this is this one: the ledger names each Job that is kept.
pub const MOST_KEPT: usize = 100;
/// So many Jobs are asked for beside one write of the status.
const MOST_VERIFIED: usize = 8;

/// Prunes finished Jobs above the limits, and wakes when the next one is too old.
pub fn prune_jobs(planner: &mut Planner) {
    let Some(spec) = planner.spec else { return };
    if let Some(refusal) = planner.refused(WriteKind::Prune) {
        return planner.wake_by(refusal.retry_at);
    }
    for (succeeded, limit) in limits(&spec.fields) {
        let mut finished: Vec<&Job> = kept(planner, succeeded);
        finished.sort_by_key(|job| Reverse((job.object.slot, job.object.attempt)));
        for (newer, job) in finished.into_iter().enumerate() {
            let reason = if newer >= limit {
                Reason::HistoryLimit
            } else if expires(spec, job).is_some_and(|at| at <= planner.now()) {
                Reason::TtlAfterFinished
            } else {
                expires(spec, job).into_iter().for_each(|at| planner.wake_by(at));
                continue;
            };
            planner.prunes.push(Effect::Prune {
                job: job.object.name.clone(),
                uid: job.object.uid.clone(),
                version: job.object.version.clone(),
                reason,
            });
        }
    }
}

/// Finished Jobs that are gone are no longer kept. Written with the next write, never in one of its own.
pub fn drop_pruned(planner: &mut Planner) {
    let observed = planner.observed;
    planner.ledger.status.kept_jobs.retain(|kept| !observed.gone.contains(&kept.uid));
}

/// Asks for kept Jobs above the limits that nobody has seen since the operator started: most were pruned right before, but the list may
/// have been older than the Job, and one that the ledger no longer names would never be pruned.
pub fn verify_unseen(planner: &Planner) -> Vec<Effect> {
    let (observed, kept) = (planner.observed, &planner.ledger.status.kept_jobs);
    let Some(spec) = planner.spec else { return Vec::new() };
    let is_unseen = |kept: &&KeptJob| observed.jobs.iter().all(|job| job.object.uid != kept.uid);
    let surplus = limits(&spec.fields).into_iter().flat_map(|(succeeded, limit)| {
        let all = kept.iter().filter(move |kept| kept.succeeded == succeeded);
        let surplus = all.clone().count().saturating_sub(limit);
        all.take(surplus).filter(is_unseen)
    });
    let verify = |kept: &KeptJob| Effect::VerifyDeleted {
        job: kept.job.clone(),
        uid: kept.uid.clone(),
    };
    surplus.take(MOST_VERIFIED).map(verify).collect()
}

fn limits(fields: &ScheduledTaskSpec) -> [(bool, usize); 2] {
    let limit = |limit: i32| usize::try_from(limit).unwrap_or(0).min(MOST_KEPT);
    [
        (true, limit(fields.successful_jobs_history_limit)),
        (false, limit(fields.failed_jobs_history_limit)),
    ]
}

/// The finished Jobs that the written ledger names.
fn kept<'a>(planner: &Planner<'a>, succeeded: bool) -> Vec<&'a Job> {
    let observed = planner.observed;
    let written = observed.task.status.kept_jobs.iter().filter(|kept| kept.succeeded == succeeded);
    let is_kept = |job: &&Job, kept: &KeptJob| job.object.uid == kept.uid && job.object.name == kept.job;
    let job = |kept: &KeptJob| observed.jobs.iter().find(|job| is_kept(job, kept));
    written.filter_map(job).filter(|job| job.object.deleting.is_none()).collect()
}

/// When a finished Job is too old to be kept.
fn expires(spec: &Spec, job: &Job) -> Option<Timestamp> {
    job.object.end.as_ref()?.at.checked_add(spec.ttl?).ok()
}

#[cfg(test)]
mod scenarios;
