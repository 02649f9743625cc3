//! Rules for the status: it accounts for every slot and every request once, its sums add up, its queue is a queue.
//!
//! Takes each status that the API server commits beside the one before it. Counts slots with its own calendar. Never knows
//! what the planner had in mind.

use super::check::{Actor, Checker, Verdict};
use super::clock::{Ms, show};
use super::cluster::{JobObject, second};
use super::versions::Dropped;
use crate::demand;
use punctual::api::{ActiveRun, ObservedSchedule, RunRecord, ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use punctual::plan::Task;
use std::collections::BTreeMap;
use std::sync::Arc;

type Status = ScheduledTaskStatus;

impl Checker {
    pub fn status_written(&mut self, now: Ms, task: &Task, after: &Status, actor: &Actor, jobs: &BTreeMap<String, Arc<JobObject>>) {
        (self.writes, self.last_write) = (self.writes + 1, now);
        self.note(now, || format!("status: {}", brief(after)));
        let verdict = self.may_be_written(task, after, actor, jobs);
        self.judge(now, verdict);
        if self.wrote_since.is_none_or(|(process, _)| process != actor.process) {
            self.wrote_since = Some((actor.process, now));
        }
        for run in after.active.iter().filter(|run| run.termination.is_some()) {
            let known = task
                .status
                .active
                .iter()
                .any(|known| known.uid == run.uid && known.termination.is_some());
            let job = jobs.get(&run.job).filter(|job| Some(&job.uid) == run.uid.as_ref() && job.goes_on());
            let seen = self.calm_since.is_some_and(|since| now - since > 5000) && !self.skewed;
            if let (Some(job), Some(ending), false, true) = (job, &run.termination, known, seen) {
                let verdict = self.time_is_up(now, job, &ending.reason);
                self.judge(now, verdict);
            }
        }
    }

    fn may_be_written(&mut self, task: &Task, after: &Status, actor: &Actor, jobs: &BTreeMap<String, Arc<JobObject>>) -> Verdict {
        let before = &*task.status;
        let is_new = before != after;
        if is_new {
            self.void_writes.clear();
        }
        // Once each process may try to write what is not kept.
        let is_void = is_new || !self.dropped.is_nothing() && self.void_writes.insert(actor.process);
        demand!(is_void, "quiet: a status is written that says nothing new");
        self.no_edit_is_imagined(before, after, actor)?;
        self.time_goes_on(task, before, after, actor)?;
        let ended = after.succeeded + after.failed + after.cancelled;
        demand!(
            after.started == ended + after.running,
            "sum: started is not succeeded + failed + cancelled + running: {}",
            brief(after)
        );
        let running = after.active.iter().filter(|run| run.started.is_some()).count() as i64;
        demand!(
            after.running == running,
            "sum: running is not the number of active runs: {}",
            brief(after)
        );
        self.bounded(after, actor)?;
        if self.loose {
            return Ok(());
        }
        let first = before.schedule_since.is_none();
        let requests = requests_handled(before, after);
        let asked = after.requested - before.requested;
        demand!(
            asked == requests || first && asked < requests,
            "request: {requests} were handled, {asked} counted: {}",
            brief(after)
        );
        self.backfill(before, after)?;
        let claims = after.active.iter().filter(|run| run.started.is_none()).count();
        let booked = after.started + after.missed + after.skipped + (after.queued.len() + claims) as i64;
        let odd = booked - self.slots - after.requested;
        self.slots += if (1..=self.odd).contains(&odd) { odd } else { 0 };
        let known = self.slots + after.requested;
        demand!(
            booked == known,
            "sum: started + missed + skipped + queued + claims is {booked}; there were {} slots and {} requests: {}",
            self.slots,
            after.requested,
            brief(after)
        );
        let counters = |status: &Status| {
            [
                status.started,
                status.succeeded,
                status.failed,
                status.cancelled,
                status.retried,
                status.missed,
                status.skipped,
                status.requested,
            ]
        };
        demand!(
            counters(before).iter().zip(counters(after)).all(|(before, after)| *before <= after),
            "sum: a counter went down: {} after {}",
            brief(after),
            brief(before)
        );
        for run in after.active.iter().filter(|run| run.uid.is_some()) {
            let known = |uid: &String| self.uids.contains_key(uid) || self.forgotten.contains_key(uid);
            let known = run.uid.as_ref().is_some_and(known);
            demand!(
                known || jobs.contains_key(&run.job),
                "active names {}, which nobody ever made",
                run.job
            );
        }
        is_a_queue(before, after)?;
        self.fates(before, after, actor)
    }

    fn time_goes_on(&mut self, task: &Task, before: &Status, after: &Status, actor: &Actor) -> Verdict {
        let until = |status: &Status| status.accounted_until.as_ref().map(|until| second(until.0));
        let since = |status: &Status| status.schedule_since.as_ref().map(|since| second(since.0));
        let to = until(after).ok_or("a ledger without an end")?;
        let from = until(before).or(since(after)).ok_or("a ledger without a beginning")?;
        demand!(from <= to, "accountedUntil moved back by {} s", from - to);
        let newest = self.started.last_key_value().map_or(0, |(slot, _)| *slot);
        let newest = self.forgotten.values().map(|(_, slot)| *slot).fold(newest, i64::max);
        let future = to.max(from) * 1000 > actor.planned_at && to > from && to > newest && to > second(task.created);
        demand!(
            !future,
            "accountedUntil is {}, and it is {}",
            show(to * 1000),
            show(actor.planned_at)
        );
        let stands = before.observed_schedule.as_ref().or(after.observed_schedule.as_ref());
        let stands = stands.ok_or("a ledger without a schedule")?;
        let calendar = self.calendar(stands);
        self.slots += calendar.count(from, to);
        // A run that a backup forgot may be one of a schedule that it forgot, too.
        let is_odd = |slot: &&i64| (from + 1..=to).contains(*slot) && !calendar.is_slot(**slot);
        self.odd = self.forgotten.values().map(|(_, slot)| slot).filter(is_odd).count() as i64;
        if since(before).is_none() {
            self.began = self.began.max(from);
            // A run that is older than the ledger: for more than five minutes nobody lived to write one.
            let is_older = |run: &&ActiveRun| run.trigger == Trigger::Schedule && second(run.slot.0) <= from;
            self.odd += after.active.iter().filter(is_older).count() as i64;
        }
        let same = before.observed_schedule.is_none() || before.observed_schedule == after.observed_schedule;
        // Without the jitter of the schedule that was observed, an edit of it is not to be told from none.
        let is_known = !self.dropped.contains(Dropped::JITTER);
        demand!(
            !same || !is_known || since(before).is_none() || since(before) == since(after),
            "scheduleSince moves although the schedule does not"
        );
        let of = |spec: &ScheduledTaskSpec| match is_known {
            true => spec.observed_schedule(),
            false => without_jitter(&spec.observed_schedule()),
        };
        let written = |said: &ObservedSchedule| {
            let said = if is_known { said.clone() } else { without_jitter(said) };
            self.specs.iter().any(|(.., spec)| of(spec) == said)
        };
        demand!(
            after.observed_schedule.as_ref().is_some_and(written),
            "observedSchedule is what nobody wrote"
        );
        Ok(())
    }

    /// What was dropped from the schedule that was observed is no edit for a process that wrote it: no slot is given up for it.
    fn no_edit_is_imagined(&self, before: &Status, after: &Status, actor: &Actor) -> Verdict {
        let is_edit = |record: &RunRecord| record.reason == "ScheduleChanged";
        let named = news(&before.recent_runs, &after.recent_runs);
        if after.missed == before.missed || named.is_empty() || !after.recent_runs.first().is_some_and(is_edit) {
            return Ok(());
        }
        let knows_since = self
            .wrote_since
            .filter(|(process, _)| *process == actor.process)
            .map_or(Ms::MAX, |(_, at)| at);
        let is_edited = self.specs.iter().any(|(at, ..)| *at >= knows_since);
        demand!(
            is_edited || knows_since == Ms::MAX,
            "lost: slots are given up for an edit of the schedule, and nobody edited it since {}",
            show(knows_since)
        );
        Ok(())
    }

    fn bounded(&self, after: &Status, actor: &Actor) -> Verdict {
        let spec = self.spec(actor.generation);
        demand!(
            after.recent_runs.len() <= usize::try_from(spec.run_history_limit).unwrap_or(0),
            "recentRuns has {} entries, runHistoryLimit is {}",
            after.recent_runs.len(),
            spec.run_history_limit
        );
        demand!(
            after.conditions.len() <= 5 && after.next_runs.len() <= 5,
            "the status is not bounded"
        );
        // A task that is not ready waits or is stuck, and one that is ready is not stuck.
        let says = |kind: &str| after.condition(kind).map(|condition| condition.status.as_str());
        match (says("Ready"), says("Stalled"), says("Reconciling")) {
            (Some("False"), Some("True"), None)
            | (Some("False"), None, Some("True"))
            | (Some("True"), None, None | Some("True"))
            | (None, None, _) => Ok(()),
            odd => Err(format!("conditions: Ready, Stalled and Reconciling are {odd:?}")),
        }
    }

    /// Each slot of a backfill once, each of them a slot of the past.
    fn backfill(&mut self, before: &Status, after: &Status) -> Verdict {
        let request = after.last_handled_backfill.clone().unwrap_or_default();
        for run in new_backfills(before, after) {
            let slot = second(run);
            demand!(
                self.backfilled.insert((request.clone(), slot)),
                "doubled: slot {slot} is backfilled twice by {request}"
            );
        }
        Ok(())
    }

    /// What `recentRuns` says of slots that were not started: each of them once, and never of one that was.
    fn fates(&mut self, before: &Status, after: &Status, actor: &Actor) -> Verdict {
        let Some(stands) = before.observed_schedule.clone() else {
            return Ok(());
        };
        let calendar = self.calendar(&stands);
        for (first, last, slots, outcome) in news(&before.recent_runs, &after.recent_runs) {
            let taken = |slot: &i64| {
                self.started.contains_key(slot)
                    || self.not_started.contains_key(slot)
                    || after
                        .active
                        .iter()
                        .any(|run| run.trigger == Trigger::Schedule && second(run.slot.0) == *slot)
                    || after
                        .queued
                        .iter()
                        .any(|run| run.trigger == Trigger::Schedule && second(run.slot.0) == *slot)
            };
            let named = match slots {
                1 => vec![last],
                2..2000 => calendar.slots(first - 1, last),
                _ => continue,
            };
            let free: Vec<i64> = named.into_iter().filter(|slot| !taken(slot)).collect();
            if actor.reads_old && (free.len() as i64) < slots {
                // Whoever knew of that Job died before its status was written, and the list of the next is older than it.
                self.loose = true;
                return Ok(());
            }
            demand!(
                free.len() as i64 >= slots,
                "doubled: {slots} slots up to {} are said to be {outcome}, and {} of them have another fate",
                show(last * 1000),
                slots - free.len() as i64
            );
            if free.len() as i64 == slots {
                self.not_started.extend(free.into_iter().map(|slot| (slot, outcome.clone())));
            }
        }
        Ok(())
    }
}

fn without_jitter(schedule: &ObservedSchedule) -> ObservedSchedule {
    ObservedSchedule {
        jitter: None,
        ..schedule.clone()
    }
}

fn requests_handled(before: &Status, after: &Status) -> i64 {
    let run_now = after.last_handled_run_now.is_some() && after.last_handled_run_now != before.last_handled_run_now;
    i64::from(run_now) + new_backfills(before, after).count() as i64
}

fn new_backfills<'a>(before: &'a Status, after: &'a Status) -> impl Iterator<Item = jiff::Timestamp> + 'a {
    let new = |job: &str| !before.active.iter().any(|known| known.slot.0.as_second() > 0 && known.job == job);
    let backfills = after
        .active
        .iter()
        .filter(|run| run.trigger == Trigger::Backfill && run.started.is_none());
    backfills.filter(move |run| new(&run.job)).map(|run| run.slot.0)
}

/// First in, first out; new ones at the end; nobody is let in past those that wait.
fn is_a_queue(before: &Status, after: &Status) -> Verdict {
    let place = |job: &str| after.queued.iter().position(|run| run.job == job);
    let left: Vec<(usize, &str)> = before
        .queued
        .iter()
        .map(|run| run.job.as_str())
        .enumerate()
        .filter(|(_, job)| place(job).is_some())
        .collect();
    demand!(
        left.iter().enumerate().all(|(at, (_, job))| place(job) == Some(at)),
        "queue: those who waited were put in another order: {}",
        brief(after)
    );
    let Some((first_left, _)) = left.first() else { return Ok(()) };
    for run in after.active.iter().filter(|run| run.started.is_none()) {
        let is_new = !before.active.iter().any(|known| known.job == run.job);
        let waited = before.queued.iter().position(|known| known.job == run.job);
        demand!(
            !is_new || waited.is_some_and(|at| at < *first_left),
            "queue: {} was let in before others who wait longer: {}",
            run.job,
            brief(after)
        );
    }
    Ok(())
}

/// Slots that were newly said to be not started: first, last, how many, and how. Nothing, where the history was cut.
fn news(before: &[RunRecord], after: &[RunRecord]) -> Vec<(i64, i64, i64, String)> {
    let first = |record: &RunRecord| second(record.first_slot.as_ref().unwrap_or(&record.slot).0);
    let same = |old: &RunRecord, new: &RunRecord| {
        (first(old), old.trigger, &old.outcome, &old.reason, &old.job) == (first(new), new.trigger, &new.outcome, &new.reason, &new.job)
    };
    let known = match before.first() {
        Some(newest) => after.iter().position(|record| same(newest, record)),
        None => Some(after.len()),
    };
    let Some(known) = known else { return Vec::new() };
    let idle = |record: &&RunRecord| record.trigger == Trigger::Schedule && record.attempts == 0 && record.job.is_none();
    let mut news: Vec<_> = after[..known]
        .iter()
        .filter(idle)
        .map(|record| (first(record), second(record.slot.0), record.slots, fate(record)))
        .collect();
    if let (Some(old), Some(grown)) = (before.first(), after.get(known))
        && idle(&grown)
        && grown.slots > old.slots
    {
        news.push((second(old.slot.0) + 1, second(grown.slot.0), grown.slots - old.slots, fate(grown)));
    }
    news
}

/// What became of slots, and why.
fn fate(record: &RunRecord) -> String {
    format!("{} ({})", record.outcome, record.reason)
}

/// A status in one line.
pub fn brief(status: &Status) -> String {
    let active: Vec<String> = status
        .active
        .iter()
        .map(|run| {
            let state = match (&run.uid, &run.started, &run.termination) {
                (_, _, Some(ending)) => format!("ending: {}", ending.reason),
                (Some(_), ..) => "runs".into(),
                (None, Some(_), _) => format!("tries again at {}", run.retry_at.as_ref().map_or("?".into(), |at| at.0.to_string())),
                (None, None, _) => "claim".into(),
            };
            format!("{} ({state})", run.job)
        })
        .collect();
    let queued: Vec<&str> = status.queued.iter().map(|run| run.job.as_str()).collect();
    let newest = status
        .recent_runs
        .first()
        .map(|run| format!("{} {} × {} until {}", run.outcome, run.reason, run.slots, run.slot.0));
    let until = status.accounted_until.as_ref().map_or("?".into(), |until| until.0.to_string());
    format!(
        "until {until} started {} succeeded {} failed {} cancelled {} missed {} skipped {} requested {} retried {} active {active:?} queued {queued:?} newest {newest:?} backfill {:?}",
        status.started,
        status.succeeded,
        status.failed,
        status.cancelled,
        status.missed,
        status.skipped,
        status.requested,
        status.retried,
        status.backfill.as_ref().map(|backfill| (backfill.from.0, backfill.until.0))
    )
}
