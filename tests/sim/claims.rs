//! The claims log in memory: one object that is replaced by compare-and-swap, and what the checker knows of it.
//!
//! Takes the requests of the operator's own writer, gives answers. Each claim that is stored for the first time is judged as a decision;
//! no Job may be made without one, and at the end each has a Job, or a word that says why not.

use super::check::{Actor, Checker, Verdict};
use super::clock::Ms;
use super::cluster::{Api, second};
use super::story::{Damage, Verb};
use crate::demand;
use punctual::api::Trigger;
use punctual::plan::{Claim, Task};
use punctual::state::{ClaimsLog, Failure, LogAnswer, LogReply, LogRequest};

impl Api {
    /// A request of a process's writer.
    pub fn claims_log(&mut self, request: &LogRequest, actor: &Actor) -> LogAnswer {
        let silence = || Err(Failure::Unanswered("no answer".into()));
        let (arrives, answered) = self.way(Verb::Log);
        if !arrives {
            return silence();
        }
        let current = self.claims.clone().map(|(version, text)| LogReply {
            version: version.to_string(),
            text,
        });
        let text = match (request, current) {
            (LogRequest::Read, None) | (LogRequest::Replace { .. }, None) => return Err(Failure::NotFound("no log".into())),
            (LogRequest::Read, Some(current)) => return if answered { Ok(current) } else { silence() },
            (LogRequest::Create { .. }, Some(_)) => return Err(Failure::Conflict("it exists".into())),
            (LogRequest::Replace { version, .. }, Some(current)) if *version != current.version => {
                return if answered {
                    Err(Failure::Conflict("the object has been modified".into()))
                } else {
                    silence()
                };
            }
            (LogRequest::Create { text } | LogRequest::Replace { text, .. }, _) => text.clone(),
        };
        let (log, damaged) = ClaimsLog::decode(&text);
        assert_eq!(damaged, 0, "the operator writes what it can read: {text}");
        for (_, claim) in &log.claims {
            self.checker.claimed(self.now, claim, actor, &self.task);
        }
        self.version += 1;
        self.claims = Some((self.version, text.clone()));
        let version = self.version.to_string();
        if answered { Ok(LogReply { version, text }) } else { silence() }
    }

    /// An API server that does not create a Job three times in a row, and says that it is not there, refuses it, as an operator sees it.
    pub fn never_arrives(&mut self, job: &str) {
        self.checker.never_arrived += 1;
        if self.checker.never_arrived >= 3 {
            self.refuse(job);
        }
    }

    /// The API server refuses a Job, and with it what else the log names just then: the template is the same.
    pub fn refuse(&mut self, job: &str) {
        let named = self.claims.iter().flat_map(|(_, text)| ClaimsLog::decode(text).0.claims);
        let named: Vec<String> = named.map(|(_, claim)| claim.job).collect();
        self.checker.refused.extend(named);
        self.checker.refused.insert(job.to_owned());
    }

    /// Somebody changes the log.
    pub fn damage_claims(&mut self, how: Damage) {
        self.checker.log_was_damaged = true;
        let Some((_, text)) = self.claims.take() else { return };
        self.version += 1;
        let lines = text.lines().collect::<Vec<_>>();
        let damaged = match how {
            Damage::Deleted => return,
            Damage::Emptied => String::new(),
            Damage::Garbled => text.replace(' ', "_"),
            Damage::Cut => lines[..lines.len() / 2].join("\n"),
        };
        self.claims = Some((self.version, damaged));
    }
}

impl Checker {
    /// A decision is stored.
    fn claimed(&mut self, now: Ms, claim: &Claim, actor: &Actor, task: &Task) {
        if self.committed.contains_key(&claim.job) {
            return;
        }
        self.note(now, || format!("claimed: {}", claim.job));
        self.committed.insert(claim.job.clone(), (actor.generation, claim.clone()));
        if claim.trigger == Trigger::Schedule && claim.attempt == 1 {
            let verdict = self.may_be_claimed(claim, actor, task);
            self.judge(now, verdict);
        }
    }

    fn may_be_claimed(&mut self, claim: &Claim, actor: &Actor, task: &Task) -> Verdict {
        let (slot, spec) = (second(claim.slot), self.spec(actor.generation));
        self.slot_may_be_claimed(slot, claim, actor, task, &spec)?;
        let is_in_status = task.status.active.iter().any(|run| run.job == claim.job && run.uid.is_none());
        if is_in_status {
            Ok(())
        } else {
            self.is_the_latest(slot, actor, &spec)
        }
    }

    /// Each slot that was decided on was started, or the API server refused its Job.
    pub fn claims_are_carried_out(&self) -> Verdict {
        if self.log_was_damaged || self.loose || !self.forgotten.is_empty() {
            return Ok(());
        }
        for (_, claim) in self.committed.values() {
            if claim.trigger != Trigger::Schedule || claim.attempt > 1 {
                continue;
            }
            let slot = second(claim.slot);
            if slot <= self.began {
                // For more than five minutes nobody lived to write a first status (docs/decisions/15).
                continue;
            }
            demand!(
                self.started.contains_key(&slot) || self.refused.contains(&claim.job),
                "claimed: Job {} was decided on, never refused and never made; the ledger says: {:?}",
                claim.job,
                self.not_started.get(&slot)
            );
        }
        Ok(())
    }
}
