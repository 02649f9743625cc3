//! What now: `plan(&Observed) -> Plan`, pure.
//!
//! ```text
//!  Observed ─► books ─► runs ─────► start ──────────► history ─► conditions ─► wake ─► Plan
//!  one task    since,   what became due slots and      Jobs to    Ready …       next    effects in order
//!  + Jobs      edits,   of active   concurrency policy forget     Overdue       look
//!  + now       suspend  runs
//! ```
//! Takes a snapshot, gives effects. Never `async`, never a client, never the clock, never randomness. One policy, one file.

mod because;
mod books;
mod claims;
mod concurrency;
mod conditions;
mod due;
mod effect;
mod history;
mod job;
mod ledger;
mod observed;
mod runs;
#[cfg(test)]
mod scenarios;
mod start;

pub use because::Because;
pub use due::{Due, ON_TIME, Stretch, due};
pub use effect::{Announcement, Effect, Outcome, Plan, Run, Urgency};
pub use job::{build_job, job_name, run_name};
pub use observed::{Exit, Job, JobEnd, Observed, Refusal, Spec, Task, Trial};

use crate::api::{self, ScheduledTaskSpec, ScheduledTaskStatus};
use crate::schedule::{DaylightSaving, Gap, Overlap, Schedule, ScheduleError};
use jiff::Timestamp;
use ledger::Ledger;

/// The trigger of a run that a slot started.
pub const TRIGGER_SCHEDULE: &str = "Schedule";

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
    books::open(&mut draft);
    runs::settle(&mut draft);
    books::turn_page(&mut draft);
    start::start(&mut draft);
    history::forget(&mut draft);
    conditions::describe(&mut draft);
    draft.finish()
}

/// The schedule that a spec names.
///
/// # Errors
/// When the expression or the zone is not understood, or names no moment at all.
pub fn schedule_of(fields: &ScheduledTaskSpec) -> Result<Schedule, ScheduleError> {
    let policy = fields.daylight_saving.unwrap_or_default();
    parse(&fields.schedule, fields.zone(), policy.gap, policy.overlap)
}

fn parse(expression: &str, zone: &str, gap: api::Gap, overlap: api::Overlap) -> Result<Schedule, ScheduleError> {
    let gap = match gap {
        api::Gap::RunAfter => Gap::RunAfter,
        api::Gap::Skip => Gap::Skip,
    };
    let overlap = match overlap {
        api::Overlap::First => Overlap::First,
        api::Overlap::Both => Overlap::Both,
    };
    Schedule::parse(expression, zone, DaylightSaving { gap, overlap })
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
    because: Because,
    message: String,
}

impl<'a> Draft<'a> {
    fn new(observed: &'a Observed) -> Self {
        let spec = observed.task.spec.as_deref().ok();
        let limit = spec.map_or(MOST_RECENT_RUNS, |spec| usize::try_from(spec.fields.run_history_limit).unwrap_or(0));
        Self {
            observed,
            spec,
            ledger: Ledger::open(&observed.task.status, limit),
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

    fn suspended(&self) -> bool {
        self.spec.is_some_and(|spec| spec.fields.suspend)
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
        let mut effects = std::mem::take(&mut self.forget);
        // Under Allow the Job comes first: the plan after it writes down that it was started.
        let last = self.jobs.is_empty() && self.questions.is_empty();
        if changed && (self.claim || last) {
            let urgency = if self.claim || self.ledger.urgent {
                Urgency::Now
            } else {
                Urgency::Merged
            };
            effects.push(Effect::Write {
                status: Box::new(self.ledger.status),
                urgency,
            });
            effects.extend(self.ledger.announcements.into_iter().map(Effect::Announce));
        }
        effects.extend(self.jobs);
        effects.extend(self.questions);
        Plan {
            effects,
            wake_at: self.wake_at,
        }
    }

    /// Wakes at the next slot, and gives the moments to show, if they are worth computing.
    fn next_runs(&mut self) -> impl Fn() -> Vec<String> + use<'a> {
        let from = self.accounted().max(self.now());
        let schedule = self.schedule().filter(|_| !self.suspended());
        if let Some(next) = schedule.and_then(|schedule| schedule.next(from)) {
            self.wake_by(next);
        }
        move || {
            schedule.map_or_else(Vec::new, |schedule| {
                schedule.slots(from).take(NEXT_RUNS).map(|slot| slot.to_string()).collect()
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
