//! The claims of all workers, on their way into the claims log.
//!
//! Claims go in, and each worker hears when its own are committed. What is written and read when is decided by `state::Writer`;
//! `claims_log` sends it.

use super::config_map::ConfigMapRef;
use super::queue::Key;
use crate::api::ScheduledTaskStatus;
use crate::plan::Claim;
use crate::state::{Failure, LogAnswer, LogRequest, Ticket, Writer, WriterNotice};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// Claims wait for others at most so long, and only while many starts are on their way.
const GATHERING: Duration = Duration::from_millis(50);

/// The claims log.
#[derive(Debug)]
pub struct Claims {
    place: ConfigMapRef,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    writer: Writer,
    waiting: HashMap<Ticket, oneshot::Sender<Result<(), Failure>>>,
}

/// While it lives, starts of the task are on their way.
#[derive(Debug)]
pub struct Starting<'a> {
    claims: &'a Claims,
    key: &'a Key,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.claims.lock().writer.released(self.key);
        self.claims.changed.notify_one();
    }
}

impl Claims {
    /// The log in this place, written under that name.
    #[must_use]
    pub fn new(place: ConfigMapRef, holder: &str) -> Self {
        let inner = Inner {
            writer: Writer::new(holder),
            waiting: HashMap::new(),
        };
        Self {
            place,
            inner: Mutex::new(inner),
            changed: Notify::new(),
        }
    }

    /// This process begins to lead.
    pub fn open(&self) {
        self.lock().writer.open();
        self.changed.notify_one();
    }

    /// It no longer leads.
    pub fn close(&self) {
        self.lock().writer.close("this process no longer leads");
        self.changed.notify_one();
    }

    /// Whether starts can be committed.
    pub fn is_open(&self) -> bool {
        self.lock().writer.is_open()
    }

    /// What the log says of a task with this status.
    pub fn of(&self, key: &Key, status: &ScheduledTaskStatus) -> Vec<Claim> {
        self.lock().writer.of(key, status)
    }

    /// Whether it says anything of a task.
    pub fn has(&self, key: &Key) -> bool {
        self.lock().writer.has(key)
    }

    /// The task is gone.
    pub fn forget(&self, key: &Key) {
        self.lock().writer.forget(key);
    }

    /// The Job of a claim exists.
    pub fn created(&self, key: &Key, job: &str) {
        self.lock().writer.created(key, job);
        self.changed.notify_one();
    }

    /// Starts of the task may be on their way from now on.
    pub fn starting<'a>(&'a self, key: &'a Key) -> Starting<'a> {
        Starting { claims: self, key }
    }

    /// Writes claims of a task into the log, together with those of others.
    ///
    /// # Errors
    /// When they are not committed: another process holds the log, or the API server refuses it.
    pub async fn commit(&self, key: &Key, claims: Vec<Claim>) -> Result<(), Failure> {
        let (sender, committed) = oneshot::channel();
        {
            let mut inner = self.lock();
            let ticket = inner.writer.commit(key, claims);
            inner.waiting.insert(ticket, sender);
        }
        self.changed.notify_one();
        let lost = || Failure::Conflict("this process no longer holds the claims log".into());
        committed.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Which object it is.
    pub fn place(&self) -> &ConfigMapRef {
        &self.place
    }

    /// The next request, when there is one.
    pub async fn next_request(&self) -> LogRequest {
        let mut since: Option<Instant> = None;
        loop {
            let is_patient = since.is_none_or(|since| since.elapsed() < GATHERING);
            let (request, is_gathering) = {
                let mut inner = self.lock();
                let request = inner.writer.next_request(is_patient);
                (request, inner.writer.is_gathering())
            };
            self.tell();
            if let Some(request) = request {
                return request;
            }
            // A log that is full has no place for them yet.
            let since_then = since.filter(|_| is_patient);
            since = is_gathering.then(|| since_then.unwrap_or_else(Instant::now));
            let left = since.map_or(Duration::MAX, |since| GATHERING.saturating_sub(since.elapsed()));
            // Whether something has changed, or it has waited for long enough, the writer is asked again.
            let _ = tokio::time::timeout(left, self.changed.notified()).await;
        }
    }

    /// Takes in the answer to it.
    pub fn answered(&self, answer: LogAnswer) -> Vec<WriterNotice> {
        let notices = self.lock().writer.answered(answer);
        self.tell();
        notices
    }

    /// Tasks that the log names.
    pub fn tasks(&self) -> Vec<Key> {
        self.lock().writer.tasks().cloned().collect()
    }

    /// Tells those who wait what became of their claims.
    fn tell(&self) {
        let mut inner = self.lock();
        for (ticket, done) in inner.writer.done() {
            if let Some(sender) = inner.waiting.remove(&ticket) {
                // Who has gone need not know.
                let _ = sender.send(done);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
