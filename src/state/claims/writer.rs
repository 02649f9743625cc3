//! Who writes the claims log, and what: claims of many tasks become one write.
//!
//! ```text
//!   closed ─ open() ─► reading ─► writing ─► open ─ claims ─► writing ─► open …
//!     ▲                                       │                  │ no answer, conflict, gone
//!     └── somebody else holds the log ◄── verifying ◄────────────┘
//! ```
//! Claims, answers and what became of the starts go in; requests, and which claims are committed, come out. Whoever begins to lead
//! reads the log and writes it under its own name: from then on the writes of the former leader conflict. Sends nothing.

use super::held::{ByTask, HeldClaims};
use super::log::{ClaimsLog, encode};
use super::request::{LogAnswer, LogRequest, Ticket, WriterNotice};
use crate::api::ScheduledTaskStatus;
use crate::plan::Claim;
use crate::state::Failure;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// An object of a built-in kind holds 1 MiB: the lines of the log take less.
const MOST_BYTES: usize = 900 * 1024;
/// While starts of so many tasks are on their way, a write may wait until it has as many more to say: each write costs the whole log.
const ENOUGH: usize = 128;

/// Claims of a task that are to be committed.
type Wanted = (Ticket, Arc<str>, Vec<Claim>);

/// A write that is on its way, or whose fate is not known.
#[derive(Clone, Debug, Default)]
struct Write {
    sequence: u64,
    text: String,
    wanted: Vec<Wanted>,
    claims: ByTask,
    /// It was not answered: it may still be carried out.
    is_in_doubt: bool,
}

#[derive(Clone, Debug, Default)]
enum Stage {
    #[default]
    Closed,
    /// The log is to be read, or is being read, by whoever begins to lead.
    Opening,
    /// Nothing is on its way. If not `is_ours`, the log is still to be written under our name.
    Open { is_ours: bool },
    /// This is on its way.
    Writing(Write),
    /// What became of this has to be read.
    Verifying(Write),
}

/// The writer of the claims log.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    holder: String,
    stage: Stage,
    /// A request is on its way.
    is_busy: bool,
    /// A term began while one was.
    reopens: bool,
    /// `resourceVersion` of the log, if it exists.
    version: Option<String>,
    sequence: u64,
    held: HeldClaims,
    pending: VecDeque<Wanted>,
    tickets: Ticket,
    /// Tasks whose committed starts are on their way.
    starting: BTreeSet<Arc<str>>,
    is_ours: bool,
    done: Vec<(Ticket, Result<(), Failure>)>,
}

impl Writer {
    /// A writer of that name, which holds no log yet.
    #[must_use]
    pub fn new(holder: &str) -> Self {
        Self {
            holder: holder.to_owned(),
            ..Self::default()
        }
    }

    /// This process begins to lead: the log is read, and written under its name.
    pub fn open(&mut self) {
        self.close("a new term of leadership begins");
        match self.is_busy {
            true => self.reopens = true,
            false => self.stage = Stage::Opening,
        }
    }

    /// This process no longer leads. Who waits is told so.
    pub fn close(&mut self, why: &str) {
        (self.is_ours, self.reopens) = (false, false);
        self.starting.clear();
        let wanted = match std::mem::take(&mut self.stage) {
            Stage::Writing(write) | Stage::Verifying(write) => write.wanted,
            _ => Vec::new(),
        };
        self.fail(wanted, &Failure::Conflict(why.to_owned()));
    }

    /// These are not committed, nor is what waits behind them: each is decided again, when it is known how things stand.
    fn fail(&mut self, wanted: Vec<Wanted>, failure: &Failure) {
        let all = wanted.into_iter().chain(std::mem::take(&mut self.pending));
        self.done.extend(all.map(|(ticket, ..)| (ticket, Err(failure.clone()))));
    }

    /// Whether the log is this process's, so that starts can be committed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_ours
    }

    /// Whether nobody has opened the log since it was closed, or since another process held it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed) && !self.reopens
    }

    /// These claims of a task are to be committed. Whether they are is among [`done`](Self::done) later.
    pub fn commit(&mut self, task: &str, claims: Vec<Claim>) -> Ticket {
        self.tickets += 1;
        self.pending.push_back((self.tickets, task.into(), claims));
        if self.is_closed() {
            self.fail(Vec::new(), &Failure::Conflict("this process does not hold the claims log".into()));
        }
        self.tickets
    }

    /// What became of claims that were to be committed, since this was last asked.
    pub fn done(&mut self) -> Vec<(Ticket, Result<(), Failure>)> {
        std::mem::take(&mut self.done)
    }

    /// What the log says of a task with this status. What the status says as well is settled: it goes with the next write.
    pub fn of(&mut self, task: &str, status: &ScheduledTaskStatus) -> Vec<Claim> {
        self.held.of(task, status)
    }

    /// Whether the log says anything of a task.
    #[must_use]
    pub fn has(&self, task: &str) -> bool {
        self.held.has(task)
    }

    /// Tasks that the log names.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<str>> {
        self.held.tasks()
    }

    /// The task is gone, and its claims with it.
    pub fn forget(&mut self, task: &str) {
        self.held.forget(task);
    }

    /// The Job of a claim exists.
    pub fn created(&mut self, task: &str, job: &str) {
        self.held.created(task, job);
    }

    /// The starts of a task that were on their way are no longer, whatever became of them.
    pub fn released(&mut self, task: &str) {
        self.starting.remove(task);
    }

    /// The next request; its answer goes to [`answered`](Self::answered). Who `is_patient` lets a write wait until it is worth its cost.
    pub fn next_request(&mut self, is_patient: bool) -> Option<LogRequest> {
        if self.is_busy {
            return None;
        }
        if std::mem::take(&mut self.reopens) {
            self.stage = Stage::Opening;
        }
        let request = match &self.stage {
            Stage::Closed => return None,
            Stage::Opening | Stage::Verifying(_) => LogRequest::Read,
            Stage::Writing(write) => self.request(write.text.clone()),
            Stage::Open { is_ours } => {
                if *is_ours && (self.pending.is_empty() || is_patient && !self.is_worth_a_write()) {
                    return None;
                }
                let is_ours = *is_ours;
                let write = self.write();
                if is_ours && write.wanted.is_empty() {
                    // The log is full: what waits has its turn when others are settled.
                    return None;
                }
                let request = self.request(write.text.clone());
                self.stage = Stage::Writing(write);
                request
            }
        };
        self.is_busy = true;
        Some(request)
    }

    fn request(&self, text: String) -> LogRequest {
        match self.version.clone() {
            Some(version) => LogRequest::Replace { version, text },
            None => LogRequest::Create { text },
        }
    }

    /// Whether enough is to be said: many starts on their way share the next write.
    fn is_worth_a_write(&self) -> bool {
        self.starting.len() <= ENOUGH || self.pending.len() >= self.starting.len()
    }

    /// Whether claims wait for a write that is worth its cost.
    #[must_use]
    pub fn is_gathering(&self) -> bool {
        !self.is_busy && self.is_ours && !self.pending.is_empty()
    }

    fn write(&mut self) -> Write {
        let (mut claims, mut bytes) = self.held.kept();
        let mut wanted = Vec::new();
        while let Some((ticket, task, new)) = self.pending.pop_front() {
            let added: usize = new.iter().map(|claim| ClaimsLog::length(&task, claim)).sum();
            if bytes + added > MOST_BYTES && bytes > 0 {
                self.pending.push_front((ticket, task, new));
                break;
            }
            bytes += added;
            wanted.push((ticket, task.clone(), new.clone()));
            self.held.drop_old(&task, &new);
            let of_task = claims.entry(task).or_default();
            of_task.retain(|known: &Claim| new.iter().all(|claim| claim.job != known.job));
            of_task.extend(new);
        }
        self.sequence += 1;
        let sequence = self.sequence;
        let lines = claims
            .iter()
            .flat_map(|(task, claims)| claims.iter().map(move |claim| (task.as_ref(), claim)));
        Write {
            sequence,
            text: encode(sequence, &self.holder, lines),
            wanted,
            claims,
            is_in_doubt: false,
        }
    }

    /// Takes in the answer to the request that was sent last. Returns what people should know.
    pub fn answered(&mut self, answer: LogAnswer) -> Vec<WriterNotice> {
        self.is_busy = false;
        match std::mem::take(&mut self.stage) {
            // The term in which it was sent is over.
            Stage::Closed => Vec::new(),
            Stage::Opening => self.read(answer),
            Stage::Open { is_ours } => {
                self.stage = Stage::Open { is_ours };
                Vec::new()
            }
            Stage::Writing(write) => self.written(answer, write),
            Stage::Verifying(write) => self.verified(answer, write),
        }
    }

    fn read(&mut self, answer: LogAnswer) -> Vec<WriterNotice> {
        self.stage = Stage::Open { is_ours: false };
        match answer {
            Ok(reply) => {
                let (log, damaged) = ClaimsLog::decode(&reply.text);
                self.version = Some(reply.version);
                self.sequence = self.sequence.max(log.sequence);
                // An object that was made for the log, and never written, has no damage.
                let is_damaged = damaged > 0 && !reply.text.is_empty();
                if !is_damaged && !reply.text.is_empty() {
                    self.held.clear();
                }
                for (task, claim) in log.claims {
                    self.held.hold(&task.into(), claim);
                }
                if is_damaged {
                    vec![WriterNotice::Damaged(damaged)]
                } else {
                    Vec::new()
                }
            }
            Err(Failure::NotFound(_)) => {
                self.version = None;
                Vec::new()
            }
            Err(failure) => {
                self.stage = Stage::Opening;
                refused(failure)
            }
        }
    }

    fn written(&mut self, answer: LogAnswer, mut write: Write) -> Vec<WriterNotice> {
        let failure = match answer {
            Ok(reply) => return self.accept(reply.version, write),
            Err(failure) => failure,
        };
        match failure {
            // Nothing was written.
            Failure::Later { .. } => {
                self.stage = Stage::Open { is_ours: self.is_ours };
                self.fail(write.wanted, &failure);
                Vec::new()
            }
            Failure::Refused(message) => {
                self.stage = Stage::Open { is_ours: self.is_ours };
                let words = format!("the API server refused the claims log: {message}");
                self.fail(write.wanted, &Failure::Refused(words));
                vec![WriterNotice::Refused(message)]
            }
            Failure::Conflict(_) | Failure::NotFound(_) | Failure::Unanswered(_) => {
                write.is_in_doubt |= matches!(failure, Failure::Unanswered(_));
                self.stage = Stage::Verifying(write);
                Vec::new()
            }
        }
    }

    fn verified(&mut self, answer: LogAnswer, write: Write) -> Vec<WriterNotice> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(Failure::NotFound(_)) => {
                let was_there = self.version.take().is_some();
                self.write_again(write);
                return if was_there { vec![WriterNotice::Gone] } else { Vec::new() };
            }
            Err(failure) => {
                // How long that lasts nobody knows: the others decide again, by the time that it is then.
                self.fail(Vec::new(), &failure);
                self.stage = Stage::Verifying(write);
                return refused(failure);
            }
        };
        let (log, damaged) = ClaimsLog::decode(&reply.text);
        let is_damaged = damaged > 0 && !reply.text.is_empty();
        if log.holder == self.holder && log.sequence == write.sequence && !is_damaged {
            return self.accept(reply.version, write);
        }
        if !log.holder.is_empty() && log.holder != self.holder {
            let was_ours = self.is_ours;
            self.stage = Stage::Verifying(write);
            self.close("another process holds the claims log");
            if was_ours {
                return vec![WriterNotice::Deposed(log.holder)];
            }
            // It was written between our reading and our writing: it is read again before it is taken over.
            self.stage = Stage::Opening;
            return Vec::new();
        }
        self.version = Some(reply.version);
        self.sequence = self.sequence.max(log.sequence);
        // What is in the log is carried out: an earlier write of ours may have arrived late.
        for (task, claim) in log.claims {
            self.held.hold(&task.into(), claim);
        }
        self.write_again(write);
        match (is_damaged, reply.text.is_empty() && self.is_ours) {
            (true, _) => vec![WriterNotice::Damaged(damaged)],
            (_, true) => vec![WriterNotice::Gone],
            _ => Vec::new(),
        }
    }

    /// The log is not what was to be written, and is written anew. What was in doubt is decided again: time has passed.
    fn write_again(&mut self, write: Write) {
        self.stage = Stage::Open { is_ours: false };
        if write.is_in_doubt {
            let failure = Failure::Unanswered("the write of the claims log was not answered, and not carried out".into());
            return self.fail(write.wanted, &failure);
        }
        write.wanted.into_iter().rev().for_each(|wanted| self.pending.push_front(wanted));
    }

    /// The log says what was written.
    fn accept(&mut self, version: String, write: Write) -> Vec<WriterNotice> {
        self.version = Some(version);
        let new = self.held.replace(write.claims);
        if self.is_ours {
            self.starting.extend(new);
        }
        self.done.extend(write.wanted.into_iter().map(|(ticket, ..)| (ticket, Ok(()))));
        self.stage = Stage::Open { is_ours: true };
        match std::mem::replace(&mut self.is_ours, true) {
            true => Vec::new(),
            false => vec![WriterNotice::Opened(self.held.count())],
        }
    }
}

fn refused(failure: Failure) -> Vec<WriterNotice> {
    match failure {
        Failure::Refused(message) => vec![WriterNotice::Refused(message)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
