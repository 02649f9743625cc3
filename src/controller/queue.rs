//! The work queue: when each task is reconciled next, fair between namespaces.
//!
//! Wake-ups go in; keys that are due come out, each to one worker at a time. When more keys are due than workers are free, namespaces
//! are served round-robin, and within a namespace the key that has waited longest comes first. After an error a key is held: it is
//! not handed out until it is released, whatever happens to its task. The queue itself never waits; the caller does.

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A clock that goes back by more than this was set, and every task is reconciled again. Smaller steps are normal clock discipline.
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
    /// Keys that are due, by namespace, in the order of their times.
    due: HashMap<Arc<str>, VecDeque<Key>>,
    /// Namespaces with keys that are due, in round-robin order.
    turns: VecDeque<Arc<str>>,
    namespaces: HashMap<Key, Arc<str>>,
    running: HashSet<Key>,
    held: HashSet<Key>,
    /// Keys that were woken while a worker processed them, or while they were held.
    again: HashMap<Key, Timestamp>,
    /// The latest time passed to [`Queue::take`].
    latest: Option<Timestamp>,
}

impl Queue {
    /// Assigns the key to a namespace.
    pub fn belongs(&self, key: &Key, namespace: &str) {
        self.lock().namespaces.insert(key.clone(), namespace.into());
    }

    /// The namespace of the key, if it has one.
    #[must_use]
    pub fn namespace(&self, key: &Key) -> Option<Arc<str>> {
        self.lock().namespaces.get(key).cloned()
    }

    /// Forgets the namespace of a task that was deleted.
    pub fn forget(&self, key: &Key) {
        self.lock().namespaces.remove(key);
    }

    /// Schedules a reconcile of `key` at `at`, or keeps an earlier one.
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

    /// The next key that is due, round-robin by namespace. No other caller gets it until [`Queue::done`].
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

    /// Returns the key and requeues it at `next`, or earlier if it was woken in the meantime.
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

    /// Returns the key and holds it: [`Queue::take`] skips it until it is released.
    pub fn hold(&self, key: &Key) {
        let mut inner = self.lock();
        inner.running.remove(key);
        inner.held.insert(key.clone());
        drop(inner);
        self.changed.notify_one();
    }

    /// Ends the hold and requeues the key now.
    pub fn release(&self, key: &Key, now: Timestamp) {
        let mut inner = self.lock();
        inner.held.remove(key);
        inner.again.remove(key);
        inner.set(key, Some(now));
        drop(inner);
        self.changed.notify_one();
    }

    /// When the next key is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let inner = self.lock();
        match inner.turns.is_empty() {
            true => inner.order.first().map(|(at, _)| *at),
            false => inner.latest,
        }
    }

    /// How many keys are due and wait for a worker.
    #[must_use]
    pub fn depth(&self, now: Timestamp) -> usize {
        let inner = self.lock();
        let due: usize = inner.due.values().map(VecDeque::len).sum();
        due + inner.order.iter().take_while(|(at, _)| *at <= now).count()
    }

    /// Whether no worker processes a key.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lock().running.is_empty()
    }

    /// Whether no worker processes a key and none is due, checked atomically.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let inner = self.lock();
        inner.running.is_empty() && inner.turns.is_empty() && inner.order.first().is_none_or(|(at, _)| *at > now)
    }

    /// Resolves when a key was added or returned.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Moves every key that is scheduled later to `at`.
    fn all_at(&mut self, at: Timestamp) {
        let later: Vec<Key> = self
            .order
            .iter()
            .filter(|(wanted, _)| *wanted > at)
            .map(|(_, key)| key.clone())
            .collect();
        later.iter().for_each(|key| self.set(key, Some(at)));
    }

    /// Moves keys that are due to the lines of their namespaces.
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

    /// The first key of the next namespace in round-robin order.
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
                // It is due and waits in its namespace's line.
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
    fn the_earliest_key_comes_first_and_none_before_its_time() {
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
    fn a_key_woken_while_processed_is_requeued_and_never_shared() {
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
    fn namespaces_are_served_round_robin() {
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
        assert_eq!(queue.depth(at(9)), 98, "a key in line stays there, once");
        queue.done(&quiet, Some(at(10)));
        assert_eq!(std::iter::from_fn(|| queue.take(at(9))).count(), 98);
    }

    #[test]
    fn a_held_key_waits_for_its_release() {
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
        assert_eq!(queue.take(at(9)), None, "one release is one reconcile");
    }

    #[test]
    fn a_clock_that_is_set_back_requeues_every_key() {
        let queue = Queue::default();
        let (a, b): (Key, Key) = ("a".into(), "b".into());
        queue.wake(&a, at(5000));
        queue.wake(&b, at(9000));
        assert_eq!(queue.take(at(4000)), None);
        assert_eq!(queue.take(at(3999)), None, "one second is not a step");
        assert_eq!(queue.take(at(100)), Some(a));
        assert_eq!(queue.take(at(100)), Some(b));
        assert_eq!(queue.take(at(100)), None);
    }

    #[test]
    fn a_later_wake_up_does_not_delay_an_earlier_one() {
        let queue = Queue::default();
        let a: Key = "a".into();
        queue.wake(&a, at(10));
        queue.wake(&a, at(30));
        assert_eq!(queue.next_at(), Some(at(10)));
    }
}
