//! Do it: the shell around the plan.
//!
//! ```text
//!  observe ──► cache ──► queue ──► reconcile { plan ► perform } ──► queue (next time)
//!  watches     what is    whose                       │
//!              known      turn                        └► events, metrics, log: from one announcement
//! ```
//! Given a client and a clock, it runs until it is stopped. Nothing is decided here: decisions are in `plan`.

mod book;
mod cache;
mod claims;
mod claims_log;
mod config_map;
mod connection;
mod context;
mod dry_runs;
mod entry;
mod error;
mod events;
mod field_manager;
mod leader;
mod leadership;
mod lease;
mod notifications;
mod observe;
mod options;
mod outbox;
mod pen;
mod perform;
mod pods;
mod queue;
mod reconcile;
mod reloading;
mod response;
mod synced;
mod task_metrics;
mod teller;
mod timeline;
mod told;
mod watch_backoff;
mod while_allowed;

pub use config_map::ConfigMapRef;
pub use connection::connect;
pub use error::Error;
pub use leader::identity_of;
pub use lease::LeaderElectionConfig;
pub use options::{NotificationOptions, Options, TASK_METRICS};
pub use reloading::{LoadedClient, RELOAD_PERIOD, reloading};

use crate::clock::Clock;
use crate::metrics::{Metrics, TaskSeries};
use crate::state::Seal;
use cache::Cache;
use claims::Claims;
use context::Context;
use dry_runs::DryRuns;
use events::{Accepted, Events};
use futures::FutureExt;
use leadership::Leadership;
use queue::{Key, Queue};
use ring::rand::{SecureRandom, SystemRandom};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use synced::Synced;
use timeline::Timeline;
use tokio::sync::{Semaphore, watch};
use told::Told;

/// How long the work in flight may take when the process is stopped; less than a pod's grace period.
const DRAIN: Duration = Duration::from_secs(25);
/// And how long the events that still wait.
const LAST_EVENTS: Duration = Duration::from_secs(2);
/// A task whose reconciliation failed is reconciled again after this, doubled each time, and at most [`LONGEST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// So many tasks are worked on for each connection: those that are due together are decided together, and share a write of the claims log.
const TURNS: usize = 8;
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// The operator.
#[derive(Debug)]
pub struct Controller {
    ctx: Arc<Context>,
    accepted: Accepted,
    workers: usize,
    task_metrics: Option<usize>,
    notifications: Option<NotificationOptions>,
}

/// Why the operator ended by itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Stopped {
    /// A part of it ended that never ends.
    #[error("a watch or the leader election exited unexpectedly")]
    Defect,
    /// It may not use its claims log.
    #[error("{0}")]
    ClaimsLog(String),
}

/// What health checks ask.
#[derive(Clone, Debug)]
pub struct Health {
    ctx: Arc<Context>,
    task_metrics: Option<usize>,
}

impl Controller {
    /// An operator that has not begun.
    #[must_use]
    pub fn new(client: kube::Client, clock: Clock, metrics: Metrics, options: Options) -> Self {
        // From the start: a series that appears with its first error has no increase.
        for kind in Error::KINDS {
            metrics.reconcile_errors.with_label_values(&[kind]);
        }
        let (events, accepted) = Events::new(metrics.clone());
        let mut key = [0; 32];
        // Without randomness there is no TLS either, so the client could not have been made.
        let _ = SystemRandom::new().fill(&mut key);
        let seal = Seal::alone(&key);
        let synced = Synced::new(&options.namespaces);
        let alone = || format!("alone-{:016x}", u64::from_be_bytes(key.first_chunk().copied().unwrap_or_default()));
        let elected = options.leader_election.as_ref().map(|config| config.identity.clone());
        let claims = Claims::new(options.claims_log, &elected.unwrap_or_else(alone));
        let workers = options.workers.max(1);
        let ctx = Arc::new(Context {
            client,
            connections: Semaphore::new(workers),
            clock,
            namespaces: options.namespaces,
            leadership: Arc::new(Leadership::new(options.leader_election)),
            cache: Cache::new(seal),
            claims,
            dry_runs: DryRuns::default(),
            queue: Queue::new(workers),
            events,
            told: Told::default(),
            traces: options.notifications.as_ref().is_some_and(|options| options.traces.is_some()),
            metrics,
            synced,
            timeline: Timeline::new(),
            paces: Mutex::default(),
            lanes: Mutex::default(),
            failures: Mutex::default(),
            draining: watch::Sender::new(false),
        });
        Self {
            ctx,
            accepted,
            workers,
            task_metrics: options.task_metrics,
            notifications: options.notifications,
        }
    }

    /// What `/readyz` and `/metrics` ask.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            ctx: self.ctx.clone(),
            task_metrics: self.task_metrics,
        }
    }

    /// Runs until `stop` resolves, then finishes what is in flight.
    ///
    /// # Errors
    /// When it may not use its claims log; or when a watch or the election ended, which they never do unless by a defect: the process
    /// has to be started again.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Stopped> {
        let Self {
            ctx,
            accepted,
            workers,
            notifications,
            ..
        } = self;
        let mut background = tokio::task::JoinSet::new();
        let scopes = ctx.namespaces.iter().map(|namespace| Some(namespace.clone()));
        let scopes: Vec<Option<String>> = if ctx.namespaces.is_empty() { vec![None] } else { scopes.collect() };
        for scope in scopes {
            let (listed, tasks_listed) = watch::channel(false);
            let (tasks, jobs) = (ctx.clone(), ctx.clone());
            let watched = scope.clone();
            background.spawn(async move {
                observe::watch_tasks(tasks, watched, listed).await;
                Stopped::Defect
            });
            background.spawn(async move {
                observe::watch_jobs(jobs, scope, tasks_listed).await;
                Stopped::Defect
            });
        }
        let (elected, logged) = (ctx.clone(), ctx.clone());
        background.spawn(async move {
            leader::run_election(elected).await;
            Stopped::Defect
        });
        background.spawn(async move { Stopped::ClaimsLog(claims_log::run(logged).await) });
        if let Some(options) = notifications {
            let told = ctx.clone();
            background.spawn(async move {
                notifications::run(told, options).await;
                Stopped::Defect
            });
        }
        let posting = tokio::spawn(outbox::run(ctx.clone(), accepted));
        let ended = tokio::select! {
            () = work(&ctx, workers) => Ok(()),
            () = stop => Ok(()),
            // None of them ends by itself: an operator without watches would be deaf, and look well.
            ended = background.join_next() => {
                let stopped = ended.and_then(Result::ok).unwrap_or(Stopped::Defect);
                tracing::error!("{stopped}: shutting down, to be started again");
                Err(stopped)
            }
        };
        tracing::info!("stopping: finishing what is in flight");
        let drained = tokio::time::timeout(DRAIN, drain(&ctx)).await.is_ok();
        if !drained {
            tracing::warn!("work in flight did not finish in time; the next start picks it up");
        }
        // No event may be on its way when the lease is released.
        let abort = posting.abort_handle();
        if tokio::time::timeout(LAST_EVENTS, posting).await.is_err() {
            abort.abort();
        }
        background.shutdown().await;
        book::save(&ctx, true).await;
        // Where a write may still be on its way, the lease runs out by itself.
        if drained {
            leader::release(&ctx).await;
        }
        ended
    }
}

/// Gives each task whose time has come to a worker, earliest first.
async fn work(ctx: &Arc<Context>, workers: usize) {
    ctx.synced.wait().await;
    tracing::info!("ready: tasks and Jobs are listed");
    let permits = Arc::new(Semaphore::new(workers * TURNS));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else {
            return;
        };
        match ctx.queue.take(ctx.clock.now()) {
            Some(key) => {
                let ctx = ctx.clone();
                tokio::spawn(async move {
                    turn(&ctx, &key).await;
                    drop(permit);
                });
            }
            None => {
                drop(permit);
                tokio::select! {
                    () = ctx.queue.changed() => {}
                    () = ctx.clock.wait(ctx.queue.next_at()) => {}
                }
            }
        }
    }
}

/// One worker's turn with one task.
async fn turn(ctx: &Arc<Context>, key: &Key) {
    if !ctx.knows_jobs_of(key) {
        // It is woken when its namespace is listed.
        return ctx.queue.done(key, None);
    }
    // A defect that one task meets ends one reconciliation; its key goes back to the queue.
    let looked = AssertUnwindSafe(reconcile::reconcile(ctx, key)).catch_unwind().await;
    match looked.unwrap_or(Err(Error::Panicked)) {
        Ok(next) => {
            tracing::debug!(uid = %key, next = next.map(tracing::field::display), "looked");
            ctx.failures().remove(key);
            ctx.rest(key, next);
            ctx.queue.done(key, next);
        }
        Err(error) => {
            ctx.metrics.reconcile_errors.with_label_values(&[error.kind()]).inc();
            let before = {
                let mut failures = ctx.failures();
                let count = failures.entry(key.clone()).or_default();
                *count += 1;
                *count - 1
            };
            let wait = (FIRST_RETRY * (1 << before.min(6))).min(LONGEST_RETRY);
            // Who asks for time gets it.
            let wait = match &error {
                Error::Later { after, .. } => wait.max(*after),
                _ => wait,
            };
            let task = ctx.cache.name(key).unwrap_or_default();
            tracing::warn!(task, kind = error.kind(), "reconciling again in {} ms: {error}", wait.as_millis());
            // Who was first is known by now: the next reconciliation need not wait for that.
            match error {
                Error::Conflict(_) if before == 0 => ctx.queue.done(key, Some(ctx.clock.now())),
                _ => ctx.hold(key, wait),
            }
        }
    }
}

/// Lets workers finish, and writes what was waiting to be merged.
async fn drain(ctx: &Arc<Context>) {
    ctx.draining.send_replace(true);
    while !ctx.queue.is_idle() {
        ctx.queue.changed().await;
    }
    for key in ctx.waiting_writes() {
        if let Err(error) = reconcile::reconcile(ctx, &key).await {
            tracing::warn!(task = ctx.cache.name(&key), "left for the next start: {error}");
        }
    }
}

/// All metrics at one moment.
#[derive(Debug)]
pub struct Scrape {
    own: String,
    tasks: TaskSeries,
}

impl Scrape {
    /// Part `number` of the text, from 0: whole lines. Nothing after the last part.
    #[must_use]
    pub fn part(&self, number: usize) -> Option<String> {
        match number.checked_sub(1) {
            None => Some(self.own.clone()),
            Some(number) => self.tasks.part(number),
        }
    }
}

impl Health {
    /// Whether the first lists of all namespaces that may be listed are in and the process is not leaving.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ctx.synced.is_ready() && !*self.ctx.draining.borrow()
    }

    /// Whether this process may write.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.ctx.leadership.holds()
    }

    /// Whether no task's time has come and no worker is busy.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ctx.queue.is_quiet(self.ctx.clock.now())
    }

    /// All metrics, as they are now. Those of tasks are shown by the replica that leads: each series is there once.
    #[must_use]
    pub fn scrape(&self) -> Scrape {
        let limit = self.task_metrics.filter(|_| self.is_leader());
        let collected = limit.map(|limit| task_metrics::collect(&self.ctx.cache, limit)).unwrap_or_default();
        let left_out = i64::try_from(collected.left_out).unwrap_or(i64::MAX);
        self.ctx.metrics.task_metrics_left_out.set(left_out);
        Scrape {
            own: self.metrics(),
            tasks: TaskSeries::new(collected.samples),
        }
    }

    /// The operator's own metrics, in Prometheus' text format.
    #[must_use]
    pub fn metrics(&self) -> String {
        let (tasks, jobs) = self.ctx.cache.len();
        self.ctx.metrics.leader.set(i64::from(self.is_leader()));
        self.ctx.metrics.render(tasks, jobs, self.ctx.queue.depth(self.ctx.clock.now()))
    }
}
