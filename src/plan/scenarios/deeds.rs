//! What the world does with effects: the operator's hands and the API server that it asks.
//!
//! Takes effects in order, changes the world, asks the audit at each of them. Never decides: that is `plan`.

use super::world::{Object, Progress, World, seal};
use crate::api::{self, ScheduledTaskStatus, Trigger};
use crate::plan::{Conflict, Effect, Exit, Job, Pods, Reason, Refusal, Run, Task, Trial, Unwritten, Urgency};
use crate::state::believes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    pub fn let_the_rival_act(&mut self) {
        if std::mem::take(&mut self.faults.rival) && !self.faults.watch_lags {
            let (ours, dies_in) = (std::mem::take(&mut self.memory), self.dies_in.take());
            self.settle(false);
            (self.memory, self.dies_in) = (ours, dies_in);
        }
    }

    pub fn perform(&mut self, seen: &Task, effects: Vec<Effect>, may_merge: bool) -> Progress {
        for effect in effects {
            let progress = match effect {
                Effect::Announce(announcement) => {
                    self.said.push(announcement);
                    Progress::Done
                }
                Effect::Write {
                    urgency: Urgency::Merged, ..
                } if may_merge && self.merges_late => return Progress::Deferred,
                Effect::Write {
                    status,
                    urgency: Urgency::Coalesced,
                    announcements,
                } if may_merge && self.merges_late => {
                    self.memory.unwritten = Some(Unwritten {
                        status: *status,
                        announcements,
                    });
                    return Progress::Deferred;
                }
                Effect::Create { run, .. } if self.faults.silent => {
                    self.memory.unsure.insert(run.job);
                    return Progress::Unanswered;
                }
                _ if self.faults.silent => return Progress::Unanswered,
                Effect::Write { status, announcements, .. } => match self.write(seen, *status) {
                    Progress::Done => {
                        self.memory.unwritten = None;
                        self.said.extend(announcements);
                        Progress::Done
                    }
                    other => other,
                },
                Effect::Create { run, job } => self.create(&run, job),
                Effect::Delete { job, uid, reason, .. } => self.delete(&job, &uid, reason),
                Effect::Try { .. } => {
                    self.tried += 1;
                    (self.memory.refusal, self.memory.refusals) = (None, 0);
                    self.memory.trial = match self.faults.refuses_creates.clone() {
                        Some(message) => Trial::Refused {
                            message,
                            again_at: self.now + SignedDuration::from_mins(5),
                        },
                        None => Trial::Taken,
                    };
                    Progress::Done
                }
                Effect::Find { job } => self.find(&job),
                Effect::Confirm { job, uid } => self.confirm(&job, &uid),
                Effect::Inspect { job, uid } => {
                    let now = self.now;
                    let object = self.jobs.get_mut(&job).filter(|object| object.job.uid == uid);
                    let pods = object.map_or(Exit::Unknown, |object| {
                        (object.job.pods, object.job.looked) = (object.waits.clone(), Some(now));
                        object.pods.clone()
                    });
                    self.memory.exits.insert(uid, pods);
                    Progress::Done
                }
            };
            if let Some(left) = self.dies_in.as_mut() {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.die();
                    return Progress::Dead;
                }
            }
            if progress != Progress::Done || self.broken.is_some() {
                return progress;
            }
        }
        Progress::Done
    }

    fn write(&mut self, seen: &Task, status: ScheduledTaskStatus) -> Progress {
        if self.faults.conflicts > 0 {
            self.faults.conflicts -= 1;
            self.touch();
        }
        if seen.resource_version != self.task.resource_version {
            return Progress::Unanswered;
        }
        // What the API server keeps is JSON: nothing may be lost on the way.
        let kept: ScheduledTaskStatus = serde_json::from_value(json!(status)).expect("a status reads back");
        assert_eq!(kept, status, "a status reads back as it was written");
        let before = std::mem::replace(&mut self.task.status, Arc::new(kept));
        self.touch();
        self.writes += 1;
        let limit = self.spec().map(|spec| usize::try_from(spec.fields.run_history_limit).unwrap_or(0));
        let verdict = self.audit.written(self.now, &before, &self.task.status, limit);
        self.judge(verdict);
        let active = &self.task.status.active;
        self.memory
            .gone
            .retain(|uid, job| active.iter().any(|run| run.uid.as_ref() == Some(uid) || run.job == job.name));
        Progress::Done
    }

    fn create(&mut self, run: &Run, manifest: Value) -> Progress {
        let slot: Timestamp = manifest["metadata"]["annotations"][api::SLOT]
            .as_str()
            .unwrap_or_default()
            .parse()
            .expect("a slot");
        let owner = manifest["metadata"]["ownerReferences"][0]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(
            (slot, manifest["metadata"]["name"].as_str()),
            (run.slot, Some(&*run.job)),
            "the manifest is the run's"
        );
        self.memory.unsure.insert(run.job.clone());
        match self.jobs.contains_key(&run.job) {
            true if self.recognise(&run.job) => {}
            true => {
                self.memory.unsure.remove(&run.job);
                return Progress::Refused;
            }
            false => {
                if let Some(message) = self.faults.refuses_creates.clone() {
                    self.memory.unsure.remove(&run.job);
                    return self.refuse(Reason::JobRefused, &message);
                }
                let lost = self.faults.loses_answers > 0;
                let verdict = self.audit.creates(self, run);
                self.judge(verdict);
                match (run.trigger, run.attempt) {
                    (Trigger::Schedule, 1) => self.made.push(slot),
                    (_, 1) => self.asked.push(run.job.clone()),
                    _ => self.retried.push((slot, run.attempt)),
                }
                let uid = format!("job-{}", self.made.len() + self.asked.len() + self.retried.len());
                let job = Job {
                    name: run.job.clone(),
                    uid,
                    slot: Some(slot),
                    mark: Some(seal().mark(&self.task.uid, &run.job)),
                    trigger: run.trigger,
                    attempt: run.attempt,
                    ..self.fresh_job()
                };
                let object = Object {
                    job,
                    owner,
                    hidden: lost && self.faults.watch_lags,
                    pods: Exit::Unknown,
                    waits: Pods::Began,
                };
                self.jobs.insert(run.job.clone(), object);
                self.manifest = manifest;
                if lost {
                    self.faults.loses_answers -= 1;
                    self.faults.silent |= self.faults.then_silent;
                    return Progress::Unanswered;
                }
            }
        }
        self.memory.unsure.remove(&run.job);
        self.memory.conflicts.clear();
        (self.memory.refusal, self.memory.refusals, self.memory.trial) = (None, 0, Trial::Taken);
        Progress::Done
    }

    fn delete(&mut self, name: &str, uid: &str, reason: Reason) -> Progress {
        if let Some(message) = self.faults.refuses_deletes.clone() {
            if reason.is_clean_up() {
                let retry_at = self.now + backoff(self.memory.clean_up_refusals);
                self.memory.clean_up_refusal = Some(Refusal {
                    reason: Reason::DeleteRefused,
                    message,
                    retry_at,
                });
                self.memory.clean_up_refusals += 1;
                return Progress::Done;
            }
            return self.refuse(Reason::DeleteRefused, &message);
        }
        if reason.is_clean_up() {
            (self.memory.clean_up_refusal, self.memory.clean_up_refusals) = (None, 0);
        }
        if self.jobs.get(name).is_some_and(|object| object.job.uid == uid) {
            let verdict = self.audit.deletes(self, &self.jobs[name], reason);
            self.judge(verdict);
            self.deleted.push((name.to_owned(), reason));
            if self.faults.deletions_linger {
                self.jobs.get_mut(name).expect("found above").job.deleting = Some(self.now);
            } else {
                self.remove(name);
            }
        }
        Progress::Done
    }

    /// Whether the Job of that name is the task's; if it is not, the name is taken.
    fn recognise(&mut self, name: &str) -> bool {
        let Some(object) = self.jobs.get_mut(name) else { return false };
        if object.owner == self.task.uid && believes(&self.task, &object.job, &seal(), self.now) {
            object.hidden = false;
            return true;
        }
        if self.memory.conflicts.iter().all(|conflict| conflict.job != name) {
            self.memory.conflicts.push(Conflict {
                job: name.to_owned(),
                message: format!("Job {name} exists and was not made by Punctual"),
            });
        }
        false
    }

    fn find(&mut self, name: &str) -> Progress {
        self.recognise(name);
        self.memory.unsure.remove(name);
        Progress::Done
    }

    fn confirm(&mut self, name: &str, uid: &str) -> Progress {
        match self.jobs.get_mut(name) {
            Some(object) if object.job.uid == uid && object.owner == self.task.uid => {
                (object.hidden, object.job.confirmed) = (false, true);
            }
            _ => {
                let unseen = Job {
                    uid: uid.to_owned(),
                    deleting: Some(self.now),
                    exit: Exit::Unknown,
                    ..self.fresh_job()
                };
                self.memory.gone.entry(uid.to_owned()).or_insert(unseen);
            }
        }
        Progress::Done
    }

    fn refuse(&mut self, reason: Reason, message: &str) -> Progress {
        let wait = backoff(self.memory.refusals);
        self.memory.refusal = Some(Refusal {
            reason,
            message: message.to_owned(),
            retry_at: self.now + wait,
        });
        self.memory.refusals += 1;
        Progress::Refused
    }
}

fn backoff(refusals: u32) -> SignedDuration {
    SignedDuration::from_secs((1_i64 << refusals.min(8)).min(300))
}
