//! What the operator knows of one task: the task, its Jobs, and the answers to its own requests.
//!
//! ```text
//!   watch, answers, reads ─► Record ─► Observed ─► plan
//! ```
//! Tasks, Jobs and answers go in, `Observed` comes out: with the Jobs that are the task's, and no others. Never forgets a Job
//! before its slot is accounted for, and never takes an older word for a newer one. Holds no more Jobs than the ledger names or
//! may soon name, however many there are.

use super::evidence::{is_claimed, is_needed, is_owed, unseen};
use super::gate::{believes, is_early, is_recorded, is_wanted};
use super::seal::Seal;
use super::seen_again::{Source, after};
use super::writes::Writes;
use crate::plan::{ConditionReason, Exit, Job, JobObject, Observed, Pods, Task, Unusable};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// So many Jobs are held that have the form of this task's and that the ledger does not name: `missedRunLimit` can make 1,000.
const MOST_UNRECORDED: usize = 1024;
/// And so many that nothing asks for, should the ledger name them soon: a watch of Jobs may be ahead of that of tasks.
const MOST_SET_ASIDE: usize = 32;

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
    /// What came of the operator's own writes.
    pub writes: Writes,
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
        jobs.sort_unstable_by(|a, b| a.object.uid.cmp(&b.object.uid));
        let sorted = |mut names: Vec<String>| {
            names.sort_unstable();
            names
        };
        Some(Observed {
            now,
            jobs,
            gone: sorted(self.gone.keys().cloned().collect()),
            claims: Vec::new(),
            traces: false,
            unacknowledged: sorted(self.writes.unacknowledged()),
            refusals: self.writes.refusals(),
            dry_run: self.writes.dry_run(),
            conflicts: self.writes.conflicts(),
            crd_is_outdated: self.writes.crd_is_outdated(),
            // A clock that was set back takes back what was decided ahead of it.
            unwritten: self.writes.unwritten().filter(|unwritten| unwritten.is_past(now)),
            task,
        })
    }

    /// A record that is known from before.
    #[must_use]
    pub fn again(task: Arc<Task>, jobs: HashMap<String, Job>, writes: Writes) -> Self {
        Self {
            task: Some(task),
            jobs,
            writes,
            ..Self::default()
        }
    }

    /// Whether it knows nothing but its task and the Jobs that exist.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let is_bare = self.gone.is_empty() && self.missing.is_empty() && self.deleted.is_empty() && self.set_aside.is_empty();
        is_bare && self.task.is_some() && self.writes.is_quiet()
    }

    /// The Jobs that exist.
    pub fn known_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
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

    /// Whether a run waits to be started: one that is queued or claimed, or that somebody asked for.
    #[must_use]
    pub fn waits_for_start(&self) -> bool {
        self.task().is_some_and(|task| {
            let (status, requests) = (&task.status, &task.requests);
            let is_new = |request: &Option<String>, handled: &Option<String>| request.is_some() && request != handled;
            !status.queued.is_empty()
                || status.active.iter().any(|run| run.uid.is_none())
                || is_new(&requests.run_now, &status.last_handled_run_now)
                || is_new(&requests.backfill, &status.last_handled_backfill)
        })
    }

    /// Whether a Job of that name is known to exist.
    #[must_use]
    pub fn has_job_named(&self, name: &str) -> bool {
        self.jobs.values().any(|job| job.object.name == name)
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

    /// Takes in a task of a new list, whatever its version: where a backup of etcd was restored, versions go back.
    pub fn list_task(&mut self, task: Arc<Task>, now: Timestamp) -> bool {
        let is_same = self.task().is_some_and(|known| known.resource_version == task.resource_version);
        if self.task().is_some() && !is_same && !self.is_news(&task.resource_version) {
            self.forget_failures(&task);
            // What was deleted since may be there again.
            self.missing.extend(self.gone.drain());
        }
        !is_same && self.take_task(task, now)
    }

    /// Takes in a task. Returns false if a version as new is known.
    pub fn put_task(&mut self, task: Arc<Task>, now: Timestamp) -> bool {
        self.is_news(&task.resource_version) && self.take_task(task, now)
    }

    /// The ledger went back in time. Jobs that it does not name are of a future that did not happen: that their slots were started is
    /// still known, but nothing is tried again because of how they failed then.
    fn forget_failures(&mut self, task: &Task) {
        let all = [&mut self.jobs, &mut self.missing, &mut self.gone];
        for job in all.into_iter().flat_map(HashMap::values_mut).filter(|job| !is_recorded(task, job)) {
            let has_failed = job.object.end.take_if(|end| !end.succeeded).is_some();
            if job.object.failing.take().is_some() || has_failed {
                (job.exit, job.exit_is_final, job.failing_since) = (Exit::NotAsked, false, None);
            }
        }
    }

    fn take_task(&mut self, mut task: Arc<Task>, now: Timestamp) -> bool {
        if let Some(status) = self.writes.undo_pruning(&task.status) {
            Arc::make_mut(&mut task).status = status;
        }
        let template = |task: &Task| task.spec.as_ref().ok().map(|spec| spec.fields.job_template.clone());
        let known = self.task();
        if known.is_none_or(|known| known.generation != task.generation && template(known) != template(&task)) {
            self.writes.forget_refused_creates();
        }
        self.gone.retain(|_, job| is_needed(&task, job) || is_recorded(&task, job));
        self.missing.retain(|_, job| is_needed(&task, job) || is_recorded(&task, job));
        self.sort_jobs(&task, now);
        // Only the ledger that was read is continued.
        if self.task().is_none_or(|known| known.status != task.status) {
            self.writes.drop_unwritten();
        }
        self.task = Some(task);
        true
    }

    /// Which Jobs are of use to this version of the task, and which are set aside.
    fn sort_jobs(&mut self, task: &Task, now: Timestamp) {
        let is_of_use = |job: &Job| is_recorded(task, job) || is_wanted(task, job, now);
        let (useful, rest) = std::mem::take(&mut self.set_aside).into_iter().partition(is_of_use);
        self.set_aside = rest;
        let mut unused: Vec<Job> = self.jobs.extract_if(|_, job| !is_of_use(job)).map(|(_, job)| job).collect();
        unused.sort_by_key(|job| job.object.slot);
        unused.into_iter().for_each(|job| self.set_aside(job));
        self.jobs
            .extend(Vec::into_iter(useful).map(|job: Job| (job.object.uid.clone(), job)));
    }

    /// The task is gone.
    pub fn remove_task(&mut self) {
        self.writes.drop_unwritten();
        self.task = None;
    }

    /// Whether a Job of this form is the task's, as far as is known at `now`.
    #[must_use]
    pub fn believes(&self, object: &JobObject, seal: &Seal, now: Timestamp) -> bool {
        let mut job = Job::from(object.clone());
        job.early = self.is_early(&job, now);
        self.task().is_some_and(|task| believes(task, &job, seal, now))
    }

    /// Whether the Job comes, or came, before its slot.
    fn is_early(&self, job: &Job, now: Timestamp) -> bool {
        let uid = &job.object.uid;
        let set_aside = self.set_aside.iter().find(|known| known.object.uid == *uid);
        let known = self.jobs.get(uid).or(set_aside);
        known.map_or_else(|| is_early(job, now), |known| known.early)
    }

    /// Takes in a Job that claims to be this task's. Returns false if it changes nothing: it is certainly gone, or nothing asks
    /// for a Job of its name.
    pub fn put_job(&mut self, object: JobObject, source: Source, now: Timestamp) -> bool {
        let uid = object.uid.clone();
        if source == Source::List {
            // It is there, whatever was seen or requested before: etcd may have been restored.
            self.gone.remove(&uid);
            if object.deleting.is_none() {
                self.deleted.remove(&uid);
            }
        }
        if self.gone.contains_key(&uid) {
            return false;
        }
        let mut job = Job::from(object);
        let is_new = !self.jobs.contains_key(&uid) && !self.missing.contains_key(&uid);
        let is_watched = matches!(source, Source::List | Source::Watch);
        if is_new && source == Source::Watch {
            job.early = self.is_early(&job, now);
        }
        if is_new && is_watched && !self.has_use_for(&job, now) {
            self.set_aside(job);
            return false;
        }
        let missing = self.missing.remove(&uid);
        let is_missing = missing.is_some();
        self.jobs.extend(missing.map(|missing| (uid.clone(), missing)));
        if let Source::Created(at) = source {
            job.object.created = at;
        }
        job.confirmed = !is_watched;
        job.unwatched_since = (source == Source::Get).then_some(now);
        job.failing_since = job.object.failing.is_some().then_some(now);
        job.object.deleting = self.deleted.get(&uid).copied().or(job.object.deleting);
        if let Some(known) = self.jobs.get(&uid) {
            job = after(known, job, source, is_missing);
        }
        self.jobs.insert(uid, job);
        true
    }

    /// The watch no longer shows the Job: it is gone, or somebody took our label off. A read has to say which of the two, if that
    /// matters. Returns whether it does.
    pub fn leave_watch(&mut self, uid: &str, seal: &Seal, now: Timestamp) -> bool {
        let Some(job) = self.jobs.get(uid) else {
            return self.remove_job(uid, seal, now);
        };
        if !self.task().is_some_and(|task| is_needed(task, job)) || !self.is_proof(job, seal, now) {
            return self.remove_job(uid, seal, now);
        }
        if let Some(job) = self.jobs.remove(uid) {
            self.missing.insert(uid.to_owned(), job);
        }
        true
    }

    /// The Job is certainly gone. Returns whether that says anything new.
    pub fn remove_job(&mut self, uid: &str, seal: &Seal, now: Timestamp) -> bool {
        self.deleted.remove(uid);
        match self.jobs.remove(uid).or_else(|| self.missing.remove(uid)) {
            Some(mut job) if self.is_proof(&job, seal, now) => {
                let created = job.object.created;
                job.object.deleting.get_or_insert(created);
                self.gone.insert(uid.to_owned(), job);
            }
            Some(_) => {}
            None => {
                self.set_aside.retain(|job| job.object.uid != uid);
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
        self.set_aside.retain(|job| listed(&job.object.uid));
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
        // The watch may have shown its end before the answer came.
        if let Some(job) = self.jobs.get_mut(uid) {
            self.deleted.insert(uid.to_owned(), now);
            job.object.deleting = Some(now);
        }
    }

    /// What the pods of a Job said. How its containers ended is asked again when the Job itself has ended.
    pub fn set_pods(&mut self, uid: &str, exit: &Exit, pods: &Pods, is_final: bool, now: Timestamp) {
        let mut all = [&mut self.jobs, &mut self.gone, &mut self.missing].into_iter();
        let Some(job) = all.find_map(|jobs| jobs.get_mut(uid)) else {
            return;
        };
        (job.pods, job.looked) = (pods.clone(), Some(now));
        let object = &job.object;
        let has_ended = object.end.is_some() || object.failing.is_some() || object.deleting.is_some();
        // What was read last says most, unless it says nothing: pods may be gone by then.
        if has_ended && (*exit != Exit::Unknown || job.exit == Exit::NotAsked) {
            (job.exit, job.exit_is_final) = (exit.clone(), is_final);
        }
    }

    /// The operator failed on this task: until its spec changes, nothing is decided for it.
    pub fn quarantine(&mut self, message: &str) {
        if let Some(task) = &mut self.task {
            Arc::make_mut(task).spec = Err(Unusable {
                reason: ConditionReason::OperatorError,
                message: message.to_owned(),
            });
        }
    }

    fn has_use_for(&self, job: &Job, now: Timestamp) -> bool {
        self.task().is_some_and(|task| {
            is_recorded(task, job) || is_wanted(task, job, now) && (self.jobs.len() < MOST_UNRECORDED || job.object.mark.is_some())
        })
    }

    /// Whether a Job that is gone still proves something: anybody can make and delete Jobs, and one of each name is proof enough.
    fn is_proof(&self, job: &Job, seal: &Seal, now: Timestamp) -> bool {
        let Some(task) = self.task() else { return false };
        let mut others = self.gone.values().chain(self.missing.values());
        is_recorded(task, job) || believes(task, job, seal, now) && !others.any(|other| other.object.name == job.object.name)
    }

    fn set_aside(&mut self, job: Job) {
        self.set_aside.retain(|known| known.object.uid != job.object.uid);
        if self.set_aside.len() >= MOST_SET_ASIDE {
            self.set_aside.remove(0);
        }
        if job.object.slot.is_some() {
            self.set_aside.push(job);
        }
    }
}

/// Resource versions of one kind are ordered numbers (Kubernetes 1.35 says so; etcd always did it).
fn version(text: &str) -> u128 {
    text.parse().unwrap_or(0)
}

mod written;

#[cfg(test)]
mod tests;
