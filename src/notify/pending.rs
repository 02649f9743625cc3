//! Tasks of which a sink may not know everything, fair between namespaces.
//!
//! Keys go in and come out, those of each namespace in the order in which they came, the namespaces in turns. A key waits once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

/// Keys that wait.
#[derive(Debug)]
pub struct Pending<K> {
    lines: HashMap<Box<str>, VecDeque<K>>,
    turns: VecDeque<Box<str>>,
    waiting: HashSet<K>,
}

impl<K> Default for Pending<K> {
    fn default() -> Self {
        Self {
            lines: HashMap::new(),
            turns: VecDeque::new(),
            waiting: HashSet::new(),
        }
    }
}

impl<K: Clone + Eq + Hash> Pending<K> {
    /// The key waits, unless it does already.
    pub fn add(&mut self, namespace: &str, key: K) {
        if !self.waiting.insert(key.clone()) {
            return;
        }
        if let Some(line) = self.lines.get_mut(namespace) {
            return line.push_back(key);
        }
        self.lines.insert(namespace.into(), VecDeque::from([key]));
        self.turns.push_back(namespace.into());
    }

    /// The next key.
    pub fn take(&mut self) -> Option<K> {
        let namespace = self.turns.pop_front()?;
        let line = self.lines.get_mut(&namespace)?;
        let key = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        self.waiting.remove(&key);
        Some(key)
    }

    /// How many keys wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_take_turns_and_a_key_waits_once() {
        let mut pending = Pending::default();
        for number in 0..3 {
            pending.add("storm", number);
            pending.add("storm", number);
        }
        pending.add("calm", 9);
        assert_eq!(pending.len(), 4);
        assert_eq!(std::iter::from_fn(|| pending.take()).collect::<Vec<_>>(), [0, 9, 1, 2]);
        pending.add("storm", 0);
        assert_eq!((pending.take(), pending.take(), pending.is_empty()), (Some(0), None, true));
    }
}
