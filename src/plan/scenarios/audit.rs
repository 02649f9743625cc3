//! The rules of the ledger, checked at every effect of every scenario.
//!
//! A check gets what the world has just done and returns the rule that was violated, if any. Slots are counted by walking over them, so
//! that nothing is shared with the plan's own arithmetic. The world is never changed.

use super::expect::brief;
use super::world::{KEY, Object, World};
use crate::api::{ConcurrencyPolicy, MissedRunPolicy, ScheduledTaskStatus, Trigger, condition};
use crate::plan::{Effect, JobObject, Observed, Plan, plan as decide, run_of, schedule_of};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};

/// A step takes a few microseconds in a debug build; longer ranges are counted by the schedule.
const LONGEST_WALK: usize = 20_000;

macro_rules! holds {
    ($rule:expr, $($broken:tt)+) => {
        if !$rule {
            return Err(format!($($broken)+));
        }
    };
}

/// What the counters should add up to.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// How many slots lie between the first `scheduleSince` and `accountedUntil`, each under the schedule of its time.
    slots: u64,
    /// The status was lost, or Jobs were hidden: the sums cannot be known from outside.
    pub loose: bool,
}

impl Audit {
    /// A status was written.
    pub fn written(&mut self, now: Timestamp, before: &ScheduledTaskStatus, after: &ScheduledTaskStatus, limit: Option<usize>) -> Verdict {
        let until = accounted(after).ok_or("a written ledger has no beginning")?;
        let from = accounted(before)
            .or(after.schedule_since.as_ref().map(|since| since.0))
            .unwrap_or(until);
        holds!(from <= until, "accountedUntil moved back from {from} to {until}, at {now}");
        let in_force = before.observed_schedule.as_ref().or(after.observed_schedule.as_ref());
        if let Some(Ok(schedule)) = in_force.map(|known| schedule_of(known, KEY)) {
            self.slots += walk(&schedule, from, until);
        }
        let claimed = count(after.active.iter().filter(|run| run.started.is_none()));
        holds!(
            after.running == count(&after.active) - claimed,
            "running is the number of active runs, at {now}: {}",
            brief(after)
        );
        let ended = after.succeeded + after.failed + after.cancelled;
        holds!(
            after.started == ended + after.running,
            "started = succeeded + failed + cancelled + running, at {now}: {}",
            brief(after)
        );
        let queued = count(&after.queued);
        let booked = after.started + after.missed + after.skipped + claimed + queued;
        let slots = self.slots.cast_signed() + after.requested;
        holds!(
            self.loose || booked == slots,
            "started + missed + skipped + claimed + queued is {booked}, and there were {slots} slots and requests, at {now}: {}\nbefore: {}",
            brief(after),
            brief(before)
        );
        let most = limit.unwrap_or(100);
        holds!(
            after.recent_runs.len() <= most,
            "recentRuns grew past its limit {most}: {}",
            brief(after)
        );
        holds!(
            after.conditions.len() <= 5 && after.next_runs.len() <= 5 && after.recent_run_seconds.len() <= 20,
            "the status is not bounded: {}",
            brief(after)
        );
        // As kstatus reads them: a task that is not ready waits or is stuck, and never both.
        let says = |kind: &str, status: &str| after.condition(kind).is_some_and(|condition| condition.status == status);
        let troubles = [condition::STALLED, condition::RECONCILING];
        let present = troubles.iter().filter(|kind| after.condition(kind).is_some());
        let holding = troubles.iter().filter(|kind| says(kind, "True"));
        holds!(
            present.count() == holding.clone().count() && holding.clone().count() <= 1,
            "Stalled and Reconciling are present only where one of them holds: {}",
            brief(after)
        );
        holds!(
            !says(condition::READY, "False") || holding.count() == 1,
            "a task that is not ready waits or is stuck, at {now}: {}",
            brief(after)
        );
        holds!(
            !says(condition::READY, "True") || !says(condition::STALLED, "True"),
            "a task that is ready is not stuck, at {now}: {}",
            brief(after)
        );
        Ok(())
    }

    /// A Job is about to be created.
    pub fn creates(&self, world: &World, run: &JobObject) -> Verdict {
        let (now, slot) = (world.now, run.slot.unwrap_or(Timestamp::MAX));
        holds!(
            slot <= now,
            "{run:?} is started before its slot, at {now}: {}",
            brief(world.status())
        );
        let others = world.unfinished();
        let before = others
            .iter()
            .find(|job| run_of(&job.name, job.attempt) == run_of(&run.name, run.attempt));
        holds!(
            before.is_none(),
            "two attempts at one run are active at {now}: {before:?} and {run:?}"
        );
        let capacity = world.spec().and_then(|spec| spec.fields.capacity());
        holds!(
            capacity.is_none_or(|capacity| others.len() < capacity),
            "{run:?} exceeds the capacity, at {now}, with {others:?}: {}",
            brief(world.status())
        );
        if run.trigger != Trigger::Schedule || run.attempt > 1 {
            return Ok(());
        }
        holds!(
            !world.started.contains(&slot),
            "slot {slot} is started a second time, at {now}: {}",
            brief(world.status())
        );
        let since = world.status().schedule_since.as_ref().map(|since| since.0);
        holds!(
            Some(slot) > since,
            "slot {slot} is older than its schedule, at {now}: {}",
            brief(world.status())
        );
        Ok(())
    }

    /// A Job is about to be deleted by the operator.
    pub fn deletes(&self, world: &World, object: &Object, is_termination: bool) -> Verdict {
        holds!(object.owner == world.task.uid, "a Job of somebody else is deleted: {object:?}");
        if !is_termination {
            let written = world.status();
            holds!(object.job.end.is_some(), "history prunes an active Job: {object:?}");
            let open = written.active.iter().any(|run| run.job == object.job.name);
            holds!(
                !open && (object.job.trigger != Trigger::Schedule || object.job.slot <= accounted(written)),
                "history prunes a Job before it is counted: {object:?}"
            );
        }
        Ok(())
    }

    /// The plan is empty.
    pub fn at_rest(&self, world: &World, observed: &Observed, plan: &Plan) -> Verdict {
        let (now, status) = (world.now, world.status());
        holds!(
            plan.wake_at.is_none_or(|wake| wake > now),
            "at {now} it wants to wake at {:?}: a hot loop",
            plan.wake_at
        );
        if world.faults.lacks_status {
            // The ledger is in memory, and what is written says nothing.
            return Ok(());
        }
        let hidden = world.jobs.values().any(|object| object.hidden);
        holds!(
            self.loose || hidden || status.started == count(&world.started) + count(&world.requested),
            "{} runs were started: {}",
            world.started.len() + world.requested.len(),
            brief(status)
        );
        let schedule = world
            .spec()
            .filter(|_| {
                status
                    .condition(condition::SUSPENDED)
                    .is_none_or(|suspended| suspended.status != "True")
            })
            .and_then(|spec| spec.schedule.as_ref().ok());
        let (Some(schedule), false) = (schedule, world.task.deleting) else {
            return Ok(());
        };
        // Every slot that is due is started, unless there is a reason to wait.
        let until = accounted(status).ok_or("a ledger rests that has no beginning")?;
        let refused = observed.refusals.create.as_ref().is_some_and(|refusal| refusal.retry_at > now);
        let owed = schedule
            .latest(until, schedule.started_by(now))
            .filter(|_| !refused && !catches_up_behind_a_run(world));
        holds!(
            owed.is_none(),
            "slot {owed:?} is due at {now}, and is not started: {}",
            brief(status)
        );
        // The plan wakes no later than the next slot, and no earlier plan would start anything.
        let next = schedule
            .next(until.max(schedule.started_by(now)))
            .map(|slot| schedule.starts_at(slot));
        holds!(
            next.is_none() || plan.wake_at.is_some_and(|wake| Some(wake) <= next),
            "the plan sleeps past {next:?}: {:?}",
            plan.wake_at
        );
        let early = plan
            .wake_at
            .and_then(|wake| wake.checked_sub(SignedDuration::from_nanos(1)).ok())
            .filter(|early| *early > now);
        let early = early
            .map(|early| {
                decide(&Observed {
                    now: early,
                    ..observed.clone()
                })
                .effects
            })
            .unwrap_or_default();
        let acts = early
            .iter()
            .any(|effect| matches!(effect, Effect::Create { .. } | Effect::Terminate { .. } | Effect::Prune { .. }));
        holds!(!acts, "a plan before the wake-up {:?} has effects: {early:?}", plan.wake_at);
        Ok(())
    }
}

/// The rule that was violated, and how.
pub type Verdict = Result<(), String>;

/// Every slot up to here has its outcome.
pub fn accounted(status: &ScheduledTaskStatus) -> Option<Timestamp> {
    status.accounted_until.as_ref().map(|until| until.0)
}

fn catches_up_behind_a_run(world: &World) -> bool {
    let fields = world
        .spec()
        .map(|spec| (spec.fields.concurrency_policy, spec.fields.missed_run_policy));
    fields == Some((ConcurrencyPolicy::Forbid, MissedRunPolicy::All)) && !world.status().active.is_empty()
}

fn count<T>(things: impl IntoIterator<Item = T>) -> i64 {
    i64::try_from(things.into_iter().count()).unwrap_or(i64::MAX)
}

fn walk(schedule: &Schedule, from: Timestamp, until: Timestamp) -> u64 {
    let mut slots = 0;
    let mut at = from;
    for slot in schedule.slots(from).take(LONGEST_WALK).take_while(|slot| *slot <= until) {
        (slots, at) = (slots + 1, slot);
    }
    if slots == LONGEST_WALK as u64 {
        slots + schedule.count(at, until)
    } else {
        slots
    }
}
