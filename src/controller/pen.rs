//! Jobs whose task is not known yet.
//!
//! The watch of Jobs may be ahead of that of tasks by a moment, and anybody can make Jobs that name a task which never was. So they
//! wait here, a few of each namespace, until the task is met or a newer one takes their place. A Job that falls off is met again
//! when its name is asked for.

use crate::plan::{JobObject, Task, is_plain_name};
use crate::state::RawJob;
use std::collections::{HashMap, HashSet, VecDeque};

/// So many of each namespace.
const MOST: usize = 256;

/// The Jobs, by namespace, oldest first.
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
    /// A Job of an unknown task, if it has the form of one of ours.
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
        if waiting.len() >= MOST {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            owner_uid,
            owner_name,
            job,
        });
    }

    /// The Jobs that claim to be this task's.
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

    /// The Job is gone.
    pub fn remove(&mut self, namespace: &str, uid: &str) {
        if let Some(waiting) = self.waiting.get_mut(namespace) {
            waiting.retain(|known| known.job.uid != uid);
        }
    }

    /// After a new list (of that namespace, or of all): what is not in it is gone.
    pub fn keep(&mut self, namespace: Option<&str>, listed: &HashSet<String>) {
        let here = self
            .waiting
            .iter_mut()
            .filter(|(of, _)| namespace.is_none_or(|namespace| namespace == *of));
        here.for_each(|(_, waiting)| waiting.retain(|known| listed.contains(&known.job.uid)));
        self.waiting.retain(|_, waiting| !waiting.is_empty());
    }
}
