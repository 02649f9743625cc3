//! What is to be done: the difference between what is observed and what the runs now say.
//!
//! The order is prune, record, terminate, commit, create, ask. Prunes come first, for they may free the quota that a create needs;
//! decisions are durable before they are carried out; terminations free the capacity that creations need.

use super::accounting::Ledger;
use super::claim::Claim;
use super::effect::{Announcement, Effect, Outcome, Plan, Start, Urgency};
use super::manifest::build_job;
use super::planner::Planner;
use super::policies::history::{drop_pruned, verify_unseen};
use super::run::{Phase, Run};
use super::trace::TraceIds;
use super::{ON_TIME, Reason, WriteKind};
use crate::api::{ConcurrencyPolicy, ScheduledTaskStatus, Trigger};
use jiff::Timestamp;

/// How many times `status.nextRuns` shows.
const NEXT_RUNS: usize = 5;

/// Terminations, commit and creations, in that order.
pub fn of_runs(planner: &mut Planner) -> Vec<Effect> {
    let mut effects = terminations(planner);
    if planner.is_certain() {
        effects.extend(creations(planner));
    }
    effects
}

/// Puts all effects in order.
pub fn into_plan(mut planner: Planner, of_runs: Vec<Effect>) -> Plan {
    planner.ledger.close();
    let next_runs = next_runs(&mut planner);
    let known = &planner.observed.task.status;
    let is_changed = **known != planner.ledger.status;
    if is_changed {
        // That time passes is no change: `nextRuns` follows when something else changes.
        planner.ledger.status.next_runs = next_runs();
        drop_pruned(&mut planner);
    }
    // A start that is committed comes first: the plan after it records it.
    let is_last = of_runs.is_empty() && planner.reads.is_empty();
    let is_written = is_changed && (planner.ledger.comes_first() || is_last);
    let unseen = if is_written { verify_unseen(&planner) } else { Vec::new() };
    let Planner {
        ledger,
        prunes,
        reads,
        wake_at,
        ..
    } = planner;
    let mut effects = prunes;
    if is_written {
        effects.push(Effect::WriteStatus {
            urgency: urgency(&ledger, known),
            status: Box::new(ledger.status),
            announcements: ledger.announcements,
        });
    }
    effects.extend(of_runs);
    effects.extend(reads);
    effects.extend(unseen);
    Plan { effects, wake_at }
}

fn terminations(planner: &mut Planner) -> Vec<Effect> {
    let refused = planner.refused(WriteKind::Terminate);
    let (mut effects, mut wakes) = (Vec::new(), Vec::new());
    for run in &planner.ledger.runs {
        let (Phase::Terminating(uid, termination), Some(job)) = (&run.phase, planner.job(run)) else {
            continue;
        };
        wakes.extend(planner.termination_deadline(run).filter(|deadline| *deadline > planner.now()));
        if job.object.end.is_some() || job.object.deleting.is_some() {
            continue;
        }
        match refused {
            Some(refusal) => wakes.push(refusal.retry_at),
            None => effects.push(Effect::Terminate {
                job: run.job.clone(),
                uid: uid.clone(),
                version: job.object.version.clone(),
                reason: termination.reason,
            }),
        }
    }
    wakes.into_iter().for_each(|at| planner.wake_by(at));
    effects
}

/// Jobs of claims that find capacity, and of further attempts, when their time has come.
fn creations(planner: &mut Planner) -> Vec<Effect> {
    let (may_start, refused) = (planner.may_start(), planner.refused(WriteKind::Retry));
    let mut wakes = Vec::new();
    let mut capacity = planner.capacity_for_jobs();
    let mut starts = Vec::new();
    for run in &planner.ledger.runs {
        let start = start(planner, run);
        match run.phase {
            Phase::Claimed if !may_start => continue,
            Phase::Backoff(_) if refused.is_some() => {
                wakes.extend(refused.map(|refusal| refusal.retry_at));
                continue;
            }
            Phase::Claimed if capacity == 0 && start.due <= planner.now() => continue,
            // The clock was set back behind a claim: never before the slot.
            Phase::Claimed => capacity -= usize::from(start.due <= planner.now()),
            Phase::Backoff(_) => {}
            Phase::Queued | Phase::Running(_) | Phase::Terminating(..) => continue,
        }
        starts.push(start);
    }
    wakes.into_iter().for_each(|at| planner.wake_by(at));
    starts.sort_by_key(|start| start.slot);
    let (due, later): (Vec<Start>, Vec<Start>) = starts.into_iter().partition(|start| start.due <= planner.now());
    later.into_iter().for_each(|start| planner.wake_by(start.due));
    if planner.spec.is_none() {
        return Vec::new();
    }
    let is_new = |claim: &Claim| planner.observed.claims.iter().all(|known| known.job != claim.job);
    let claims: Vec<Claim> = due.iter().map(Start::claim).filter(is_new).collect();
    let commit = (!claims.is_empty()).then_some(Effect::Commit { claims });
    let creations: Vec<Effect> = due.into_iter().filter_map(|start| creation(planner, start)).collect();
    commit.into_iter().chain(creations).collect()
}

fn start(planner: &Planner, run: &Run) -> Start {
    let due = match (&run.phase, run.trigger) {
        (Phase::Backoff(until), _) => *until,
        (_, Trigger::Schedule) => planner.schedule().map_or(run.slot, |schedule| schedule.starts_at(run.slot)),
        (_, Trigger::Manual | Trigger::Backfill) => planner.now().min(run.slot),
    };
    let queues = |policy: ConcurrencyPolicy| policy == ConcurrencyPolicy::Queue;
    let is_queued = planner.spec.is_some_and(|spec| queues(spec.fields.concurrency_policy));
    Start {
        slot: run.slot,
        trigger: run.trigger,
        attempt: run.attempt,
        job: run.job.clone(),
        due,
        is_timed: run.is_scheduled() && run.attempt == 1 && !is_queued,
    }
}

fn creation(planner: &Planner, start: Start) -> Option<Effect> {
    let spec = planner.spec?;
    // From the ledger as it will be: the run before may have ended in this very plan.
    let watermark = planner.ledger.status.last_successful_slot.as_ref().map(|slot| slot.0);
    let watermark = watermark.filter(|_| start.trigger != Trigger::Backfill);
    let previous = planner.schedule().and_then(|schedule| schedule.previous(start.slot));
    let trace = planner
        .observed
        .traces
        .then(|| TraceIds::of(&planner.observed.task.uid, start.slot));
    let manifest = build_job(&planner.observed.task, &spec.fields, &start, watermark, previous, trace);
    Some(Effect::Create {
        announcement: announcement(&start, planner.now()),
        start,
        manifest,
    })
}

/// What is announced of a first attempt; a further one was announced when the one before failed.
fn announcement(start: &Start, now: Timestamp) -> Option<Announcement> {
    let Start { slot, job, .. } = start;
    let late = now.duration_since(start.due);
    let (reason, message) = match start.trigger {
        _ if start.attempt > 1 => return None,
        Trigger::Manual => (Reason::Requested, format!("Created Job {job}, requested by punctual.dev/run-now")),
        Trigger::Backfill => (Reason::Requested, format!("Created Job {job} for backfilled slot {slot}")),
        Trigger::Schedule if late > ON_TIME => {
            let message = format!("Created Job {job} for slot {slot}, {} s late", late.as_secs());
            (Reason::CaughtUp, message)
        }
        Trigger::Schedule => (Reason::OnSchedule, format!("Created Job {job} for slot {slot}")),
    };
    Some(Announcement {
        outcome: Outcome::Started,
        reason,
        slot: *slot,
        first: *slot,
        slots: 1,
        run_seconds: None,
        message,
    })
}

/// How long the write may wait: a task that skips each second would write each second.
fn urgency(ledger: &Ledger, known: &ScheduledTaskStatus) -> Urgency {
    if ledger.comes_first() || ledger.urgent {
        return Urgency::Now;
    }
    let mut skipped = known.clone();
    skipped.skipped = ledger.status.skipped;
    skipped.accounted_until.clone_from(&ledger.status.accounted_until);
    skipped.recent_runs.clone_from(&ledger.status.recent_runs);
    skipped.next_runs.clone_from(&ledger.status.next_runs);
    match ledger.skipped && skipped == ledger.status {
        true => Urgency::Coalesce,
        false => Urgency::Merge,
    }
}

/// Wakes when the next slot is to start, and returns the times to show, if they are worth computing.
fn next_runs<'a>(planner: &mut Planner<'a>) -> impl Fn() -> Vec<String> + use<'a> {
    let schedule = planner.schedule().filter(|_| planner.suspended_by().is_none());
    // The newest slot may still wait for its jitter.
    let started = schedule.map_or(planner.now(), |schedule| schedule.started_by(planner.now()));
    let from = planner.ledger.accounted_until().max(started);
    if let Some((schedule, next)) = schedule.and_then(|schedule| Some((schedule, schedule.next(from)?))) {
        planner.wake_by(schedule.starts_at(next));
    }
    move || {
        schedule.map_or_else(Vec::new, |schedule| {
            let starts = schedule.slots(from).map(|slot| schedule.starts_at(slot));
            starts.take(NEXT_RUNS).map(|start| start.to_string()).collect()
        })
    }
}
