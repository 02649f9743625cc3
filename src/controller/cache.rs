//! What the operator knows: a record of each task, filled by the watches and by its own writes.
//!
//! Objects and answers go in as the API server words them, `Observed` comes out. A task is known by its UID and belongs to its
//! namespace; a Job is handed to the task that it claims only if namespace, owner UID and owner name are that task's. Records with
//! nothing to do are held packed. Never asks the API server; what a word means for what is known stands in `state`.

use super::entry::{Entry, Named, Shown};
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
            Some(entry) if entry.version().is_some_and(|known| known == version) => return Put::Old,
            // Where etcd was restored, another spec may have the same generation.
            Some(_) if source == Source::List => None,
            Some(entry) => match entry.awake(now) {
                Some(record) if !record.is_news(&version) => return Put::Old,
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

    /// The names of every task that is known.
    pub fn names(&self) -> Vec<Named> {
        self.lock().entries.iter().map(|(key, entry)| entry.named(key)).collect()
    }

    /// What is known of a task, to be shown. A record at rest stays at rest.
    pub fn shown(&self, key: &Key) -> Option<Shown> {
        self.lock().entries.get(key)?.shown()
    }

    /// Whether the record of a task rests.
    #[cfg(test)]
    pub fn rests(&self, key: &Key) -> bool {
        self.lock().entries.get(key).is_some_and(Entry::rests)
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
mod tests;
