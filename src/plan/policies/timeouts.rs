//! How long a run and a pending Job may take: `runTimeout` and `pendingTimeout`.
//!
//! What is over its limit is terminated; what is not wakes the plan when it will be. A suspended Job waits its turn: `pendingTimeout`
//! does not run.

use crate::plan::planner::Planner;
use crate::plan::records::End;
use crate::plan::run::{Phase, Run};
use crate::plan::text::short;
use crate::plan::{Job, Outcome, Pods, Reason};
use jiff::{SignedDuration, Timestamp};
use kube::core::Duration as Written;
use std::time::Duration;

/// The pods of a Job that have not started by then are read.
const FIRST_LOOK: Duration = Duration::from_secs(60);
/// What pods said is outdated after this time.
const OUTDATED: SignedDuration = SignedDuration::from_secs(10);
/// The API server's clock may be ahead of ours by so much.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// `runTimeout`: the whole run, with its retries and the waits between them.
pub fn terminate_long_runs(planner: &mut Planner) {
    let Some(timeout) = planner.spec.and_then(|spec| spec.fields.run_timeout) else {
        return;
    };
    let message = format!("the run took longer than runTimeout ({})", shown(timeout.into()));
    for run in std::mem::take(&mut planner.ledger.runs) {
        let job = planner.job(&run);
        let has_ended = job.is_some_and(|job| job.object.end.is_some());
        let is_limited = !has_ended && matches!(run.phase, Phase::Running(_) | Phase::Backoff(_));
        let Some(started) = run.started.filter(|_| is_limited) else {
            planner.ledger.keep(run);
            continue;
        };
        let created = job.map(|job| job.object.began.unwrap_or(job.object.created));
        let since = passed(planner, [started]).or_else(|| passed(planner, created));
        if !is_over(planner, since.unwrap_or(started), timeout) {
            planner.ledger.keep(run);
        } else if let Phase::Backoff(_) = run.phase {
            let end = End::between_attempts(&run, planner.now(), message.clone());
            planner.ledger.finish(&run, Outcome::Failed, Reason::RunTimeout, end);
            planner.ledger.binding = true;
        } else {
            let run = planner.ledger.terminate(run, Reason::RunTimeout, planner.observed.now, &message);
            planner.ledger.keep(run);
        }
    }
}

/// `pendingTimeout`: a Job none of whose pods started.
pub fn terminate_pending_jobs(planner: &mut Planner) {
    if planner.spec.is_none() {
        return;
    }
    for mut run in std::mem::take(&mut planner.ledger.runs) {
        if let Some(job) = planner.job(&run) {
            run.message = waits_for(job);
            if matches!(run.phase, Phase::Running(_)) && job.object.end.is_none() {
                run = limit_pending(planner, run, job);
            }
        }
        planner.ledger.keep(run);
    }
}

/// Reads the pods of a Job that has not started: after a minute, so that people can see what it waits for, and when `pendingTimeout` is
/// over. Never between: the watch shows when it starts.
fn limit_pending(planner: &mut Planner, run: Run, job: &Job) -> Run {
    let object = &job.object;
    if object.suspended || object.ready || object.deleting.is_some() || matches!(job.pods, Pods::Began(_)) {
        return run;
    }
    // The later of two clocks: the API server's may be behind ours, and a Job that was resumed begins anew.
    let since = passed(planner, [Some(object.created), object.began].into_iter().flatten()).unwrap_or(object.created);
    let timeout = planner.spec.and_then(|spec| spec.fields.pending_timeout);
    let (now, end) = (planner.now(), timeout.map(|timeout| after(since, timeout.into())));
    let looks = [Some(after(since, FIRST_LOOK)), end].into_iter().flatten();
    looks.clone().filter(|at| *at > now).for_each(|at| planner.wake_by(at));
    let Some(look) = looks.filter(|at| *at <= now).max() else {
        return run;
    };
    let over = timeout.filter(|_| end <= Some(now));
    // Nobody is terminated on an outdated word: `pendingTimeout` may have come with an edit, long after the first look.
    let is_new = |looked: Timestamp| now.duration_since(looked) <= OUTDATED;
    let is_enough = job
        .looked
        .is_some_and(|looked| looked >= look && (over.is_none() || is_new(looked)));
    match (&job.pods, over) {
        (Pods::Waiting(reason), Some(timeout)) if is_enough => {
            let message = format!("no pod started within pendingTimeout ({}): {reason}", shown(timeout.into()));
            return planner.ledger.terminate(run, Reason::PendingTimeout, now, &message);
        }
        (Pods::Waiting(_), None) if is_enough => {}
        _ => planner.list_pods(job),
    }
    run
}

/// What people read of a run that has not started.
fn waits_for(job: &Job) -> Option<String> {
    match &job.pods {
        _ if job.object.suspended => Some("Job is suspended: by its template, or by a queueing system".into()),
        Pods::Waiting(reason) if !job.object.ready => Some(short(&format!("Pod has not started: {reason}"))),
        Pods::Began(trouble) => trouble.as_deref().map(short),
        _ => None,
    }
}

/// The latest that has passed. A time that is far off was read from a clock that has been set back since.
fn passed(planner: &Planner, times: impl IntoIterator<Item = Timestamp>) -> Option<Timestamp> {
    let soon = planner.now().saturating_add(SKEW).unwrap_or(Timestamp::MAX);
    times.into_iter().filter(|at| *at <= soon).max()
}

/// Whether the time is over; if not, the plan wakes when it is.
fn is_over(planner: &mut Planner, since: Timestamp, timeout: Written) -> bool {
    let end = after(since, timeout.into());
    if planner.now() < end {
        planner.wake_by(end);
    }
    end <= planner.now()
}

fn after(since: Timestamp, timeout: Duration) -> Timestamp {
    since.checked_add(timeout).unwrap_or(Timestamp::MAX)
}

/// As people write it: `1h 30m`.
fn shown(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| "for ever".into(), |duration| format!("{duration:#}"))
}

#[cfg(test)]
mod scenarios;
