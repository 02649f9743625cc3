//! Whose turn it is: tasks by the moment at which they want to be looked at, namespaces in turns.
//!
//! Wake-ups go in, keys whose time has come go out, each to one worker at a time. When more is due than workers can do, each
//! namespace gets its turn, however much the others want; within one the key that has waited longest comes first. A key that met an
//! error is held: whatever happens to its task, it waits until it is released. Never waits itself: the caller does.

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A clock that goes back by more than this was set: what was planned by it is planned again. Less is how clocks are disciplined.
const SET_BACK: SignedDuration = SignedDuration::from_secs(1);

/// UID of a task.
pub type Key = Arc<str>;

/// The timer of all tasks.
#[derive(Debug, Default)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    order: BTreeSet<(Timestamp, Key)>,
    wanted: HashMap<Key, Timestamp>,
    /// Keys whose time has come, by namespace, in the order of their times.
    due: HashMap<Arc<str>, VecDeque<Key>>,
    /// Namespaces that have such keys, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    namespaces: HashMap<Key, Arc<str>>,
    running: HashSet<Key>,
    held: HashSet<Key>,
    /// Keys that were woken while a worker had them, or while they were held.
    again: HashMap<Key, Timestamp>,
    /// The latest time that was told.
    latest: Option<Timestamp>,
}

impl Queue {
    /// The key is one of this namespace's.
    pub fn belongs(&self, key: &Key, namespace: &str) {
        self.lock().namespaces.insert(key.clone(), namespace.into());
    }

    /// The task is gone.
    pub fn forget(&self, key: &Key) {
        self.lock().namespaces.remove(key);
    }

    /// Wants `key` to be looked at by `at` at the latest.
    pub fn wake(&self, key: &Key, at: Timestamp) {
        let mut inner = self.lock();
        if inner.running.contains(key) || inner.held.contains(key) {
            let again = inner.again.entry(key.clone()).or_insert(at);
            *again = at.min(*again);
            return;
        }
        if inner.wanted.get(key).is_none_or(|known| at < *known) {
            inner.set(key, Some(at));
            drop(inner);
            self.changed.notify_one();
        }
    }

    /// A key whose time has come, of the namespace whose turn it is. It belongs to the caller until [`Queue::done`].
    #[must_use]
    pub fn take(&self, now: Timestamp) -> Option<Key> {
        let mut inner = self.lock();
        if inner.latest.is_some_and(|latest| now + SET_BACK < latest) {
            inner.all_at(now);
        }
        inner.latest = Some(now);
        inner.ripen(now);
        let key = inner.next_due()?;
        inner.running.insert(key.clone());
        Some(key)
    }

    /// Gives the key back, to be looked at again at `next`, or at once if it was woken meanwhile.
    pub fn done(&self, key: &Key, next: Option<Timestamp>) {
        let mut inner = self.lock();
        inner.running.remove(key);
        let again = inner.again.remove(key);
        let at = match (again, next) {
            (Some(again), Some(next)) => Some(again.min(next)),
            (again, next) => again.or(next),
        };
        inner.set(key, at);
        drop(inner);
        self.changed.notify_one();
    }

    /// Gives the key back, and nobody gets it before it is released.
    pub fn hold(&self, key: &Key) {
        let mut inner = self.lock();
        inner.running.remove(key);
        inner.held.insert(key.clone());
        drop(inner);
        self.changed.notify_one();
    }

    /// The key that was held is to be looked at again now.
    pub fn release(&self, key: &Key, now: Timestamp) {
        let mut inner = self.lock();
        inner.held.remove(key);
        inner.again.remove(key);
        inner.set(key, Some(now));
        drop(inner);
        self.changed.notify_one();
    }

    /// When the next key wants its turn.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let inner = self.lock();
        match inner.turns.is_empty() {
            true => inner.order.first().map(|(at, _)| *at),
            false => inner.latest,
        }
    }

    /// How many keys wait although their time has come.
    #[must_use]
    pub fn depth(&self, now: Timestamp) -> usize {
        let inner = self.lock();
        let due: usize = inner.due.values().map(VecDeque::len).sum();
        due + inner.order.iter().take_while(|(at, _)| *at <= now).count()
    }

    /// Whether no worker holds a key.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lock().running.is_empty()
    }

    /// Whether no worker holds a key and none has its time, in one look.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let inner = self.lock();
        inner.running.is_empty() && inner.turns.is_empty() && inner.order.first().is_none_or(|(at, _)| *at > now)
    }

    /// Resolves when something was added or given back.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// All want their turn at `at`, if they do not want it earlier.
    fn all_at(&mut self, at: Timestamp) {
        let later: Vec<Key> = self
            .order
            .iter()
            .filter(|(wanted, _)| *wanted > at)
            .map(|(_, key)| key.clone())
            .collect();
        later.iter().for_each(|key| self.set(key, Some(at)));
    }

    /// Keys whose time has come line up in their namespaces.
    fn ripen(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.order.first()
            && *at <= now
            && let Some((_, key)) = self.order.pop_first()
        {
            let namespace = self.namespaces.get(&key).cloned().unwrap_or_else(|| "".into());
            let line = self.due.entry(namespace.clone()).or_default();
            if line.is_empty() {
                self.turns.push_back(namespace);
            }
            line.push_back(key);
        }
    }

    /// The first in line of the namespace whose turn it is, which goes to the end.
    fn next_due(&mut self) -> Option<Key> {
        let namespace = self.turns.pop_front()?;
        let line = self.due.get_mut(&namespace)?;
        let key = line.pop_front()?;
        if line.is_empty() {
            self.due.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        self.wanted.remove(&key);
        Some(key)
    }

    fn set(&mut self, key: &Key, at: Option<Timestamp>) {
        if let Some(known) = self.wanted.get(key) {
            if !self.order.remove(&(*known, key.clone())) {
                // It is in line already.
                return;
            }
            self.wanted.remove(key);
        }
        if let Some(at) = at {
            self.wanted.insert(key.clone(), at);
            self.order.insert((at, key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_earliest_comes_first_and_nobody_before_its_time() {
        let queue = Queue::default();
        let (a, b): (Key, Key) = ("a".into(), "b".into());
        queue.wake(&a, at(20));
        queue.wake(&b, at(10));
        assert_eq!(queue.take(at(9)), None);
        assert_eq!(queue.take(at(20)), Some(b));
        assert_eq!(queue.take(at(20)), Some(a));
        assert_eq!(queue.take(at(99)), None);
    }

    #[test]
    fn a_key_that_is_woken_while_a_worker_has_it_comes_again_and_never_to_two_workers() {
        let queue = Queue::default();
        let a: Key = "a".into();
        queue.wake(&a, at(1));
        assert_eq!(queue.take(at(1)), Some(a.clone()));
        queue.wake(&a, at(2));
        assert_eq!(queue.take(at(5)), None);
        queue.done(&a, Some(at(60)));
        assert_eq!(queue.take(at(5)), Some(a.clone()));
        queue.done(&a, Some(at(60)));
        assert_eq!(queue.take(at(59)), None);
        assert_eq!(queue.next_at(), Some(at(60)));
    }

    #[test]
    fn namespaces_take_turns_when_more_is_due_than_can_be_done() {
        let queue = Queue::default();
        for n in 0..100 {
            let key: Key = format!("hog-{n}").into();
            queue.belongs(&key, "hogs");
            queue.wake(&key, at(1));
        }
        let quiet: Key = "quiet".into();
        queue.belongs(&quiet, "quiet");
        queue.wake(&quiet, at(5));
        let taken: Vec<Key> = (0..3).filter_map(|_| queue.take(at(9))).collect();
        assert!(taken.contains(&quiet), "{taken:?}");
        assert_eq!(queue.depth(at(9)), 98);
        queue.wake(&"hog-50".into(), at(2));
        assert_eq!(queue.depth(at(9)), 98, "who is in line stays there, once");
        queue.done(&quiet, Some(at(10)));
        assert_eq!(std::iter::from_fn(|| queue.take(at(9))).count(), 98);
    }

    #[test]
    fn a_key_that_is_held_waits_for_its_release_whatever_happens() {
        let queue = Queue::default();
        let a: Key = "a".into();
        queue.wake(&a, at(1));
        assert_eq!(queue.take(at(1)), Some(a.clone()));
        queue.hold(&a);
        assert!(queue.is_idle());
        (0..10).for_each(|_| queue.wake(&a, at(2)));
        assert_eq!(queue.take(at(9)), None);
        queue.release(&a, at(3));
        assert_eq!(queue.take(at(9)), Some(a.clone()));
        queue.done(&a, None);
        assert_eq!(queue.take(at(9)), None, "one release is one look");
    }

    #[test]
    fn a_clock_that_is_set_back_has_all_looked_at_again() {
        let queue = Queue::default();
        let (a, b): (Key, Key) = ("a".into(), "b".into());
        queue.wake(&a, at(5000));
        queue.wake(&b, at(9000));
        assert_eq!(queue.take(at(4000)), None);
        assert_eq!(queue.take(at(3999)), None, "a second is no step");
        assert_eq!(queue.take(at(100)), Some(a));
        assert_eq!(queue.take(at(100)), Some(b));
        assert_eq!(queue.take(at(100)), None);
    }

    #[test]
    fn a_later_wish_does_not_put_off_an_earlier_one() {
        let queue = Queue::default();
        let a: Key = "a".into();
        queue.wake(&a, at(10));
        queue.wake(&a, at(30));
        assert_eq!(queue.next_at(), Some(at(10)));
    }
}
