//! Leader election: one replica writes, the others watch and plan.
//!
//! ```text
//!   candidate ── lease expired or free ─► PUT lease ─► leader ── renews ─► … ── renew deadline exceeded ─► candidate
//!      ▲                                                 └── shutdown: drain, release ─► another replica acquires it at once
//! ```
//! The input is the election's configuration and the Lease; the output is how long this process may still write. A leader that
//! cannot renew stops writing before another replica may start, and becomes a candidate again; the process keeps running. All
//! durations are measured with the monotonic clock, so wall-clock changes have no effect. Makes no decision about tasks.

use super::context::Context;
use super::error::Error;
use super::field_manager::post_params;
use super::lease::{LeaderElectionConfig, ObservedLease};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Resource;
use kube::api::GetParams;
use kube::core::Request;
use std::sync::Arc;
use std::time::Instant;

/// Attempts to write a Lease that this process holds and that changed since it was read.
const MAX_ATTEMPTS: u32 = 3;

/// Runs the election until the process exits.
pub async fn run_election(ctx: Arc<Context>) {
    let Some(config) = ctx.leadership.config().cloned() else {
        ctx.metrics.leader.set(1);
        ctx.claims.open();
        return std::future::pending().await;
    };
    tracing::info!(
        identity = config.identity,
        lease = config.name,
        namespace = config.namespace,
        "starting leader election"
    );
    let (mut led, mut logged) = (false, String::new());
    loop {
        let began = Instant::now();
        let (mut failure, mut is_new_term) = (String::new(), false);
        match tokio::time::timeout(config.renew_deadline / 2, attempt(&ctx, &config)).await {
            Ok(Ok(true)) => {
                // Counted from before the request was sent: no other replica counts from an earlier moment.
                is_new_term = ctx.leadership.renew(began + config.renew_deadline);
            }
            Ok(Ok(false)) => ctx.leadership.state().until = None,
            Ok(Err(error)) => failure = error.to_string(),
            Err(_) => failure = "request timed out".into(),
        }
        // Retried about once a second: the same failure is logged once.
        if !failure.is_empty() && failure != logged {
            tracing::warn!(identity = config.identity, "failed to acquire or renew the lease: {failure}");
        }
        logged = failure;
        if is_new_term {
            on_started_leading(&ctx, &config, led);
        }
        let leads = ctx.leadership.holds();
        if (led || is_new_term) && !leads {
            on_stopped_leading(&ctx, &config);
        }
        led = leads;
        // A candidate checks twice as often, so that it acquires a released lease quickly.
        let pause = if leads { config.retry_period } else { config.retry_period / 2 };
        tokio::time::sleep(pause.saturating_sub(began.elapsed().min(pause / 2))).await;
    }
}

/// A new term starts. `led`: the previous term ended between two attempts, unnoticed.
fn on_started_leading(ctx: &Context, config: &LeaderElectionConfig, led: bool) {
    ctx.metrics.leader.set(1);
    if led {
        tracing::warn!(
            identity = config.identity,
            "started leading again: the lease had expired in between"
        );
    } else {
        tracing::info!(identity = config.identity, "started leading");
        ctx.events.about_lease(config, &format!("{} became leader", config.identity));
    }
    // When it is open, every task is reconciled. The caches are warm, so nothing is listed.
    ctx.claims.open();
}

fn on_stopped_leading(ctx: &Context, config: &LeaderElectionConfig) {
    ctx.metrics.leader.set(0);
    ctx.claims.close();
    let holder = ctx.leadership.holder().unwrap_or_else(|| "nobody".into());
    tracing::warn!(
        identity = config.identity,
        holder,
        "stopped leading: this replica keeps watching and stops writing"
    );
}

/// Tries once to acquire or renew the lease. Returns whether this process holds it.
async fn attempt(ctx: &Context, config: &LeaderElectionConfig) -> Result<bool, Error> {
    let known = ctx.leadership.state().observed.clone();
    let mine = known.holder() == Some(&config.identity);
    if !mine || !ctx.leadership.holds() {
        read_lease(ctx, config).await?;
    }
    let mut attempts = 0;
    loop {
        let observed = ctx.leadership.state().observed.clone();
        if !observed.may_acquire(config, Instant::now()) {
            return Ok(false);
        }
        match write(ctx, config, &observed, observed.acquired(config, ctx.clock.now())).await {
            Ok(()) => return Ok(true),
            // Another client wrote or deleted it: read it again. It may have been this process, if the response was lost.
            Err(error @ (Error::Conflict(_) | Error::NotFound(_))) => {
                read_lease(ctx, config).await?;
                if ctx.leadership.holder().as_ref() != Some(&config.identity) {
                    return Ok(false);
                }
                attempts += 1;
                if attempts == MAX_ATTEMPTS {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

async fn read_lease(ctx: &Context, config: &LeaderElectionConfig) -> Result<(), Error> {
    let request = Request::new(Lease::url_path(&(), Some(&config.namespace))).get(&config.name, &GetParams::default());
    match ctx.send::<Lease>("get lease", request).await {
        Ok(lease) => {
            let before = ctx.leadership.holder();
            share_seal(ctx, &lease);
            ctx.leadership.state().observed.observe(lease, Instant::now());
            let holder = ctx.leadership.holder();
            if before != holder {
                tracing::info!(identity = config.identity, holder, "new leader elected");
            }
            Ok(())
        }
        Err(Error::NotFound(_)) => {
            ctx.leadership.state().observed.observe_missing(Instant::now());
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The Lease's UID is random, chosen by the API server and not readable by tenants: all replicas use it as the key of the mark on their Jobs.
fn share_seal(ctx: &Context, lease: &Lease) {
    let Some(uid) = &lease.metadata.uid else { return };
    let known = ctx.leadership.state().lease_uid.replace(uid.clone());
    if known.as_ref() != Some(uid) {
        ctx.cache.share_seal(uid);
    }
}

/// Writes the lease, on condition that it has not changed since it was observed.
async fn write(ctx: &Context, config: &LeaderElectionConfig, observed: &ObservedLease, mut lease: Lease) -> Result<(), Error> {
    let path = Lease::url_path(&(), Some(&config.namespace));
    let params = post_params(false);
    lease.metadata.resource_version = lease.metadata.resource_version.filter(|_| observed.is_known());
    let body = serde_json::to_vec(&lease).map_err(|error| Error::Refused(error.to_string()))?;
    let request = if observed.is_known() {
        Request::new(path).replace(&config.name, &params, body)
    } else {
        Request::new(path).create(&params, body)
    };
    let sent = Instant::now();
    let written = ctx.send::<Lease>("lease", request).await?;
    share_seal(ctx, &written);
    ctx.leadership.state().observed.observe(written, sent);
    Ok(())
}

/// Releases the lease, after the last write.
pub async fn release(ctx: &Context) {
    let Some(config) = ctx.leadership.config() else { return };
    ctx.leadership.state().until = None;
    // Also after the renew deadline: the write succeeds only if no other replica has acquired the lease.
    if ctx.leadership.holder().as_ref() != Some(&config.identity) {
        return;
    }
    match try_release(ctx, config).await {
        Ok(()) => tracing::info!(identity = config.identity, "lease released"),
        Err(error) => tracing::warn!(
            identity = config.identity,
            "failed to release the lease; the next leader waits until it expires: {error}"
        ),
    }
}

async fn try_release(ctx: &Context, config: &LeaderElectionConfig) -> Result<(), Error> {
    let mut attempts = 0;
    loop {
        let observed = ctx.leadership.state().observed.clone();
        match write(ctx, config, &observed, observed.released(config, ctx.clock.now())).await {
            // A renewal was in flight when shutdown began.
            Err(Error::Conflict(_)) if attempts < MAX_ATTEMPTS => {
                read_lease(ctx, config).await?;
                if ctx.leadership.holder().as_ref() != Some(&config.identity) {
                    return Ok(());
                }
                attempts += 1;
            }
            written => return written,
        }
    }
}

/// The identity of a process that does not run in a pod.
#[must_use]
pub fn identity_of(host: &str, process: u32, started: Timestamp) -> String {
    format!("{host}_{process}_{}", started.as_microsecond())
}
