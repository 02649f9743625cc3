//! What one replica knows: the task, its Jobs and what it was told, as `src/controller/cache.rs` keeps it.
//!
//! Takes events of the watches and answers to requests, gives `Observed`. Never asks the API server; forgotten when the process dies.

use super::clock::{Ms, at, whole};
use super::cluster::JobObject;
use jiff::{SignedDuration, Timestamp};
use punctual::api::Trigger;
use punctual::plan::{Because, Exit, Job, Observed, Pods, Refusal, Task, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The memory of a process.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub task: Option<Arc<Task>>,
    pub jobs: BTreeMap<String, Job>,
    /// Certainly gone, but the status does not say so yet.
    pub gone: BTreeMap<String, Job>,
    /// UIDs that this process deleted.
    pub deleted: BTreeMap<String, Timestamp>,
    pub unsure: BTreeSet<String>,
    pub starts: Refusals,
    pub clean_ups: Refusals,
    pub trial: Trial,
}

#[derive(Clone, Debug, Default)]
pub struct Refusals {
    pub last: Option<Refusal>,
    in_a_row: u32,
}

impl Refusals {
    pub fn add(&mut self, because: Because, message: &str, now: Ms) {
        let wait = SignedDuration::from_secs(1_i64 << self.in_a_row.min(8));
        let retry_at = at(now) + wait;
        self.last = Some(Refusal {
            because,
            message: message.into(),
            retry_at,
        });
        self.in_a_row += 1;
    }
}

impl Memory {
    pub fn observe(&self, clock: Ms) -> Option<Observed> {
        let task = self.task.clone()?;
        let needed = self.gone.values().filter(|job| is_needed(&task, job));
        let jobs = self.jobs.values().chain(needed).cloned().collect();
        Some(Observed {
            now: at(clock),
            jobs,
            gone: self.gone.keys().cloned().collect(),
            unsure: self.unsure.iter().cloned().collect(),
            refusal: self.starts.last.clone(),
            clean_up_refusal: self.clean_ups.last.clone(),
            trial: self.trial.clone(),
            task,
        })
    }

    /// Says whether it is news.
    pub fn put_task(&mut self, task: &Arc<Task>) -> bool {
        let version = |task: &Task| task.resource_version.parse::<u64>().expect("a number");
        if self.task.as_ref().is_some_and(|known| version(known) >= version(task)) {
            return false;
        }
        let template = |task: &Task| task.spec.as_ref().ok().map(|spec| spec.fields.job_template.clone());
        let known = self.task.as_deref();
        if known.is_none_or(|known| known.generation != task.generation && template(known) != template(task)) {
            self.trial = Trial::NotAsked;
            self.starts = Refusals::default();
        }
        let awaited = |uid: &String| task.status.active.iter().any(|run| run.uid.as_ref() == Some(uid));
        self.gone.retain(|uid, job| is_needed(task, job) || awaited(uid));
        self.task = Some(task.clone());
        true
    }

    /// A Job of the watch, or of a read (then it is confirmed), or (with the time) one that this process just made.
    pub fn put_job(&mut self, object: &JobObject, confirmed: bool, made_at: Option<Ms>) {
        if self.gone.contains_key(&object.uid) {
            return;
        }
        let mut job = object.seen();
        job.confirmed = confirmed;
        job.deleting = self.deleted.get(&job.uid).copied().or(job.deleting);
        match self.jobs.get_mut(&job.uid) {
            Some(known) => {
                job.created = made_at.map_or(known.created, at);
                job.confirmed |= known.confirmed;
                job.exit = known.exit.clone();
                if !job.suspended {
                    job.ready |= known.ready;
                    job.pods = known.pods.clone();
                }
                job.end = job.end.or(known.end.take());
                job.deleting = known.deleting.or(job.deleting);
                *known = job;
            }
            None => {
                job.created = made_at.map_or(job.created, at);
                self.jobs.insert(job.uid.clone(), job);
            }
        }
    }

    pub fn remove_job(&mut self, uid: &str) {
        self.deleted.remove(uid);
        match self.jobs.remove(uid) {
            Some(mut job) => {
                job.deleting.get_or_insert(job.created);
                self.gone.insert(uid.to_owned(), job);
            }
            None => {
                self.gone.entry(uid.to_owned()).or_insert_with(|| unseen(uid));
            }
        }
    }

    /// After a new list.
    pub fn keep_jobs(&mut self, listed: &BTreeSet<String>) {
        self.jobs.retain(|uid, _| listed.contains(uid));
    }

    pub fn mark_deleting(&mut self, uid: &str, clock: Ms) {
        self.deleted.insert(uid.to_owned(), at(clock));
        if let Some(job) = self.jobs.get_mut(uid) {
            job.deleting = Some(at(clock));
        }
    }

    pub fn set_pods(&mut self, uid: &str, exit: &Exit, pods: &Pods) {
        for job in self.jobs.get_mut(uid).into_iter().chain(self.gone.get_mut(uid)) {
            (job.exit, job.pods) = (exit.clone(), pods.clone());
        }
    }

    pub fn accept_delete(&mut self, clean_up: bool) {
        let refusals = if clean_up { &mut self.clean_ups } else { &mut self.starts };
        if refusals.last.as_ref().is_some_and(|last| last.because == Because::DeleteRefused) {
            *refusals = Refusals::default();
        }
    }

    pub fn set_trial(&mut self, trial: Trial) {
        (self.starts, self.trial) = (Refusals::default(), trial);
    }

    pub fn accept_start(&mut self) {
        (self.starts, self.trial) = (Refusals::default(), Trial::Taken);
    }
}

fn is_needed(task: &Task, job: &Job) -> bool {
    let unaccounted = |slot| task.status.accounted_until.as_ref().is_none_or(|until| until.0 < slot);
    let mut active = task.status.active.iter();
    let awaited = active.any(|run| run.job == job.name && run.uid.as_ref().is_none_or(|uid| *uid == job.uid));
    let owed = job.trigger == Trigger::Schedule && job.slot.is_some_and(unaccounted);
    owed || awaited
}

/// A Job that was gone before anybody saw it.
fn unseen(uid: &str) -> Job {
    Job {
        name: String::new(),
        uid: uid.to_owned(),
        version: String::new(),
        confirmed: false,
        slot: None,
        trigger: Trigger::Schedule,
        attempt: 1,
        created: whole(0),
        began: None,
        suspended: false,
        ready: false,
        pods: Pods::NotAsked,
        deleting: Some(whole(0)),
        end: None,
        exit: Exit::Unknown,
    }
}
