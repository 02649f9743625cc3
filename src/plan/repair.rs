//! A status that no operator can have written.
//!
//! Whoever may write `scheduledtasks/status` can invent a ledger: a far slot that is accounted for, runs under names of their
//! choice, counters below zero. What is impossible is taken out before anything is decided by it, and told. What is possible and
//! wrong cannot be known: `punctual.dev/reset-ledger` is for that.

use super::job::{has_the_form, is_plain_name};
use super::{Draft, MOST_RECENT_RUNS, Outcome, Reason, due, ledger};
use crate::api::{KeptJob, ScheduledTaskStatus, Trigger};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Clocks are wrong by hours, and may be set back; a ledger that is further ahead is nobody's mistake of a clock.
const AHEAD: SignedDuration = SignedDuration::from_hours(32 * 24);
/// As many as `maxConcurrentRuns` and `queueLimit` allow.
pub const MOST_ACTIVE: usize = 1000;
const MOST_QUEUED: usize = 100;
/// As many slots as `backfillLimit` allows.
const MOST_BACKFILLED: u64 = 1000;
/// As many attempts as `retryPolicy.limit` allows.
const MOST_EXIT_CODES: usize = 101;
/// Ours are four; other tools may add some.
const MOST_CONDITIONS: usize = 16;
/// Longer than any message of ours, in bytes.
const LONGEST_TEXT: usize = 4096;

/// Takes out what is impossible.
pub fn repair(draft: &mut Draft) {
    let task = &draft.observed.task;
    // A clock that is behind the task's creation knows nothing of what is far ahead.
    let now = draft.now().max(task.created);
    // After an edit its slots are counted anew, where the page is turned.
    let known = draft.ledger.status.observed_schedule.as_ref();
    let is_known = draft.spec.is_some_and(|spec| known == Some(&spec.fields.observed_schedule()));
    let schedule = draft.schedule().filter(|_| is_known);
    let mut wrong: Vec<String> = task.damage.iter().cloned().collect();
    let status = &mut draft.ledger.status;
    times(status, now, &mut wrong);
    lists(status, &task.name, now, &mut wrong);
    backfill(status, schedule, now, &mut wrong);
    texts(status, &mut wrong);
    if counters(status).into_iter().fold(false, |found, counter| found | floor(counter)) {
        wrong.push("counters were below zero".into());
    }
    if wrong.is_empty() {
        return;
    }
    let message = format!("the status said what no operator writes, and was repaired: {}", wrong.join("; "));
    draft.ledger.say(Outcome::Refused, Reason::LedgerRepaired, now, message);
    draft.claim = true;
}

fn times(status: &mut ScheduledTaskStatus, now: Timestamp, wrong: &mut Vec<String>) {
    let far = |at: &Option<Time>| at.as_ref().is_some_and(|at| is_far(at.0, now));
    if far(&status.accounted_until) || far(&status.schedule_since) {
        let said = status.accounted_until.as_ref().or(status.schedule_since.as_ref());
        wrong.push(format!(
            "slots were accounted for until {}; they are until now",
            said.map_or(Timestamp::MAX, |at| at.0)
        ));
        status.accounted_until = Some(Time(ledger::whole_second(now)));
        status.schedule_since = status.schedule_since.take().filter(|since| !is_far(since.0, now));
        status.schedule_since.get_or_insert(Time(ledger::whole_second(now)));
    }
    for (name, time) in [
        ("lastScheduleTime", &mut status.last_schedule_time),
        ("lastSuccessfulTime", &mut status.last_successful_time),
        ("lastSuccessfulSlot", &mut status.last_successful_slot),
        ("lastFailureTime", &mut status.last_failure_time),
    ] {
        if let Some(at) = time.take_if(|at| is_far(at.0, now)) {
            wrong.push(format!("{name} was {}", at.0));
        }
    }
}

fn lists(status: &mut ScheduledTaskStatus, task: &str, now: Timestamp, wrong: &mut Vec<String>) {
    let is_run = |job: &str, slot: &Time, trigger: Trigger, attempt: i32| {
        // What was asked for lies in the present, or in the past.
        has_the_form(task, job, slot.0, trigger, attempt) && !is_far(slot.0, now)
    };
    let mut taken_out = |name: &str, before: usize, after: usize| {
        if after < before {
            wrong.push(format!("{} entries of {name} were impossible", before - after));
        }
    };
    let before = status.active.len();
    status.active.retain(|run| is_run(&run.job, &run.slot, run.trigger, run.attempt));
    status.active.truncate(MOST_ACTIVE);
    taken_out("active", before, status.active.len());
    let before = status.queued.len();
    status.queued.retain(|run| is_run(&run.job, &run.slot, run.trigger, 1));
    status.queued.truncate(MOST_QUEUED);
    taken_out("queued", before, status.queued.len());
    let before = status.kept_jobs.len();
    status
        .kept_jobs
        .retain(|KeptJob { job, uid, .. }| is_plain_name(job) && uid.len() <= 64);
    status.kept_jobs.truncate(2 * super::history::MOST_KEPT);
    taken_out("keptJobs", before, status.kept_jobs.len());
    let before = status.recent_runs.len();
    status.recent_runs.retain(|run| !is_far(run.slot.0, now) && run.slots >= 0);
    status.recent_runs.truncate(MOST_RECENT_RUNS);
    taken_out("recentRuns", before, status.recent_runs.len());
    let before = status.conditions.len();
    status.conditions.truncate(MOST_CONDITIONS);
    taken_out("conditions", before, status.conditions.len());
    let codes = status.active.iter_mut().map(|run| &mut run.exit_codes);
    for codes in codes.chain(status.recent_runs.iter_mut().map(|run| &mut run.exit_codes)) {
        codes.truncate(MOST_EXIT_CODES);
    }
}

/// Every slot of a backfill is a Job: one that no request can have asked for makes none.
fn backfill(status: &mut ScheduledTaskStatus, schedule: Option<&Schedule>, now: Timestamp, wrong: &mut Vec<String>) {
    let slots = |from, until| schedule.map_or(0, |schedule| schedule.count(due::before(from), due::before(until)));
    let is_odd = |(from, until): (Timestamp, Timestamp)| is_far(until, now) || slots(from, until) > MOST_BACKFILLED;
    if let Some(odd) = status.backfill.take_if(|backfill| is_odd((backfill.from.0, backfill.until.0))) {
        wrong.push(format!("a backfill from {} until {} was in progress", odd.from.0, odd.until.0));
    }
}

fn texts(status: &mut ScheduledTaskStatus, wrong: &mut Vec<String>) {
    let active = status.active.iter_mut().filter_map(|run| run.message.as_mut());
    let recent = status.recent_runs.iter_mut().filter_map(|run| run.message.as_mut());
    let conditions = status.conditions.iter_mut().map(|condition| &mut condition.message);
    let long = active.chain(recent).chain(conditions).filter(|text| text.len() > LONGEST_TEXT);
    let cut = long.map(|text| *text = ledger::short(text)).count();
    if cut > 0 {
        wrong.push(format!("{cut} messages were too long"));
    }
}

fn counters(status: &mut ScheduledTaskStatus) -> [&mut i64; 10] {
    [
        &mut status.requested,
        &mut status.started,
        &mut status.succeeded,
        &mut status.failed,
        &mut status.cancelled,
        &mut status.retried,
        &mut status.missed,
        &mut status.skipped,
        &mut status.consecutive_failures,
        &mut status.forgiven_failures,
    ]
}

fn floor(counter: &mut i64) -> bool {
    let is_below = *counter < 0;
    *counter = (*counter).max(0);
    is_below
}

fn is_far(at: Timestamp, now: Timestamp) -> bool {
    at > now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX)
}
