//! What the ledger does not know: Jobs that were just created, or before a crash, or by an operator whose status was lost; and starts that
//! the claims log names, whose Jobs are not there yet.
//!
//! Whose Jobs they are is settled before (`state::gate`): what a plan observes is the task's. Each becomes a run; slots between that
//! have no Job and no claim were passed over by the plan that started the newer one. How a run ended is not decided here.

use crate::api::MissedRunPolicy;
use crate::plan::planner::Planner;
use crate::plan::run::Run;
use crate::plan::{Claim, Job, Outcome, Reason, attempt_name, in_force, slots};
use jiff::Timestamp;

/// A run that the ledger does not know, and its Job, if that is there.
struct Unknown<'a> {
    run: Run,
    job: Option<&'a Job>,
}

/// Takes them into the ledger, oldest first.
pub fn adopt(planner: &mut Planner) {
    let observed = planner.observed;
    if observed.task.status.schedule_since.is_none() {
        keep_finished(planner);
    }
    let mut unknown = unknown_jobs(planner);
    unknown.extend(unknown_claims(planner));
    unknown.sort_by_key(|unknown| (unknown.run.slot, unknown.run.attempt));
    let schedule = if unknown.is_empty() {
        None
    } else {
        in_force(&observed.task, &planner.ledger.status)
    };
    let mut unknown = unknown.into_iter().peekable();
    while let Some(Unknown { run, job }) = unknown.next() {
        if unknown.peek().is_some_and(|next| next.run.name() == run.name()) {
            // The last of several attempts stands for the run.
            continue;
        }
        let slot = run.slot;
        let passed = schedule.as_ref().filter(|_| run.is_scheduled()).and_then(|schedule| {
            let before = slots::before(slot);
            slots::range(schedule, planner.ledger.accounted_until(), before, passed_over(planner))
        });
        if let Some(passed) = passed {
            let message = format!("{passed} not started: slot {slot} was started instead");
            planner.ledger.pass(&passed, Outcome::Missed, &message);
        }
        match job {
            Some(job) => planner.ledger.adopt(run, &job.object.uid, job.object.created),
            None => planner.ledger.adopt_claim(run),
        }
    }
}

/// Jobs that the ledger does not know.
fn unknown_jobs<'a>(planner: &mut Planner<'a>) -> Vec<Unknown<'a>> {
    let jobs = planner.observed.jobs.iter().filter_map(|job| Some((job.object.slot?, job)));
    let mut unknown: Vec<(Timestamp, &Job)> = jobs.filter(|(slot, job)| is_unknown(planner, *slot, job)).collect();
    unknown.retain(|(slot, job)| is_certain(planner, *slot, job));
    let adopted = unknown.into_iter().map(|(slot, job)| Unknown {
        run: run_of(slot, job),
        job: Some(job),
    });
    adopted.collect()
}

/// Slots that the claims log names, that the ledger does not know, and whose Jobs are not there.
fn unknown_claims<'a>(planner: &Planner<'a>) -> Vec<Unknown<'a>> {
    let observed = planner.observed;
    let has_job = |claim: &Claim| observed.jobs.iter().any(|job| job.object.name == claim.job);
    let is_unknown = |claim: &&Claim| claim.is_owed(&planner.ledger.status) && !has_job(claim);
    let claims = observed.claims.iter().filter(is_unknown);
    let runs = claims.map(|claim| Run::new(claim.slot, claim.trigger, claim.job.clone()));
    // What somebody wrote into the log moves no ledger ahead.
    let possible = runs.filter(|run| run.is_possible(&observed.task.name, planner.now()));
    possible.map(|run| Unknown { run, job: None }).collect()
}

fn run_of(slot: Timestamp, job: &Job) -> Run {
    let attempts_before = usize::try_from(job.object.attempt - 1).unwrap_or(0);
    Run {
        attempt: job.object.attempt,
        exit_codes: vec![None; attempts_before],
        ..Run::new(slot, job.object.trigger, job.object.name.clone())
    }
}

/// A ledger without a beginning (its status was deleted) knows of no finished Job: those of before it are kept, and pruned like any.
/// Those of slots that it accounts for are its runs (their operator died before it wrote a status).
fn keep_finished(planner: &mut Planner) {
    let observed = planner.observed;
    let slots = observed.jobs.iter().filter_map(|job| Some((job.object.slot?, job)));
    let past = slots.filter(|(slot, job)| *slot <= observed.now && job.object.deleting.is_none());
    for (slot, job) in past {
        let object = &job.object;
        if let Some(end) = &object.end
            && !is_owed(planner, &run_of(slot, job))
        {
            planner.ledger.keep_job(&object.name, &object.uid, end.succeeded);
        }
    }
}

fn is_unknown(planner: &Planner, slot: Timestamp, job: &Job) -> bool {
    let (object, status) = (&job.object, &planner.ledger.status);
    let run = run_of(slot, job);
    // An earlier attempt at an active run is known by that run.
    let is_active = planner.ledger.runs.iter().any(|active| active.name() == run.name());
    let is_this = |name: &str| (1..=object.attempt).any(|attempt| name == attempt_name(run.name(), attempt));
    let is_past = status.recent_runs.iter().any(|past| past.job.as_deref().is_some_and(is_this));
    let is_kept = status.kept_jobs.iter().any(|kept| kept.uid == object.uid);
    let is_running = object.end.is_none() && object.deleting.is_none();
    !is_active && !is_past && !is_kept && (is_running || is_owed(planner, &run))
}

/// Of a slot that was accounted for before, a late watch shows a Job that has ended and was counted: first it is read.
fn is_certain(planner: &mut Planner, slot: Timestamp, job: &Job) -> bool {
    let is_certain = job.confirmed || is_owed(planner, &run_of(slot, job));
    if !is_certain {
        planner.verify_deleted(&job.object.name, &job.object.uid);
    }
    is_certain
}

fn is_owed(planner: &Planner, run: &Run) -> bool {
    run.is_scheduled() && !slots::is_accounted(&planner.ledger.status, run.slot)
}

fn passed_over(planner: &Planner) -> Reason {
    match planner.spec.map(|spec| spec.fields.missed_run_policy) {
        Some(MissedRunPolicy::All) => Reason::MissedRunLimitExceeded,
        _ => Reason::Superseded,
    }
}

#[cfg(test)]
mod scenarios;
