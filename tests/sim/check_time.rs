//! Rules for time: when nothing is wrong for a while, whatever is due is done.
//!
//! Takes a look at the API server after each event, and whether the world is calm: a leader awake, its watches true, its clock right,
//! nothing refused, nobody interfering. Gives what somebody should have done by now. Never asks the planner when it wants to wake.

use super::check::{Checker, Verdict};
use super::check_books::brief;
use super::check_jobs::waits_its_turn;
use super::clock::{MINUTE, Ms, SECOND, ms, show};
use super::cluster::{JobObject, second};
use crate::demand;
use punctual::api::{ScheduledTaskSpec, condition};
use punctual::plan::Task;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest wait after a refusal is 256 s.
const SOON: Ms = 5 * MINUTE + 30 * SECOND;

type Jobs = BTreeMap<String, Arc<JobObject>>;

impl Checker {
    /// Time passed.
    pub fn look(&mut self, now: Ms, calm: bool, only_creates_fail: bool, task: &Task, jobs: &Jobs) {
        match (calm, self.calm_since) {
            (true, None) => self.calm_since = Some(now),
            (false, _) => self.calm_since = None,
            _ => {}
        }
        match (only_creates_fail, self.terminates_since) {
            (true, None) => self.terminates_since = Some(now),
            (false, _) => self.terminates_since = None,
            _ => {}
        }
        let busy = self.going_on > 0;
        if std::mem::replace(&mut self.busy, busy) || busy {
            self.last_busy = now;
        }
        let for_long = |since: Option<Ms>| since.is_some_and(|since| now - since >= SOON);
        if for_long(self.terminates_since) && now - self.last_look >= 5 * SECOND {
            self.last_look = now;
            // Whoever cannot create can still terminate.
            let verdict = self.timeouts_hold(now, task, jobs);
            self.judge(now, verdict);
            if for_long(self.calm_since) {
                let verdict = self.nothing_is_late(now, task, jobs);
                self.judge(now, verdict);
            }
        }
    }

    fn nothing_is_late(&mut self, now: Ms, task: &Task, jobs: &Jobs) -> Verdict {
        let (status, spec) = (&task.status, self.spec(task.generation));
        let late = |at: Ms| at + SOON <= now;
        demand!(status.schedule_since.is_some(), "owed: a task without a ledger");
        demand!(
            status.observed_generation == Some(task.generation),
            "owed: an edit that nobody has seen"
        );
        self.slots_are_started(now, task, &spec)?;
        let ready = status.condition(condition::READY);
        let is_said = ready.is_some_and(|ready| (ready.status.as_str(), ready.reason.as_str()) == ("False", "OutdatedCRD"));
        demand!(
            is_said || self.pruned_for.is_none() || !late(self.last_write),
            "owed: the CRD drops fields, and Ready does not say so: {ready:?}"
        );
        for run in &status.active {
            let job = jobs.get(&run.job).filter(|job| Some(&job.uid) == run.uid.as_ref());
            if run.uid.is_some() && job.is_none_or(|job| !job.goes_on()) {
                let end = job.and_then(|job| job.end.as_ref()).map(|end| ms(end.at));
                let gone = || self.of_uid(run.uid.as_ref()?)?.gone;
                let over = end.or_else(gone);
                demand!(
                    !over.is_some_and(late),
                    "owed: Job {} ended, and its run goes on: {}",
                    run.job,
                    brief(status)
                );
            }
            if let Some(at) = &run.retry_at {
                demand!(!late(ms(at.0)), "owed: attempt {} was to be made at {}", run.job, at.0);
            }
            let idle = self.last_busy + SOON <= now;
            if run.started.is_none() && idle {
                demand!(
                    !late(ms(run.slot.0) + self.jitter(&spec)),
                    "owed: claim {} has no Job: {}",
                    run.job,
                    brief(status)
                );
            }
        }
        if status.active.is_empty() && self.last_busy + SOON <= now {
            demand!(status.queued.is_empty(), "owed: a queue that does not move: {}", brief(status));
            demand!(status.backfill.is_none(), "owed: a backfill that does not move: {}", brief(status));
        }
        let handled = |asked: &Option<String>, handled: &Option<String>| asked.is_none() || asked == handled;
        let requests = &task.requests;
        demand!(
            handled(&requests.run_now, &status.last_handled_run_now),
            "owed: run-now {:?}",
            requests.run_now
        );
        demand!(
            handled(&requests.resume, &status.last_handled_resume),
            "owed: resume {:?}",
            requests.resume
        );
        demand!(
            handled(&requests.backfill, &status.last_handled_backfill),
            "owed: backfill {:?}",
            requests.backfill
        );
        self.history_is_short(now, task, jobs, &spec)
    }

    fn timeouts_hold(&self, now: Ms, task: &Task, jobs: &Jobs) -> Verdict {
        let spec = self.spec(task.generation);
        let late = |at: Ms| at + SOON <= now;
        for run in &task.status.active {
            let job = jobs.get(&run.job).filter(|job| Some(&job.uid) == run.uid.as_ref());
            let deleting = job.is_some_and(|job| job.deleting.is_some());
            let stays = run.uid.is_none() || job.is_some_and(|job| job.goes_on() && !deleting);
            if let (Some(timeout), Some(started), true) = (spec.run_timeout, &run.started, stays) {
                let over = ms(started.0) + Duration::from(timeout).as_millis() as Ms;
                demand!(
                    !late(over),
                    "runTimeout: the run of {} should have been ended at {}",
                    run.job,
                    show(over)
                );
            }
            if let (Some(timeout), Some(job), false) = (spec.pending_timeout, job, deleting)
                && job.goes_on()
                && !job.ready
                && !job.suspended
            {
                let since = job.began.map_or(job.resumed, ms).max(job.resumed);
                let over = since + Duration::from(timeout).as_millis() as Ms;
                demand!(
                    !late(over),
                    "pendingTimeout: Job {} should have been ended at {}",
                    run.job,
                    show(over)
                );
            }
        }
        Ok(())
    }

    fn slots_are_started(&mut self, now: Ms, task: &Task, spec: &ScheduledTaskSpec) -> Verdict {
        let status = &task.status;
        let paused = spec.suspend
            || status
                .condition(condition::SUSPENDED)
                .is_some_and(|condition| condition.status == "True");
        if paused || waits_its_turn(spec) && !status.active.is_empty() {
            return Ok(());
        }
        let until = status.accounted_until.as_ref().map_or(0, |until| second(until.0));
        let next = match self.next_slot {
            Some((known, generation, next)) if (known, generation) == (until, task.generation) => next,
            _ => {
                let next = self.calendar(&spec.observed_schedule()).next(until);
                self.next_slot = Some((until, task.generation, next));
                next
            }
        };
        let due = next.map_or(Ms::MAX - SOON, |next| next * SECOND + self.jitter(spec));
        demand!(due + SOON > now, "lost: slot {} is owed: {}", show(due), brief(status));
        Ok(())
    }

    fn history_is_short(&self, now: Ms, _task: &Task, jobs: &Jobs, spec: &ScheduledTaskSpec) -> Verdict {
        if self.loose {
            return Ok(());
        }
        for (succeeded, limit) in [(true, spec.successful_jobs_history_limit), (false, spec.failed_jobs_history_limit)] {
            let old = |job: &&Arc<JobObject>| {
                job.end
                    .as_ref()
                    .is_some_and(|end| end.succeeded == succeeded && ms(end.at) + SOON <= now)
            };
            let kept = jobs
                .values()
                .filter(|job| job.owner == "task-1" && !job.forged && !job.unlabelled && job.deleting.is_none())
                .filter(old);
            let ttl = spec.ttl_after_finished.map(|ttl| Duration::from(ttl).as_millis() as Ms);
            let expired = |job: &JobObject| ttl.is_some_and(|ttl| job.end.as_ref().is_some_and(|end| ms(end.at) + ttl + SOON <= now));
            let mut count = 0;
            for job in kept {
                count += 1;
                demand!(!expired(job), "history: Job {} is kept beyond ttlAfterFinished", job.name);
            }
            demand!(
                count <= limit,
                "history: {count} Jobs (succeeded: {succeeded}) are kept, {limit} are allowed"
            );
        }
        Ok(())
    }
}
