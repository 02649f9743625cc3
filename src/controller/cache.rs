//! What the operator knows: a record of each task, filled by the watches and by its own writes.
//!
//! Objects and answers go in as the API server words them, `Observed` comes out. A task is known by its UID and belongs to its
//! namespace; a Job is handed to the task that it claims only if namespace, owner UID and owner name are that task's. Records with
//! nothing to do are held packed. Never asks the API server; what a word means for what is known stands in `state`.

use super::entry::Entry;
use super::pen::Pen;
use super::queue::Key;
use crate::plan::Observed;
use crate::state::{RawJob, RawTask, Record, Seal, Source, uid_hash};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything known, by UID of the task.
#[derive(Debug)]
pub struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    entries: HashMap<Key, Entry>,
    /// Jobs of tasks that are not known (yet).
    pen: Pen,
    seal: Seal,
}

/// What a task came to when it was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Put {
    /// It is to be looked at.
    News(Key),
    /// A version as new is known.
    Old,
    /// Reading it failed by a defect; it is known by its name and says so.
    Quarantined(Key),
}

impl Cache {
    /// Nothing is known; Jobs of ours carry this seal.
    #[must_use]
    pub fn new(seal: Seal) -> Self {
        let inner = Inner {
            entries: HashMap::new(),
            pen: Pen::default(),
            seal,
        };
        Self { inner: Mutex::new(inner) }
    }

    /// Replicas that elect a leader share a secret.
    pub fn share_seal(&self, secret: &str) {
        self.lock().seal.share(secret);
    }

    /// What is known of a task, at `now`. Nothing, if it is not there (any more).
    #[must_use]
    pub fn observe(&self, key: &Key, now: Timestamp) -> Option<Observed> {
        let mut inner = self.lock();
        let Inner { entries, seal, .. } = &mut *inner;
        entries.get_mut(key)?.awake(now)?.observe(now, seal)
    }

    /// Packs what is known of a task that has nothing to do for a while, if that is possible.
    pub fn rest(&self, key: &Key) {
        if let Some(entry) = self.lock().entries.get_mut(key) {
            entry.rest();
        }
    }

    /// Takes in a task. Reading it costs what its author made it cost, and is done before anybody is kept waiting.
    pub fn put_task(&self, raw: RawTask, source: Source, now: Timestamp) -> Put {
        let Some(key) = raw.metadata.uid.as_deref().map(Key::from) else {
            return Put::Old;
        };
        let version = raw.metadata.resource_version.clone().unwrap_or_default();
        let known = match self.lock().entries.get_mut(&key) {
            Some(entry) if entry.rests_at(&version) => return Put::Old,
            Some(entry) => match entry.awake(now) {
                Some(record) if source != Source::List && !record.is_news(&version) => return Put::Old,
                record => record.and_then(|record| record.task_shared()),
            },
            None => None,
        };
        let read = catch_unwind(AssertUnwindSafe(|| raw.to_task(known.as_deref())));
        let is_broken = read.is_err();
        let task = Arc::new(read.unwrap_or_else(|_| raw.to_quarantine()));
        let mut inner = self.lock();
        let Inner { entries, pen, .. } = &mut *inner;
        let entry = entries
            .entry(key.clone())
            .or_insert_with(|| Entry::new(&task.namespace, &task.name));
        let Some(record) = entry.awake(now) else { return Put::Old };
        let is_new = record.task().is_none();
        let is_news = match source {
            // Older or newer, it is what there is.
            Source::List => record.list_task(task.clone(), now),
            _ => record.put_task(task.clone(), now),
        };
        if !is_news {
            return Put::Old;
        }
        if is_new {
            for job in pen.release(&task) {
                record.put_job(job, Source::Watch, now);
            }
        }
        if source == Source::List {
            // Before a Job is created by it, it is read. Until then a long list takes no more memory than it must.
            entry.read_in = 0;
            entry.rest();
        }
        if is_broken { Put::Quarantined(key) } else { Put::News(key) }
    }

    /// The task is gone; its Jobs go with it by their owner reference.
    pub fn remove_task(&self, uid: &str) {
        self.lock().entries.remove(uid);
    }

    /// Takes in a Job. Gives the key of the task that it changes something for.
    pub fn put_job(&self, raw: RawJob, source: Source, now: Timestamp) -> Option<Key> {
        let key: Key = raw.owner()?.0.into();
        let mut inner = self.lock();
        let Inner { entries, pen, seal } = &mut *inner;
        let Some(entry) = entries.get_mut(&key) else {
            pen.hold(raw);
            return None;
        };
        if !entry.is_claimed_by(&raw) {
            return None;
        }
        let mut object = raw.into_object();
        if seal.is_shared() && !seal.is_ours(&key, &object.name, object.mark) {
            object.mark = None;
        }
        entry.put_job(object, source, now).then_some(key)
    }

    /// The watch no longer shows the Job.
    pub fn leave_watch(&self, namespace: &str, owner: &str, uid: &str, now: Timestamp) -> Option<Key> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.pen.remove(namespace, uid);
        let key = inner.entries.get_key_value(owner).map(|(key, _)| key.clone())?;
        let entry = inner.entries.get_mut(&key).filter(|entry| entry.is_in(Some(namespace)))?;
        entry.awake(now)?.leave_watch(uid, &inner.seal, now).then_some(key)
    }

    /// After a new list (of that namespace, or of all): Jobs that are not in it are no longer known. Gives whose they were.
    pub fn keep_jobs(&self, namespace: Option<&str>, listed: &HashSet<String>, now: Timestamp) -> Vec<Key> {
        let mut inner = self.lock();
        let Inner { entries, pen, seal } = &mut *inner;
        pen.keep(namespace, listed);
        let hashes: HashSet<u64> = listed.iter().map(|uid| uid_hash(uid)).collect();
        let listed_here = entries
            .iter_mut()
            .filter(|(_, entry)| entry.is_in(namespace) && !entry.rests_among(&hashes));
        let keep = |entry: &mut Entry| {
            let record = entry.awake(now);
            record.is_some_and(|record| record.keep_jobs(|uid| listed.contains(uid), seal, now))
        };
        listed_here.filter_map(|(key, entry)| keep(entry).then(|| key.clone())).collect()
    }

    /// After a new list (of that namespace, or of all): tasks that are not in it are gone.
    pub fn keep_tasks(&self, namespace: Option<&str>, listed: &HashSet<Key>) {
        self.lock()
            .entries
            .retain(|key, entry| !entry.is_in(namespace) || listed.contains(key));
    }

    /// Changes what is known of a task at `now`, if it is known.
    pub fn update<T>(&self, key: &Key, now: Timestamp, change: impl FnOnce(&mut Record, &Seal) -> T) -> Option<T> {
        let mut inner = self.lock();
        let Inner { entries, seal, .. } = &mut *inner;
        let record = entries.get_mut(key)?.awake(now)?;
        Some(change(record, seal))
    }

    /// The term of leadership in which the task was last read.
    pub fn read_in(&self, key: &Key) -> u64 {
        self.lock().entries.get(key).map_or(0, |entry| entry.read_in)
    }

    /// The `resourceVersion` of a task, as it is known.
    pub fn version(&self, key: &str) -> Option<String> {
        let inner = self.lock();
        inner.entries.get(key)?.version()
    }

    /// It was read in this one.
    pub fn set_read_in(&self, key: &str, term: u64) {
        if let Some(entry) = self.lock().entries.get_mut(key) {
            entry.read_in = term;
        }
    }

    /// Every task that is known.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        self.lock().entries.keys().cloned().collect()
    }

    /// The namespace and name of a task, for people.
    #[must_use]
    pub fn name(&self, key: &Key) -> Option<String> {
        self.lock().entries.get(key).map(Entry::key)
    }

    /// Whether a run of the task waits to be started.
    #[must_use]
    pub fn waits_for_start(&self, key: &Key) -> bool {
        self.lock().entries.get(key).is_some_and(Entry::waits_for_start)
    }

    /// How many tasks and Jobs are known.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.entries.len(), inner.entries.values().map(Entry::jobs).sum())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Exit, Pods};
    use serde_json::json;

    const SLOT: &str = "2027-01-01T10:01:00Z";
    const JOB: &str = "t-1798797660";

    fn cache() -> Cache {
        Cache::new(Seal::alone(b"key"))
    }

    fn now() -> Timestamp {
        SLOT.parse().unwrap()
    }

    fn task(version: u64, status: serde_json::Value) -> RawTask {
        let spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": {}}});
        let metadata = json!({"name": "t", "namespace": "n", "uid": "task", "resourceVersion": version.to_string(), "generation": 1});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
    }

    fn job(end: Option<&str>) -> RawJob {
        let owner =
            json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]);
        let metadata =
            json!({"name": JOB, "namespace": "n", "uid": "job", "annotations": {"punctual.dev/slot": SLOT}, "ownerReferences": owner});
        let conditions: Vec<_> = end.into_iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
        serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap()
    }

    /// A read does not find the Job.
    fn is_gone(cache: &Cache) {
        cache.update(&"task".into(), now(), |record, seal| record.remove_job("job", seal, now()));
    }

    fn observed(cache: &Cache) -> Observed {
        cache.observe(&"task".into(), SLOT.parse().unwrap()).unwrap()
    }

    /// D2
    #[test]
    fn a_job_that_ended_and_was_deleted_between_two_looks_is_remembered_with_its_end() {
        let cache = cache();
        cache.put_task(task(1, active()), Source::Watch, now());
        cache.put_job(job(None), Source::Watch, now());
        cache.put_job(job(Some("Complete")), Source::Watch, now());
        cache.leave_watch("n", "task", "job", now());
        is_gone(&cache);
        let known = observed(&cache);
        assert_eq!(known.gone, ["job"]);
        assert!(known.jobs[0].object.end.as_ref().is_some_and(|end| end.succeeded));
        // Once the end is written, it is forgotten.
        cache.put_task(task(2, json!({"accountedUntil": SLOT})), Source::Watch, now());
        assert_eq!((observed(&cache).jobs.len(), observed(&cache).gone.len()), (0, 0));
    }

    #[test]
    fn an_older_word_never_undoes_a_newer_one() {
        let cache = cache();
        let key: Key = "task".into();
        assert_eq!(
            cache.put_task(task(10, json!({"started": 2})), Source::Watch, now()),
            Put::News(key.clone())
        );
        assert_eq!(cache.put_task(task(9, json!({"started": 1})), Source::Watch, now()), Put::Old);
        assert_eq!(observed(&cache).task.status.started, 2);
        cache.put_job(job(None), Source::Watch, now());
        cache.update(&key, now(), |record, _| record.mark_deleting("job", SLOT.parse().unwrap()));
        cache.put_job(job(None), Source::Watch, now());
        let is_deleting = observed(&cache).jobs[0].object.deleting.is_some();
        assert!(is_deleting, "we deleted it; the watch has not caught up");
        cache.leave_watch("n", "task", "job", now());
        is_gone(&cache);
        assert_eq!(cache.put_job(job(None), Source::Watch, now()), None, "gone is gone");
    }

    fn active() -> serde_json::Value {
        json!({"accountedUntil": SLOT, "active": [{"slot": SLOT, "trigger": "Schedule", "attempt": 1, "job": JOB, "uid": "job"}]})
    }

    /// D2
    #[test]
    fn a_job_that_a_new_list_does_not_show_is_not_gone_before_somebody_asked_and_keeps_its_end() {
        let cache = cache();
        let seen = || (observed(&cache).jobs.len(), observed(&cache).gone.len());
        cache.put_task(task(1, active()), Source::Watch, now());
        cache.put_job(job(Some("Complete")), Source::Watch, now());
        assert_eq!(cache.keep_jobs(None, &HashSet::new(), now()), ["task".into()]);
        assert_eq!(seen(), (0, 0), "somebody has to look");
        cache.leave_watch("n", "task", "job", now());
        is_gone(&cache);
        assert_eq!(seen(), (1, 1));
        assert!(observed(&cache).jobs[0].object.end.as_ref().is_some_and(|end| end.succeeded));

        cache.put_task(task(2, json!({"accountedUntil": SLOT})), Source::Watch, now());
        assert_eq!(seen(), (0, 0));
    }

    /// D2
    #[test]
    fn a_job_that_a_new_list_does_not_show_still_proves_that_its_slot_was_started() {
        let cache = cache();
        let seen = || (observed(&cache).jobs.len(), observed(&cache).gone.len());
        cache.put_task(task(1, json!({})), Source::Watch, now());
        cache.put_job(job(None), Source::Created(now()), now());
        cache.keep_jobs(None, &HashSet::new(), now());
        assert_eq!(seen(), (1, 0), "its slot would be started again");
        cache.put_task(task(2, active()), Source::Watch, now());
        assert_eq!(seen(), (0, 0), "now somebody has to look");
        cache.put_job(job(None), Source::Get, now());
        assert_eq!(seen(), (1, 0), "it was there");
    }

    #[test]
    fn how_containers_ended_is_asked_when_the_job_has_ended() {
        let cache = cache();
        let key: Key = "task".into();
        cache.put_task(task(1, active()), Source::Watch, now());
        cache.put_job(job(None), Source::Watch, now());
        // The look of pendingTimeout, at a container that runs.
        cache.update(&key, now(), |record, _| {
            record.set_pods("job", &Exit::Unknown, &Pods::Began(None), true, SLOT.parse().unwrap())
        });
        cache.put_job(job(Some("Failed")), Source::Watch, now());
        let job = observed(&cache).jobs.remove(0);
        assert_eq!((job.exit, job.pods), (Exit::NotAsked, Pods::Began(None)));
        let code = Exit::Known {
            code: Some(3),
            message: None,
        };
        cache.update(&key, now(), |record, _| {
            record.set_pods("job", &code, &Pods::Began(None), true, SLOT.parse().unwrap())
        });
        assert_eq!(observed(&cache).jobs[0].exit, code);
    }

    /// F21: the watch reports a Job as deleted from which somebody took our label.
    #[test]
    fn a_job_that_leaves_the_watch_is_not_gone_before_a_read() {
        let cache = cache();
        let key: Key = "task".into();
        cache.put_task(task(1, active()), Source::Watch, now());
        cache.put_job(job(None), Source::Watch, now());
        cache.leave_watch("n", "task", "job", now());
        assert_eq!((observed(&cache).jobs.len(), observed(&cache).gone.len()), (0, 0));
        let read = job(None).into_object();
        cache.update(&key, now(), |record, _| record.put_job(read, Source::Get, now()));
        let job = observed(&cache).jobs.remove(0);
        assert_eq!(
            (job.object.uid.as_str(), job.unwatched_since),
            ("job", Some(now())),
            "it is read now and then"
        );
    }

    /// F12: where a backup of etcd was restored, versions go back, and what was deleted is there again.
    #[test]
    fn a_new_list_is_the_truth_whatever_its_versions() {
        let cache = cache();
        let key: Key = "task".into();
        cache.put_task(task(90, active()), Source::Watch, now());
        cache.put_job(job(None), Source::Watch, now());
        cache.set_read_in("task", 7);
        cache.update(&key, now(), |record, _| record.mark_deleting("job", now()));
        is_gone(&cache);
        assert_eq!(
            cache.put_task(task(50, active()), Source::Watch, now()),
            Put::Old,
            "a watch may be late"
        );
        assert_eq!(cache.put_task(task(50, active()), Source::List, now()), Put::News(key.clone()));
        assert_eq!(observed(&cache).task.resource_version, "50");
        assert_eq!(cache.read_in(&key), 0, "it is read before a Job is created by it");
        cache.put_job(job(None), Source::List, now());
        let seen = observed(&cache);
        assert_eq!((seen.jobs.len(), seen.gone.len()), (1, 0));
        assert_eq!(seen.jobs[0].object.deleting, None);
    }
}
