//! Jobs of ours that the ledger does not know: made just now, or before a crash, or by an operator whose status was lost.
//!
//! Whose Jobs they are is settled before (`state::gate`): what a plan observes is the task's. Takes Jobs, gives entries of `active`. The slots between, which had no Job, were passed over by the plan that made the newer
//! one. Never says how a run ended: that is `runs`.

use super::{Draft, Effect, Job, Outcome, Reason, attempt_name, books, due, ledger, run_of};
use crate::api::{ActiveRun, MissedRunPolicy, Trigger};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Takes them in, oldest first.
pub fn adopt(draft: &mut Draft) {
    let observed = draft.observed;
    if observed.task.status.schedule_since.is_none() {
        take_over(draft);
    }
    let mut unknown: Vec<(Timestamp, &Job)> = observed
        .jobs
        .iter()
        .filter_map(|job| Some((job.slot?, job)))
        .filter(|(slot, job)| is_unknown(draft, *slot, job))
        .collect();
    unknown.retain(|(slot, job)| is_certain(draft, *slot, job));
    unknown.sort_by_key(|(slot, job)| (*slot, job.attempt));
    let in_force = if unknown.is_empty() {
        None
    } else {
        books::schedule_in_force(draft)
    };
    for (at, (slot, job)) in unknown.iter().enumerate() {
        let accounted = draft.accounted();
        if job.trigger != Trigger::Schedule {
            draft.ledger.status.requested += 1;
        } else if *slot > accounted {
            let passed = in_force
                .as_ref()
                .and_then(|schedule| due::stretch(schedule, accounted, due::before(*slot), passed_over(draft)));
            if let Some(passed) = passed {
                let message = format!("{passed} not started: slot {slot} was started instead");
                draft.ledger.not_started(Outcome::Missed, &passed, &message);
            }
            draft.ledger.account_until(*slot);
        }
        let newer = |(_, other): &(Timestamp, &Job)| run_of(&other.name, other.attempt) == run_of(&job.name, job.attempt);
        if unknown.iter().skip(at + 1).any(newer) {
            // Of several attempts at a run the last one speaks for it.
            continue;
        }
        let attempts_before = usize::try_from(job.attempt - 1).unwrap_or(0);
        draft.ledger.started(ActiveRun {
            slot: Time(*slot),
            trigger: job.trigger,
            attempt: job.attempt,
            job: job.name.clone(),
            uid: Some(job.uid.clone()),
            started: Some(Time(ledger::whole_second(job.created))),
            retry_at: None,
            exit_codes: vec![None; attempts_before],
            ending: None,
            message: None,
        });
    }
}

/// A ledger without a beginning (its status was deleted) knows of no finished Job: those of the past are kept, and pruned like any.
fn take_over(draft: &mut Draft) {
    let observed = draft.observed;
    for job in observed.jobs.iter().filter(|job| job.slot.is_some_and(|slot| slot <= observed.now)) {
        job.end.iter().for_each(|end| draft.ledger.keep(job, end.succeeded));
    }
}

fn is_unknown(draft: &Draft, slot: Timestamp, job: &Job) -> bool {
    let status = &draft.ledger.status;
    let run = run_of(&job.name, job.attempt);
    // An earlier attempt at a run that goes on is known by it.
    let known = status.active.iter().any(|active| run_of(&active.job, active.attempt) == run);
    let goes_on = job.end.is_none() && job.deleting.is_none();
    let recorded = |name: &str| (1..=job.attempt).any(|attempt| name == attempt_name(run, attempt));
    let recorded = status.recent_runs.iter().any(|past| past.job.as_deref().is_some_and(recorded));
    let kept = status.kept_jobs.iter().any(|kept| kept.uid == job.uid);
    !known && !recorded && !kept && (goes_on || owed(draft, slot, job))
}

/// Of a slot that was accounted for before, a watch that is late tells of a Job that has ended, and was counted: first somebody
/// looks.
fn is_certain(draft: &mut Draft, slot: Timestamp, job: &Job) -> bool {
    let certain = job.confirmed || owed(draft, slot, job);
    if !certain {
        draft.questions.push(Effect::Confirm {
            job: job.name.clone(),
            uid: job.uid.clone(),
        });
    }
    certain
}

fn owed(draft: &Draft, slot: Timestamp, job: &Job) -> bool {
    job.trigger == Trigger::Schedule && slot > draft.accounted()
}

fn passed_over(draft: &Draft) -> Reason {
    match draft.spec.map(|spec| spec.fields.missed_run_policy) {
        Some(MissedRunPolicy::All) => Reason::MissedRunLimitExceeded,
        _ => Reason::Superseded,
    }
}
