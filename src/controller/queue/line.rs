//! One line of the work queue: keys that wait for their time, and then for their turn.
//!
//! Keys and times go in. Out come those whose time has come: namespaces in turn, and within a namespace the key that has waited
//! longest. A key stands in a line once, at the earliest of the times that were asked for.

use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// UID of a task.
pub type Key = Arc<str>;

#[derive(Debug, Default)]
pub struct Line {
    /// When each key is wanted.
    wanted: HashMap<Key, Timestamp>,
    /// Keys whose time is still to come.
    later: BTreeSet<(Timestamp, Key)>,
    /// Keys whose time has come: all of them, and by namespace. A namespace without keys leaves at its turn.
    due: BTreeSet<(Timestamp, Key)>,
    by_namespace: HashMap<Arc<str>, BTreeSet<(Timestamp, Key)>>,
    turns: VecDeque<Arc<str>>,
    /// Keys that were asked for while a worker had them, or while they were held.
    again: HashMap<Key, Timestamp>,
}

impl Line {
    /// Wants the key at this time, or earlier if it was wanted earlier. Returns whether that changed anything.
    pub fn put(&mut self, key: &Key, at: Timestamp) -> bool {
        if let Some(known) = self.wanted.get(key) {
            // One that is due keeps its place.
            if *known <= at || !self.later.remove(&(*known, key.clone())) {
                return false;
            }
        }
        self.wanted.insert(key.clone(), at);
        self.later.insert((at, key.clone()));
        true
    }

    /// Wants it when it is returned.
    pub fn put_again(&mut self, key: &Key, at: Timestamp) {
        let again = self.again.entry(key.clone()).or_insert(at);
        *again = at.min(*again);
    }

    /// Forgets what was asked for meanwhile.
    pub fn forget_again(&mut self, key: &Key) {
        self.again.remove(key);
    }

    /// It was returned: what was asked for meanwhile is wanted now.
    pub fn returned(&mut self, key: &Key) {
        if let Some(at) = self.again.remove(key) {
            self.put(key, at);
        }
    }

    /// Takes the key out of the line. Returns when it was wanted.
    pub fn take_out(&mut self, key: &Key, namespace: Option<&Arc<str>>) -> Option<Timestamp> {
        let at = self.wanted.remove(key)?;
        let entry = (at, key.clone());
        if !self.later.remove(&entry) {
            self.due.remove(&entry);
            if let Some(keys) = self.by_namespace.get_mut(namespace.map_or("", |namespace| namespace)) {
                keys.remove(&entry);
            }
        }
        Some(at)
    }

    /// Keys whose time has come wait for their turn from now on.
    pub fn ripen(&mut self, now: Timestamp, namespaces: &HashMap<Key, Arc<str>>) {
        while let Some((at, _)) = self.later.first()
            && *at <= now
            && let Some(entry) = self.later.pop_first()
        {
            let namespace = namespaces.get(&entry.1).cloned().unwrap_or_else(|| "".into());
            if !self.by_namespace.contains_key(&namespace) {
                self.turns.push_back(namespace.clone());
            }
            self.by_namespace.entry(namespace).or_default().insert(entry.clone());
            self.due.insert(entry);
        }
    }

    /// The first key of the namespace whose turn it is.
    pub fn pop(&mut self) -> Option<Key> {
        while let Some(namespace) = self.turns.pop_front() {
            let first = self.by_namespace.get_mut(&namespace).and_then(BTreeSet::pop_first);
            let Some(entry) = first else {
                self.by_namespace.remove(&namespace);
                continue;
            };
            self.turns.push_back(namespace);
            self.due.remove(&entry);
            self.wanted.remove(&entry.1);
            return Some(entry.1);
        }
        None
    }

    /// The key that has waited longest for its turn, and since when.
    pub fn oldest(&self) -> Option<(Timestamp, Key)> {
        self.due.first().cloned()
    }

    /// When the next key's time comes.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.later.first().map(|(at, _)| *at)
    }

    /// How many keys wait for their turn, those included whose time has come since they last ripened.
    pub fn depth(&self, now: Timestamp) -> usize {
        self.due.len() + self.later.iter().take_while(|(at, _)| *at <= now).count()
    }

    /// Whether a key waits for its turn.
    pub fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Whether none of its keys is due at `now`.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.due.is_empty() && self.next_at().is_none_or(|at| at > now)
    }

    /// Every key is wanted at `at`, if it is wanted later.
    pub fn bring_forward(&mut self, at: Timestamp) {
        let later: Vec<Key> = self.later.iter().map(|(_, key)| key.clone()).collect();
        for key in &later {
            self.put(key, at);
        }
    }
}
