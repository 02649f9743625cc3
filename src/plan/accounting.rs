//! The ledger: runs, counters, `accountedUntil` and `recentRuns`, changed by the transitions of runs and in no other way.
//!
//! A run enters the ledger once, which accounts for its slot or counts its request; it is started once; it ends once. Each of these
//! is one function here and moves the counters that belong to it, so that they add up by construction. Ledgers decide nothing: which
//! transition is due is for the policies to say.

use super::durations::{add_duration, run_seconds};
use super::records::{End, finished_run, unstarted};
use super::run::{Phase, Run, Termination};
use super::seconds::whole_second;
use super::text::short;
use super::{Announcement, Outcome, Reason, SlotRange};
use crate::api::{KeptJob, RunRecord, ScheduledTaskStatus, Trigger};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The next status of a task, being written.
#[derive(Debug)]
pub struct Ledger {
    /// Everything but `active` and `queued`.
    pub status: ScheduledTaskStatus,
    /// What `active` and `queued` hold: every run that has not ended, the queue in its order.
    pub runs: Vec<Run>,
    /// What happened, in order.
    pub announcements: Vec<Announcement>,
    /// People and other replicas act on what changed: the write does not wait for others.
    pub urgent: bool,
    /// A decision that must be in the status before it is carried out.
    pub binding: bool,
    /// Slots were skipped.
    pub skipped: bool,
    /// Slots were passed over.
    passed: bool,
    /// A slot was claimed: the claims log makes that durable.
    claimed: bool,
    /// Names of the Jobs that are created whatever is decided now.
    pub committed: Vec<String>,
    history_limit: usize,
}

/// Opening, and what lies before the runs.
impl Ledger {
    /// Continues a ledger. `history_limit` bounds `recentRuns`.
    #[must_use]
    pub fn open(mut status: ScheduledTaskStatus, announcements: Vec<Announcement>, history_limit: usize) -> Self {
        let runs = Run::of_status(&status);
        (status.active, status.queued) = (Vec::new(), Vec::new());
        Self {
            status,
            runs,
            skipped: !announcements.is_empty(),
            announcements,
            urgent: false,
            binding: false,
            passed: false,
            claimed: false,
            committed: Vec::new(),
            history_limit,
        }
    }

    /// Every slot up to here has its outcome, or is older than the schedule.
    #[must_use]
    pub fn accounted_until(&self) -> Timestamp {
        super::slots::accounted_until(&self.status)
    }

    /// Everything up to here has its outcome. Never moves back.
    pub fn account_until(&mut self, until: Timestamp) {
        let until = whole_second(until);
        if self.status.accounted_until.as_ref().is_none_or(|known| known.0 < until) {
            self.status.accounted_until = Some(Time(until));
        }
    }

    /// Begins anew at `now`. Runs that were started stay, for their Jobs do; so do finished Jobs and handled requests.
    pub fn reset(&mut self, now: Timestamp) {
        let now = Time(whole_second(now));
        let known = std::mem::take(&mut self.status);
        // A run without a Job would be started without a slot in the ledger.
        self.runs.retain(|run| !run.is_waiting());
        let requested = self.runs.iter().filter(|run| !run.is_scheduled()).count();
        self.status = ScheduledTaskStatus {
            observed_generation: known.observed_generation,
            accepted_generation: known.accepted_generation,
            observed_schedule: known.observed_schedule,
            suspension: known.suspension,
            schedule_since: Some(now.clone()),
            accounted_until: Some(now),
            started: number(self.runs.len()),
            requested: number(requested),
            kept_jobs: known.kept_jobs,
            last_handled_run_now: known.last_handled_run_now,
            last_handled_resume: known.last_handled_resume,
            last_handled_backfill: known.last_handled_backfill,
            last_handled_reset_ledger: known.last_handled_reset_ledger,
            conditions: known.conditions,
            ..ScheduledTaskStatus::default()
        };
        self.binding = true;
    }

    /// Raises negative counters to zero. Returns whether there were any.
    pub fn floor_counters(&mut self) -> bool {
        let status = &mut self.status;
        let counters = [
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
        ];
        let negative = counters.into_iter().filter(|counter| **counter < 0);
        negative.map(|counter| *counter = 0).count() > 0
    }

    /// Failures up to now no longer count for `suspendAfterFailures`.
    pub fn forgive_failures(&mut self) {
        self.status.forgiven_failures = self.status.consecutive_failures;
    }
}

/// Runs enter.
impl Ledger {
    fn enter(&mut self, run: &Run) {
        match run.trigger {
            Trigger::Schedule => self.account_until(run.slot),
            Trigger::Manual | Trigger::Backfill => self.status.requested += 1,
        }
    }

    /// A run is decided. That a request was handled stands in the status before the Job is created; a slot needs the claims log alone.
    pub fn claim(&mut self, run: Run) {
        self.enter(&run);
        self.claimed |= run.is_scheduled();
        self.binding |= !run.is_scheduled();
        self.runs.push(Run {
            phase: Phase::Claimed,
            ..run
        });
    }

    /// A run that the claims log names is not in the ledger yet.
    pub fn adopt_claim(&mut self, run: Run) {
        self.enter(&run);
        self.runs.push(run);
    }

    /// A run waits for capacity.
    pub fn enqueue(&mut self, run: Run, message: String) {
        self.enter(&run);
        self.announce(Outcome::Queued, Reason::Queued, run.slot, 1, message);
        self.runs.push(Run {
            phase: Phase::Queued,
            ..run
        });
        self.urgent = true;
    }

    /// A run whose Job exists, created at `created`, is not in the ledger yet.
    pub fn adopt(&mut self, run: Run, uid: &str, created: Timestamp) {
        self.enter(&run);
        let run = self.start(run, uid, created);
        self.runs.push(run);
    }

    /// A run that nobody decided before is never started.
    pub fn refuse(&mut self, run: &Run, outcome: Outcome, reason: Reason, message: &str) {
        self.enter(run);
        self.leave_unstarted(run, outcome, reason, message);
    }

    /// Slots are never started: skipped by policy, or missed.
    pub fn pass(&mut self, range: &SlotRange, outcome: Outcome, message: &str) {
        let slots = i64::try_from(range.slots).unwrap_or(i64::MAX);
        *self.counter(outcome) += slots;
        self.account_until(range.last);
        self.skipped |= outcome == Outcome::Skipped;
        self.passed = true;
        self.announce_range(outcome, range, message);
        let newest = self.status.recent_runs.first_mut();
        // A task that skips every minute must not push its runs out of the history: one entry for all of them.
        let same = newest.filter(|newest| {
            newest.outcome == outcome.as_str()
                && Reason::parse(&newest.reason) == Some(range.reason)
                && newest.trigger == Trigger::Schedule
                && newest.slot.0 < range.first
        });
        let Some(newest) = same else {
            return self.record(unstarted(outcome, Trigger::Schedule, range, message));
        };
        newest.first_slot = Some(newest.first_slot.take().unwrap_or_else(|| newest.slot.clone()));
        newest.slot = Time(range.last);
        newest.slots += slots;
        newest.message = Some(short(message));
    }
}

/// Runs move on and end. The run was taken out of `runs`; [`keep`](Ledger::keep) puts it back.
impl Ledger {
    /// The run stays as it is.
    pub fn keep(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// A queued run, the one at this place of `runs`, found capacity.
    pub fn claim_queued(&mut self, at: usize) {
        let run = self.runs.remove(at);
        self.runs.push(Run {
            phase: Phase::Claimed,
            ..run
        });
        self.binding = true;
    }

    /// The Job of the current attempt exists.
    #[must_use]
    pub fn start(&mut self, mut run: Run, uid: &str, created: Timestamp) -> Run {
        match run.started {
            Some(_) => self.status.retried += 1,
            None => {
                let started = whole_second(created);
                run.started = Some(started);
                self.status.started += 1;
                newest(&mut self.status.last_start_time, Some(&Time(started)));
                if run.is_scheduled() {
                    newest(&mut self.status.last_schedule_time, Some(&Time(run.slot)));
                }
            }
        }
        run.phase = Phase::Running(uid.to_owned());
        run
    }

    /// The operator ends the current attempt, which has a Job.
    #[must_use]
    pub fn terminate(&mut self, mut run: Run, reason: Reason, now: Timestamp, message: &str) -> Run {
        if let Phase::Running(uid) = run.phase {
            let termination = Termination {
                reason,
                since: whole_second(now),
                message: Some(short(message)),
            };
            run.phase = Phase::Terminating(uid, termination);
            self.binding = true;
        }
        run
    }

    /// An attempt failed; the next one, whose Job has this name, follows at `at`.
    pub fn retry(&mut self, run: Run, next_job: String, at: Timestamp, reason: Reason, end: &End) {
        let code = end.exit_code.map_or_else(String::new, |code| format!(" with exit code {code}"));
        let said = end.message.as_deref().unwrap_or_default();
        let failed = format!("attempt {} failed{code}: {said}", run.attempt);
        let next = run.attempt + 1;
        let message = format!("{failed}; attempt {next} follows at {at}");
        self.announce(Outcome::Retrying, reason, run.slot, 1, message);
        let mut exit_codes = run.exit_codes;
        exit_codes.push(end.exit_code);
        self.runs.push(Run {
            attempt: next,
            job: next_job,
            phase: Phase::Backoff(at),
            exit_codes,
            message: Some(short(&failed)),
            ..run
        });
        self.binding = true;
    }

    /// A run that was started has ended.
    pub fn finish(&mut self, run: &Run, outcome: Outcome, reason: Reason, end: End) {
        *self.counter(outcome) += 1;
        let status = &mut self.status;
        let finished = end.at.map(|at| Time(whole_second(at)));
        // What a backfill does says nothing about today, nor how far today's data goes.
        let is_current = run.trigger != Trigger::Backfill;
        match outcome {
            Outcome::Succeeded => {
                newest(&mut status.last_successful_time, finished.as_ref());
                if let Some(seconds) = run_seconds(run, &end) {
                    add_duration(&mut status.recent_run_seconds, seconds);
                }
                if is_current {
                    (status.consecutive_failures, status.forgiven_failures) = (0, 0);
                    newest(&mut status.last_successful_slot, Some(&Time(run.slot)));
                }
            }
            Outcome::Failed => {
                status.consecutive_failures += i64::from(is_current);
                newest(&mut status.last_failure_time, finished.as_ref());
            }
            _ => {}
        }
        self.announce_end(run, outcome, reason, &end);
        self.record(finished_run(run, outcome, reason, end));
        self.urgent = true;
    }

    /// Runs without a Job are given up, wherever `which` says so: but for those whose start is committed.
    pub fn give_up(&mut self, which: impl Fn(&Run) -> bool, outcome: Outcome, reason: Reason, why: &str) {
        let committed = &self.committed;
        let is_dropped = |run: &mut Run| run.is_waiting() && which(run) && !committed.contains(&run.job);
        let dropped: Vec<Run> = self.runs.extract_if(.., is_dropped).collect();
        self.urgent |= !dropped.is_empty();
        for run in dropped {
            let message = match run.phase {
                Phase::Queued => format!("{} removed from the queue: {why}", run.shown()),
                _ => format!("{} not started: {why}", run.shown()),
            };
            self.leave_unstarted(&run, outcome, reason, &message);
        }
    }

    fn leave_unstarted(&mut self, run: &Run, outcome: Outcome, reason: Reason, message: &str) {
        let slot = SlotRange::one(run.slot, reason);
        if run.is_scheduled() {
            return self.pass(&slot, outcome, message);
        }
        *self.counter(outcome) += 1;
        self.announce(Outcome::Refused, reason, run.slot, 1, message.to_owned());
        self.record(unstarted(outcome, run.trigger, &slot, message));
        self.urgent = true;
    }

    /// A finished Job is kept until a history limit or its age has it pruned.
    pub fn keep_job(&mut self, job: &str, uid: &str, succeeded: bool) {
        let kept = &mut self.status.kept_jobs;
        if kept.iter().all(|kept| kept.uid != uid) {
            kept.push(KeptJob {
                job: job.to_owned(),
                uid: uid.to_owned(),
                succeeded,
            });
        }
    }

    fn counter(&mut self, outcome: Outcome) -> &mut i64 {
        match outcome {
            Outcome::Succeeded => &mut self.status.succeeded,
            Outcome::Failed => &mut self.status.failed,
            Outcome::Skipped => &mut self.status.skipped,
            Outcome::Missed => &mut self.status.missed,
            _ => &mut self.status.cancelled,
        }
    }
}

/// Writing.
impl Ledger {
    /// Whether the status has to be written before anything is started: what was passed over before a start is counted as what it was.
    #[must_use]
    pub fn comes_first(&self) -> bool {
        self.binding || self.claimed && (self.passed || self.skipped)
    }

    fn record(&mut self, mut record: RunRecord) {
        record.message = record.message.map(|message| short(&message));
        self.status.recent_runs.insert(0, record);
        self.status.recent_runs.truncate(self.history_limit);
    }

    /// The status as it is to be written. `running` is counted anew, so that an `active` list that somebody else wrote is healed.
    pub fn close(&mut self) {
        self.status.recent_runs.truncate(self.history_limit);
        self.status.running = number(self.runs.iter().filter(|run| !run.is_waiting()).count());
        Run::write_all(std::mem::take(&mut self.runs), &mut self.status);
        super::status_limits::limit(&mut self.status);
    }
}

fn newest(known: &mut Option<Time>, other: Option<&Time>) {
    if let Some(other) = other
        && known.as_ref().is_none_or(|known| known.0 < other.0)
    {
        *known = Some(other.clone());
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
