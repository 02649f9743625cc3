//! Rules for Jobs: made once, in time, with room, after a claim; deleted only when that is written down.
//!
//! Takes each creation and deletion that the API server commits, gives the rule that it breaks. Never asks why it was asked for.

use super::check::{Actor, Checker, Verdict};
use super::clock::{Ms, SECOND, show};
use super::cluster::{JobObject, second};
use super::versions::Dropped;
use crate::demand;
use punctual::api::{ActiveRun, ConcurrencyPolicy, MissedRunPolicy, ScheduledTaskSpec, Trigger};
use punctual::plan::{Claim, Task};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

type Jobs = BTreeMap<String, Arc<JobObject>>;

impl Checker {
    pub fn job_made(&mut self, now: Ms, job: &JobObject, actor: &Actor, task: &Task, jobs: &Jobs) {
        self.note(now, || {
            format!(
                "Job {} is made ({:?}, attempt {}){}",
                job.name,
                job.trigger,
                job.attempt,
                if actor.stale { ", by a process that was stopped" } else { "" }
            )
        });
        let verdict = self.may_be_made(now, job, actor, task, jobs);
        self.judge(now, verdict);
        self.set_facts(now, job);
    }

    fn may_be_made(&mut self, now: Ms, job: &JobObject, actor: &Actor, task: &Task, jobs: &Jobs) -> Verdict {
        let (name, status, spec) = (&job.name, &task.status, self.spec(actor.generation));
        let slot = job.slot.map(second).ok_or("a Job without a slot")?;
        demand!(job.owner == task.uid, "Job {name} belongs to nobody");
        if let Some(run) = self.runs.get(&job.run) {
            demand!(!run.attempts.contains_key(&job.attempt), "doubled: Job {name} was made before");
        }
        let claimed = status.active.iter().find(|run| run.job == *name && run.uid.is_none());
        let is_in_the_ledger_before = job.attempt > 1 || job.trigger != Trigger::Schedule;
        demand!(
            self.loose || !is_in_the_ledger_before || claimed.is_some(),
            "unclaimed: Job {name} is made, and no status says that it will be"
        );
        let committed = self.committed.get(name).map(|(generation, _)| *generation);
        demand!(
            committed.is_some(),
            "uncommitted: Job {name} is made, and no log ever said that it will be"
        );
        if job.attempt > 1 {
            return self.may_be_tried_again(now, job, actor);
        }
        if job.trigger == Trigger::Schedule {
            self.slot_may_start(now, slot, job, actor)?;
        }
        if self.loose {
            return Ok(());
        }
        // What was decided by an earlier spec is carried out.
        let by_then = committed.map(|generation| self.spec(generation));
        let has_room = self.has_room(now, job, actor, &spec, jobs);
        has_room.or_else(|why| by_then.map_or(Err(why), |spec| self.has_room(now, job, actor, &spec, jobs)))
    }

    fn slot_may_start(&mut self, now: Ms, slot: i64, job: &JobObject, actor: &Actor) -> Verdict {
        let name = &job.name;
        let clock = actor.clock.max(actor.planned_at);
        demand!(
            slot * SECOND <= clock,
            "early: Job {name} is made at {}, before its slot",
            show(clock)
        );
        // Whoever looks at another clock sees it begin early by no more than its own was ahead.
        demand!(
            self.skewed || slot * SECOND - now <= self.ahead,
            "early: Job {name} is made at {}, and no clock was ever more than {} ms ahead",
            show(now),
            self.ahead
        );
        if let Some(other) = self.started.get(&slot) {
            return Err(format!("doubled: slot {slot} was started as {other}, and now as {name}"));
        }
        if let Some(fate) = self.not_started.get(&slot) {
            return Err(format!("doubled: slot {slot} was {fate}, and is started as {name}"));
        }
        Ok(())
    }

    /// What holds when a slot is decided on.
    pub fn slot_may_be_claimed(&mut self, slot: i64, claim: &Claim, actor: &Actor, task: &Task, spec: &ScheduledTaskSpec) -> Verdict {
        let (name, status) = (&claim.job, &task.status);
        let calendar = self.calendar(&spec.observed_schedule());
        demand!(calendar.is_slot(slot), "Job {name} is claimed for a moment that is no slot");
        let since = status.schedule_since.as_ref().map(|since| second(since.0));
        demand!(
            self.loose || since.is_none_or(|since| since < slot),
            "slot {slot} is older than its schedule, since {since:?}"
        );
        demand!(slot >= second(task.created), "slot {slot} is older than its task");
        demand!(!spec.suspend, "slot {slot} is started while the task is suspended");
        if let Some(limit) = spec.suspend_after_failures {
            let failures = status.consecutive_failures - status.forgiven_failures;
            demand!(
                failures < i64::from(limit),
                "slot {slot} is started after {failures} failures in a row"
            );
        }
        if let Some(deadline) = spec.starting_deadline_seconds {
            let latest = (slot + deadline) * SECOND + self.jitter(spec);
            demand!(
                actor.planned_at <= latest + SECOND,
                "late: slot {slot} is started at {} after its deadline of {deadline} s",
                show(actor.planned_at)
            );
        }
        Ok(())
    }

    /// What is started without a claim is chosen at that moment: the newest one, or the newest few.
    pub fn is_the_latest(&mut self, slot: i64, actor: &Actor, spec: &ScheduledTaskSpec) -> Verdict {
        let calendar = self.calendar(&spec.observed_schedule());
        let now = (actor.planned_at - self.jitter(spec)).div_euclid(1000);
        let newer = calendar.count(slot, now);
        let most = match spec.missed_run_policy {
            MissedRunPolicy::All => i64::try_from(spec.catch_up_limit()).unwrap_or(0),
            _ => 1,
        };
        demand!(
            newer < most,
            "slot {slot} is started although {newer} newer ones are due, under {:?}",
            spec.missed_run_policy
        );
        if spec.missed_run_policy == MissedRunPolicy::None {
            let late = actor.planned_at - slot * SECOND - self.jitter(spec);
            demand!(
                late <= 61 * SECOND,
                "slot {slot} is started {late} ms late under missedRunPolicy None"
            );
        }
        Ok(())
    }

    pub fn jitter(&self, spec: &ScheduledTaskSpec) -> Ms {
        spec.jitter.map_or(0, |jitter| Duration::from(jitter).as_millis() as Ms)
    }

    /// No more Jobs of different runs go on than the policy allows; those whose pods do not go are waited for with patience.
    fn has_room(&self, now: Ms, job: &JobObject, actor: &Actor, spec: &ScheduledTaskSpec, jobs: &Jobs) -> Verdict {
        let Some(room) = spec.capacity() else { return Ok(()) };
        let (set, by) = self.clock_set;
        let patience = if set + PATIENCE > now { PATIENCE - by } else { PATIENCE } - self.spread();
        let impatient = |other: &JobObject| other.deleting.is_some_and(|since| since + patience <= now.max(actor.clock));
        let others = jobs
            .values()
            .filter(|other| other.owner == job.owner && !other.forged && other.goes_on() && other.run != job.run);
        let others: BTreeSet<&str> = others.filter(|other| !impatient(other)).map(|other| other.name.as_str()).collect();
        demand!(
            others.len() < room,
            "overlap: Job {} is made under {:?} (room for {room}) while {others:?} go on",
            job.name,
            spec.concurrency_policy
        );
        Ok(())
    }

    fn may_be_tried_again(&self, now: Ms, job: &JobObject, actor: &Actor) -> Verdict {
        let (name, before) = (&job.name, job.attempt - 1);
        let Some(last) = self.runs.get(&job.run).and_then(|run| run.attempts.get(&before)) else {
            let is_forgotten = self.forgotten.values().any(|(run, _)| *run == job.run);
            demand!(self.loose || is_forgotten, "Job {name} is made, and attempt {before} never was");
            return Ok(());
        };
        let over = last.ended.map(|(at, ..)| at).or(last.gone);
        let over = over.ok_or(format!("overlap: attempt {name} is made while attempt {before} goes on"))?;
        if let Some((_, succeeded, for_good)) = last.ended.filter(|_| last.deleting.is_none()) {
            demand!(!succeeded, "Job {name} is made after attempt {before} succeeded");
            demand!(
                !for_good,
                "Job {name} is made after podFailurePolicy said that attempt {before} is final"
            );
        }
        let policies = self.specs_since(over - 600 * SECOND).filter_map(|spec| spec.retry_policy);
        let policies: Vec<_> = policies.filter(|policy| policy.limit >= before).collect();
        demand!(!policies.is_empty(), "Job {name} is one attempt more than retryPolicy.limit allows");
        let waits = policies.iter().map(|policy| {
            let delay = policy.delay.map_or(10_000, |delay| Duration::from(delay).as_millis() as Ms);
            let most = policy
                .max_delay
                .map_or(delay.max(600_000), |most| Duration::from(most).as_millis() as Ms);
            let grown = i64::from(policy.factor.unwrap_or(2))
                .saturating_pow((before - 1) as u32)
                .saturating_mul(delay);
            grown.min(most)
        });
        let least = waits.min().unwrap_or(0);
        let earliest = over.div_euclid(1000) * SECOND + least;
        // Whoever led later, or reads a status that somebody wrote, knows of the backoff what that says, and that may be nothing.
        let was_dropped = self.dropped.contains(Dropped::RETRY_AT) && actor.leads_since > over;
        let backoff_is_unknown = was_dropped || self.retry_at_lost > over;
        // An end that was only seen by a clock that was wrong is not the API server's.
        demand!(
            actor.clock + self.spread() >= earliest || backoff_is_unknown || last.ended.is_none() && actor.clock != now,
            "backoff: attempt {name} is made at {}, {least} ms were to pass since {}",
            show(actor.clock),
            show(over)
        );
        Ok(())
    }

    pub fn job_deleted(&mut self, now: Ms, job: &JobObject, waits_for_pods: bool, actor: &Actor, task: &Task) {
        self.note(now, || format!("Job {} is deleted by the operator", job.name));
        if job.forged {
            let why = format!("forged: Job {} was made by somebody else, and the operator deletes it", job.name);
            return self.judge(now, Err(why));
        }
        if job.goes_on() && !waits_for_pods {
            let why = format!("overlap: Job {} is deleted, and its pods would run on without it", job.name);
            return self.judge(now, Err(why));
        }
        if !actor.stale {
            let verdict = self.may_be_deleted(job, task);
            self.judge(now, verdict);
        }
        self.set_deleting(now, job);
    }

    fn may_be_deleted(&self, job: &JobObject, task: &Task) -> Verdict {
        let name = &job.name;
        demand!(job.owner == task.uid, "Job {name} of somebody else is deleted");
        if self.loose {
            return Ok(());
        }
        let entry = |run: &&ActiveRun| run.uid.as_ref() == Some(&job.uid);
        match (task.status.active.iter().find(entry), job.goes_on()) {
            (None, true) => Err(format!("unwritten: Job {name} goes on, is deleted, and no status names it")),
            (Some(run), true) => {
                demand!(
                    run.termination.is_some(),
                    "unwritten: Job {name} goes on, is deleted, and no status says why"
                );
                Ok(())
            }
            // It ended while the request was on its way.
            (Some(run), false) if run.termination.is_some() => Ok(()),
            (Some(_), false) => Err(format!("uncounted: Job {name} is forgotten before its end is written down")),
            (None, false) => {
                let until = task.status.accounted_until.as_ref().map(|until| until.0);
                let counted = job.trigger != Trigger::Schedule || job.slot <= until;
                demand!(counted, "uncounted: Job {name} is forgotten before its slot is accounted for");
                Ok(())
            }
        }
    }
}

impl Checker {
    /// No limit ends a Job before its time; judged where no clock was ever wrong.
    pub fn time_is_up(&self, now: Ms, job: &JobObject, reason: &str) -> Verdict {
        let limits = |of: fn(&ScheduledTaskSpec) -> Option<kube::core::Duration>| {
            let all = self
                .specs_since(now - 600 * SECOND)
                .filter_map(of)
                .map(|limit| Duration::from(limit).as_millis() as Ms);
            all.min().unwrap_or(Ms::MAX / 2)
        };
        let (since, limit) = match reason {
            "RunTimeout" => {
                let first = self
                    .runs
                    .get(&job.run)
                    .and_then(|run| run.attempts.values().map(|job| job.made).min());
                (first.unwrap_or(job.made), limits(|spec| spec.run_timeout))
            }
            "PendingTimeout" => {
                demand!(
                    !job.ready && !job.suspended,
                    "pendingTimeout ends Job {}, which is ready or waits its turn",
                    job.name
                );
                (job.resumed.max(job.made), limits(|spec| spec.pending_timeout))
            }
            _ => return Ok(()),
        };
        demand!(
            now - since + self.spread() >= limit - SECOND,
            "{reason} is too early: it ends Job {} after {} ms, {limit} were allowed",
            job.name,
            now - since
        );
        Ok(())
    }
}

/// Grace period of the pods, and the patience that `plan::capacity` documents; less the second that the API server cuts off.
pub const PATIENCE: Ms = 59 * SECOND;

/// Whether slots that are owed may wait behind a run.
pub fn waits_its_turn(spec: &ScheduledTaskSpec) -> bool {
    spec.concurrency_policy == ConcurrencyPolicy::Forbid && spec.missed_run_policy == MissedRunPolicy::All
}
