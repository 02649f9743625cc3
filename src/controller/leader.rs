//! Leadership: one of several replicas performs, the others watch and plan.
//!
//! ```text
//!   candidate ── may take ─► PUT lease ─► leader ── renewed ─► … ── not renewed until the deadline ─► candidate
//!      ▲                                     └── told to stop: drain, release ─► the next one takes it at once
//! ```
//! Takes the terms, keeps the lease, and says until when this process may write. A leader that cannot renew stops writing by
//! itself, before anybody else may begin; it becomes a candidate again, no process ends. Time is the monotonic clock's: a wall
//! clock that is set means nothing. Never decides about tasks.

use super::lease::{Seen, Terms};
use super::{Context, Error};
use jiff::Timestamp;
use k8s_openapi::Resource as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Resource;
use kube::api::{GetParams, PostParams};
use kube::core::Request;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a lease that is this process's own is written again when it turns out to have changed.
const TRIES: u32 = 3;

/// Until when this process may write.
#[derive(Debug)]
pub struct Leadership {
    /// Nothing: there is no election, this process leads.
    terms: Option<Terms>,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    until: Option<Instant>,
    /// How often this process began to lead.
    term: u64,
    seen: Seen,
    /// UID of the Lease.
    secret: Option<String>,
}

impl Leadership {
    /// Leadership by these terms; without terms, for good.
    pub fn new(terms: Option<Terms>) -> Self {
        let held = Held {
            until: None,
            term: 0,
            seen: Seen::nothing(Instant::now()),
            secret: None,
        };
        Self {
            terms,
            held: Mutex::new(held),
        }
    }

    /// How long this process may still write; nothing if it may not. Asked right before each write.
    pub fn time_left(&self) -> Option<Duration> {
        if self.terms.is_none() {
            return Some(Duration::MAX);
        }
        let left = self.held().until?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    /// Whether this process may write.
    pub fn holds(&self) -> bool {
        self.time_left().is_some()
    }

    /// How often this process began to lead by election; 0 without one. Another term than before: somebody else may have led between.
    pub fn term(&self) -> u64 {
        self.held().term
    }

    /// The lease is this process's own until then. Says whether a term begins: it was not, if only for a moment.
    fn renew(&self, until: Instant) -> bool {
        let mut held = self.held();
        let begins = held.until.is_none_or(|known| known <= Instant::now());
        held.term += u64::from(begins);
        held.until = Some(until);
        begins
    }

    /// Who holds the lease, by its last word.
    pub fn holder(&self) -> Option<String> {
        self.held().seen.holder().map(str::to_owned)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands for election for as long as the process lives.
pub async fn stand(ctx: Arc<Context>) {
    let Some(terms) = ctx.leadership.terms.clone() else {
        ctx.metrics.leader.set(1);
        return std::future::pending().await;
    };
    tracing::info!(
        identity = terms.identity,
        lease = terms.name,
        namespace = terms.namespace,
        "standing for election"
    );
    let (mut led, mut told) = (false, String::new());
    loop {
        let began = Instant::now();
        let (mut trouble, mut begins) = (String::new(), false);
        match tokio::time::timeout(terms.renew_deadline / 2, attempt(&ctx, &terms)).await {
            Ok(Ok(true)) => {
                // Counted from before the request: nobody else counts from earlier.
                begins = ctx.leadership.renew(began + terms.renew_deadline);
            }
            Ok(Ok(false)) => ctx.leadership.held().until = None,
            Ok(Err(error)) => trouble = error.to_string(),
            Err(_) => trouble = "no answer in time".into(),
        }
        // Asked each second or so, and the same answer each time: told once.
        if !trouble.is_empty() && trouble != told {
            tracing::warn!(identity = terms.identity, "lease not reached: {trouble}");
        }
        told = trouble;
        if begins {
            begin(&ctx, &terms, led);
        }
        let leads = ctx.leadership.holds();
        if (led || begins) && !leads {
            lose(&ctx, &terms);
        }
        led = leads;
        // A candidate looks twice as often, so that a lease that was released is soon taken.
        let pause = if leads { terms.retry_period } else { terms.retry_period / 2 };
        tokio::time::sleep(pause.saturating_sub(began.elapsed().min(pause / 2))).await;
    }
}

/// A term begins. `led`: the one before ended unseen, between two attempts.
fn begin(ctx: &Context, terms: &Terms, led: bool) {
    ctx.metrics.leader.set(1);
    if led {
        tracing::warn!(identity = terms.identity, "leading again: the lease had run out for a while");
    } else {
        tracing::info!(identity = terms.identity, "leading");
        ctx.events.about_lease(terms, &format!("{} became leader", terms.identity));
    }
    // What was planned while nothing could be written is done now: the caches are warm, nothing needs to be listed.
    ctx.wake_all();
}

fn lose(ctx: &Context, terms: &Terms) {
    ctx.metrics.leader.set(0);
    let holder = ctx.leadership.holder().unwrap_or_else(|| "nobody".into());
    tracing::warn!(
        identity = terms.identity,
        holder,
        "no longer leading: watching and planning, writing nothing"
    );
}

/// One attempt to take or keep the lease. Says whether it is held.
async fn attempt(ctx: &Context, terms: &Terms) -> Result<bool, Error> {
    let known = ctx.leadership.held().seen.clone();
    let mine = known.holder() == Some(&terms.identity);
    if !mine || !ctx.leadership.holds() {
        look(ctx, terms).await?;
    }
    let mut tries = 0;
    loop {
        let seen = ctx.leadership.held().seen.clone();
        if !seen.may_take(terms, Instant::now()) {
            return Ok(false);
        }
        match write(ctx, terms, &seen, seen.taken(terms, ctx.clock.now())).await {
            Ok(()) => return Ok(true),
            // Somebody else wrote it, or deleted it: look who. It may have been this process, and the answer was lost.
            Err(error @ (Error::Conflict(_) | Error::NotFound(_))) => {
                look(ctx, terms).await?;
                if ctx.leadership.holder().as_ref() != Some(&terms.identity) {
                    return Ok(false);
                }
                tries += 1;
                if tries == TRIES {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

async fn look(ctx: &Context, terms: &Terms) -> Result<(), Error> {
    let request = Request::new(Lease::url_path(&(), Some(&terms.namespace))).get(&terms.name, &GetParams::default());
    match ctx.send::<Lease>("get lease", request).await {
        Ok(lease) => {
            let before = ctx.leadership.holder();
            share_seal(ctx, &lease);
            ctx.leadership.held().seen.see(lease, Instant::now());
            let holder = ctx.leadership.holder();
            if before != holder {
                tracing::info!(identity = terms.identity, holder, "the lease has another holder");
            }
            Ok(())
        }
        Err(Error::NotFound(_)) => {
            ctx.leadership.held().seen.miss(Instant::now());
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The Lease's UID is a random number that the API server chose and that tenants cannot read: what all replicas mark their Jobs with.
fn share_seal(ctx: &Context, lease: &Lease) {
    let Some(uid) = &lease.metadata.uid else { return };
    let known = ctx.leadership.held().secret.replace(uid.clone());
    if known.as_ref() != Some(uid) {
        ctx.cache.share_seal(uid);
    }
}

/// Writes the lease if it is still as it was seen.
async fn write(ctx: &Context, terms: &Terms, seen: &Seen, mut lease: Lease) -> Result<(), Error> {
    let path = Lease::url_path(&(), Some(&terms.namespace));
    let params = PostParams {
        dry_run: false,
        field_manager: Some(super::FIELD_MANAGER.into()),
    };
    lease.metadata.resource_version = lease.metadata.resource_version.filter(|_| seen.is_known());
    let body = serde_json::to_vec(&lease).map_err(|error| Error::Refused(error.to_string()))?;
    let request = if seen.is_known() {
        Request::new(path).replace(&terms.name, &params, body)
    } else {
        Request::new(path).create(&params, body)
    };
    let sent = Instant::now();
    let written = ctx.send::<Lease>("lease", request).await?;
    share_seal(ctx, &written);
    ctx.leadership.held().seen.see(written, sent);
    Ok(())
}

/// Lets go of the lease, after the last write.
pub async fn release(ctx: &Context) {
    let Some(terms) = &ctx.leadership.terms else { return };
    ctx.leadership.held().until = None;
    // Also past its own deadline: the write only succeeds if nobody else has taken it.
    if ctx.leadership.holder().as_ref() != Some(&terms.identity) {
        return;
    }
    match let_go(ctx, terms).await {
        Ok(()) => tracing::info!(identity = terms.identity, "lease released"),
        Err(error) => tracing::warn!(
            identity = terms.identity,
            "lease not released, the next leader waits for it to run out: {error}"
        ),
    }
}

async fn let_go(ctx: &Context, terms: &Terms) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let seen = ctx.leadership.held().seen.clone();
        match write(ctx, terms, &seen, seen.released(terms, ctx.clock.now())).await {
            // A last renewal was on its way when the process was told to stop.
            Err(Error::Conflict(_)) if tries < TRIES => {
                look(ctx, terms).await?;
                if ctx.leadership.holder().as_ref() != Some(&terms.identity) {
                    return Ok(());
                }
                tries += 1;
            }
            written => return written,
        }
    }
}

/// Names of this kind, for events.
pub const LEASE: (&str, &str) = (Lease::API_VERSION, Lease::KIND);

/// A name for a process that is no pod.
#[must_use]
pub fn identity_of(host: &str, process: u32, started: Timestamp) -> String {
    format!("{host}_{process}_{}", started.as_microsecond())
}
