//! A plan being built: what the policies read and change.
//!
//! Every policy gets the same planner, in the order of the list in `mod.rs`. The ledger holds the runs; the other fields hold what one
//! policy finds for those after it. The planner decides nothing.

use super::accounting::Ledger;
use super::effect::Effect;
use super::observed::{Observed, Spec};
use super::observed_job::{Job, JobState};
use super::records::End;
use super::refusals::{Refusal, WriteKind};
use super::run::Run;
use super::{ConditionReason, Outcome, Reason, SlotRange, in_force, names, slots};
use crate::api::Trigger;
use crate::schedule::Schedule;
use jiff::Timestamp;

/// Upper bound of `runHistoryLimit`: nothing is cut while the spec cannot be read.
pub const LONGEST_HISTORY: usize = 100;

/// A plan being built.
pub struct Planner<'a> {
    /// What is decided about.
    pub observed: &'a Observed,
    /// The spec, unless it cannot be used.
    pub spec: Option<&'a Spec>,
    /// The ledger as it will be.
    pub ledger: Ledger,
    /// Attempts that failed: to be retried, or failed runs.
    pub failed: Vec<Failure>,
    /// Ranges of slots that passed without being started, oldest first, until they are counted.
    pub passed: Vec<SlotRange>,
    /// Runs that ask to be started, in order.
    pub candidates: Vec<Run>,
    /// Finished Jobs that are no longer kept.
    pub prunes: Vec<Effect>,
    /// Requests whose answers the next plan needs.
    pub reads: Vec<Effect>,
    /// A slot that should have been started and waits.
    pub blocked: Option<BlockedSlot>,
    /// When to plan again.
    pub wake_at: Option<Timestamp>,
}

/// An attempt that failed.
pub struct Failure {
    /// The run, taken out of the ledger.
    pub run: Run,
    /// Why it failed.
    pub reason: Reason,
    /// How.
    pub end: End,
}

/// A slot that waits.
pub struct BlockedSlot {
    /// The slot.
    pub slot: Timestamp,
    /// Why it waits.
    pub reason: ConditionReason,
    /// For people.
    pub message: String,
}

impl<'a> Planner<'a> {
    /// Begins with the status that was read, or with what was decided since and is not written yet.
    pub fn new(observed: &'a Observed) -> Self {
        let spec = observed.task.spec.as_deref().ok();
        let limit = spec.map_or(LONGEST_HISTORY, |spec| usize::try_from(spec.fields.run_history_limit).unwrap_or(0));
        let (status, announcements) = match &observed.unwritten {
            Some(unwritten) => (unwritten.status.clone(), unwritten.announcements.clone()),
            None => ((*observed.task.status).clone(), Vec::new()),
        };
        let mut ledger = Ledger::open(status, announcements, limit);
        ledger.committed = committed(observed);
        Self {
            observed,
            spec,
            ledger,
            failed: Vec::new(),
            passed: Vec::new(),
            candidates: Vec::new(),
            prunes: Vec::new(),
            reads: Vec::new(),
            blocked: None,
            wake_at: None,
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.observed.now
    }

    /// The schedule, if it can be evaluated.
    pub fn schedule(&self) -> Option<&'a Schedule> {
        self.spec.and_then(|spec| spec.schedule.as_ref().ok())
    }

    /// The run of a slot.
    pub fn run_of_slot(&self, slot: Timestamp) -> Run {
        let job = names::job_name(&self.observed.task.name, slot, 1);
        Run::new(slot, Trigger::Schedule, job)
    }

    /// Why no slot starts, if none does: by `suspend`, or by `suspendAfterFailures` less the failures that were forgiven.
    pub fn suspended_by(&self) -> Option<Reason> {
        let spec = self.spec?;
        if spec.fields.suspend {
            return Some(Reason::Suspended);
        }
        let status = &self.ledger.status;
        let counted = status.consecutive_failures - status.forgiven_failures;
        let limit = spec.fields.suspend_after_failures?;
        (counted >= i64::from(limit)).then_some(Reason::TooManyFailures)
    }

    /// The task's life ends here, if it does.
    pub fn end_of_life(&self) -> Option<Timestamp> {
        self.spec.and_then(|spec| spec.fields.end_at.as_ref()).map(|end| end.0)
    }

    /// The Job of the run's attempt, as far as it is known.
    pub fn job(&self, run: &Run) -> Option<&'a Job> {
        let uid = run.uid()?;
        self.observed.jobs.iter().find(|job| job.object.uid == uid)
    }

    /// The last refusal of this kind, if it is too early to try again.
    pub fn refused(&self, kind: WriteKind) -> Option<&'a Refusal> {
        let refusal = self.observed.refusals.of(kind);
        refusal.filter(|refusal| refusal.holds(self.now()))
    }

    /// Nothing has to be read before runs may be started: nobody starts beside a failure that is not read, or a Job that is not seen.
    pub fn is_certain(&self) -> bool {
        self.reads.is_empty()
    }

    /// It is certain what is there, and not too early to try again what was refused.
    pub fn may_start(&self) -> bool {
        self.is_certain() && self.refused(WriteKind::Create).is_none()
    }

    /// Accounts for the slots up to now, which are not started for this reason. What still waits for its jitter goes as well.
    pub fn pass_until_now(&mut self, outcome: Outcome, reason: Reason, why: &str) {
        let now = self.now();
        let schedule = in_force(&self.observed.task, &self.ledger.status);
        let gone = schedule.and_then(|schedule| slots::range(&schedule, self.ledger.accounted_until(), now, reason));
        if let Some(gone) = gone {
            self.ledger.pass(&gone, outcome, &format!("{gone} not started: {why}"));
        }
        self.ledger.account_until(now);
    }

    /// Plans again at that time at the latest.
    pub fn wake_by(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    /// Asks whether a Job that is not seen is gone.
    pub fn verify_deleted(&mut self, job: &str, uid: &str) {
        self.reads.push(Effect::VerifyDeleted {
            job: job.to_owned(),
            uid: uid.to_owned(),
        });
    }

    /// Asks what the pods of a Job say.
    pub fn list_pods(&mut self, job: &Job) {
        let object = &job.object;
        let ended = object.end.as_ref().or(object.failing.as_ref());
        let state = match ended {
            _ if object.deleting.is_some() => JobState::Terminating,
            Some(end) => JobState::Failed {
                reason: end.reason.clone(),
                message: end.message.clone(),
            },
            None => JobState::Active,
        };
        self.reads.push(Effect::ListPods {
            job: object.name.clone(),
            uid: object.uid.clone(),
            state,
        });
    }
}

/// Names of the Jobs that are created whatever is decided now: only a refusal by the API server, or a name that is taken, ends that.
fn committed(observed: &Observed) -> Vec<String> {
    if observed.refusals.of(WriteKind::Create).is_some() {
        return Vec::new();
    }
    let is_taken = |job: &str| observed.conflicts.iter().any(|conflict| conflict.job == job);
    let jobs = observed.claims.iter().map(|claim| claim.job.clone());
    jobs.filter(|job| !is_taken(job)).collect()
}
