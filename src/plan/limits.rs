//! How long a run and a pending Job may take: `runTimeout` and `pendingTimeout`.
//!
//! Takes the runs that go on, gives the wish to end some of them, or the moment to look again. A Job that is suspended waits its
//! turn: `pendingTimeout` does not run. Never deletes a Job: that is `endings`.

use super::ledger::{End, whole_second};
use super::{Draft, Effect, Job, Outcome, Pods, Reason, Spec};
use crate::api::{ActiveRun, Ending};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::time::Duration;

/// A Job of which nothing has begun by then is looked at.
const YOUNG: Duration = Duration::from_secs(60);
/// What pods said is old after this time.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// By so much the API server's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// Marks the attempts that are to be ended.
pub fn enforce(draft: &mut Draft) {
    let Some(spec) = draft.spec else { return };
    for mut run in std::mem::take(&mut draft.ledger.status.active) {
        let job = draft.observed.jobs.iter().find(|job| Some(&job.uid) == run.uid.as_ref());
        let goes_on = job.is_none_or(|job| job.end.is_none());
        if let Some(job) = job {
            run.message = waits_for(job);
        }
        if run.ending.is_none() && goes_on && run.started.is_some() {
            let ended = match job {
                Some(job) => run_timeout(draft, spec, &mut run, Some(job)) || pending_timeout(draft, spec, &mut run, job),
                None => run_timeout(draft, spec, &mut run, None),
            };
            draft.claim |= ended;
            if ended && run.uid.is_none() {
                let last = run.exit_codes.last().copied().flatten();
                let message = run.ending.take().and_then(|ending| ending.message);
                let end = End {
                    at: Some(draft.now()),
                    exit_code: last,
                    message,
                };
                draft.ledger.ended(&run, Outcome::Failed, Reason::RunTimeout, end);
                continue;
            }
        }
        draft.ledger.go_on(run);
    }
}

fn run_timeout(draft: &mut Draft, spec: &Spec, run: &mut ActiveRun, job: Option<&Job>) -> bool {
    let Some((timeout, started)) = spec.fields.run_timeout.zip(run.started.as_ref()) else {
        return false;
    };
    let message = format!("the run took longer than runTimeout ({})", shown(timeout.into()));
    let created = job.map(|job| job.began.unwrap_or(job.created));
    let since = passed(draft, [started.0].into_iter()).or_else(|| passed(draft, created.into_iter()));
    let since = since.unwrap_or(started.0);
    after(draft, run, since, timeout.into(), Reason::RunTimeout, || message)
}

/// Looks at the pods of a Job that nothing has begun of: after a minute, so that people can read what it waits for, and when
/// `pendingTimeout` is over. Never between: the watch tells when it begins.
fn pending_timeout(draft: &mut Draft, spec: &Spec, run: &mut ActiveRun, job: &Job) -> bool {
    if job.suspended || job.ready || job.deleting.is_some() || job.pods == Pods::Began {
        return false;
    }
    // The later of two clocks: the API server's may be behind ours, and a Job that was resumed begins anew.
    let since = [Some(job.created), job.began].into_iter().flatten();
    let since = passed(draft, since).unwrap_or(job.created);
    let timeout = spec.fields.pending_timeout.map(Duration::from);
    let (now, end) = (draft.now(), timeout.map(|timeout| due(since, timeout)));
    let looks = [Some(due(since, YOUNG)), end].into_iter().flatten();
    looks.clone().filter(|at| *at > now).for_each(|at| draft.wake_by(at));
    let Some(look) = looks.filter(|at| *at <= now).max() else {
        return false;
    };
    let over = timeout.filter(|_| end <= Some(now));
    // Nobody is ended on an old word: `pendingTimeout` may have come with an edit, long after the first look.
    let is_new = |looked: Timestamp| now.duration_since(looked) <= FRESH;
    let is_enough = |looked: Timestamp| looked >= look && (over.is_none() || is_new(looked));
    match (&job.pods, over) {
        (Pods::Waiting(reason), Some(timeout)) if job.looked.is_some_and(is_enough) => {
            let message = format!("its work did not begin within pendingTimeout ({}): {reason}", shown(timeout));
            after(draft, run, since, timeout, Reason::PendingTimeout, || message)
        }
        (Pods::Waiting(_), None) if job.looked.is_some_and(is_enough) => false,
        _ => {
            draft.questions.push(Effect::Inspect {
                job: job.name.clone(),
                uid: job.uid.clone(),
            });
            false
        }
    }
}

/// What people read of a run that has not begun.
fn waits_for(job: &Job) -> Option<String> {
    match &job.pods {
        _ if job.suspended => Some("its Job is suspended: it waits for its turn, by its template or in a queueing system".into()),
        Pods::Waiting(reason) if !job.ready => Some(super::ledger::short(&format!("its work has not begun: {reason}"))),
        _ => None,
    }
}

/// The latest that has passed. A moment that is far off was told by a clock that has been set back since.
fn passed(draft: &Draft, moments: impl Iterator<Item = Timestamp>) -> Option<Timestamp> {
    let soon = draft.now().saturating_add(SKEW).unwrap_or(Timestamp::MAX);
    moments.filter(|at| *at <= soon).max()
}

fn after(
    draft: &mut Draft,
    run: &mut ActiveRun,
    since: Timestamp,
    timeout: Duration,
    reason: Reason,
    message: impl FnOnce() -> String,
) -> bool {
    let due = due(since, timeout);
    if draft.now() < due {
        draft.wake_by(due);
        return false;
    }
    run.ending = Some(Ending {
        reason: reason.to_string(),
        since: Time(whole_second(draft.now())),
        message: Some(super::ledger::short(&message())),
    });
    true
}

/// As people write it: `1h 30m`.
fn shown(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| "for ever".into(), |duration| format!("{duration:#}"))
}

fn due(since: Timestamp, timeout: Duration) -> Timestamp {
    since.checked_add(timeout).unwrap_or(Timestamp::MAX)
}
