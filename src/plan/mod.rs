//! What now: `plan(&Observed) -> Plan`, pure.
//!
//! ```text
//!  Observed ─► Planner ─► policies, in the order of one list ─► effects ─► conditions ─► Plan
//!  one task    runs,      each moves runs between phases       observed    derived       effects in order,
//!  + Jobs      counters                                        against                   time of the next plan
//!  + now                                                       the runs
//! ```
//! A snapshot of one task goes in, effects come out. The plan is never `async`, and uses no client, no clock and no randomness.
//!
//! # Which policy comes first
//!
//! When several meet in one instant, they apply in the order of [`POLICIES`], and nothing else decides order; `scenarios/pairs.rs`
//! tells each pair as a story. In words:
//!
//! 1. What happened comes before what is wanted: an end that the Job reports is an end, whatever limit was reached in that second.
//! 2. A retry is decided when its attempt fails: podFailurePolicy, limit, suspend, runTimeout, in this order. A run that waits for
//!    its next attempt is active.
//! 3. runTimeout before pendingTimeout: what ends the run ends its attempt.
//! 4. Failures suspend (suspendAfterFailures) before slots start; a resume request is handled before that is asked.
//! 5. An edit before a suspension before a slot: a slot of a former schedule, or of a suspension, is not started.
//! 6. Deadlines and endAt empty the queue before it moves; who waits in it comes before the slots that are due, before who asks
//!    now (run-now), before a backfill.
//! 7. A create that the API server refused holds back all starts of that task until it is time to try again, and nothing else.
//! 8. Jobs are pruned before others are created: that may free the quota which these need.

mod accounting;
mod announcing;
mod capacity;
mod claim;
mod conditions;
mod durations;
mod effect;
mod effects;
mod in_force;
mod manifest;
mod names;
mod observed;
mod observed_job;
mod planner;
mod policies;
mod reason;
mod records;
mod refusals;
mod run;
#[cfg(test)]
mod scenarios;
mod schedule_of;
mod seconds;
mod slots;
mod standing;
mod status_limits;
mod text;
mod trace;

pub use claim::Claim;
pub use durations::typical_run_seconds;
pub use effect::{Announcement, Effect, Outcome, Plan, Start, Urgency};
pub use in_force::in_force;
pub use manifest::build_job;
pub use names::{attempt_name, has_the_form, is_plain_name, job_name, run_name, run_of};
pub use observed::{Conflict, DryRun, Observed, Requests, Spec, Task, Unusable, Unwritten};
pub use observed_job::{Exit, Job, JobEnd, JobObject, JobState, Pods};
pub use reason::{ConditionReason, Reason};
pub use refusals::{Refusal, Refusals, WriteKind};
pub use schedule_of::schedule_of;
pub use slots::{Due, ON_TIME, SlotRange, due, is_accounted};
pub use text::short;
pub use trace::TraceIds;

use planner::Planner;
use policies::{
    adoption, allow, backfill, completion, deadline, history, initialize, missed, name_conflict, queue, refusal, repair, replace, reset,
    retry, run_now, schedule_change, skip, suspension, timeouts,
};

type Policy = fn(&mut Planner);

/// When a policy applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// In every plan.
    Always,
    /// When nothing has to be read first: no slot is given up beside a Job that may be there.
    Certain,
    /// When, beyond that, it is not too early to try again what the API server refused.
    MayStart,
}
use When::{Always, Certain, MayStart};

/// Every policy, in the order in which they apply.
#[rustfmt::skip]
const POLICIES: &[(When, Policy)] = &[
    (Always,   repair::repair_status),                  // what no operator can have written
    (Always,   initialize::begin_ledger),
    (Always,   reset::handle_reset),
    (Always,   adoption::adopt),                        // 1: what happened, and what was decided
    (Always,   completion::settle_runs),
    (Always,   retry::retry_or_fail),                   // 2
    (Always,   name_conflict::give_up_taken),
    (Always,   refusal::fail_hopeless_retries),
    (Always,   timeouts::terminate_long_runs),          // 3
    (Always,   timeouts::terminate_pending_jobs),
    (Always,   suspension::handle_resume),              // 4
    (Always,   schedule_change::apply_schedule_change), // 5
    (Always,   suspension::record_suspension),
    (Always,   backfill::stop_too_long),
    (Certain,  suspension::give_up_slots),
    (Certain,  deadline::give_up_late),                 // 6
    (Certain,  deadline::end_life),
    (Certain,  replace::spare_replaced),
    (Certain,  refusal::note_blocked_slot),             // 7
    (MayStart, queue::claim_first),
    (MayStart, missed::find_due),
    (MayStart, refusal::make_way),
    (MayStart, skip::skip_late),
    (MayStart, missed::count_missed),
    (MayStart, run_now::handle_run_now),
    (MayStart, allow::claim_all),                       // candidates, by concurrencyPolicy: one of these four
    (MayStart, skip::claim_or_skip),
    (MayStart, replace::replace_active),
    (MayStart, queue::enqueue),
    (MayStart, backfill::handle_backfill),
    (Always,   history::prune_jobs),                    // 8
];

/// Decides about one task. An invalid spec is no error but a plan that says so.
///
/// ```
/// use punctual::api::ScheduledTaskSpec;
/// use punctual::plan::{Effect, Observed, Task, plan};
/// use serde_json::json;
/// use std::sync::Arc;
///
/// let spec = ScheduledTaskSpec::read(&json!({
///     "schedule": "0 9 * * *",
///     "jobTemplate": {"spec": {"template": {"spec": {
///         "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}}},
/// }))?;
/// let created = "2026-11-23T08:58:00Z".parse()?;
/// let task = Task::new("shop", "report", "b0b1", created, spec);
///
/// // A new task: ask whether the API server would accept its Job, and wake at nine.
/// let observed = Observed::new(created, Arc::new(task));
/// let first = plan(&observed);
/// assert!(matches!(first.effects[..], [Effect::DryRunCreate { .. }]));
/// assert_eq!(first.wake_at, Some("2026-11-23T09:00:00Z".parse()?));
///
/// // At nine its Job is created, under a name that says which slot it is for.
/// let at_nine = plan(&Observed { now: "2026-11-23T09:00:00Z".parse()?, ..observed });
/// let starts = at_nine.effects.iter().find_map(|effect| match effect {
///     Effect::Create { start, .. } => Some(start.job.as_str()),
///     _ => None,
/// });
/// assert_eq!(starts, Some("report-1795424400"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn plan(observed: &Observed) -> Plan {
    if observed.task.deleting {
        return Plan::default();
    }
    if !observed.unacknowledged.is_empty() {
        // Nothing is counted, given up or started beside a Job that may be there: first it is looked up.
        let look_up = |job: &String| Effect::LookUpCreate { job: job.clone() };
        return Plan {
            effects: observed.unacknowledged.iter().map(look_up).collect(),
            wake_at: None,
        };
    }
    let mut planner = Planner::new(observed);
    for (when, policy) in POLICIES {
        let applies = match when {
            Always => true,
            Certain => planner.is_certain(),
            MayStart => planner.may_start(),
        };
        if applies {
            policy(&mut planner);
        }
    }
    let effects = effects::of_runs(&mut planner);
    conditions::describe(&mut planner, !effects.is_empty());
    effects::into_plan(planner, effects)
}
