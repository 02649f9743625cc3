//! What is known of one task, awake or at rest.
//!
//! Words about the task and its Jobs go in. A record that rests takes a tenth of the memory: it is unpacked when it is asked for or when
//! something new is heard, and a new list that says nothing new leaves it as it is. Decides nothing about tasks.

use super::queue::Key;
use crate::plan::{JobObject, Task};
use crate::state::{Packed, PackedText, RawJob, Record, Source, Standing, TaskSample};
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;

/// A task by its names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub key: Key,
}

/// What is known of a task, to be read outside of the cache's lock.
#[derive(Debug)]
pub enum Shown {
    Awake(Arc<Task>),
    AtRest(PackedText),
}

impl Shown {
    /// What the metrics show of it.
    pub fn sample(&self) -> Option<TaskSample> {
        match self {
            Self::Awake(task) => Some(TaskSample::of(task)),
            Self::AtRest(text) => text.sample(),
        }
    }

    /// What notifications tell of it.
    pub fn standing(&self) -> Option<Standing> {
        match self {
            Self::Awake(task) => Some(Standing::of(task)),
            Self::AtRest(text) => text.standing(),
        }
    }
}

#[derive(Debug)]
pub struct Entry {
    pub namespace: Box<str>,
    name: Box<str>,
    /// The term of leadership in which the task was last read, and not only watched.
    pub read_in: u64,
    knowledge: Knowledge,
}

#[derive(Debug)]
enum Knowledge {
    Awake(Box<Record>),
    AtRest(Packed),
}

impl Entry {
    /// A task of which nothing is known yet.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            read_in: 0,
            knowledge: Knowledge::Awake(Box::default()),
        }
    }

    /// The record. One that was packed and cannot be read, which would be a defect, begins anew: as if nothing had been heard yet.
    pub fn awake(&mut self, now: Timestamp) -> Option<&mut Record> {
        if let Knowledge::AtRest(packed) = &self.knowledge {
            let record = packed.unpack(now);
            if record.is_none() {
                tracing::error!(
                    task = self.key(),
                    "what is known of the task cannot be read back: a defect of the operator"
                );
            }
            self.knowledge = Knowledge::Awake(Box::new(record.unwrap_or_default()));
        }
        match &mut self.knowledge {
            Knowledge::Awake(record) => Some(record),
            Knowledge::AtRest(_) => None,
        }
    }

    /// Packs the record, if it can be.
    pub fn rest(&mut self) {
        if let Knowledge::Awake(record) = &self.knowledge
            && let Some(packed) = Packed::of(record)
        {
            self.knowledge = Knowledge::AtRest(packed);
        }
    }

    /// What is known of the task. A record at rest stays at rest.
    pub fn shown(&self) -> Option<Shown> {
        match &self.knowledge {
            Knowledge::Awake(record) => record.task_shared().map(Shown::Awake),
            Knowledge::AtRest(packed) => Some(Shown::AtRest(packed.text().clone())),
        }
    }

    /// Its names, with its key.
    pub fn named(&self, key: &Key) -> Named {
        Named {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            key: key.clone(),
        }
    }

    /// Takes in a Job. Says whether that is anything new.
    pub fn put_job(&mut self, object: JobObject, source: Source, now: Timestamp) -> bool {
        if source == Source::List
            && let Knowledge::AtRest(packed) = &mut self.knowledge
        {
            let is_new = !packed.has_job(&object);
            if is_new {
                packed.add_listed(&object);
            }
            return is_new;
        }
        self.awake(now).is_some_and(|record| record.put_job(object, source, now))
    }

    /// Whether the record rests, and all of its Jobs are among these.
    pub fn rests_among(&self, listed: &HashSet<u64>) -> bool {
        matches!(&self.knowledge, Knowledge::AtRest(packed) if packed.is_among(|uid| listed.contains(&uid)))
    }

    /// Whether the record rests.
    #[cfg(test)]
    pub fn rests(&self) -> bool {
        matches!(&self.knowledge, Knowledge::AtRest(_))
    }

    /// Whether a run waits to be started. Of a task at rest none does.
    pub fn waits_for_start(&self) -> bool {
        matches!(&self.knowledge, Knowledge::Awake(record) if record.waits_for_start())
    }

    /// Whether the Job's owner reference names this task.
    pub fn is_claimed_by(&self, raw: &RawJob) -> bool {
        let names_it = raw.owner().is_some_and(|(_, name)| name == &*self.name);
        names_it && raw.metadata.namespace.as_deref() == Some(&*self.namespace)
    }

    /// Whether the task is in this namespace; `None` is all of them.
    pub fn is_in(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| namespace == &*self.namespace)
    }

    /// `namespace/name`
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The `resourceVersion` of the task.
    pub fn version(&self) -> Option<String> {
        match &self.knowledge {
            Knowledge::Awake(record) => record.task().map(|task| task.resource_version.clone()),
            Knowledge::AtRest(packed) => Some(packed.version().to_owned()),
        }
    }

    /// How many Jobs are known.
    pub fn jobs(&self) -> usize {
        match &self.knowledge {
            Knowledge::Awake(record) => record.jobs(),
            Knowledge::AtRest(packed) => packed.jobs(),
        }
    }
}
