//! A status that no operator can have written.
//!
//! Who may write `scheduledtasks/status` can invent a ledger: a far slot that is accounted for, runs under any name, counters below
//! zero. What is impossible is removed before anything is decided by it, and announced. What is possible and wrong cannot be known:
//! `punctual.dev/reset-ledger` is for that.

use crate::api::{KeptJob, ScheduledTaskStatus};
use crate::plan::accounting::Ledger;
use crate::plan::capacity::MOST_ACTIVE;
use crate::plan::durations::remove_impossible;
use crate::plan::names::is_plain_name;
use crate::plan::planner::{LONGEST_HISTORY, Planner};
use crate::plan::run::{Phase, Run};
use crate::plan::seconds::whole_second;
use crate::plan::slots::is_far;
use crate::plan::text::short;
use crate::plan::{Outcome, Reason, slots};
use crate::schedule::Schedule;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// As many as `queueLimit` allows.
const MOST_QUEUED: usize = 100;
/// As many as both history limits keep.
const MOST_KEPT: usize = 200;
/// As many slots as `backfillLimit` allows.
const MOST_BACKFILLED: u64 = 1000;
/// As many attempts as `retryPolicy.limit` allows.
const MOST_EXIT_CODES: usize = 101;
/// Ours are five at a time; other tools may add some.
const MOST_CONDITIONS: usize = 16;
/// Longer than any message of ours, in bytes.
const LONGEST_TEXT: usize = 4096;

/// Removes what is impossible.
pub fn repair_status(planner: &mut Planner) {
    let task = &planner.observed.task;
    // A clock that is behind the task's creation knows nothing of what is far ahead.
    let now = planner.now().max(task.created);
    // After an edit the slots of a backfill are counted anew.
    let known = planner.ledger.status.observed_schedule.as_ref();
    let is_known = planner.spec.is_some_and(|spec| known == Some(&spec.fields.observed_schedule()));
    let schedule = planner.schedule().filter(|_| is_known);
    let mut wrong: Vec<String> = task.damage.iter().cloned().collect();
    times(&mut planner.ledger.status, now, &mut wrong);
    runs(&mut planner.ledger, &task.name, now, &mut wrong);
    lists(&mut planner.ledger.status, now, &mut wrong);
    backfill(&mut planner.ledger.status, schedule, now, &mut wrong);
    texts(&mut planner.ledger, &mut wrong);
    if planner.ledger.floor_counters() {
        wrong.push("counters were negative".into());
    }
    if wrong.is_empty() {
        return;
    }
    let message = format!("the status was invalid and was repaired: {}", wrong.join("; "));
    planner.ledger.say(Outcome::Refused, Reason::LedgerRepaired, now, message);
    planner.ledger.binding = true;
}

fn times(status: &mut ScheduledTaskStatus, now: Timestamp, wrong: &mut Vec<String>) {
    let far = |at: &Option<Time>| at.as_ref().is_some_and(|at| is_far(at.0, now));
    if far(&status.accounted_until) || far(&status.schedule_since) {
        let said = status.accounted_until.as_ref().or(status.schedule_since.as_ref());
        wrong.push(format!(
            "slots were accounted for until {}; they are until now",
            said.map_or(Timestamp::MAX, |at| at.0)
        ));
        status.accounted_until = Some(Time(whole_second(now)));
        status.schedule_since = status.schedule_since.take().filter(|since| !is_far(since.0, now));
        status.schedule_since.get_or_insert(Time(whole_second(now)));
    }
    for (name, time) in [
        ("lastScheduleTime", &mut status.last_schedule_time),
        ("lastStartTime", &mut status.last_start_time),
        ("lastSuccessfulTime", &mut status.last_successful_time),
        ("lastSuccessfulSlot", &mut status.last_successful_slot),
        ("lastFailureTime", &mut status.last_failure_time),
    ] {
        if let Some(at) = time.take_if(|at| is_far(at.0, now)) {
            wrong.push(format!("{name} was {}", at.0));
        }
    }
}

fn runs(ledger: &mut Ledger, task: &str, now: Timestamp, wrong: &mut Vec<String>) {
    let is_possible = |run: &Run| run.is_possible(task, now);
    for (name, is_queue, most) in [("active", false, MOST_ACTIVE), ("queued", true, MOST_QUEUED)] {
        let before = ledger.runs.len();
        let mut kept = 0;
        ledger.runs.retain(|run| {
            if (run.phase == Phase::Queued) != is_queue {
                return true;
            }
            let keeps = is_possible(run) && kept < most;
            kept += usize::from(keeps);
            keeps
        });
        removed(name, before, ledger.runs.len(), wrong);
    }
    ledger.runs.iter_mut().for_each(|run| run.exit_codes.truncate(MOST_EXIT_CODES));
}

fn lists(status: &mut ScheduledTaskStatus, now: Timestamp, wrong: &mut Vec<String>) {
    let before = status.kept_jobs.len();
    let is_possible = |KeptJob { job, uid, .. }: &KeptJob| is_plain_name(job) && uid.len() <= 64;
    status.kept_jobs.retain(is_possible);
    status.kept_jobs.truncate(MOST_KEPT);
    removed("keptJobs", before, status.kept_jobs.len(), wrong);
    let before = status.recent_runs.len();
    status.recent_runs.retain(|run| !is_far(run.slot.0, now) && run.slots >= 0);
    status.recent_runs.truncate(LONGEST_HISTORY);
    removed("recentRuns", before, status.recent_runs.len(), wrong);
    let before = status.recent_run_seconds.len();
    remove_impossible(&mut status.recent_run_seconds);
    removed("recentRunSeconds", before, status.recent_run_seconds.len(), wrong);
    let before = status.conditions.len();
    status.conditions.truncate(MOST_CONDITIONS);
    removed("conditions", before, status.conditions.len(), wrong);
    let codes = status.recent_runs.iter_mut().map(|run| &mut run.exit_codes);
    codes.for_each(|codes| codes.truncate(MOST_EXIT_CODES));
}

fn removed(name: &str, before: usize, after: usize, wrong: &mut Vec<String>) {
    if after < before {
        wrong.push(format!("{} entries of {name} were impossible", before - after));
    }
}

/// Every slot of a backfill is a Job: one that no request can have asked for makes none.
fn backfill(status: &mut ScheduledTaskStatus, schedule: Option<&Schedule>, now: Timestamp, wrong: &mut Vec<String>) {
    let slots = |from, until| schedule.map_or(0, |schedule| schedule.count(slots::before(from), slots::before(until)));
    let is_odd = |(from, until): (Timestamp, Timestamp)| is_far(until, now) || slots(from, until) > MOST_BACKFILLED;
    if let Some(odd) = status.backfill.take_if(|backfill| is_odd((backfill.from.0, backfill.until.0))) {
        wrong.push(format!("a backfill from {} until {} was in progress", odd.from.0, odd.until.0));
    }
}

fn texts(ledger: &mut Ledger, wrong: &mut Vec<String>) {
    let runs = ledger.runs.iter_mut().filter_map(|run| run.message.as_mut());
    let recent = ledger.status.recent_runs.iter_mut().filter_map(|run| run.message.as_mut());
    let conditions = ledger.status.conditions.iter_mut().map(|condition| &mut condition.message);
    let long = runs.chain(recent).chain(conditions).filter(|text| text.len() > LONGEST_TEXT);
    let cut = long.map(|text| *text = short(text)).count();
    if cut > 0 {
        wrong.push(format!("{cut} messages were too long"));
    }
}
