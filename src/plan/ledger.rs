//! The ledger while it is being written: every change of the counters goes through here, so that they add up.
//!
//! Takes outcomes, gives the next status and what is to be said about it. Never decides an outcome.

use super::{Announcement, Job, Outcome, Reason, Stretch, Urgency};
use crate::api::{ActiveRun, KeptJob, RefusedRequest, RunRecord, ScheduledTaskStatus, Trigger, printable};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The next status of a task, in the making.
#[derive(Debug)]
pub struct Ledger {
    pub status: ScheduledTaskStatus,
    /// What happened, in order.
    pub announcements: Vec<Announcement>,
    /// An end, a claim or a refusal: the write does not wait to be merged.
    pub urgent: bool,
    /// Slots were skipped.
    skipped: bool,
    history_limit: usize,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct End {
    pub at: Option<Timestamp>,
    pub exit_code: Option<i32>,
    pub message: Option<String>,
}

impl Ledger {
    /// Continues the ledger that was read, or what was decided since and is not written yet.
    #[must_use]
    pub fn open(status: &ScheduledTaskStatus, announcements: Vec<Announcement>, history_limit: usize) -> Self {
        Self {
            status: status.clone(),
            skipped: !announcements.is_empty(),
            announcements,
            urgent: false,
            history_limit,
        }
    }

    /// Everything up to here has its outcome. Never moves back.
    pub fn account_until(&mut self, until: Timestamp) {
        let until = whole_second(until);
        if self.status.accounted_until.as_ref().is_none_or(|known| known.0 < until) {
            self.status.accounted_until = Some(Time(until));
        }
    }

    /// A run of the task goes on (or went on) that the ledger did not know to be started.
    pub fn started(&mut self, run: ActiveRun) {
        self.status.started += 1;
        let newest = self.status.last_schedule_time.as_ref().is_none_or(|known| known.0 < run.slot.0);
        if newest && run.trigger == Trigger::Schedule {
            self.status.last_schedule_time = Some(run.slot.clone());
        }
        self.go_on(run);
    }

    /// A run goes on, in the order of slots.
    pub fn go_on(&mut self, run: ActiveRun) {
        let at = self.status.active.partition_point(|known| known.slot.0 <= run.slot.0);
        self.status.active.insert(at, run);
    }

    /// A run that was started has ended.
    pub fn ended(&mut self, run: &ActiveRun, outcome: Outcome, reason: Reason, end: End) {
        let status = &mut self.status;
        let finished = end.at.map(|at| Time(whole_second(at)));
        match outcome {
            Outcome::Succeeded => {
                status.succeeded += 1;
                newest(&mut status.last_successful_time, finished.as_ref());
                // What a backfill does says nothing about today, nor how far the data of today goes.
                if run.trigger != Trigger::Backfill {
                    (status.consecutive_failures, status.forgiven_failures) = (0, 0);
                    newest(&mut status.last_successful_slot, Some(&run.slot));
                }
            }
            Outcome::Failed => {
                status.failed += 1;
                status.consecutive_failures += i64::from(run.trigger != Trigger::Backfill);
                newest(&mut status.last_failure_time, finished.as_ref());
            }
            _ => status.cancelled += 1,
        }
        let message = match (&end.message, end.exit_code) {
            (Some(message), Some(code)) => format!("Job {} ended: {} (exit code {code}): {message}", run.job, outcome.as_str()),
            (Some(message), None) => format!("Job {} ended: {}: {message}", run.job, outcome.as_str()),
            (None, Some(code)) => format!("Job {} ended: {} (exit code {code})", run.job, outcome.as_str()),
            (None, None) => format!("Job {} ended: {}", run.job, outcome.as_str()),
        };
        self.announce(outcome, reason, run.slot.0, 1, message);
        self.record(RunRecord {
            slot: run.slot.clone(),
            first_slot: None,
            slots: 1,
            trigger: run.trigger,
            // One that waited for its next attempt never made it.
            attempts: run.attempt - i32::from(run.uid.is_none()),
            outcome: outcome.as_str().into(),
            reason: reason.to_string(),
            job: Some(run.job.clone()),
            started: run.started.clone(),
            finished,
            exit_code: end.exit_code,
            exit_codes: if run.exit_codes.is_empty() {
                Vec::new()
            } else {
                let last = run
                    .uid
                    .as_ref()
                    .map(|_| end.exit_code.or((outcome == Outcome::Succeeded).then_some(0)));
                run.exit_codes.iter().copied().chain(last).collect()
            },
            message: end.message,
        });
        self.urgent = true;
    }

    /// A finished Job is kept until the history limits, or its age, have it pruned.
    pub fn keep(&mut self, job: &Job, succeeded: bool) {
        let kept = &mut self.status.kept_jobs;
        if job.deleting.is_none() && kept.iter().all(|kept| kept.uid != job.uid) {
            kept.push(KeptJob {
                job: job.name.clone(),
                uid: job.uid.clone(),
                succeeded,
            });
        }
    }

    /// A run that was asked for will never be started.
    pub fn not_run(&mut self, outcome: Outcome, trigger: Trigger, slot: Timestamp, reason: Reason, message: &str) {
        if trigger == Trigger::Schedule {
            return self.not_started(outcome, &Stretch::one(slot, reason), message);
        }
        match outcome {
            Outcome::Skipped => self.status.skipped += 1,
            _ => self.status.missed += 1,
        }
        self.announce(Outcome::Refused, reason, slot, 1, message.to_owned());
        self.record(record(outcome, trigger, &Stretch::one(slot, reason), 1, message));
        self.urgent = true;
    }

    /// Slots that will never be started: skipped by policy, or missed.
    pub fn not_started(&mut self, outcome: Outcome, stretch: &Stretch, message: &str) {
        let slots = i64::try_from(stretch.slots).unwrap_or(i64::MAX);
        match outcome {
            Outcome::Skipped => self.status.skipped += slots,
            _ => self.status.missed += slots,
        }
        self.account_until(stretch.last);
        self.skipped |= outcome == Outcome::Skipped;
        self.announce_stretch(outcome, stretch, message);
        let reason = stretch.reason.to_string();
        // A task that skips every minute must not push its runs out of the history: one entry for the stretch.
        if let Some(newest) = self.status.recent_runs.first_mut()
            && newest.outcome == outcome.as_str()
            && newest.reason == reason
            && newest.trigger == Trigger::Schedule
            && newest.slot.0 < stretch.first
        {
            newest.first_slot = Some(newest.first_slot.take().unwrap_or_else(|| newest.slot.clone()));
            newest.slot = Time(stretch.last);
            newest.slots += slots;
            newest.message = Some(short(message));
            return;
        }
        self.record(record(outcome, Trigger::Schedule, stretch, slots, message));
    }

    /// Brings what follows from the rest into agreement: the number of runs that go on, counted anew so that an `active` list
    /// that somebody else wrote is healed with it, and the length of the history.
    pub fn close(&mut self) {
        self.status.recent_runs.truncate(self.history_limit);
        super::bounds::bound(&mut self.status);
        self.status.running = i64::try_from(self.status.active.iter().filter(|run| run.started.is_some()).count()).unwrap_or(i64::MAX);
    }

    /// How long the write may wait: a task that skips each second would write each second.
    #[must_use]
    pub fn urgency(&self, known: &ScheduledTaskStatus) -> Urgency {
        if self.urgent {
            return Urgency::Now;
        }
        let only_skips = || {
            let mut skipped = known.clone();
            skipped.skipped = self.status.skipped;
            skipped.accounted_until.clone_from(&self.status.accounted_until);
            skipped.recent_runs.clone_from(&self.status.recent_runs);
            skipped.next_runs.clone_from(&self.status.next_runs);
            skipped == self.status
        };
        if self.skipped && only_skips() {
            Urgency::Coalesced
        } else {
            Urgency::Merged
        }
    }

    /// Takes a run out again that was just put in.
    pub fn take(&mut self, job: &str) -> ActiveRun {
        let active = &mut self.status.active;
        let at = active.iter().position(|run| run.job == job).expect("inserted just before");
        active.remove(at)
    }

    /// A request was not carried out: in the status, for an event is gone after an hour.
    pub fn refuse_request(&mut self, annotation: &str, value: &str, now: Timestamp, message: String) {
        self.status.last_refused_request = Some(RefusedRequest {
            annotation: annotation.into(),
            value: short(value),
            at: Time(whole_second(now)),
            message: short(&message),
        });
        self.say(Outcome::Refused, Reason::RequestRefused, now, message);
    }

    /// Says something that is about no slot.
    pub fn say(&mut self, outcome: Outcome, reason: Reason, now: Timestamp, message: String) {
        self.announce(outcome, reason, now, 0, message);
        self.urgent = true;
    }

    /// Says that something happened.
    pub fn announce(&mut self, outcome: Outcome, reason: Reason, slot: Timestamp, slots: u64, message: String) {
        self.announcements.push(Announcement {
            outcome,
            reason,
            slot,
            first: slot,
            slots,
            message: short(&message),
        });
    }

    /// Slots that share their fate and follow each other are one announcement.
    fn announce_stretch(&mut self, outcome: Outcome, stretch: &Stretch, message: &str) {
        if let Some(last) = self.announcements.last_mut()
            && (last.outcome, last.reason) == (outcome, stretch.reason)
            && last.slots > 0
            && last.slot < stretch.first
        {
            let all = Stretch {
                reason: stretch.reason,
                first: last.first,
                last: stretch.last,
                slots: last.slots + stretch.slots,
            };
            let why = message.strip_prefix(&stretch.to_string()).unwrap_or_default();
            last.message = short(&format!("{all}{why}"));
            (last.slot, last.slots) = (all.last, all.slots);
            return;
        }
        self.announce(outcome, stretch.reason, stretch.last, stretch.slots, message.to_owned());
        if let Some(last) = self.announcements.last_mut() {
            last.first = stretch.first;
        }
    }

    fn record(&mut self, mut record: RunRecord) {
        record.message = record.message.map(|message| short(&message));
        self.status.recent_runs.insert(0, record);
        self.status.recent_runs.truncate(self.history_limit);
    }
}

/// The entry of slots that were not started.
fn record(outcome: Outcome, trigger: Trigger, stretch: &Stretch, slots: i64, message: &str) -> RunRecord {
    RunRecord {
        slot: Time(stretch.last),
        first_slot: (stretch.first < stretch.last).then_some(Time(stretch.first)),
        slots,
        trigger,
        attempts: 0,
        outcome: outcome.as_str().into(),
        reason: stretch.reason.to_string(),
        job: None,
        started: None,
        finished: None,
        exit_code: None,
        exit_codes: Vec::new(),
        message: Some(message.to_owned()),
    }
}

/// What the API server or a container said may be of any length, and hold anything; a screen and etcd have their limits.
#[must_use]
pub fn short(message: &str) -> String {
    cut(message, 1024)
}

/// The text in so many characters, none of which is one that a terminal would obey.
#[must_use]
pub fn cut(message: &str, longest: usize) -> String {
    // Escapes are longer than what they stand for, so the cut comes last; before it there is no need to look at a megabyte.
    let end = message.char_indices().nth(longest).map_or(message.len(), |(at, _)| at);
    let printable = printable(message.get(..end).unwrap_or_default());
    if end == message.len() && printable.chars().count() <= longest {
        return printable.into_owned();
    }
    printable.chars().take(longest - 1).chain(['…']).collect()
}

/// Status speaks in whole seconds, as Kubernetes does. Slots are whole seconds, so cutting never hides one.
#[must_use]
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second() - i64::from(at.subsec_nanosecond() < 0)).unwrap_or(at)
}

fn newest(known: &mut Option<Time>, other: Option<&Time>) {
    if let Some(other) = other
        && known.as_ref().is_none_or(|known| known.0 < other.0)
    {
        *known = Some(other.clone());
    }
}
