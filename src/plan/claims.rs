//! Claims: runs that are taken in the ledger before their Job exists, so that no other replica takes them as well.
//!
//! ```text
//!   claim (a write that compares and swaps) ──► what is replaced ends ──► Create ──► a run
//!     └► late, suspended, edited, refused until a newer slot: given up, and counted
//! ```
//! Takes the draft, gives entries of `active` that have not started, or their end. Never makes a Job: that is `start`.

use super::{Draft, Job, Outcome, Reason, Spec, due};
use crate::api::{ActiveRun, QueuedRun, Trigger};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// How long, beyond the grace period of its pods, an attempt that is being ended stands in the way of others. After that its
/// node does not answer, and a task must not stand still for it.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// A run that wants to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub slot: Timestamp,
    pub trigger: Trigger,
    /// Name of its first Job.
    pub job: String,
}

impl Candidate {
    /// "slot 2026-11-23T15:00:00Z", or "the run asked for at …".
    pub fn shown(&self) -> String {
        match self.trigger {
            Trigger::Schedule => format!("slot {}", self.slot),
            Trigger::Manual => format!("the run asked for at {}", self.slot),
            Trigger::Backfill => format!("backfilled slot {}", self.slot),
        }
    }
}

impl From<QueuedRun> for Candidate {
    fn from(run: QueuedRun) -> Self {
        Self {
            slot: run.slot.0,
            trigger: run.trigger,
            job: run.job,
        }
    }
}

/// Writes the run down as taken before its Job exists, so that no other replica takes it as well.
pub fn claim(draft: &mut Draft, run: Candidate) {
    if run.trigger == Trigger::Schedule {
        draft.ledger.account_until(run.slot);
    }
    draft.ledger.go_on(ActiveRun {
        slot: Time(run.slot),
        trigger: run.trigger,
        attempt: 1,
        job: run.job,
        uid: None,
        started: None,
        retry_at: None,
        exit_codes: Vec::new(),
        ending: None,
        message: None,
    });
    draft.claim = true;
}

/// Whether no Job of the run was ever made.
pub fn is_claim(run: &ActiveRun) -> bool {
    run.started.is_none() && run.uid.is_none()
}

/// A run is ended for a newer one only: when that was given up, the old one goes on.
pub fn spare_the_replaced(draft: &mut Draft) {
    let active = &mut draft.ledger.status.active;
    if active.iter().any(is_claim) {
        return;
    }
    let jobs = &draft.observed.jobs;
    let deleting = |run: &ActiveRun| jobs.iter().any(|job| Some(&job.uid) == run.uid.as_ref() && job.deleting.is_some());
    let replaced = |run: &ActiveRun| run.ending.as_ref().is_some_and(|ending| ending.reason == Reason::Replaced.as_str());
    active
        .iter_mut()
        .filter(|run| replaced(run) && !deleting(run))
        .for_each(|run| run.ending = None);
}

/// Gives up claims whose `startingDeadlineSeconds` are over. A run that somebody asked for has none.
pub fn give_up_late(draft: &mut Draft, spec: &Spec, schedule: &Schedule) {
    let now = draft.now();
    let late =
        |run: &ActiveRun| is_claim(run) && run.trigger == Trigger::Schedule && due::is_too_late(schedule, &spec.fields, run.slot.0, now);
    let refusal = draft.observed.refusal.as_ref();
    let reason = refusal.map_or(Reason::StartingDeadlineExceeded, |refusal| refusal.reason);
    let why = "its Job could not be made within startingDeadlineSeconds";
    drop_where(draft, late, Outcome::Missed, reason, why);
}

/// Gives up the slots that have no Job.
pub fn give_up(draft: &mut Draft, outcome: Outcome, reason: Reason, why: &str) {
    let slots = |run: &ActiveRun| is_claim(run) && run.trigger == Trigger::Schedule;
    drop_where(draft, slots, outcome, reason, why);
}

/// Gives up everything that has no Job, whoever asked for it.
pub fn give_up_all(draft: &mut Draft, outcome: Outcome, reason: Reason, why: &str) {
    drop_where(draft, is_claim, outcome, reason, why);
}

fn drop_where(draft: &mut Draft, which: impl Fn(&ActiveRun) -> bool, outcome: Outcome, reason: Reason, why: &str) {
    let claims: Vec<ActiveRun> = draft.ledger.status.active.extract_if(.., |run| which(run)).collect();
    for run in claims {
        let message = format!("slot {} not started: {why}", run.slot.0);
        draft.ledger.not_run(outcome, run.trigger, run.slot.0, reason, &message);
        draft.ledger.urgent = true;
    }
}

/// Whether a run stands in the way of another: a claim, a Job that has not ended, one that nobody can see just now, or a wait for
/// the next attempt.
pub fn goes_on(draft: &Draft, run: &ActiveRun) -> bool {
    let job = draft.observed.jobs.iter().find(|job| Some(&job.uid) == run.uid.as_ref());
    job.is_none_or(|job: &Job| job.end.is_none()) && gone_by(draft, run).is_none_or(|gone_by| draft.now() < gone_by)
}

/// When an attempt whose Job is being deleted no longer stands in the way, whether its pods are gone or not.
pub fn gone_by(draft: &Draft, run: &ActiveRun) -> Option<Timestamp> {
    let job = draft.observed.jobs.iter().find(|job| Some(&job.uid) == run.uid.as_ref())?;
    let grace = draft.spec.map_or(SignedDuration::from_secs(30), |spec| spec.grace);
    job.deleting?.checked_add(grace + PATIENCE).ok()
}
