//! Which tasks each sink has to look at, and how far it has read.
//!
//! A task that was touched waits once for each sink. Decides nothing, and sends nothing.

use super::config_map::ConfigMapRef;
use super::entry::Named;
use super::queue::{Key, Queue};
use crate::notify::{Pending, Reader};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All sinks that are in use.
#[derive(Debug, Default)]
pub struct Told {
    lines: Mutex<Vec<Arc<Line>>>,
    books: Mutex<Books>,
}

/// What is known of the object in which the books stand.
#[derive(Debug, Default)]
pub struct Books {
    /// In which term of leadership it was read, if it was.
    pub term: Option<u64>,
    /// Where it is.
    pub place: Option<ConfigMapRef>,
    /// Its `resourceVersion`; none, if it is not there.
    pub version: Option<String>,
    /// What it says of each sink.
    pub pages: BTreeMap<String, Vec<u8>>,
    /// The sinks that the administrator's file names, whether they can be used or not: their pages are kept.
    pub named: HashSet<String>,
    /// Whether there was no room for all.
    pub is_full: bool,
}

/// One sink.
#[derive(Debug)]
pub struct Line {
    /// Its name.
    pub sink: String,
    pending: Mutex<Pending<Key>>,
    reader: Mutex<Option<Reader>>,
    changed: Notify,
}

impl Told {
    /// The task was touched: each sink looks at it. The queue knows its namespace.
    pub fn mark(&self, key: &Key, queue: &Queue) {
        let lines = self.lines();
        if lines.is_empty() {
            return;
        }
        if let Some(namespace) = queue.namespace(key) {
            lines.iter().for_each(|line| line.add(key, &namespace));
        }
    }

    /// Each sink looks at these tasks.
    pub fn mark_all(&self, tasks: &[Named]) {
        for line in self.lines().iter() {
            tasks.iter().for_each(|task| line.add(&task.key, &task.namespace));
        }
    }

    /// Routes change: what each sink has passed over is not told later.
    pub fn pin(&self) {
        for line in self.lines().iter() {
            if let Some(reader) = line.reader().as_mut() {
                reader.pin();
            }
        }
    }

    /// The task is gone.
    pub fn forget(&self, key: &Key) {
        for line in self.lines().iter() {
            if let Some(reader) = line.reader().as_mut() {
                reader.forget(key);
            }
        }
    }

    /// Takes a sink into use.
    pub fn begin(&self, sink: &str) -> Arc<Line> {
        let line = Arc::new(Line {
            sink: sink.into(),
            pending: Mutex::default(),
            reader: Mutex::default(),
            changed: Notify::new(),
        });
        self.lines().push(line.clone());
        line
    }

    /// The sink is not in use any more.
    pub fn end(&self, sink: &str) {
        self.lines().retain(|line| line.sink != sink);
    }

    /// The sinks that are in use.
    pub fn all(&self) -> Vec<Arc<Line>> {
        self.lines().clone()
    }

    /// What is known of the books.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The sink has to look at the task.
    pub fn add(&self, key: &Key, namespace: &str) {
        self.pending().add(namespace, key.clone());
        self.changed.notify_one();
    }

    /// The next task to look at.
    pub fn take(&self) -> Option<Key> {
        self.pending().take()
    }

    /// How many tasks wait.
    pub fn waiting(&self) -> usize {
        self.pending().len()
    }

    /// Resolves when a task was added, or the reader was changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How far the sink has read; unknown until the book was read, and while another replica leads.
    pub fn reader(&self) -> MutexGuard<'_, Option<Reader>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sink reads on from here, or stops reading.
    pub fn set_reader(&self, reader: Option<Reader>) {
        *self.reader() = reader;
        self.changed.notify_one();
    }

    fn pending(&self) -> MutexGuard<'_, Pending<Key>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
