//! What the operator knows: a record of each task, filled by the watches and by its own writes.
//!
//! Takes objects and answers as the API server words them, gives `Observed`. Never asks the API server; what a word means for
//! what is known stands in `record`.

use super::objects::{RawJob, RawTask};
use super::queue::Key;
use super::record::{Record, Told};
use crate::plan::Observed;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything known, by UID of the task.
#[derive(Debug, Default)]
pub struct Cache {
    entries: Mutex<HashMap<Key, Entry>>,
}

#[derive(Debug, Default)]
struct Entry {
    namespace: String,
    /// The term of leadership in which the task was last read, and not only watched.
    read_in: u64,
    record: Record,
}

impl Cache {
    /// What is known of a task, at `now`. Nothing, if it is not there (any more).
    #[must_use]
    pub fn observe(&self, key: &Key, now: Timestamp) -> Option<Observed> {
        self.lock().get(key)?.record.observe(now)
    }

    /// Takes in a task. Gives its key, unless a newer version is known already.
    pub fn put_task(&self, raw: RawTask) -> Option<Key> {
        let key: Key = raw.metadata.uid.as_deref()?.into();
        let mut entries = self.lock();
        let entry = entries.entry(key.clone()).or_default();
        entry.namespace = raw.metadata.namespace.clone().unwrap_or_default();
        let record = &mut entry.record;
        if !record.is_news(raw.metadata.resource_version.as_deref().unwrap_or_default()) {
            return None;
        }
        let task = raw.into_task(record.task());
        record.put_task(Arc::new(task)).then_some(key)
    }

    /// The task is gone; its Jobs go with it by their owner reference.
    pub fn remove_task(&self, uid: &str) {
        let mut entries = self.lock();
        if let Some(entry) = entries.get_mut(uid) {
            entry.record.remove_task();
            if entry.is_void() {
                entries.remove(uid);
            }
        }
    }

    /// Takes in a Job. Gives the key of its task, unless it is known to be gone.
    pub fn put_job(&self, raw: RawJob, told: Told) -> Option<Key> {
        let key: Key = raw.owner()?.into();
        let mut entries = self.lock();
        let entry = entries.entry(key.clone()).or_default();
        entry.namespace = raw.metadata.namespace.clone().unwrap_or_default();
        entry.record.put_job(raw.into_job(), told).then_some(key)
    }

    /// The Job is certainly gone.
    pub fn remove_job(&self, owner: &str, uid: &str) -> Option<Key> {
        let mut entries = self.lock();
        let key = entries.get_key_value(owner).map(|(key, _)| key.clone())?;
        let entry = entries.get_mut(&key)?;
        entry.record.remove_job(uid);
        if entry.is_void() {
            entries.remove(&key);
        }
        Some(key)
    }

    /// After a new list (of that namespace, or of all): Jobs that are not in it are no longer known. Gives whose they were.
    pub fn keep_jobs(&self, namespace: Option<&str>, listed: &HashSet<String>) -> Vec<Key> {
        let mut entries = self.lock();
        let listed_here = entries.iter_mut().filter(|(_, entry)| entry.is_in(namespace));
        let changed = listed_here.filter_map(|(key, entry)| entry.record.keep_jobs(|uid| listed.contains(uid)).then(|| key.clone()));
        changed.collect()
    }

    /// After a new list (of that namespace, or of all): tasks that are not in it are gone.
    pub fn keep_tasks(&self, namespace: Option<&str>, listed: &HashSet<Key>) {
        self.lock().retain(|key, entry| {
            if entry.is_in(namespace) && !listed.contains(key) {
                entry.record.remove_task();
            }
            !entry.is_void()
        });
    }

    /// Changes what is known of a task, if it is known.
    pub fn update<T>(&self, key: &Key, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        self.lock().get_mut(key).map(|entry| change(&mut entry.record))
    }

    /// The term of leadership in which the task was last read.
    pub fn read_in(&self, key: &Key) -> u64 {
        self.lock().get(key).map_or(0, |entry| entry.read_in)
    }

    /// It was read in this one.
    pub fn set_read_in(&self, key: &str, term: u64) {
        if let Some(entry) = self.lock().get_mut(key) {
            entry.read_in = term;
        }
    }

    /// Every task that is known.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let entries = self.lock();
        let tasks = entries.iter().filter(|(_, entry)| entry.record.task().is_some());
        tasks.map(|(key, _)| key.clone()).collect()
    }

    /// How many tasks and Jobs are known.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let entries = self.lock();
        let tasks = entries.values().filter(|entry| entry.record.task().is_some());
        (tasks.count(), entries.values().map(|entry| entry.record.jobs()).sum())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_in(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| namespace == self.namespace)
    }

    /// Nothing is there that could be asked for.
    fn is_void(&self) -> bool {
        self.record.task().is_none() && self.record.jobs() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Exit, Pods};
    use serde_json::json;

    const SLOT: &str = "2027-01-01T10:01:00Z";
    const JOB: &str = "t-1798797660";

    fn task(version: u64, status: serde_json::Value) -> RawTask {
        let spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": {}}});
        let metadata = json!({"name": "t", "namespace": "n", "uid": "task", "resourceVersion": version.to_string(), "generation": 1});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    }

    fn job(end: Option<&str>) -> RawJob {
        let owner =
            json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]);
        let metadata = json!({"name": JOB, "uid": "job", "annotations": {"punctual.dev/slot": SLOT}, "ownerReferences": owner});
        let conditions: Vec<_> = end.into_iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
        serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap()
    }

    fn observed(cache: &Cache) -> Observed {
        cache.observe(&"task".into(), SLOT.parse().unwrap()).unwrap()
    }

    #[test]
    fn d2_a_job_that_ended_and_was_deleted_between_two_looks_is_remembered_with_its_end() {
        let cache = Cache::default();
        cache.put_task(task(1, active()));
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
        cache.update(&key, |record| record.mark_deleting("job", SLOT.parse().unwrap()));
        cache.put_job(job(None), Told::ByWatch);
        assert!(
            observed(&cache).jobs[0].deleting.is_some(),
            "we deleted it; the watch has not caught up"
        );
        cache.remove_job("task", "job");
        assert_eq!(cache.put_job(job(None), Told::ByWatch), None, "gone is gone");
    }

    fn active() -> serde_json::Value {
        json!({"accountedUntil": SLOT, "active": [{"slot": SLOT, "trigger": "Schedule", "attempt": 1, "job": JOB, "uid": "job"}]})
    }

    #[test]
    fn d2_a_job_that_a_new_list_does_not_show_is_not_gone_before_somebody_asked_and_keeps_its_end() {
        let cache = Cache::default();
        let seen = || (observed(&cache).jobs.len(), observed(&cache).gone.len());
        cache.put_task(task(1, active()));
        cache.put_job(job(Some("Complete")), Told::ByWatch);
        assert_eq!(cache.keep_jobs(None, &HashSet::new()), ["task".into()]);
        assert_eq!(seen(), (0, 0), "somebody has to look");
        cache.remove_job("task", "job");
        assert_eq!(seen(), (1, 1));
        assert!(observed(&cache).jobs[0].end.as_ref().is_some_and(|end| end.succeeded));

        cache.put_task(task(2, json!({"accountedUntil": SLOT})));
        assert_eq!(seen(), (0, 0));
    }

    #[test]
    fn d2_a_job_that_a_new_list_does_not_show_still_proves_that_its_slot_was_started() {
        let cache = Cache::default();
        let seen = || (observed(&cache).jobs.len(), observed(&cache).gone.len());
        cache.put_task(task(1, json!({})));
        cache.put_job(job(None), Told::Made(SLOT.parse().unwrap()));
        cache.keep_jobs(None, &HashSet::new());
        assert_eq!(seen(), (1, 0), "its slot would be started again");
        cache.put_task(task(2, active()));
        assert_eq!(seen(), (0, 0), "now somebody has to look");
        cache.put_job(job(None), Told::ByRead);
        assert_eq!(seen(), (1, 0), "it was there");
    }

    #[test]
    fn how_containers_ended_is_asked_when_the_job_has_ended() {
        let cache = Cache::default();
        let key: Key = "task".into();
        cache.put_task(task(1, active()));
        cache.put_job(job(None), Told::ByWatch);
        // The look of pendingTimeout, at a container that runs.
        cache.update(&key, |record| {
            record.set_pods("job", &Exit::Unknown, &Pods::Began, SLOT.parse().unwrap())
        });
        cache.put_job(job(Some("Failed")), Told::ByWatch);
        assert_eq!(
            (&observed(&cache).jobs[0].exit, &observed(&cache).jobs[0].pods),
            (&Exit::NotAsked, &Pods::Began)
        );
        let code = Exit::Known { code: 3, message: None };
        cache.update(&key, |record| record.set_pods("job", &code, &Pods::Began, SLOT.parse().unwrap()));
        assert_eq!(observed(&cache).jobs[0].exit, code);
    }
}
