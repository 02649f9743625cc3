//! What all parts of the shell share: the client, the clock, what is known, whose turn it is, and who leads.
//!
//! Requests leave from here: with a deadline and, where they change something, only while this process leads. What to send is decided
//! elsewhere.

use super::cache::Cache;
use super::claims::Claims;
use super::connection::Fence;
use super::dry_runs::DryRuns;
use super::error::Error;
use super::events::Events;
use super::leadership::Leadership;
use super::queue::{Key, Queue, Why};
use super::response;
use super::synced::Synced;
use super::timeline::Timeline;
use super::told::Told;
use super::while_allowed::while_allowed;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::plan::{Announcement, ConditionReason, Reason, Task, TraceIds};
use crate::state::DEFECT;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

/// The verbs of requests that webhooks may be asked about: they create a Job, write a status, delete a Job.
pub(super) const CREATE: &str = "create";
pub(super) const STATUS: &str = "status";
pub(super) const DELETE: &str = "delete";
/// The verbs of requests by which a process leads: of the Lease and the claims log.
const LEADING: [&str; 4] = ["lease", "get lease", "claims", "get claims"];
/// Such a request may take as long as the API server gives it (34 s, webhooks of up to 30 s included) and the way there and back.
const REVIEWED_DEADLINE: Duration = Duration::from_secs(40);
/// An answer that takes longer is none: the client itself would wait for ever (it has no read timeout).
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// How long a status write that only repeats what a Job proves waits for others to merge with.
pub(super) const MERGE: Duration = Duration::from_secs(1);
/// Between two writes that only say that slots were skipped: a task that skips each second must not write each second.
const COALESCE: Duration = Duration::from_secs(10);
/// A task with nothing to do for this long rests, and is ready again some time before it has: unpacking many at once would delay
/// their starts.
const REST: SignedDuration = SignedDuration::from_secs(60);
const WARM_UP: SignedDuration = SignedDuration::from_secs(10);
/// Between two such writes of one namespace: a thousand tasks that skip each second must not keep the API server from others.
const LANE: Duration = Duration::from_millis(50);

/// What all parts of the shell share.
pub struct Context {
    pub(super) client: kube::Client,
    /// So many requests are on their way at once, and use as many connections.
    pub(super) connections: Semaphore,
    pub(super) clock: Clock,
    pub(super) namespaces: Vec<String>,
    pub(super) leadership: Arc<Leadership>,
    pub(super) cache: Cache,
    pub(super) claims: Claims,
    pub(super) dry_runs: DryRuns,
    pub(super) queue: Queue,
    pub(super) events: Events,
    pub(super) told: Told,
    /// Slots are traced: containers get to know their trace.
    pub(super) traces: bool,
    pub(super) metrics: Metrics,
    pub(super) synced: Synced,
    pub(super) timeline: Timeline,
    pub(super) paces: Mutex<HashMap<Key, Pace>>,
    /// When the next write of skipped slots of a namespace may be made.
    pub(super) lanes: Mutex<HashMap<String, Instant>>,
    pub(super) failures: Mutex<HashMap<Key, u32>>,
    pub(super) draining: watch::Sender<bool>,
}

/// When the status of a task is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// A write waits until then.
    due: Option<Instant>,
    /// When skipped slots were last written.
    skips_written: Option<Instant>,
}

impl Context {
    /// Sends a request with a deadline of its own, when a connection is free. Those by which this process leads do not wait for one.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        verb: &str,
        request: Result<http::Request<Vec<u8>>, impl Display>,
    ) -> Result<T, Error> {
        let leads = LEADING.contains(&verb);
        let _connection = if leads { None } else { self.connections.acquire().await.ok() };
        self.exchange(verb, request).await
    }

    async fn exchange<T: DeserializeOwned>(&self, verb: &str, request: Result<http::Request<Vec<u8>>, impl Display>) -> Result<T, Error> {
        let request = request.map_err(|error| Error::Refused(error.to_string()))?;
        self.metrics.requests.with_label_values(&[verb]).inc();
        let is_reviewed = [CREATE, STATUS, DELETE].contains(&verb);
        let deadline = if is_reviewed { REVIEWED_DEADLINE } else { REQUEST_DEADLINE };
        let sent = tokio::time::timeout(deadline, response::request(&self.client, request));
        sent.await.unwrap_or_else(|_| Err(Error::deadline(deadline)))
    }

    /// Sends a creation that is committed: it may be sent while this process leads, and then takes the time that it takes. Whoever leads
    /// next creates the same Job under the same name.
    pub(super) async fn write_committed<T: DeserializeOwned>(
        &self,
        verb: &str,
        request: Result<http::Request<Vec<u8>>, impl Display>,
    ) -> Result<T, Error> {
        let _connection = self.connections.acquire().await.ok();
        self.leadership.time_left().ok_or(Error::NotLeading)?;
        self.exchange(verb, self.fenced(request)).await
    }

    /// The request leaves only while this process leads, asked once more as its last byte goes.
    fn fenced<E>(&self, request: Result<http::Request<Vec<u8>>, E>) -> Result<http::Request<Vec<u8>>, E> {
        let leadership = self.leadership.clone();
        request.map(|mut request| {
            request.extensions_mut().insert(Fence::new(move || leadership.holds()));
            request
        })
    }

    /// Sends a request that changes something: only while this process leads, and with no more time than it leads for sure.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        verb: &str,
        request: Result<http::Request<Vec<u8>>, impl Display>,
    ) -> Result<T, Error> {
        self.leadership.time_left().ok_or(Error::NotLeading)?;
        let ends = || {
            // Asked first: a stop between the two makes the time shorter, never longer.
            let now = Instant::now();
            self.leadership.time_left().map_or(Some(now), |left| now.checked_add(left))
        };
        while_allowed(ends, self.send(verb, self.fenced(request)))
            .await
            .unwrap_or(Err(Error::NotLeading))
    }

    /// One voice: log line, event and metric from the same words.
    pub(super) fn announce(&self, task: &Task, said: &Announcement) {
        let (task_key, outcome, reason) = (task.key(), said.outcome.as_str(), said.reason.as_str());
        let trace_id = self.traces.then(|| TraceIds::of(&task.uid, said.slot).trace_id());
        if said.outcome.is_warning() {
            tracing::warn!(task = %task_key, slot = %said.slot, trace_id, outcome, reason, slots = said.slots, "{}", said.message);
        } else {
            tracing::info!(task = %task_key, slot = %said.slot, trace_id, outcome, reason, slots = said.slots, "{}", said.message);
        }
        if said.slots > 0 {
            self.metrics.slots.with_label_values(&[outcome, reason]).inc_by(said.slots);
        }
        if let Some(seconds) = said.run_seconds.and_then(|seconds| u32::try_from(seconds).ok()) {
            let durations = &self.metrics.run_duration;
            durations.with_label_values(&[outcome]).observe(f64::from(seconds));
        }
        self.events.announce(task, said);
    }

    /// Every task is looked at now: any of them may have something to start.
    pub(super) fn wake_all(&self) {
        for key in self.cache.keys() {
            self.queue.wake(&key, self.clock.now(), Why::Start);
        }
    }

    /// The first lists of a namespace (of all, if `None`) are in: its tasks may be reconciled.
    pub(super) fn listed(&self, namespace: Option<&str>) {
        if self.synced.listed(namespace) {
            tracing::info!(namespace, "tasks and Jobs of the namespace are listed: no longer forbidden");
            self.wake_all();
        }
    }

    /// Whether the Jobs of a task are known. Without them a run that is active would be started again beside itself.
    pub(super) fn knows_jobs_of(&self, key: &Key) -> bool {
        let namespace = self.queue.namespace(key);
        namespace.is_none_or(|namespace| self.synced.is_listed(&namespace))
    }

    /// A task was touched: reconcile it now, after the starts of others unless it waits for one itself.
    pub(super) fn wake(&self, key: Option<Key>) {
        if let Some(key) = key {
            let why = if self.cache.waits_for_start(&key) {
                Why::Start
            } else {
                Why::Bookkeeping
            };
            self.queue.wake(&key, self.clock.now(), why);
        }
    }

    fn wake_after(self: &Arc<Self>, key: &Key, wait: Duration) {
        let (ctx, key) = (self.clone(), key.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            ctx.queue.wake(&key, ctx.clock.now(), Why::Bookkeeping);
        });
    }

    /// The key is given back, and looked at again after this time, whatever happens to its task meanwhile: one timer for each.
    pub(super) fn hold(self: &Arc<Self>, key: &Key, wait: Duration) {
        self.queue.hold(key);
        let (ctx, key) = (self.clone(), key.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            ctx.queue.release(&key, ctx.clock.now());
        });
    }

    /// Whether the task has been read since this process began to lead. The former leader may have written a status and dropped its claim:
    /// on the word of a watch that fell silent before that, a slot whose Job is gone by now would run again.
    pub(super) fn is_fresh(&self, key: &Key) -> bool {
        self.cache.read_in(key) == self.leadership.term()
    }

    /// Whether a write that may wait still does.
    pub(super) fn may_merge(&self, key: &Key) -> bool {
        if *self.draining.borrow() {
            return false;
        }
        let mut paces = self.paces();
        let Some(pace) = paces.get_mut(key) else { return true };
        if pace.due.is_some_and(|due| due <= Instant::now()) {
            pace.due = None;
            return false;
        }
        true
    }

    /// How long a write of skipped slots waits: the first one little, those that follow until some seconds have passed, and those
    /// of a namespace one behind the other.
    pub(super) fn pause_of_skips(&self, key: &Key, namespace: &str) -> Duration {
        let now = Instant::now();
        let pace = self.paces().get(key).copied().unwrap_or_default();
        if let Some(due) = pace.due {
            return due.saturating_duration_since(now);
        }
        let left = pace
            .skips_written
            .map_or(Duration::ZERO, |last| COALESCE.saturating_sub(last.elapsed()));
        let earliest = now + left.max(MERGE);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|_, free| *free > now);
        let free = lanes.entry(namespace.to_owned()).or_insert(earliest);
        let turn = earliest.max(*free);
        *free = turn + LANE;
        turn.duration_since(now)
    }

    /// Skipped slots were written.
    pub(super) fn skips_written(&self, key: &Key) {
        let mut paces = self.paces();
        paces.entry(key.clone()).or_default().skips_written = Some(Instant::now());
        // Of tasks that skip now and then nothing needs to be remembered.
        paces.retain(|_, pace| pace.due.is_some() || pace.skips_written.is_some_and(|at| at.elapsed() < COALESCE));
    }

    /// The write is made after this time at the latest.
    pub(super) fn merge_later(self: &Arc<Self>, key: &Key, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paces = self.paces();
        let pace = paces.entry(key.clone()).or_default();
        if pace.due.is_none_or(|known| until < known) {
            pace.due = Some(until);
            drop(paces);
            self.wake_after(key, wait);
        }
    }

    /// The tasks whose writes wait.
    pub(super) fn waiting_writes(&self) -> Vec<Key> {
        let paces = self.paces();
        paces
            .iter()
            .filter(|(_, pace)| pace.due.is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Planning failed by a defect: nothing more is decided for the task until its spec changes.
    ///
    /// # Errors
    /// When it failed although nothing is decided any more.
    pub(super) fn quarantine(&self, key: &Key, task: &Task) -> Result<(), Error> {
        if task
            .spec
            .as_ref()
            .is_err_and(|unusable| unusable.reason == ConditionReason::OperatorError)
        {
            return Err(Error::Panicked);
        }
        self.cache.update(key, self.clock.now(), |record, _| record.quarantine(DEFECT));
        self.quarantined(key, "planning");
        Ok(())
    }

    /// Says that the operator failed on a task, and where.
    pub(super) fn quarantined(&self, key: &Key, doing: &str) {
        self.metrics.quarantined.with_label_values(&["tasks"]).inc();
        let task = self.cache.update(key, self.clock.now(), |record, _| record.task_shared()).flatten();
        if let Some(task) = task {
            tracing::error!(task = %task.key(), doing, "{DEFECT}");
            self.events.warn(&task, Reason::OperatorError, DEFECT);
        }
    }

    /// The task was reconciled, and has nothing to do before `next`: if that is far away, it rests until shortly before.
    pub(super) fn rest(&self, key: &Key, next: Option<Timestamp>) {
        let far = self.clock.now().saturating_add(REST).unwrap_or(Timestamp::MAX);
        let has_writes = self.paces().get(key).is_some_and(|pace| pace.due.is_some());
        if has_writes || self.claims.has(key) || next.is_some_and(|next| next < far) {
            return;
        }
        self.cache.rest(key);
        if let Some(early) = next.and_then(|next| next.checked_sub(WARM_UP).ok()) {
            self.queue.wake(key, early, Why::Bookkeeping);
        }
    }

    /// The task is gone.
    pub(super) fn forget(&self, key: &Key) {
        self.claims.forget(key);
        self.paces().remove(key);
        self.told.forget(key);
        self.queue.forget(key);
    }

    fn paces(&self) -> MutexGuard<'_, HashMap<Key, Pace>> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failures(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("namespaces", &self.namespaces)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
