//! What became of the runs that go on: finished, failed, deleted, or started without being written down.
//!
//! Takes active entries and Jobs, gives outcomes. Never starts or deletes a Job.

use super::ledger::End;
use super::{Because, Draft, Effect, Exit, Job, JobEnd, Outcome, TRIGGER_SCHEDULE, books, due, ledger};
use crate::api::{ActiveRun, MissedRunPolicy};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Brings `active` and the Jobs into agreement.
pub fn settle(draft: &mut Draft) {
    for run in std::mem::take(&mut draft.ledger.status.active) {
        match find(&draft.observed.jobs, &run) {
            Some(job) if run.uid.is_none() => {
                // The claim has its Job.
                draft.ledger.started(ActiveRun {
                    uid: Some(job.uid.clone()),
                    started: Some(time(job.created)),
                    ..run.clone()
                });
                let run = take(draft, &run.job);
                keep_or_end(draft, run, job);
            }
            Some(job) => keep_or_end(draft, run, job),
            None => keep_or_lose(draft, run),
        }
    }
    adopt(draft);
}

fn find<'a>(jobs: &'a [Job], run: &ActiveRun) -> Option<&'a Job> {
    jobs.iter().find(|job| match &run.uid {
        Some(uid) => job.uid == *uid,
        None => job.name == run.job,
    })
}

fn take(draft: &mut Draft, job: &str) -> ActiveRun {
    let active = &mut draft.ledger.status.active;
    let at = active.iter().position(|run| run.job == job).expect("inserted just before");
    active.remove(at)
}

fn keep_or_end(draft: &mut Draft, run: ActiveRun, job: &Job) {
    let replaced = run.ending.is_some() && job.deleting;
    let gone = draft.observed.gone.contains(&job.uid);
    match &job.end {
        Some(end) if end.succeeded || job.exit != Exit::NotAsked => end_by_job(draft, &run, job, end),
        Some(_) => {
            draft.questions.push(Effect::Inspect {
                job: job.name.clone(),
                uid: job.uid.clone(),
            });
            draft.ledger.status.active.push(run);
        }
        None if replaced || gone => cancel(draft, &run),
        None => draft.ledger.status.active.push(run),
    }
}

fn end_by_job(draft: &mut Draft, run: &ActiveRun, job: &Job, end: &JobEnd) {
    let at = Some(end.at);
    if end.succeeded {
        draft
            .ledger
            .ended(run, Outcome::Succeeded, Because::JobCompleted, End { at, ..End::default() });
        return;
    }
    let job_says = format!("{}: {}", end.reason, end.message);
    let (exit_code, message) = match &job.exit {
        Exit::Known { code, message } => (Some(*code), message.clone().unwrap_or(job_says)),
        Exit::NotAsked | Exit::Unknown => (None, job_says),
    };
    draft.ledger.ended(
        run,
        Outcome::Failed,
        Because::JobFailed,
        End {
            at,
            exit_code,
            message: Some(message),
        },
    );
}

fn cancel(draft: &mut Draft, run: &ActiveRun) {
    let (because, message) = if run.ending.is_some() {
        (Because::Replaced, "a newer slot replaced it")
    } else {
        (Because::JobDeleted, "its Job was deleted before it ended")
    };
    let end = End {
        at: Some(draft.now()),
        exit_code: None,
        message: Some(message.into()),
    };
    draft.ledger.ended(run, Outcome::Cancelled, because, end);
}

/// No Job is seen for this entry: certainly gone, perhaps not shown yet, or (a claim) not made yet.
fn keep_or_lose(draft: &mut Draft, run: ActiveRun) {
    match &run.uid {
        Some(uid) if draft.observed.gone.contains(uid) => cancel(draft, &run),
        Some(uid) => {
            draft.questions.push(Effect::Confirm {
                job: run.job.clone(),
                uid: uid.clone(),
            });
            draft.ledger.status.active.push(run);
        }
        None => draft.ledger.status.active.push(run),
    }
}

/// Jobs of ours that the ledger does not know: made just now, or before a crash. The slots between, which had no Job, were
/// passed over by the plan that made the newer one.
fn adopt(draft: &mut Draft) {
    let observed = draft.observed;
    let mut unknown: Vec<(Timestamp, &Job)> = observed
        .jobs
        .iter()
        .filter_map(|job| Some((job.slot?, job)))
        .filter(|(slot, job)| is_unknown(draft, *slot, job))
        .collect();
    unknown.sort_by_key(|(slot, job)| (*slot, job.attempt));
    let in_force = if unknown.is_empty() {
        None
    } else {
        books::schedule_in_force(draft)
    };
    for (slot, job) in unknown {
        let accounted = draft.accounted();
        if slot > accounted {
            let before = due::before(slot);
            if let Some(passed) = in_force
                .as_ref()
                .and_then(|schedule| due::stretch(schedule, accounted, before, passed_over(draft)))
            {
                let message = format!("{passed} not started: slot {slot} was started instead");
                draft.ledger.not_started(Outcome::Missed, &passed, &message);
            }
            draft.ledger.account_until(slot);
        }
        let run = ActiveRun {
            slot: Time(slot),
            trigger: TRIGGER_SCHEDULE.into(),
            attempt: job.attempt,
            job: job.name.clone(),
            uid: Some(job.uid.clone()),
            started: Some(time(job.created)),
            ending: None,
        };
        draft.ledger.started(run);
        if job.end.is_some() || observed.gone.contains(&job.uid) {
            let run = take(draft, &job.name);
            keep_or_end(draft, run, job);
        }
    }
}

fn is_unknown(draft: &Draft, slot: Timestamp, job: &Job) -> bool {
    let known = draft.ledger.status.active.iter().any(|run| run.job == job.name);
    let goes_on = job.end.is_none() && !job.deleting;
    let recorded = draft
        .ledger
        .status
        .recent_runs
        .iter()
        .any(|run| run.job.as_deref() == Some(&job.name));
    !known && !recorded && (goes_on || slot > draft.accounted())
}

fn passed_over(draft: &Draft) -> Because {
    match draft.spec.map(|spec| spec.fields.missed_run_policy) {
        Some(MissedRunPolicy::All) => Because::MissedRunLimitExceeded,
        _ => Because::Superseded,
    }
}

fn time(at: Timestamp) -> Time {
    Time(ledger::whole_second(at))
}
