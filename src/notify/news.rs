//! What a sink has not been told of a task yet.
//!
//! A status and the position of a sink go in; messages come out, oldest first, each with the position that it leads to. The same status
//! and position give the same messages again. Decides nothing about who gets them.

use super::message::{Message, Subject, What, reason_word};
use super::position::{FINAL, Position, SIGNS, sign};
use crate::api::{RunRecord, ScheduledTaskStatus, Trigger};
use jiff::Timestamp;

/// What is new to a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Oldest first, each with the position of whoever was told of it and of all before.
    pub messages: Vec<(Message, Position)>,
    /// The position of whoever was told of all.
    pub end: Position,
}

/// What the status says and a sink at this position does not know.
#[must_use]
pub fn news(subject: &Subject, status: &ScheduledTaskStatus, told: &Position, now: Timestamp) -> News {
    let mut report = Report {
        subject,
        now,
        at: *told,
        messages: Vec::new(),
    };
    let end = Position::at(status);
    if end.is_behind(told) {
        report.at = Position {
            signs_until: told.signs_until,
            signs: told.signs,
            ..end
        };
        let id = format!("{}/reset/{}/{}", subject.uid, told.total(), end.total());
        let text = "the ledger was reset, or comes from a backup; outcomes are numbered anew";
        report.tell(What::Gap, id, now, "LedgerReset", text, None, 0);
    } else {
        report.outcomes(status, &end);
        report.starts(status, &end);
    }
    report.signs(status);
    News {
        messages: report.messages,
        end: report.at,
    }
}

struct Report<'a> {
    subject: &'a Subject,
    now: Timestamp,
    at: Position,
    messages: Vec<(Message, Position)>,
}

impl Report<'_> {
    /// Outcomes that are final, each with its number.
    fn outcomes(&mut self, status: &ScheduledTaskStatus, end: &Position) {
        let (first, last) = (self.at.total(), end.total());
        // Newest first: how many of each entry are new, and the number of its last slot.
        let mut number = last;
        let mut fresh: Vec<(usize, i64, i64)> = Vec::new();
        let mut seen = [0_i64; FINAL.len()];
        for (index, run) in status.recent_runs.iter().enumerate() {
            let slots = run.slots.max(0).min(number.saturating_sub(first));
            let known = FINAL.iter().position(|what| what.as_str() == run.outcome);
            if let Some(count) = known.and_then(|known| seen.get_mut(known)).filter(|_| slots > 0) {
                fresh.push((index, slots, number));
                *count += slots;
                number -= slots;
            }
        }
        self.gap(end, seen, number);
        let mut streak = Streak::new(status, &fresh);
        for (index, slots, number) in fresh.into_iter().rev() {
            if let Some(run) = status.recent_runs.get(index) {
                self.outcome(run, status.recent_runs.get(index + 1), slots, number, &mut streak);
            }
        }
        // Counters that somebody wrote need not fit: what is shown has been told.
        self.at.counts = end.counts;
    }

    /// Outcomes that are counted and no longer shown.
    fn gap(&mut self, end: &Position, seen: [i64; FINAL.len()], until: i64) {
        let told = self.at.counts;
        let (mut lost, mut lost_whats) = (Vec::new(), Vec::new());
        for (index, what) in FINAL.iter().enumerate() {
            let of = |counts: [i64; FINAL.len()]| counts.get(index).copied().unwrap_or(0);
            let shown = of(seen);
            let count = of(end.counts).saturating_sub(of(told)).saturating_sub(shown);
            if count > 0 {
                lost.push(format!("{count} {}", what.as_str()));
                lost_whats.push(*what);
            }
            if let Some(known) = self.at.counts.get_mut(index) {
                *known = (of(end.counts) - shown).max(of(told));
            }
        }
        let from = told.iter().fold(0, |sum: i64, count| sum.saturating_add(*count));
        let slots = until.saturating_sub(from);
        if lost.is_empty() || slots <= 0 {
            return;
        }
        let text = format!("{slots} outcomes are no longer in the history: {}", lost.join(", "));
        let id = format!("{}/gap/{}-{until}", self.subject.uid, from + 1);
        self.tell(What::Gap, id, self.now, "HistoryLimit", &text, Some(until), slots);
        if let Some((gap, _)) = self.messages.last_mut() {
            gap.lost = lost_whats;
        }
    }

    fn outcome(&mut self, run: &RunRecord, older: Option<&RunRecord>, slots: i64, number: i64, streak: &mut Streak) {
        let Some(index) = FINAL.iter().position(|what| what.as_str() == run.outcome) else {
            return;
        };
        let Some(&what) = FINAL.get(index) else { return };
        if let Some(count) = self.at.counts.get_mut(index) {
            *count = count.saturating_add(slots);
        }
        let is_clipped = slots < run.slots;
        let is_repeat = match what {
            What::Failed if run.trigger != Trigger::Backfill => streak.fails(),
            What::Failed => false,
            _ => is_clipped || older.is_some_and(|older| older.outcome == run.outcome),
        };
        let recovers = what == What::Succeeded && run.trigger != Trigger::Backfill && streak.succeeds();
        let id = format!(
            "{}/{}/{}/{}/{number}",
            self.subject.uid,
            run.slot.0,
            run.attempts,
            run.outcome.to_lowercase()
        );
        let time = run.finished.as_ref().map_or(run.slot.0, |at| at.0);
        let text = run.message.clone().unwrap_or_default();
        self.messages.push((
            Message {
                what,
                subject: self.subject.clone(),
                id: id.clone(),
                sequence: Some(number),
                slots,
                time,
                is_repeat,
                reason: reason_word(&run.reason),
                text: text.clone(),
                run: Some(run.clone()),
                lost: Vec::new(),
            },
            self.at,
        ));
        if recovers {
            let message = Message {
                what: What::Recovered,
                subject: self.subject.clone(),
                id: format!("{id}/recovered"),
                sequence: None,
                slots: 1,
                time,
                is_repeat: false,
                reason: reason_word(&run.reason),
                text,
                run: Some(run.clone()),
                lost: Vec::new(),
            };
            self.messages.push((message, self.at));
        }
    }

    /// Runs and retries that go on. Of one that has ended meanwhile, the end says enough.
    fn starts(&mut self, status: &ScheduledTaskStatus, end: &Position) {
        let mut active: Vec<_> = status.active.iter().filter(|run| run.uid.is_some()).collect();
        active.sort_by_key(|run| run.started.as_ref().map(|at| at.0));
        let new = |now: i64, told: i64| usize::try_from(now.saturating_sub(told)).unwrap_or(0);
        let (first, again): (Vec<_>, Vec<_>) = active.into_iter().partition(|run| run.attempt <= 1);
        let (starts, retries) = (new(end.started, self.at.started), new(end.retried, self.at.retried));
        let newest = |count: usize, of: usize| of.saturating_sub(count);
        let started = first.iter().skip(newest(starts, first.len())).map(|run| (What::Started, run));
        let retried = again.iter().skip(newest(retries, again.len())).map(|run| (What::Retrying, run));
        for (what, run) in started.chain(retried) {
            let record = RunRecord {
                slot: run.slot.clone(),
                first_slot: None,
                slots: 1,
                trigger: run.trigger,
                attempts: run.attempt,
                outcome: what.as_str().into(),
                reason: what.as_str().into(),
                job: Some(run.job.clone()),
                started: run.started.clone(),
                finished: None,
                exit_code: None,
                exit_codes: run.exit_codes.clone(),
                message: None,
            };
            let id = format!(
                "{}/{}/{}/{}",
                self.subject.uid,
                run.slot.0,
                run.attempt,
                what.as_str().to_lowercase()
            );
            let message = Message {
                what,
                subject: self.subject.clone(),
                id,
                sequence: None,
                slots: 1,
                time: run.started.as_ref().map_or(run.slot.0, |at| at.0),
                is_repeat: false,
                reason: what.as_str().into(),
                text: run.message.clone().unwrap_or_default(),
                run: Some(record),
                lost: Vec::new(),
            };
            self.messages.push((message, self.at));
        }
        (self.at.started, self.at.retried) = (end.started, end.retried);
    }

    /// Conditions that became true.
    fn signs(&mut self, status: &ScheduledTaskStatus) {
        let mut signs: Vec<_> = (0..SIGNS.len())
            .filter_map(|index| sign(status, index).map(|(condition, since)| (since, index, condition)))
            .filter(|(since, index, _)| !self.at.has_sign(*index, since.as_second()))
            .collect();
        signs.sort_by_key(|(since, index, _)| (*since, *index));
        for (since, index, condition) in signs {
            let Some((what, _)) = SIGNS.get(index) else { continue };
            self.at.take_sign(index, since.as_second());
            let id = format!("{}/{}/{since}", self.subject.uid, what.as_str().to_lowercase());
            self.tell(*what, id, since, &condition.reason, &condition.message, None, 0);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a message that is about no run")]
    fn tell(&mut self, what: What, id: String, time: Timestamp, reason: &str, text: &str, sequence: Option<i64>, slots: i64) {
        let message = Message {
            what,
            subject: self.subject.clone(),
            id,
            sequence,
            slots,
            time,
            is_repeat: false,
            reason: reason_word(reason),
            text: text.into(),
            run: None,
            lost: Vec::new(),
        };
        self.messages.push((message, self.at));
    }
}

/// How many runs failed in a row before the entry at hand.
struct Streak {
    failures: i64,
}

impl Streak {
    /// Before the oldest of the new entries: from the entries before it, or, where they are all failures, from what the status counts.
    fn new(status: &ScheduledTaskStatus, fresh: &[(usize, i64, i64)]) -> Self {
        let begin = fresh.last().map_or(0, |(index, ..)| index + 1);
        let is_run = |run: &&RunRecord| {
            run.trigger != Trigger::Backfill && [What::Succeeded, What::Failed].iter().any(|what| what.as_str() == run.outcome)
        };
        let failed = |run: &RunRecord| run.outcome == What::Failed.as_str();
        let newer = status.recent_runs.iter().take(begin).filter(is_run);
        let mut older = status.recent_runs.iter().skip(begin).filter(is_run);
        let newer: Vec<bool> = newer.map(failed).collect();
        let failures = match older.next() {
            Some(run) => i64::from(failed(run)),
            // Nothing older is shown: if all that is shown failed, the status knows how many there were before.
            None if newer.iter().all(|failed| *failed) => {
                let shown = i64::try_from(newer.len()).unwrap_or(i64::MAX);
                status.consecutive_failures.saturating_sub(shown).max(0)
            }
            None => 0,
        };
        Self { failures }
    }

    /// A run fails. Whether one before it did.
    fn fails(&mut self) -> bool {
        self.failures += 1;
        self.failures > 1
    }

    /// A run succeeds. Whether those before it failed.
    fn succeeds(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }
}

#[cfg(test)]
#[path = "scenarios/news.rs"]
mod tests;
