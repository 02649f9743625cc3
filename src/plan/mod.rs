//! What now: `plan(&Observed) -> Plan`, pure.
//!
//! ```text
//!  Observed ─► repair ─► open ─► adopt ─► settle ─► enforce ─► turn page ─► start ─────────► forget ─► describe ─► Plan
//!  one task    since   Jobs     what      timeouts   edits,       queue, run-now,  history   Ready …     effects in order,
//!  + Jobs              nobody   became               pauses       slots, backfill                        next look
//!  + now               knows    of runs
//! ```
//! Takes a snapshot, gives effects. Never `async`, never a client, never the clock, never randomness. One policy, one file.
//!
//! # Which policy comes first
//!
//! When several meet in one instant they apply in this order, and nowhere else is there another one; `scenarios/pairs.rs` tells
//! each pair as a story.
//!
//! 1. What happened comes before what is wished: an end that the Job reports is an end, whatever limit was up in that second.
//! 2. A retry is decided when its attempt fails: podFailurePolicy, limit, suspend, runTimeout, in this order. A run that waits for
//!    its next attempt goes on, to every policy that asks.
//! 3. runTimeout before pendingTimeout: what ends the run ends its attempt.
//! 4. Failures suspend (suspendAfterFailures) before slots start; a resume request is heard before that is asked.
//! 5. An edit before a pause before a slot: a slot of a schedule that is no more, or of a pause, is not started.
//! 6. Deadlines and endAt empty the queue before it moves; who waits in it comes before the slots that are due, before who asks
//!    now (run-now), before a backfill.
//! 7. A refusal by the API server holds all starts of that task until it is time to try again.
//! 8. Jobs are forgotten before others are made: that may free the quota which these need.

mod adopt;
mod backfill;
mod books;
mod bounds;
mod claims;
mod concurrency;
mod conditions;
mod conflict;
mod due;
mod effect;
mod endings;
mod history;
mod job;
mod ledger;
mod limits;
mod observed;
mod queue;
mod reason;
mod repair;
mod replace;
mod reset;
mod retry;
mod run_now;
mod runs;
#[cfg(test)]
mod scenarios;
mod start;
mod suspend;

pub use due::{Due, ON_TIME, Stretch, due};
pub use effect::{Announcement, Effect, Outcome, Plan, Run, Urgency};
pub use job::{attempt_name, build_job, has_the_form, is_plain_name, job_name, run_name, run_of};
pub use ledger::short;
pub use observed::{Conflict, Exit, Job, JobEnd, Observed, Pods, Refusal, Requests, Spec, Task, Trial, Unusable, Unwritten};
pub use reason::Reason;

use crate::api::{self, ObservedSchedule, ScheduledTaskStatus, Trigger};
use crate::schedule::{DaylightSaving, Definition, Exclusion, Expressions, Schedule, ScheduleError};
use claims::Candidate;
use jiff::{SignedDuration, Timestamp};
use ledger::Ledger;

/// How many moments `status.nextRuns` shows.
const NEXT_RUNS: usize = 5;

/// What `runHistoryLimit` can be at most: nothing is cut while the spec cannot be read.
const MOST_RECENT_RUNS: usize = 100;

/// Decides about one task. A wrong spec is no error but a plan that says so.
#[must_use]
pub fn plan(observed: &Observed) -> Plan {
    if observed.task.deleting {
        return Plan::default();
    }
    if !observed.unsure.is_empty() {
        // Nothing is counted, given up or started beside a Job that may be there: first somebody looks.
        let effects = observed.unsure.iter().map(|job| Effect::Find { job: job.clone() }).collect();
        return Plan { effects, wake_at: None };
    }
    let mut draft = Draft::new(observed);
    repair::repair(&mut draft);
    books::open(&mut draft);
    reset::reset(&mut draft);
    adopt::adopt(&mut draft);
    runs::settle(&mut draft);
    conflict::give_way(&mut draft);
    limits::enforce(&mut draft);
    suspend::resume(&mut draft);
    books::turn_page(&mut draft);
    start::start(&mut draft);
    history::forget(&mut draft);
    conditions::describe(&mut draft);
    draft.finish()
}

/// The schedule that a spec names. `task` is its key, which `H` and jitter are hashed from.
///
/// # Errors
/// When an expression, the zone or another field is not understood, or all of them together name no moment at all.
pub fn schedule_of(observed: &ObservedSchedule, task: &str) -> Result<Schedule, ScheduleError> {
    let exclusion = |exclusion: &api::Exclusion| match &exclusion.schedule {
        Some(schedule) => Exclusion::Schedule(schedule.clone()),
        None => Exclusion::Interval {
            from: exclusion.from.clone().unwrap_or_default(),
            until: exclusion.until.clone().unwrap_or_default(),
        },
    };
    let jitter = observed.jitter.map_or(SignedDuration::ZERO, |jitter| {
        SignedDuration::try_from(std::time::Duration::from(jitter)).unwrap_or(SignedDuration::MAX)
    });
    let definition = Definition {
        expressions: match &observed.schedule {
            Some(schedule) => Expressions::One(schedule.clone()),
            None => Expressions::Several(observed.schedules.clone()),
        },
        time_zone: observed.time_zone.clone(),
        daylight_saving: DaylightSaving {
            gap: observed.gap,
            overlap: observed.overlap,
        },
        jitter,
        start_at: observed.start_at.as_ref().map(|at| at.0),
        end_at: observed.end_at.as_ref().map(|at| at.0),
        exclude: observed.exclude.iter().map(exclusion).collect(),
    };
    Schedule::new(&definition, task)
}

/// A plan in the making: what each policy adds to.
struct Draft<'a> {
    observed: &'a Observed,
    spec: Option<&'a Spec>,
    ledger: Ledger,
    /// Deletions of Jobs whose end is written down: they come first, for they may free the quota that a create needs.
    forget: Vec<Effect>,
    /// The status must be written before the Jobs are touched.
    claim: bool,
    /// Deletions and creations, in order.
    jobs: Vec<Effect>,
    /// Questions whose answers the next plan needs.
    questions: Vec<Effect>,
    /// A slot that should have been started and is not, with the reason.
    owed: Option<Owed>,
    wake_at: Option<Timestamp>,
}

/// A slot that waits.
struct Owed {
    slot: Timestamp,
    reason: Reason,
    message: String,
}

impl<'a> Draft<'a> {
    fn new(observed: &'a Observed) -> Self {
        let spec = observed.task.spec.as_deref().ok();
        let limit = spec.map_or(MOST_RECENT_RUNS, |spec| usize::try_from(spec.fields.run_history_limit).unwrap_or(0));
        let (status, announcements) = match &observed.unwritten {
            Some(unwritten) => (&unwritten.status, unwritten.announcements.clone()),
            None => (&*observed.task.status, Vec::new()),
        };
        Self {
            observed,
            spec,
            ledger: Ledger::open(status, announcements, limit),
            forget: Vec::new(),
            claim: false,
            jobs: Vec::new(),
            questions: Vec::new(),
            owed: None,
            wake_at: None,
        }
    }

    fn now(&self) -> Timestamp {
        self.observed.now
    }

    /// The schedule, if it can be read.
    fn schedule(&self) -> Option<&'a Schedule> {
        self.spec.and_then(|spec| spec.schedule.as_ref().ok())
    }

    /// The run of a slot.
    fn slot(&self, slot: Timestamp) -> Candidate {
        Candidate {
            slot,
            trigger: Trigger::Schedule,
            job: job_name(&self.observed.task.name, slot, 1),
        }
    }

    /// Whether no slot will ever come again, because the author said until when they do.
    fn has_ended(&self) -> bool {
        self.end().is_some_and(|end| end <= self.now())
    }

    /// From here on there are no slots.
    fn end(&self) -> Option<Timestamp> {
        self.spec.and_then(|spec| spec.fields.end_at.as_ref()).map(|end| end.0)
    }

    /// Every slot up to here has its outcome, or lies before the schedule took effect.
    fn accounted(&self) -> Timestamp {
        let status = &self.ledger.status;
        let at = |time: &Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| time.as_ref().map_or(Timestamp::MIN, |time| time.0);
        at(&status.accounted_until).max(at(&status.schedule_since))
    }

    fn wake_by(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    /// Puts the effects in order: forget, claim, Jobs, questions, and the status when nothing else will change it.
    fn finish(mut self) -> Plan {
        self.ledger.close();
        let next = self.next_runs();
        let changed = changed(&self.observed.task.status, &mut self.ledger.status, next);
        if changed {
            history::drop_gone(&mut self);
        }
        let mut effects = std::mem::take(&mut self.forget);
        // Under Allow the Job comes first: the plan after it writes down that it was started.
        let last = self.jobs.is_empty() && self.questions.is_empty();
        if changed && (self.claim || last) {
            let urgency = if self.claim {
                Urgency::Now
            } else {
                self.ledger.urgency(&self.observed.task.status)
            };
            effects.push(Effect::Write {
                status: Box::new(self.ledger.status),
                urgency,
                announcements: self.ledger.announcements,
            });
        }
        effects.extend(self.jobs);
        effects.extend(self.questions);
        Plan {
            effects,
            wake_at: self.wake_at,
        }
    }

    /// Wakes when the next slot is to start, and gives the moments to show, if they are worth computing.
    fn next_runs(&mut self) -> impl Fn() -> Vec<String> + use<'a> {
        let schedule = self.schedule().filter(|_| suspend::paused(self).is_none());
        // The newest slot may still wait for its jitter.
        let from = schedule.map_or(self.now(), |schedule| schedule.started_by(self.now()));
        let from = self.accounted().max(from);
        if let Some((schedule, next)) = schedule.and_then(|schedule| Some((schedule, schedule.next(from)?))) {
            self.wake_by(schedule.starts_at(next));
        }
        move || {
            schedule.map_or_else(Vec::new, |schedule| {
                let starts = schedule.slots(from).map(|slot| schedule.starts_at(slot));
                starts.take(NEXT_RUNS).map(|start| start.to_string()).collect()
            })
        }
    }
}

/// Whether the status says anything new. That time passes is nothing new: `nextRuns` follows when something else changes.
fn changed(known: &ScheduledTaskStatus, next: &mut ScheduledTaskStatus, next_runs: impl Fn() -> Vec<String>) -> bool {
    if known == next {
        return false;
    }
    next.next_runs = next_runs();
    true
}
