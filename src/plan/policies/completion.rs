//! What became of runs: their Jobs exist, have ended, or are gone.
//!
//! What happened comes before what is wanted: an end that the Job reports is an end, whatever limit was reached in that second. A failed
//! attempt is left to the policy that decides about retries.

use crate::plan::capacity::TERMINATION_SLACK;
use crate::plan::planner::{Failure, Planner};
use crate::plan::records::End;
use crate::plan::run::{Phase, Run};
use crate::plan::{Exit, Job, JobEnd, Outcome, Reason};
use jiff::{SignedDuration, Timestamp};

/// A Job that no watch shows (somebody took our label off) is read again after this time.
const UNWATCHED: SignedDuration = SignedDuration::from_secs(30);
/// The pods of a Job behind which slots are skipped are read again after this time, when a plan is made anyway.
const HELD_UP: SignedDuration = SignedDuration::from_mins(5);
/// Pods that are terminated are read this often.
const LAST_WORDS: SignedDuration = SignedDuration::from_secs(1);
/// The reason that Kubernetes gives for a Job that failed by its `podFailurePolicy`.
const POD_FAILURE_POLICY: &str = "PodFailurePolicy";

/// Brings the runs and their Jobs into agreement.
pub fn settle_runs(planner: &mut Planner) {
    for run in std::mem::take(&mut planner.ledger.runs) {
        let object = planner.observed.jobs.iter().find(|job| match run.uid() {
            Some(uid) => job.object.uid == uid,
            None => run.phase != Phase::Queued && job.object.name == run.job,
        });
        match object {
            Some(job) => settle(planner, run, job),
            None => settle_unseen(planner, run),
        }
    }
}

fn settle(planner: &mut Planner, run: Run, job: &Job) {
    let object = &job.object;
    let run = match run.uid() {
        Some(_) => run,
        None => planner.ledger.start(run, &object.uid, object.created),
    };
    let is_terminating = matches!(run.phase, Phase::Terminating(..));
    match &object.end {
        None if planner.observed.gone.contains(&object.uid) => end_deleted(planner, run, Some(&job.exit)),
        None if is_terminating => settle_terminating(planner, run, job),
        None => settle_active(planner, run, job),
        Some(_) if !is_terminating && !is_read(job) => {
            planner.list_pods(job);
            planner.ledger.keep(run);
        }
        Some(end) => {
            if object.deleting.is_none() {
                planner.ledger.keep_job(&object.name, &object.uid, end.succeeded);
            }
            if end.succeeded {
                let end = End {
                    at: Some(end.at),
                    ..End::default()
                };
                planner.ledger.finish(&run, Outcome::Succeeded, Reason::JobCompleted, end);
            } else if is_terminating {
                // A Job that we terminate fails because we do, whatever its pods make of that.
                end_deleted(planner, run, Some(&job.exit));
            } else {
                planner.failed.push(failure(run, job, end));
            }
        }
    }
}

/// The Job has not ended. Its pods are read when it is about to fail, while they are still there; a Job that no watch shows is read
/// now and then.
fn settle_active(planner: &mut Planner, run: Run, job: &Job) {
    let object = &job.object;
    if let Some(failing) = &object.failing {
        if job.exit == Exit::NotAsked {
            planner.list_pods(job);
        }
        // Its pods are to go within their grace period. After that their node does not answer, and nobody waits for it.
        let patience = planner.grace() + TERMINATION_SLACK;
        // By our clock: the API server's may be another.
        match job.failing_since.unwrap_or(planner.now()).checked_add(patience) {
            Ok(deadline) if deadline > planner.now() => planner.wake_by(deadline),
            _ => {
                planner.ledger.keep_job(&object.name, &object.uid, false);
                return planner.failed.push(failure(run, job, failing));
            }
        }
    }
    if planner.holds_up_slots(&run) && job.looked.is_none_or(|looked| planner.now().duration_since(looked) > HELD_UP) {
        planner.list_pods(job);
    }
    read_unwatched(planner, job);
    planner.ledger.keep(run);
}

/// A Job that no watch shows is read now and then.
fn read_unwatched(planner: &mut Planner, job: &Job) {
    let object = &job.object;
    if let Some(read) = job.unwatched_since {
        let again = read.checked_add(UNWATCHED).unwrap_or(Timestamp::MAX);
        // A clock that was set back says nothing of when it was read.
        match again <= planner.now() || read > planner.now() {
            true => planner.verify_deleted(&object.name, &object.uid),
            false => planner.wake_by(again),
        }
    }
}

/// The Job is being deleted. What its containers say at their end can be read for a second or two, until their pods are gone.
fn settle_terminating(planner: &mut Planner, run: Run, job: &Job) {
    if job.object.deleting.is_some() && !job.exit_is_final {
        let looked = job.looked.filter(|_| job.exit != Exit::NotAsked);
        let again = looked.and_then(|looked| looked.checked_add(LAST_WORDS).ok());
        match again.filter(|again| *again > planner.now()) {
            Some(again) => planner.wake_by(again),
            None => planner.list_pods(job),
        }
    }
    read_unwatched(planner, job);
    planner.ledger.keep(run);
}

/// Whether it is known how the Job's containers ended. Of success nothing more needs to be known.
fn is_read(job: &Job) -> bool {
    job.exit != Exit::NotAsked || job.object.end.as_ref().is_some_and(|end| end.succeeded)
}

fn failure(run: Run, job: &Job, end: &JobEnd) -> Failure {
    let job_says = format!("{}: {}", end.reason, end.message);
    let (exit_code, message) = match &job.exit {
        Exit::Known { code, message } => (*code, message.clone().unwrap_or(job_says)),
        Exit::NotAsked | Exit::Unknown => (None, job_says),
    };
    Failure {
        run,
        reason: match end.reason == POD_FAILURE_POLICY {
            true => Reason::PodFailurePolicy,
            false => Reason::JobFailed,
        },
        end: End {
            at: Some(end.at),
            exit_code,
            message: Some(message),
        },
    }
}

/// No Job is seen: it is gone, or not shown yet, or (a claim, a wait for the next attempt) not created yet.
fn settle_unseen(planner: &mut Planner, run: Run) {
    match run.uid() {
        Some(uid) if planner.observed.gone.iter().any(|gone| gone == uid) => return end_deleted(planner, run, None),
        Some(uid) => planner.verify_deleted(&run.job, uid),
        None => {}
    }
    planner.ledger.keep(run);
}

/// The Job was deleted before it ended: by the operator, or by somebody else.
fn end_deleted(planner: &mut Planner, run: Run, exit: Option<&Exit>) {
    let mut end = End {
        at: Some(planner.now()),
        exit_code: None,
        message: Some("the Job was deleted before it ended".to_owned()),
    };
    let Phase::Terminating(_, termination) = &run.phase else {
        return planner.ledger.finish(&run, Outcome::Cancelled, Reason::JobDeleted, end);
    };
    let reason = termination.reason;
    let mut message = termination.message.clone().unwrap_or_else(|| reason.to_string());
    // Of a program that ran; what a pod waited for that never did was said before.
    if let Some(Exit::Known {
        code: Some(code),
        message: Some(last_words),
    }) = exit
    {
        end.exit_code = Some(*code);
        message = format!("{message}; {last_words}");
    }
    end.message = Some(message);
    match reason {
        Reason::RunTimeout => planner.ledger.finish(&run, Outcome::Failed, reason, end),
        Reason::PendingTimeout => planner.failed.push(Failure { run, reason, end }),
        _ => planner.ledger.finish(&run, Outcome::Cancelled, Reason::Replaced, end),
    }
}

#[cfg(test)]
mod scenarios;
