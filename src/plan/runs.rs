//! What became of the runs that go on: finished, failed, deleted, or to be tried again.
//!
//! Takes active entries and Jobs, gives outcomes. Never starts or deletes a Job.

use super::ledger::{self, End};
use super::{Draft, Effect, Exit, Job, JobEnd, Outcome, Reason, retry};
use crate::api::{ActiveRun, Ending};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The reason that Kubernetes gives for a Job that failed by its `podFailurePolicy`.
const POD_FAILURE_POLICY: &str = "PodFailurePolicy";

/// Brings `active` and the Jobs into agreement.
pub fn settle(draft: &mut Draft) {
    for mut run in std::mem::take(&mut draft.ledger.status.active) {
        let Some(job) = find(&draft.observed.jobs, &run) else {
            keep_or_lose(draft, run);
            continue;
        };
        if run.uid.is_none() {
            // The claim, or the wait for another attempt, has its Job.
            run.uid = Some(job.uid.clone());
            run.retry_at = None;
            match run.started {
                Some(_) => draft.ledger.status.retried += 1,
                None => {
                    run.started = Some(Time(ledger::whole_second(job.created)));
                    draft.ledger.started(run);
                    run = draft.ledger.take(&job.name);
                }
            }
        }
        keep_or_end(draft, run, job);
    }
}

fn find<'a>(jobs: &'a [Job], run: &ActiveRun) -> Option<&'a Job> {
    jobs.iter().find(|job| match &run.uid {
        Some(uid) => job.uid == *uid,
        None => job.name == run.job,
    })
}

fn keep_or_end(draft: &mut Draft, run: ActiveRun, job: &Job) {
    match &job.end {
        Some(end) if end.succeeded => {
            draft.ledger.keep(job, true);
            let end = End {
                at: Some(end.at),
                ..End::default()
            };
            draft.ledger.ended(&run, Outcome::Succeeded, Reason::JobCompleted, end);
        }
        // What we end fails because we end it, whatever its pods make of that.
        Some(_) if run.ending.is_some() => {
            draft.ledger.keep(job, false);
            stopped(draft, run);
        }
        Some(end) if job.exit != Exit::NotAsked => failed_by_job(draft, run, job, end),
        Some(_) => {
            draft.questions.push(Effect::Inspect {
                job: job.name.clone(),
                uid: job.uid.clone(),
            });
            draft.ledger.go_on(run);
        }
        None if draft.observed.gone.contains(&job.uid) => stopped(draft, run),
        None => draft.ledger.go_on(run),
    }
}

fn failed_by_job(draft: &mut Draft, run: ActiveRun, job: &Job, end: &JobEnd) {
    draft.ledger.keep(job, false);
    let job_says = format!("{}: {}", end.reason, end.message);
    let (exit_code, message) = match &job.exit {
        Exit::Known { code, message } => (Some(*code), message.clone().unwrap_or(job_says)),
        Exit::NotAsked | Exit::Unknown => (None, job_says),
    };
    let reason = if end.reason == POD_FAILURE_POLICY {
        Reason::PodFailurePolicy
    } else {
        Reason::JobFailed
    };
    let end = End {
        at: Some(end.at),
        exit_code,
        message: Some(message),
    };
    retry::failed(draft, run, reason, end);
}

/// The Job went before it ended: we deleted it, or somebody else did.
fn stopped(draft: &mut Draft, run: ActiveRun) {
    let end = |message: &str| End {
        at: Some(draft.now()),
        exit_code: None,
        message: Some(message.to_owned()),
    };
    let Some(Ending { reason, message, .. }) = &run.ending else {
        let end = end("its Job was deleted before it ended");
        return draft.ledger.ended(&run, Outcome::Cancelled, Reason::JobDeleted, end);
    };
    let end = end(message.as_deref().unwrap_or(reason));
    if *reason == Reason::RunTimeout.as_str() {
        draft.ledger.ended(&run, Outcome::Failed, Reason::RunTimeout, end);
    } else if *reason == Reason::PendingTimeout.as_str() {
        retry::failed(draft, run, Reason::PendingTimeout, end);
    } else {
        draft.ledger.ended(&run, Outcome::Cancelled, Reason::Replaced, end);
    }
}

/// No Job is seen for this entry: certainly gone, perhaps not shown yet, or (a claim) not made yet.
fn keep_or_lose(draft: &mut Draft, run: ActiveRun) {
    match &run.uid {
        Some(uid) if draft.observed.gone.contains(uid) => stopped(draft, run),
        Some(uid) => {
            draft.questions.push(Effect::Confirm {
                job: run.job.clone(),
                uid: uid.clone(),
            });
            draft.ledger.go_on(run);
        }
        None => draft.ledger.go_on(run),
    }
}
