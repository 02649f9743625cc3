//! Whose turn it is: tasks by the moment at which they want to be looked at, earliest first.
//!
//! Takes wake-ups, gives keys whose time has come, each to one worker at a time. Never waits: the caller does.

use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet};
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
    running: HashSet<Key>,
    /// Keys that were woken while a worker had them.
    again: HashMap<Key, Timestamp>,
    /// The latest time that was told.
    latest: Option<Timestamp>,
}

impl Queue {
    /// Wants `key` to be looked at by `at` at the latest.
    pub fn wake(&self, key: &Key, at: Timestamp) {
        let mut inner = self.lock();
        if inner.running.contains(key) {
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

    /// The key that has waited longest, if its time has come. It belongs to the caller until [`Queue::done`].
    #[must_use]
    pub fn take(&self, now: Timestamp) -> Option<Key> {
        let mut inner = self.lock();
        if inner.latest.is_some_and(|latest| now + SET_BACK < latest) {
            inner.all_at(now);
        }
        inner.latest = Some(now);
        let (at, key) = inner.order.first()?.clone();
        if at > now {
            return None;
        }
        inner.set(&key, None);
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

    /// When the next key wants its turn.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.lock().order.first().map(|(at, _)| *at)
    }

    /// How many keys wait although their time has come.
    #[must_use]
    pub fn depth(&self, now: Timestamp) -> usize {
        self.lock().order.iter().take_while(|(at, _)| *at <= now).count()
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
        inner.running.is_empty() && inner.order.first().is_none_or(|(at, _)| *at > now)
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

    fn set(&mut self, key: &Key, at: Option<Timestamp>) {
        if let Some(known) = self.wanted.remove(key) {
            self.order.remove(&(known, key.clone()));
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
