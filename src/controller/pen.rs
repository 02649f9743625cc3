//! Holds Jobs whose owner, a task, is not in the cache yet.
//!
//! The watch of Jobs may be slightly ahead of the watch of tasks, and anybody can create Jobs that name a task which never existed.
//! Such Jobs wait here, a limited number per namespace, until their task arrives or a newer Job displaces them. A displaced Job is
//! found again when the operator looks up its name.

use crate::plan::{JobObject, Task, is_plain_name};
use crate::state::RawJob;
use std::collections::{HashMap, HashSet, VecDeque};

/// Jobs held per namespace.
const MAX_PER_NAMESPACE: usize = 256;

/// The held Jobs, by namespace, oldest first.
#[derive(Debug, Default)]
pub struct Pen {
    waiting: HashMap<String, VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    owner_uid: String,
    owner_name: String,
    job: JobObject,
}

impl Pen {
    /// Holds a Job of an unknown task, if it has the form of a Job that the operator creates.
    pub fn hold(&mut self, raw: RawJob) {
        let Some((uid, name)) = raw.owner().filter(|(uid, name)| is_plain_name(name) && uid.len() <= 64) else {
            return;
        };
        let (owner_uid, owner_name) = (uid.to_owned(), name.to_owned());
        let Some(namespace) = raw.metadata.namespace.clone() else { return };
        let job = raw.into_object();
        if job.slot.is_none() {
            return;
        }
        let waiting = self.waiting.entry(namespace).or_default();
        waiting.retain(|known| known.job.uid != job.uid);
        if waiting.len() >= MAX_PER_NAMESPACE {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            owner_uid,
            owner_name,
            job,
        });
    }

    /// Takes out the Jobs whose owner reference names this task.
    pub fn release(&mut self, task: &Task) -> Vec<JobObject> {
        let Some(waiting) = self.waiting.remove(&task.namespace) else {
            return Vec::new();
        };
        let claims = |waiting: &Waiting| waiting.owner_uid == task.uid && waiting.owner_name == task.name;
        let (ours, others): (VecDeque<Waiting>, VecDeque<Waiting>) = waiting.into_iter().partition(claims);
        if !others.is_empty() {
            self.waiting.insert(task.namespace.clone(), others);
        }
        ours.into_iter().map(|waiting| waiting.job).collect()
    }

    /// Removes a Job that was deleted.
    pub fn remove(&mut self, namespace: &str, uid: &str) {
        if let Some(waiting) = self.waiting.get_mut(namespace) {
            waiting.retain(|known| known.job.uid != uid);
        }
    }

    /// Removes Jobs that a new list (of that namespace, or of all) does not contain.
    pub fn keep(&mut self, namespace: Option<&str>, listed: &HashSet<String>) {
        let here = self
            .waiting
            .iter_mut()
            .filter(|(of, _)| namespace.is_none_or(|namespace| namespace == *of));
        here.for_each(|(_, waiting)| waiting.retain(|known| listed.contains(&known.job.uid)));
        self.waiting.retain(|_, waiting| !waiting.is_empty());
    }
}
