//! What the operator knows: each task with its Jobs, from the watches and from its own writes.
//!
//! Takes objects and answers, gives `Observed`. Never asks the API server, never forgets a Job before its slot is
//! accounted for, and never takes an older word for a newer one.

use super::objects::{RawJob, RawTask, Told, unseen};
use super::queue::Key;
use super::refusals::{Concern, Refusals};
use crate::api::Trigger;
use crate::plan::{Exit, Job, Observed, Pods, Refusal, Task, Trial};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything known, by UID of the task.
#[derive(Debug, Default)]
pub struct Cache {
    records: Mutex<HashMap<Key, Record>>,
}

/// One task and what belongs to it. Jobs may be known before their task is.
#[derive(Debug, Default)]
struct Record {
    namespace: String,
    /// The term of leadership in which the task was last read, and not only watched.
    read_in: u64,
    task: Option<Arc<Task>>,
    jobs: HashMap<String, Job>,
    /// Jobs that are certainly gone, kept until the status that is written no longer needs them.
    gone: HashMap<String, Job>,
    /// UIDs that we deleted, and when: an older event must not bring them back to life.
    deleted: HashMap<String, Timestamp>,
    /// Names of Jobs that were asked for and not answered.
    unsure: HashSet<String>,
    starts: Refusals,
    clean_ups: Refusals,
    trial: Trial,
}

impl Cache {
    /// What is known of a task, at `now`. Nothing, if it is not there (any more).
    #[must_use]
    pub fn observe(&self, key: &Key, now: Timestamp) -> Option<Observed> {
        let records = self.lock();
        let record = records.get(key)?;
        let task = record.task.clone()?;
        let mut jobs: Vec<Job> = record.jobs.values().cloned().collect();
        jobs.extend(record.gone.values().filter(|job| is_needed(&task, job)).cloned());
        let gone = record.gone.keys().cloned().collect();
        Some(Observed {
            now,
            task,
            jobs,
            gone,
            unsure: record.unsure.iter().cloned().collect(),
            refusal: record.starts.last.clone(),
            clean_up_refusal: record.clean_ups.last.clone(),
            trial: record.trial.clone(),
        })
    }

    /// Takes in a task. Gives its key, unless a newer version is known already.
    pub fn put_task(&self, raw: RawTask) -> Option<Key> {
        let key: Key = raw.metadata.uid.as_deref()?.into();
        let mut records = self.lock();
        let record = records.entry(key.clone()).or_default();
        record.namespace = raw.metadata.namespace.clone().unwrap_or_default();
        let known = record.task.as_deref();
        if known
            .is_some_and(|known| version(&known.resource_version) >= version(raw.metadata.resource_version.as_deref().unwrap_or_default()))
        {
            return None;
        }
        let task = raw.into_task(known);
        let template = |task: &Task| task.spec.as_ref().ok().map(|spec| spec.fields.job_template.clone());
        if known.is_none_or(|known| known.generation != task.generation && template(known) != template(&task)) {
            record.trial = Trial::NotAsked;
            record.starts = Refusals::default();
        }
        record
            .gone
            .retain(|uid, job| is_needed(&task, job) || task.status.active.iter().any(|run| run.uid.as_ref() == Some(uid)));
        record.task = Some(Arc::new(task));
        Some(key)
    }

    /// The task is gone; its Jobs go with it by their owner reference.
    pub fn remove_task(&self, uid: &str) {
        let mut records = self.lock();
        if let Some(record) = records.get_mut(uid) {
            record.task = None;
            if record.jobs.is_empty() {
                records.remove(uid);
            }
        }
    }

    /// Takes in a Job.
    pub fn put_job(&self, raw: RawJob, told: Told) -> Option<Key> {
        let key: Key = raw.owner()?.into();
        let namespace = raw.metadata.namespace.clone().unwrap_or_default();
        let mut job = raw.into_job();
        job.confirmed = told != Told::ByWatch;
        let made_at = match told {
            Told::Made(at) => Some(at),
            _ => None,
        };
        let mut records = self.lock();
        let record = records.entry(key.clone()).or_default();
        record.namespace = namespace;
        if record.gone.contains_key(&job.uid) {
            return None;
        }
        job.deleting = record.deleted.get(&job.uid).copied().or(job.deleting);
        match record.jobs.get_mut(&job.uid) {
            Some(known) => {
                job.created = made_at.unwrap_or(known.created);
                job.confirmed |= known.confirmed;
                job.exit = known.exit.clone();
                // One that waits for its turn (again) is to be asked anew.
                if !job.suspended {
                    job.ready |= known.ready;
                    job.pods = known.pods.clone();
                }
                // The answer to our own POST may come after the watch has told of the end.
                job.end = job.end.or(known.end.take());
                job.deleting = known.deleting.or(job.deleting);
                *known = job;
            }
            None => {
                job.created = made_at.unwrap_or(job.created);
                record.jobs.insert(job.uid.clone(), job);
            }
        }
        Some(key)
    }

    /// The Job is certainly gone.
    pub fn remove_job(&self, owner: &str, uid: &str) -> Option<Key> {
        let mut records = self.lock();
        let (key, record) = records
            .get_key_value(owner)
            .map(|(key, _)| key.clone())
            .and_then(|key| Some((key.clone(), records.get_mut(&key)?)))?;
        record.deleted.remove(uid);
        match record.jobs.remove(uid) {
            Some(mut job) => {
                job.deleting.get_or_insert(job.created);
                record.gone.insert(uid.to_owned(), job);
            }
            None => {
                record.gone.entry(uid.to_owned()).or_insert_with(|| unseen(uid));
            }
        }
        if record.task.is_none() && record.jobs.is_empty() {
            records.remove(&key);
        }
        Some(key)
    }

    /// After a new list (of that namespace, or of all): Jobs that are not in it are no longer known. Whether they are gone is for a read to say, for they
    /// may have been made after the list was.
    pub fn keep_jobs(&self, namespace: Option<&str>, listed: &HashSet<String>) -> Vec<Key> {
        let mut changed = Vec::new();
        for (key, record) in self.lock().iter_mut().filter(|(_, record)| record.is_in(namespace)) {
            let before = record.jobs.len();
            record.jobs.retain(|uid, _| listed.contains(uid));
            if record.jobs.len() != before {
                changed.push(key.clone());
            }
        }
        changed
    }

    /// After a new list (of that namespace, or of all): tasks that are not in it are gone.
    pub fn keep_tasks(&self, namespace: Option<&str>, listed: &HashSet<Key>) {
        for (key, record) in self.lock().iter_mut().filter(|(_, record)| record.is_in(namespace)) {
            if !listed.contains(key) {
                record.task = None;
            }
        }
    }

    /// We deleted the Job; until the watch shows it gone, it counts as being deleted.
    pub fn mark_deleting(&self, key: &Key, uid: &str, now: Timestamp) {
        self.update(key, |record| {
            record.deleted.insert(uid.to_owned(), now);
            if let Some(job) = record.jobs.get_mut(uid) {
                job.deleting = Some(now);
            }
        });
    }

    /// What the pods of a Job said.
    pub fn set_pods(&self, key: &Key, uid: &str, exit: &Exit, pods: &Pods) {
        self.update(key, |record| {
            for job in record.jobs.get_mut(uid).into_iter().chain(record.gone.get_mut(uid)) {
                (job.exit, job.pods) = (exit.clone(), pods.clone());
            }
        });
    }

    /// What the API server said of a dry run.
    pub fn set_trial(&self, key: &Key, trial: Trial) {
        // It is newer than what was said of a start.
        self.update(key, |record| (record.starts, record.trial) = (Refusals::default(), trial));
    }

    /// A write was refused. `refusal` is given how many came in a row before this one. Says whether that is news, or the same
    /// answer as before.
    pub fn refuse(&self, key: &Key, concern: Concern, refusal: impl FnOnce(u32) -> Refusal) -> bool {
        let mut news = true;
        self.update(key, |record| {
            news = record.refusals(concern).add(refusal);
        });
        news
    }

    /// A Job was made: whatever was refused before is forgotten.
    pub fn accept_start(&self, key: &Key) {
        self.update(key, |record| (record.starts, record.trial) = (Refusals::default(), Trial::Taken));
    }

    /// A Job was deleted: that says nothing about whether one can be made.
    pub fn accept_delete(&self, key: &Key, concern: Concern) {
        self.update(key, |record| record.refusals(concern).accept_delete());
    }

    /// A Job was asked for, and no answer came.
    pub fn doubt(&self, key: &Key, job: &str) {
        self.update(key, |record| {
            record.unsure.insert(job.to_owned());
        });
    }

    /// It is known whether that Job is there.
    pub fn settle(&self, key: &Key, job: &str) {
        self.update(key, |record| {
            record.unsure.remove(job);
        });
    }

    /// The term of leadership in which the task was last read.
    pub fn read_in(&self, key: &Key) -> u64 {
        self.lock().get(key).map_or(0, |record| record.read_in)
    }

    /// It was read in this one.
    pub fn set_read_in(&self, key: &str, term: u64) {
        if let Some(record) = self.lock().get_mut(key) {
            record.read_in = term;
        }
    }

    /// Every task that is known.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let records = self.lock();
        records
            .iter()
            .filter(|(_, record)| record.task.is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// How many tasks and Jobs are known.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let records = self.lock();
        (
            records.values().filter(|record| record.task.is_some()).count(),
            records.values().map(|record| record.jobs.len()).sum(),
        )
    }

    fn update(&self, key: &Key, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.lock().get_mut(key) {
            change(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn is_in(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| namespace == self.namespace)
    }

    fn refusals(&mut self, concern: Concern) -> &mut Refusals {
        match concern {
            Concern::Start => &mut self.starts,
            Concern::CleanUp => &mut self.clean_ups,
        }
    }
}

/// Whether the written status does not yet know what the Job proves: that its slot was started.
fn is_needed(task: &Task, job: &Job) -> bool {
    let unaccounted = |slot| task.status.accounted_until.as_ref().is_none_or(|until| until.0 < slot);
    // An entry with its UID needs it as well: how a Job ended that was deleted at once is in no other place.
    let mut active = task.status.active.iter();
    let awaited = active.any(|run| run.job == job.name && run.uid.as_ref().is_none_or(|uid| *uid == job.uid));
    let owed = job.trigger == Trigger::Schedule && job.slot.is_some_and(unaccounted);
    owed || awaited
}

/// Resource versions of one kind are ordered numbers (Kubernetes 1.35 says so; etcd always did it).
fn version(text: &str) -> u128 {
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SLOT: &str = "2027-01-01T10:01:00Z";

    fn task(version: u64, status: serde_json::Value) -> RawTask {
        let spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": {}}});
        let metadata = json!({"name": "t", "namespace": "n", "uid": "task", "resourceVersion": version.to_string(), "generation": 1});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    }

    fn job(end: Option<&str>) -> RawJob {
        let owner =
            json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]);
        let metadata = json!({"name": "t-1", "uid": "job", "annotations": {"punctual.dev/slot": SLOT}, "ownerReferences": owner});
        let conditions: Vec<_> = end.into_iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
        serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap()
    }

    fn observed(cache: &Cache) -> Observed {
        cache.observe(&"task".into(), SLOT.parse().unwrap()).unwrap()
    }

    #[test]
    fn d2_a_job_that_ended_and_was_deleted_between_two_looks_is_remembered_with_its_end() {
        let cache = Cache::default();
        let active = json!([{"slot": SLOT, "trigger": "Schedule", "attempt": 1, "job": "t-1", "uid": "job"}]);
        cache.put_task(task(1, json!({"accountedUntil": SLOT, "active": active})));
        cache.put_job(job(None), Told::ByWatch);
        cache.put_job(job(Some("Complete")), Told::ByWatch);
        cache.remove_job("task", "job");
        let known = observed(&cache);
        assert_eq!(known.gone, ["job"]);
        assert!(known.jobs[0].end.as_ref().is_some_and(|end| end.succeeded));
        // Once the end is written, it is forgotten.
        cache.put_task(task(2, json!({"accountedUntil": SLOT})));
        assert_eq!((observed(&cache).jobs.len(), observed(&cache).gone.len()), (0, 0));
    }

    #[test]
    fn an_older_word_never_undoes_a_newer_one() {
        let cache = Cache::default();
        let key: Key = "task".into();
        assert_eq!(cache.put_task(task(10, json!({"started": 2}))), Some(key.clone()));
        assert_eq!(cache.put_task(task(9, json!({"started": 1}))), None);
        assert_eq!(observed(&cache).task.status.started, 2);
        cache.put_job(job(None), Told::ByWatch);
        cache.mark_deleting(&key, "job", SLOT.parse().unwrap());
        cache.put_job(job(None), Told::ByWatch);
        assert!(
            observed(&cache).jobs[0].deleting.is_some(),
            "we deleted it; the watch has not caught up"
        );
        cache.remove_job("task", "job");
        assert_eq!(cache.put_job(job(None), Told::ByWatch), None, "gone is gone");
    }

    #[test]
    fn a_job_that_a_new_list_does_not_show_is_not_gone_before_somebody_asked() {
        let cache = Cache::default();
        cache.put_task(task(1, json!({})));
        cache.put_job(job(None), Told::ByWatch);
        assert_eq!(cache.keep_jobs(None, &HashSet::new()), ["task".into()]);
        assert_eq!((observed(&cache).jobs.len(), observed(&cache).gone.len()), (0, 0));
    }
}
