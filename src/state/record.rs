//! What the operator knows of one task: the task, its Jobs, and what it was told when it asked.
//!
//! ```text
//!   watch, answers, reads ─► Record ─► Observed ─► plan
//! ```
//! Tasks, Jobs and answers go in, `Observed` comes out: with the Jobs that are the task's, and no others. Never forgets a Job
//! before its slot is accounted for, and never takes an older word for a newer one. Holds no more Jobs than the ledger names or
//! may soon name, however many there are.

use super::evidence::{is_claimed, is_needed, is_owed, unseen};
use super::gate::{believes, is_early, is_recorded, is_wanted};
use super::refusals::{Concern, Refusals};
use super::seal::Seal;
use crate::api::ScheduledTaskStatus;
use crate::plan::{Announcement, Conflict, Exit, Job, Observed, Pods, Reason, Task, Trial, Unusable, Unwritten};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A dry run that was refused is asked again after this time.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// So many Jobs are held that have the form of this task's and that the ledger does not name: `missedRunLimit` can make 1,000.
const MOST_UNRECORDED: usize = 1024;
/// And so many that nothing asks for, should the ledger name them soon: a watch of Jobs may be ahead of that of tasks.
const MOST_SET_ASIDE: usize = 32;
/// So many names that others took are remembered.
const MOST_CONFLICTS: usize = 8;

/// Who told of a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A new list of the watch: how long the Job has been there, nobody knows.
    ByList,
    /// The watch, which may be late.
    ByWatch,
    /// A read of its own.
    ByRead,
    /// This process just made it, at that time by the operator's clock.
    Made(Timestamp),
}

/// One task and what belongs to it. Jobs may be known before their task is.
#[derive(Clone, Debug, Default)]
pub struct Record {
    task: Option<Arc<Task>>,
    jobs: HashMap<String, Job>,
    /// Jobs of the form of this task's that nothing asks for, newest last.
    set_aside: Vec<Job>,
    /// Jobs that are certainly gone, kept until the status that is written no longer needs them.
    gone: HashMap<String, Job>,
    /// Jobs that a new list did not show, and nobody has looked for yet: should they be gone, this is how they ended.
    missing: HashMap<String, Job>,
    /// UIDs that we deleted, and when: an older event must not bring them back to life.
    deleted: HashMap<String, Timestamp>,
    /// Names of Jobs that were asked for and not answered.
    unsure: HashSet<String>,
    starts: Refusals,
    clean_ups: Refusals,
    trial: Trial,
    conflicts: Vec<Conflict>,
    warned: Option<(Reason, String)>,
    unwritten: Option<Unwritten>,
}

impl Record {
    /// What is known at `now`, Jobs by UID. Nothing, if the task is not there (any more).
    #[must_use]
    pub fn observe(&self, now: Timestamp, seal: &Seal) -> Option<Observed> {
        let task = self.task.clone()?;
        let needed = self.gone.values().filter(|job| is_needed(&task, job));
        // That its slot was started is certain, wherever the Job is now.
        let unwritten = self.missing.values().filter(|job| is_owed(&task, job) || is_claimed(&task, job));
        // In an order of its own: the same knowledge is the same plan.
        let is_ours = |job: &&Job| believes(&task, job, seal, now);
        let known = self.jobs.values().chain(needed).chain(unwritten);
        let mut jobs: Vec<Job> = known.filter(is_ours).cloned().collect();
        jobs.sort_unstable_by(|a, b| a.uid.cmp(&b.uid));
        let sorted = |mut names: Vec<String>| {
            names.sort_unstable();
            names
        };
        Some(Observed {
            now,
            jobs,
            gone: sorted(self.gone.keys().cloned().collect()),
            unsure: sorted(self.unsure.iter().cloned().collect()),
            refusal: self.starts.last.clone(),
            clean_up_refusal: self.clean_ups.last.clone(),
            trial: self.trial.clone(),
            conflicts: self.conflicts.clone(),
            // A clock that was set back takes back what was decided ahead of it.
            unwritten: self.unwritten.clone().filter(|unwritten| unwritten.is_past(now)),
            task,
        })
    }

    /// The task, if it is there.
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        self.task.as_deref()
    }

    /// The same, shared.
    #[must_use]
    pub fn task_shared(&self) -> Option<Arc<Task>> {
        self.task.clone()
    }

    /// How many Jobs are there.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// Whether the task of this version is newer than what is known.
    #[must_use]
    pub fn is_news(&self, resource_version: &str) -> bool {
        self.task()
            .is_none_or(|known| version(&known.resource_version) < version(resource_version))
    }

    /// Takes in a task. Gives false if a version as new is known.
    pub fn put_task(&mut self, task: Arc<Task>, now: Timestamp) -> bool {
        if !self.is_news(&task.resource_version) {
            return false;
        }
        let template = |task: &Task| task.spec.as_ref().ok().map(|spec| spec.fields.job_template.clone());
        let known = self.task();
        if known.is_none_or(|known| known.generation != task.generation && template(known) != template(&task)) {
            self.trial = Trial::NotAsked;
            self.starts = Refusals::default();
            self.conflicts.clear();
        }
        self.gone.retain(|_, job| is_needed(&task, job) || is_recorded(&task, job));
        self.missing.retain(|_, job| is_needed(&task, job) || is_recorded(&task, job));
        let is_of_use = |job: &Job| is_recorded(&task, job) || is_wanted(&task, job, now);
        let (useful, rest) = std::mem::take(&mut self.set_aside).into_iter().partition(is_of_use);
        self.set_aside = rest;
        let mut unused: Vec<Job> = self.jobs.extract_if(|_, job| !is_of_use(job)).map(|(_, job)| job).collect();
        unused.sort_by_key(|job| job.slot);
        unused.into_iter().for_each(|job| self.set_aside(job));
        self.jobs.extend(Vec::into_iter(useful).map(|job: Job| (job.uid.clone(), job)));
        // It goes on from the ledger that was read, and only from that.
        if self.task().is_none_or(|known| known.status != task.status) {
            self.unwritten = None;
        }
        self.task = Some(task);
        true
    }

    /// The task is gone.
    pub fn remove_task(&mut self) {
        self.unwritten = None;
        self.task = None;
    }

    /// Whether a Job of this form is the task's, as far as is known at `now`.
    #[must_use]
    pub fn believes(&self, job: &Job, seal: &Seal, now: Timestamp) -> bool {
        let early = self.is_early(job, now);
        let job = Job { early, ..job.clone() };
        self.task().is_some_and(|task| believes(task, &job, seal, now))
    }

    /// Whether the Job comes, or came, before its slot.
    fn is_early(&self, job: &Job, now: Timestamp) -> bool {
        let set_aside = self.set_aside.iter().find(|known| known.uid == job.uid);
        let known = self.jobs.get(&job.uid).or(set_aside);
        known.map_or_else(|| is_early(job, now), |known| known.early)
    }

    /// Takes in a Job that claims to be this task's. Returns false if it changes nothing: it is certainly gone, or nothing asks
    /// for a Job of its name.
    pub fn put_job(&mut self, mut job: Job, told: Told, now: Timestamp) -> bool {
        if self.gone.contains_key(&job.uid) {
            return false;
        }
        let is_new = !self.jobs.contains_key(&job.uid) && !self.missing.contains_key(&job.uid);
        let is_watched = matches!(told, Told::ByList | Told::ByWatch);
        if is_new && told == Told::ByWatch {
            job.early = self.is_early(&job, now);
        }
        if is_new && is_watched && !self.has_use_for(&job, now) {
            self.set_aside(job);
            return false;
        }
        if let Some(missing) = self.missing.remove(&job.uid) {
            self.jobs.insert(job.uid.clone(), missing);
        }
        let made_at = match told {
            Told::Made(at) => Some(at),
            _ => None,
        };
        job.confirmed = !is_watched;
        job.deleting = self.deleted.get(&job.uid).copied().or(job.deleting);
        match self.jobs.get_mut(&job.uid) {
            Some(known) => {
                // Whose it is was settled when it was first seen: annotations can be changed.
                (job.slot, job.trigger, job.attempt) = (known.slot, known.trigger, known.attempt);
                (job.mark, job.early) = (known.mark.or(job.mark), known.early);
                job.created = made_at.unwrap_or(known.created);
                job.confirmed |= known.confirmed;
                job.exit = known.exit.clone();
                // One that waits for its turn (again) is to be asked anew.
                if !job.suspended {
                    job.ready |= known.ready;
                    (job.pods, job.looked) = (known.pods.clone(), known.looked);
                }
                // The answer to our own POST may come after the watch has told of the end.
                job.end = job.end.or(known.end.take());
                job.deleting = known.deleting.or(job.deleting);
                *known = job;
            }
            None => {
                job.created = made_at.unwrap_or(job.created);
                self.jobs.insert(job.uid.clone(), job);
            }
        }
        true
    }

    /// The Job is certainly gone. Returns whether that says anything new.
    pub fn remove_job(&mut self, uid: &str, seal: &Seal, now: Timestamp) -> bool {
        self.deleted.remove(uid);
        match self.jobs.remove(uid).or_else(|| self.missing.remove(uid)) {
            Some(mut job) if self.is_proof(&job, seal, now) => {
                job.deleting.get_or_insert(job.created);
                self.gone.insert(uid.to_owned(), job);
            }
            Some(_) => {}
            None => {
                self.set_aside.retain(|job| job.uid != uid);
                let unseen = unseen(uid);
                if self.task().is_some_and(|task| is_recorded(task, &unseen)) {
                    self.gone.entry(uid.to_owned()).or_insert(unseen);
                }
            }
        }
        if let Some(task) = &self.task {
            self.gone.retain(|_, job| is_needed(task, job) || is_recorded(task, job));
        }
        self.gone.contains_key(uid)
    }

    /// After a new list: Jobs that are not in it are no longer known. Whether they are gone is for a read to say, for they may
    /// have been made after the list was. Says whether there were any.
    pub fn keep_jobs(&mut self, listed: impl Fn(&str) -> bool, seal: &Seal, now: Timestamp) -> bool {
        let before = self.jobs.len();
        let jobs = std::mem::take(&mut self.jobs).into_iter();
        let (jobs, missing): (HashMap<_, _>, HashMap<_, _>) = jobs.partition(|(uid, _)| listed(uid));
        self.jobs = jobs;
        self.set_aside.retain(|job| listed(&job.uid));
        for (uid, job) in missing {
            let is_needed = self.task().is_some_and(|task| is_needed(task, &job));
            if is_needed && self.is_proof(&job, seal, now) {
                self.missing.insert(uid, job);
            }
        }
        self.deleted.retain(|uid, _| listed(uid));
        self.jobs.len() != before
    }

    /// We deleted the Job; until the watch shows it gone, it counts as being deleted.
    pub fn mark_deleting(&mut self, uid: &str, now: Timestamp) {
        // The watch may have told of its end before the answer came.
        if let Some(job) = self.jobs.get_mut(uid) {
            self.deleted.insert(uid.to_owned(), now);
            job.deleting = Some(now);
        }
    }

    /// What the pods of a Job said. How its containers ended is asked again when the Job itself has ended.
    pub fn set_pods(&mut self, uid: &str, exit: &Exit, pods: &Pods, now: Timestamp) {
        if let Some(job) = self.jobs.get_mut(uid) {
            (job.pods, job.looked) = (pods.clone(), Some(now));
            if job.end.is_some() {
                job.exit = exit.clone();
            }
        }
        if let Some(job) = self.gone.get_mut(uid) {
            (job.exit, job.pods) = (exit.clone(), pods.clone());
        }
    }

    /// What the API server said of a dry run: nothing against it, or why not. It is newer than what was said of a start.
    pub fn tried(&mut self, refusal: Option<String>, now: Timestamp) {
        self.starts = Refusals::default();
        self.conflicts.clear();
        self.trial = refusal.map_or(Trial::Taken, |message| Trial::Refused {
            message,
            again_at: now + TRY_AGAIN,
        });
    }

    /// A write was refused. Says whether that is news, or the same answer as before.
    pub fn refuse(&mut self, concern: Concern, reason: Reason, message: &str, now: Timestamp) -> bool {
        self.refusals(concern).add(reason, message, now)
    }

    /// A Job was made: whatever was refused before is forgotten.
    pub fn accept_start(&mut self) {
        self.conflicts.clear();
        (self.starts, self.trial) = (Refusals::default(), Trial::Taken);
    }

    /// A Job was deleted: that says nothing about whether one can be made.
    pub fn accept_delete(&mut self, concern: Concern) {
        self.refusals(concern).accept_delete();
    }

    /// A Job was asked for, and no answer came.
    pub fn doubt(&mut self, job: &str) {
        self.unsure.insert(job.to_owned());
    }

    /// It is known whether that Job is there.
    pub fn settle(&mut self, job: &str) {
        self.unsure.remove(job);
    }

    /// A Job that is not this task's has the name of one that was to be made. Returns whether that is news.
    pub fn conflict(&mut self, job: &str, message: &str) -> bool {
        if self.conflicts.iter().any(|known| known.job == job) {
            return false;
        }
        if self.conflicts.len() >= MOST_CONFLICTS {
            self.conflicts.remove(0);
        }
        self.conflicts.push(Conflict {
            job: job.to_owned(),
            message: message.to_owned(),
        });
        true
    }

    /// A status was decided on that need not be written yet.
    pub fn put_off(&mut self, status: ScheduledTaskStatus, announcements: Vec<Announcement>) {
        self.unwritten = Some(Unwritten { status, announcements });
    }

    /// Whether this warning differs from the last one of its kind.
    pub fn is_new_warning(&mut self, reason: Reason, message: &str) -> bool {
        let said = Some((reason, message));
        let is_new = self.warned.as_ref().map(|(reason, message)| (*reason, message.as_str())) != said;
        self.warned = said.map(|(reason, message)| (reason, message.to_owned()));
        is_new
    }

    /// The operator failed on this task: until its spec changes, nothing is decided for it.
    pub fn quarantine(&mut self, message: &str) {
        if let Some(task) = &mut self.task {
            Arc::make_mut(task).spec = Err(Unusable {
                reason: Reason::OperatorError,
                message: message.to_owned(),
            });
        }
    }

    fn has_use_for(&self, job: &Job, now: Timestamp) -> bool {
        self.task().is_some_and(|task| {
            is_recorded(task, job) || is_wanted(task, job, now) && (self.jobs.len() < MOST_UNRECORDED || job.mark.is_some())
        })
    }

    /// Whether a Job that is gone still proves something: anybody can make and delete Jobs, and one of each name is proof enough.
    fn is_proof(&self, job: &Job, seal: &Seal, now: Timestamp) -> bool {
        let Some(task) = self.task() else { return false };
        let mut others = self.gone.values().chain(self.missing.values());
        is_recorded(task, job) || believes(task, job, seal, now) && !others.any(|other| other.name == job.name)
    }

    fn set_aside(&mut self, job: Job) {
        self.set_aside.retain(|known| known.uid != job.uid);
        if self.set_aside.len() >= MOST_SET_ASIDE {
            self.set_aside.remove(0);
        }
        if job.slot.is_some() {
            self.set_aside.push(job);
        }
    }

    fn refusals(&mut self, concern: Concern) -> &mut Refusals {
        match concern {
            Concern::Start => &mut self.starts,
            Concern::CleanUp => &mut self.clean_ups,
        }
    }
}

/// Resource versions of one kind are ordered numbers (Kubernetes 1.35 says so; etcd always did it).
fn version(text: &str) -> u128 {
    text.parse().unwrap_or(0)
}
