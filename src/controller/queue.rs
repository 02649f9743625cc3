//! The work queue: when each task is reconciled next, starts before bookkeeping, fair between namespaces.
//!
//! Wake-ups go in; keys that are due come out, each to one worker at a time. There are two lines: a time that a plan asked for, such as
//! that of a slot, is kept before anything that merely happened, such as a Job's end that is to be written down. When more keys are due
//! than workers are free, namespaces are served round-robin within a line. After an error a key is held: it is not handed out until it
//! is released, whatever happens to its task. The queue itself never waits; the caller does.

mod line;

use jiff::{SignedDuration, Timestamp};
pub use line::Key;
use line::Line;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, watch};

/// A clock that goes back by more than this was set, and every task is reconciled again. Smaller steps are normal clock discipline.
const SET_BACK: SignedDuration = SignedDuration::from_secs(1);
/// Bookkeeping that has waited this long is as urgent as a start.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// Why a task is to be reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Something may be due to start.
    Start,
    /// Something happened that is to be taken in and written down.
    Bookkeeping,
}

/// The timer of all tasks.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
    starts_wait: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    /// Bookkeeping is handed out while fewer keys than these are taken: what waits for a connection must not keep a start from it.
    bookkeepers: usize,
    starts: Line,
    bookkeeping: Line,
    namespaces: HashMap<Key, Arc<str>>,
    running: HashSet<Key>,
    held: HashSet<Key>,
    /// The latest time passed to [`Queue::take`].
    latest: Option<Timestamp>,
}

impl Queue {
    /// An empty queue. Bookkeeping is handed out while fewer keys than `bookkeepers` are taken.
    #[must_use]
    pub fn new(bookkeepers: usize) -> Self {
        let inner = Inner {
            bookkeepers,
            starts: Line::default(),
            bookkeeping: Line::default(),
            namespaces: HashMap::new(),
            running: HashSet::new(),
            held: HashSet::new(),
            latest: None,
        };
        Self {
            inner: Mutex::new(inner),
            changed: Notify::new(),
            starts_wait: watch::Sender::new(false),
        }
    }

    /// Assigns the key to a namespace, for good.
    pub fn belongs(&self, key: &Key, namespace: &str) {
        let mut inner = self.lock();
        if !inner.namespaces.contains_key(key) {
            // It may have been woken before it was known where it belongs.
            let (starts, bookkeeping) = (inner.starts.take_out(key, None), inner.bookkeeping.take_out(key, None));
            inner.namespaces.insert(key.clone(), namespace.into());
            if let Some(at) = starts {
                inner.starts.put(key, at);
            }
            if let Some(at) = bookkeeping {
                inner.bookkeeping.put(key, at);
            }
        }
    }

    /// The namespace of the key, if it has one.
    #[must_use]
    pub fn namespace(&self, key: &Key) -> Option<Arc<str>> {
        self.lock().namespaces.get(key).cloned()
    }

    /// Forgets a task that was deleted.
    pub fn forget(&self, key: &Key) {
        let mut inner = self.lock();
        inner.take_out(key);
        inner.namespaces.remove(key);
    }

    /// Schedules a reconcile of `key` at `at`, or keeps an earlier one.
    pub fn wake(&self, key: &Key, at: Timestamp, why: Why) {
        let mut inner = self.lock();
        let is_taken = inner.running.contains(key) || inner.held.contains(key);
        let line = inner.line(why);
        if is_taken {
            line.put_again(key, at);
        } else if line.put(key, at) {
            drop(inner);
            self.changed.notify_one();
        }
    }

    /// The next key that is due, starts first, round-robin by namespace. No other caller gets it until [`Queue::done`].
    #[must_use]
    pub fn take(&self, now: Timestamp) -> Option<Key> {
        let mut inner = self.lock();
        if inner.latest.is_some_and(|latest| now + SET_BACK < latest) {
            inner.starts.bring_forward(now);
            inner.bookkeeping.bring_forward(now);
        }
        inner.latest = Some(now);
        let key = inner.next(now);
        let starts_wait = inner.starts.is_due();
        self.starts_wait
            .send_if_modified(|wait| std::mem::replace(wait, starts_wait) != starts_wait);
        let key = key?;
        inner.take_out(&key);
        inner.running.insert(key.clone());
        Some(key)
    }

    /// Returns the key and requeues it at `next`, or earlier if it was woken in the meantime.
    pub fn done(&self, key: &Key, next: Option<Timestamp>) {
        let mut inner = self.lock();
        inner.running.remove(key);
        inner.starts.returned(key);
        inner.bookkeeping.returned(key);
        if let Some(at) = next {
            inner.starts.put(key, at);
        }
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
        inner.starts.forget_again(key);
        inner.bookkeeping.forget_again(key);
        inner.starts.put(key, now);
        drop(inner);
        self.changed.notify_one();
    }

    /// When the next key is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let inner = self.lock();
        let has_place = inner.has_place();
        if inner.starts.is_due() || has_place && inner.bookkeeping.is_due() {
            return inner.latest;
        }
        // Where there is no place, the next key that comes back makes one.
        let bookkeeping = inner.bookkeeping.next_at().filter(|_| has_place);
        [inner.starts.next_at(), bookkeeping].into_iter().flatten().min()
    }

    /// How many keys are due and wait for a worker.
    #[must_use]
    pub fn depth(&self, now: Timestamp) -> usize {
        let inner = self.lock();
        inner.starts.depth(now) + inner.bookkeeping.depth(now)
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
        inner.running.is_empty() && inner.starts.is_quiet(now) && inner.bookkeeping.is_quiet(now)
    }

    /// Resolves when a key was added or returned.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether starts that are due wait for a worker: other work that can wait does.
    #[must_use]
    pub fn starts_wait(&self) -> watch::Receiver<bool> {
        self.starts_wait.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn line(&mut self, why: Why) -> &mut Line {
        match why {
            Why::Start => &mut self.starts,
            Why::Bookkeeping => &mut self.bookkeeping,
        }
    }

    fn next(&mut self, now: Timestamp) -> Option<Key> {
        self.starts.ripen(now, &self.namespaces);
        self.bookkeeping.ripen(now, &self.namespaces);
        while let Some((since, key)) = self.bookkeeping.oldest()
            && now.duration_since(since) >= LONGEST_WAIT
        {
            self.bookkeeping.take_out(&key, self.namespaces.get(&key));
            self.starts.put(&key, since);
        }
        self.starts.ripen(now, &self.namespaces);
        let has_place = self.has_place();
        self.starts.pop().or_else(|| if has_place { self.bookkeeping.pop() } else { None })
    }

    fn has_place(&self) -> bool {
        self.running.len() < self.bookkeepers
    }

    /// Takes the key out of both lines: whoever reconciles a task does all that is due.
    fn take_out(&mut self, key: &Key) {
        let namespace = self.namespaces.get(key);
        self.starts.take_out(key, namespace);
        self.bookkeeping.take_out(key, namespace);
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
        let queue = Queue::new(usize::MAX);
        let (a, b): (Key, Key) = ("a".into(), "b".into());
        queue.wake(&a, at(20), Why::Start);
        queue.wake(&b, at(10), Why::Start);
        assert_eq!(queue.take(at(9)), None);
        assert_eq!(queue.take(at(20)), Some(b));
        assert_eq!(queue.take(at(20)), Some(a));
        assert_eq!(queue.take(at(99)), None);
    }

    #[test]
    fn a_key_woken_while_processed_is_requeued_and_never_shared() {
        let queue = Queue::new(usize::MAX);
        let a: Key = "a".into();
        queue.wake(&a, at(1), Why::Start);
        assert_eq!(queue.take(at(1)), Some(a.clone()));
        queue.wake(&a, at(2), Why::Start);
        assert_eq!(queue.take(at(5)), None);
        queue.done(&a, Some(at(60)));
        assert_eq!(queue.take(at(5)), Some(a.clone()));
        queue.done(&a, Some(at(60)));
        assert_eq!(queue.take(at(59)), None);
        assert_eq!(queue.next_at(), Some(at(60)));
    }

    #[test]
    fn namespaces_are_served_round_robin() {
        let queue = Queue::new(usize::MAX);
        for n in 0..100 {
            let key: Key = format!("hog-{n}").into();
            queue.belongs(&key, "hogs");
            queue.wake(&key, at(1), Why::Start);
        }
        let quiet: Key = "quiet".into();
        queue.belongs(&quiet, "quiet");
        queue.wake(&quiet, at(5), Why::Start);
        let taken: Vec<Key> = (0..3).filter_map(|_| queue.take(at(9))).collect();
        assert!(taken.contains(&quiet), "{taken:?}");
        assert_eq!(queue.depth(at(9)), 98);
        queue.wake(&"hog-50".into(), at(2), Why::Start);
        assert_eq!(queue.depth(at(9)), 98, "a key in line stays there, once");
        queue.done(&quiet, Some(at(10)));
        assert_eq!(std::iter::from_fn(|| queue.take(at(9))).count(), 98);
    }

    #[test]
    fn a_held_key_waits_for_its_release() {
        let queue = Queue::new(usize::MAX);
        let a: Key = "a".into();
        queue.wake(&a, at(1), Why::Start);
        assert_eq!(queue.take(at(1)), Some(a.clone()));
        queue.hold(&a);
        assert!(queue.is_idle());
        (0..10).for_each(|_| queue.wake(&a, at(2), Why::Start));
        assert_eq!(queue.take(at(9)), None);
        queue.release(&a, at(3));
        assert_eq!(queue.take(at(9)), Some(a.clone()));
        queue.done(&a, None);
        assert_eq!(queue.take(at(9)), None, "one release is one reconcile");
    }

    #[test]
    fn a_clock_that_is_set_back_requeues_every_key() {
        let queue = Queue::new(usize::MAX);
        let (a, b): (Key, Key) = ("a".into(), "b".into());
        queue.wake(&a, at(5000), Why::Start);
        queue.wake(&b, at(9000), Why::Start);
        assert_eq!(queue.take(at(4000)), None);
        assert_eq!(queue.take(at(3999)), None, "one second is not a step");
        assert_eq!(queue.take(at(100)), Some(a));
        assert_eq!(queue.take(at(100)), Some(b));
        assert_eq!(queue.take(at(100)), None);
    }

    #[test]
    fn starts_come_before_bookkeeping_that_has_not_waited_for_too_long() {
        let queue = Queue::new(usize::MAX);
        let (started, due, old): (Key, Key, Key) = ("started".into(), "due".into(), "old".into());
        let waits = queue.starts_wait();
        queue.wake(&old, at(10), Why::Bookkeeping);
        queue.wake(&started, at(35), Why::Bookkeeping);
        queue.wake(&due, at(39), Why::Start);
        queue.wake(&"also due".into(), at(39), Why::Start);
        assert_eq!(queue.take(at(40)), Some(old), "it has waited for 30 s");
        assert!(*waits.borrow());
        assert_eq!(queue.take(at(40)), Some("also due".into()));
        assert_eq!(queue.take(at(40)), Some(due));
        assert!(!*waits.borrow(), "all are being started");
        assert_eq!(queue.take(at(40)), Some(started));
    }

    #[test]
    fn bookkeeping_leaves_places_for_starts() {
        let queue = Queue::new(1);
        let (first, second, start): (Key, Key, Key) = ("first".into(), "second".into(), "start".into());
        queue.wake(&first, at(1), Why::Bookkeeping);
        queue.wake(&second, at(1), Why::Bookkeeping);
        let taken = queue.take(at(2)).expect("there is a place");
        assert_eq!(queue.take(at(2)), None);
        assert_eq!(queue.next_at(), None, "nobody is asked again and again");
        queue.wake(&start, at(2), Why::Start);
        assert_eq!(queue.take(at(2)), Some(start.clone()));
        queue.done(&start, None);
        assert_eq!(queue.take(at(2)), None);
        queue.done(&taken, None);
        assert!(queue.take(at(2)).is_some_and(|key| key == first || key == second));
    }

    #[test]
    fn bookkeeping_does_not_forget_the_time_of_a_start() {
        let queue = Queue::new(usize::MAX);
        let (a, b): (Key, Key) = ("a".into(), "b".into());
        queue.done(&a, Some(at(20)));
        queue.wake(&b, at(19), Why::Start);
        queue.wake(&a, at(10), Why::Bookkeeping);
        assert_eq!(queue.take(at(20)), Some(b));
        assert_eq!(queue.take(at(20)), Some(a), "as a start");
        assert_eq!(queue.take(at(99)), None, "and once");
    }

    #[test]
    fn a_task_that_is_gone_leaves_the_queue() {
        let queue = Queue::new(usize::MAX);
        let a: Key = "a".into();
        queue.belongs(&a, "n");
        queue.wake(&a, at(10), Why::Start);
        queue.wake(&a, at(10), Why::Bookkeeping);
        queue.forget(&a);
        assert_eq!(queue.take(at(20)), None);
    }

    #[test]
    fn a_later_wake_up_does_not_delay_an_earlier_one() {
        let queue = Queue::new(usize::MAX);
        let a: Key = "a".into();
        queue.wake(&a, at(10), Why::Start);
        queue.wake(&a, at(30), Why::Start);
        assert_eq!(queue.next_at(), Some(at(10)));
    }
}
