//! What is started now: claims that have no Job yet, and the slots that are due, under the concurrency policy.
//!
//! Takes the settled ledger, gives claims, creations and deletions. Never looks at how runs ended: that is `runs`.

use super::due::{self, Due};
use super::{Because, Draft, Effect, Job, ON_TIME, Outcome, Owed, Run, Spec, Stretch, TRIGGER_SCHEDULE, books, build_job, job_name};
use crate::api::{ActiveRun, ConcurrencyPolicy, MissedRunPolicy};
use crate::schedule::Schedule;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Starts what is owed, or says why not.
pub fn start(draft: &mut Draft) {
    let Some(spec) = draft.spec else { return };
    if spec.fields.suspend {
        drop_claims(draft, Outcome::Skipped, Because::Suspended, "the task was suspended");
        return;
    }
    let Some(schedule) = draft.schedule() else { return };
    drop_late_claims(draft, spec);
    spare_the_replaced(draft);
    if blocked(draft) {
        return owe_oldest(draft, schedule);
    }
    let due = due::due(schedule, &spec.fields, draft.accounted(), draft.now());
    miss(draft, &due);
    match spec.fields.concurrency_policy {
        ConcurrencyPolicy::Allow => {
            make_claimed(draft, spec, schedule);
            for slot in due.start {
                create(draft, spec, schedule, slot);
            }
        }
        ConcurrencyPolicy::Forbid => {
            forbid(draft, spec, &due);
            make_claimed(draft, spec, schedule);
        }
        ConcurrencyPolicy::Replace => {
            replace(draft, &due);
            make_claimed(draft, spec, schedule);
        }
    }
}

/// The API server refused the last write: nothing is tried, counted or written until it is time to try again.
fn blocked(draft: &mut Draft) -> bool {
    let Some(refusal) = &draft.observed.refusal else { return false };
    let waits = refusal.holds(draft.now());
    if waits {
        draft.wake_by(refusal.retry_at);
    }
    waits
}

fn owe_oldest(draft: &mut Draft, schedule: &Schedule) {
    let claimed = draft
        .ledger
        .status
        .active
        .iter()
        .find(|run| run.uid.is_none())
        .map(|run| run.slot.0);
    let Some(slot) = claimed.or_else(|| schedule.next(draft.accounted()).filter(|slot| *slot <= draft.now())) else {
        return;
    };
    if let Some(refusal) = &draft.observed.refusal {
        draft.owed = Some(Owed {
            slot,
            because: refusal.because,
            message: refusal.message.clone(),
        });
    }
}

fn miss(draft: &mut Draft, due: &Due) {
    for stretch in &due.missed {
        let mut stretch = stretch.clone();
        let mut why = match stretch.because {
            Because::StartingDeadlineExceeded => "older than startingDeadlineSeconds".to_owned(),
            Because::MissedRunPolicyNone => "late, and missedRunPolicy is None".to_owned(),
            Because::MissedRunLimitExceeded => "more were missed than missedRunLimit".to_owned(),
            _ => "a newer slot is due, and missedRunPolicy is Latest".to_owned(),
        };
        if let Some(refusal) = &draft.observed.refusal {
            stretch.because = refusal.because;
            why = format!("{why}; before that {}", refusal.message);
        }
        let message = format!("{} not started: {why}", books::slots(&stretch));
        draft.ledger.not_started(Outcome::Missed, &stretch, &message);
        draft.ledger.urgent = true;
        draft.claim = true;
    }
}

/// Under Forbid a slot that comes while a run goes on is skipped. Slots that are being caught up (`All`) wait instead.
fn forbid(draft: &mut Draft, spec: &Spec, due: &Due) {
    let Some(&first) = due.start.first() else { return };
    if draft.observed.refusal.is_some() && spec.fields.missed_run_policy != MissedRunPolicy::All {
        // The claim's Job was refused for certain: a newer slot takes its place instead of waiting behind nothing.
        drop_claims(
            draft,
            Outcome::Missed,
            Because::JobRefused,
            "the API server refused its Job until a newer slot was due",
        );
    }
    let Some(busy) = draft.ledger.status.active.iter().find(|run| goes_on(&draft.observed.jobs, run)) else {
        claim(draft, first);
        return;
    };
    let (busy_job, busy_slot) = (busy.job.clone(), busy.slot.0);
    let late = draft.now().duration_since(first) > ON_TIME;
    if spec.fields.missed_run_policy == MissedRunPolicy::All && (late || due.start.len() > 1) {
        draft.owed = Some(Owed {
            slot: first,
            because: Because::Waiting,
            message: format!("waits for the run of slot {busy_slot} to end"),
        });
        return;
    }
    for &slot in &due.start {
        let message = format!("slot {slot} not started: Job {busy_job} still goes on, and concurrencyPolicy is Forbid");
        draft
            .ledger
            .not_started(Outcome::Skipped, &one(slot, Because::PreviousRunActive), &message);
    }
    draft.ledger.urgent = true;
}

/// Under Replace the newest slot ends what goes on.
fn replace(draft: &mut Draft, due: &Due) {
    let Some((&newest, older)) = due.start.split_last() else { return };
    for &slot in older {
        let message = format!("slot {slot} not started: slot {newest} would replace it at once");
        draft
            .ledger
            .not_started(Outcome::Skipped, &one(slot, Because::Superseded), &message);
    }
    drop_claims(
        draft,
        Outcome::Missed,
        Because::Superseded,
        "a newer slot is due before its Job could be made",
    );
    for run in &mut draft.ledger.status.active {
        if goes_on(&draft.observed.jobs, run) {
            run.ending = Some(Because::Replaced.to_string());
        }
    }
    claim(draft, newest);
}

/// Writes the slot down as taken before its Job exists, so that no other replica takes it as well.
fn claim(draft: &mut Draft, slot: Timestamp) {
    let job = job_name(&draft.observed.task.name, slot, 1);
    draft.ledger.account_until(slot);
    draft.ledger.status.active.push(ActiveRun {
        slot: Time(slot),
        trigger: TRIGGER_SCHEDULE.into(),
        attempt: 1,
        job,
        uid: None,
        started: None,
        ending: None,
    });
    draft.claim = true;
}

/// Makes the Jobs of claims, after the runs that they replace are deleted.
fn make_claimed(draft: &mut Draft, spec: &Spec, schedule: &Schedule) {
    let (claims, to_come): (Vec<Timestamp>, Vec<Timestamp>) = draft
        .ledger
        .status
        .active
        .iter()
        .filter(|run| run.uid.is_none())
        .map(|run| run.slot.0)
        .partition(|slot| *slot <= draft.now());
    if let Some(earliest) = to_come.into_iter().min() {
        // The clock was set back behind a claim: never before the slot.
        draft.wake_by(earliest);
    }
    if claims.is_empty() {
        return;
    }
    for run in draft.ledger.status.active.iter().filter(|run| run.ending.is_some()) {
        if let Some(uid) = run.uid.as_ref().filter(|_| goes_on(&draft.observed.jobs, run)) {
            draft.jobs.push(Effect::Delete {
                job: run.job.clone(),
                uid: uid.clone(),
                because: Because::Replaced,
            });
        }
    }
    for slot in claims {
        create(draft, spec, schedule, slot);
    }
}

fn create(draft: &mut Draft, spec: &Spec, schedule: &Schedule, slot: Timestamp) {
    let task = &draft.observed.task;
    let run = Run {
        slot,
        attempt: 1,
        job: job_name(&task.name, slot, 1),
    };
    // From the ledger in the making: the run before may have ended in this very plan.
    let watermark = draft.ledger.status.last_successful_slot.as_ref().map(|slot| slot.0);
    let job = build_job(task, &spec.fields, &run, watermark, schedule.previous(slot));
    let late = draft.now().duration_since(slot);
    let (because, message) = if late > ON_TIME {
        (
            Because::CaughtUp,
            format!("Job {} made for slot {slot}, {} s late", run.job, late.as_secs()),
        )
    } else {
        (Because::OnSchedule, format!("Job {} made for slot {slot}", run.job))
    };
    draft.jobs.push(Effect::Create { run, job });
    draft.jobs.push(Effect::Announce(super::Announcement {
        outcome: Outcome::Started,
        because,
        slot,
        slots: 1,
        message,
    }));
}

/// A run is ended for a newer one only: when that was given up, the old one goes on.
fn spare_the_replaced(draft: &mut Draft) {
    let active = &mut draft.ledger.status.active;
    if active.iter().all(|run| run.uid.is_some()) {
        let deleting = |run: &ActiveRun| {
            draft
                .observed
                .jobs
                .iter()
                .any(|job| Some(&job.uid) == run.uid.as_ref() && job.deleting)
        };
        active.iter_mut().filter(|run| !deleting(run)).for_each(|run| run.ending = None);
    }
}

fn drop_late_claims(draft: &mut Draft, spec: &Spec) {
    let now = draft.now();
    let late: Vec<ActiveRun> = draft
        .ledger
        .status
        .active
        .extract_if(.., |run| run.uid.is_none() && due::is_too_late(&spec.fields, run.slot.0, now))
        .collect();
    let because = draft
        .observed
        .refusal
        .as_ref()
        .map_or(Because::StartingDeadlineExceeded, |refusal| refusal.because);
    for run in late {
        let message = format!(
            "slot {} not started: its Job could not be made within startingDeadlineSeconds",
            run.slot.0
        );
        draft.ledger.not_started(Outcome::Missed, &one(run.slot.0, because), &message);
        draft.ledger.urgent = true;
    }
}

/// Gives up claims that have no Job.
pub fn drop_claims(draft: &mut Draft, outcome: Outcome, because: Because, why: &str) {
    let claims: Vec<ActiveRun> = draft.ledger.status.active.extract_if(.., |run| run.uid.is_none()).collect();
    for run in claims {
        let message = format!("slot {} not started: {why}", run.slot.0);
        draft.ledger.not_started(outcome, &one(run.slot.0, because), &message);
        draft.ledger.urgent = true;
    }
}

/// Whether a run stands in the way of another: a claim, a Job that has not ended, or one that nobody can see just now.
fn goes_on(jobs: &[Job], run: &ActiveRun) -> bool {
    match jobs.iter().find(|job| Some(&job.uid) == run.uid.as_ref()) {
        Some(job) => job.end.is_none(),
        None => true,
    }
}

fn one(slot: Timestamp, because: Because) -> Stretch {
    Stretch {
        because,
        first: slot,
        last: slot,
        slots: 1,
    }
}
