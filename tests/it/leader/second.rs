//! M6: the leader changes in the very second of a slot.
//!
//! Takes two operators with short leases and one clock that the test sets, cuts the leader off at the very write that a test
//! names; gives the Jobs of that slot: one.

use crate::harness::{Fault, Operator, Pace, Proxy, World, at, until};
use http::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SLOT: &str = "2027-01-01T10:01:00Z";

/// From its first write of that kind on, the leader is cut off, before that write is done or after.
async fn cut_off_at(name: &str, policy: &str, (method, path_ends): (Method, &'static str), fault: Fault) {
    let world = World::new(name).await;
    let seen = world.recorder().await;
    world.task("slot", json!({"concurrencyPolicy": policy})).await;
    let cut = Arc::new(AtomicBool::new(false));
    let armed = Arc::new(AtomicBool::new(false));
    let (cuts, arms) = (cut.clone(), armed.clone());
    let proxy = Proxy::start(world.client.clone(), move |sent, path| {
        if cuts.load(Ordering::SeqCst) {
            return Fault::HeldBefore;
        }
        if arms.load(Ordering::SeqCst) && *sent == method && path.ends_with(path_ends) {
            cuts.store(true, Ordering::SeqCst);
            return fault;
        }
        Fault::None
    })
    .await;
    let now = at("2027-01-01T10:00:30Z");
    let terms = |identity: &str| Some(Pace::SHORT.terms(identity, &world.namespace));
    let first = Operator::start_by(proxy.client().await, &world.namespace, now, terms("first"));
    until("the first to lead", || async { first.leads().then_some(()) }).await;
    let second = Operator::start_by(world.client.clone(), &world.namespace, now, terms("second"));
    world.settled("slot").await;
    armed.store(true, Ordering::SeqCst);
    first.set(SLOT);
    second.set(SLOT);
    until("the leader to come to that write", || async {
        cut.load(Ordering::SeqCst).then_some(())
    })
    .await;
    assert_eq!(world.holder_other_than("first").await, "second");
    let status = world.status("slot", "the slot to be started", |status| status.started == 1).await;
    until("the first to have given up", || async { (!first.leads()).then_some(()) }).await;
    assert_eq!((status.missed, status.skipped), (0, 0));
    // The next slot is the second one's, and only that.
    let job = format!("slot-{}", at(SLOT).as_second());
    world.end_job(&job, 0, "").await;
    world.status("slot", "its end", |status| status.succeeded == 1).await;
    for operator in [&first, &second] {
        operator.set("2027-01-01T10:02:00Z");
    }
    world.status("slot", "the next slot", |status| status.started == 2).await;
    second.stop().await;
    drop(first);
    assert_eq!(seen.slots().await, [at(SLOT), at("2027-01-01T10:02:00Z")]);
}

const CLAIM: (Method, &str) = (Method::PUT, "/status");
const JOB: (Method, &str) = (Method::POST, "/jobs");

/// M6
#[tokio::test(flavor = "multi_thread")]
async fn under_allow_a_change_of_leader_at_the_job_runs_the_slot_once() {
    cut_off_at("m6-allow-1", "Allow", JOB, Fault::HeldBefore).await;
    cut_off_at("m6-allow-2", "Allow", JOB, Fault::HeldAfter).await;
}

/// M6
#[tokio::test(flavor = "multi_thread")]
async fn under_forbid_a_change_of_leader_at_the_claim_or_the_job_runs_the_slot_once() {
    for (name, at, fault) in [
        ("m6-forbid-1", CLAIM, Fault::HeldBefore),
        ("m6-forbid-2", CLAIM, Fault::HeldAfter),
        ("m6-forbid-3", JOB, Fault::HeldBefore),
        ("m6-forbid-4", JOB, Fault::HeldAfter),
    ] {
        cut_off_at(name, "Forbid", at, fault).await;
    }
}

/// M6
#[tokio::test(flavor = "multi_thread")]
async fn under_replace_a_change_of_leader_at_the_claim_or_the_job_runs_the_slot_once() {
    for (name, at, fault) in [
        ("m6-replace-1", CLAIM, Fault::HeldBefore),
        ("m6-replace-2", CLAIM, Fault::HeldAfter),
        ("m6-replace-3", JOB, Fault::HeldBefore),
        ("m6-replace-4", JOB, Fault::HeldAfter),
    ] {
        cut_off_at(name, "Replace", at, fault).await;
    }
}

/// M6
#[tokio::test(flavor = "multi_thread")]
async fn under_queue_a_change_of_leader_at_the_claim_or_the_job_runs_the_slot_once() {
    for (name, at, fault) in [
        ("m6-queue-1", CLAIM, Fault::HeldBefore),
        ("m6-queue-2", CLAIM, Fault::HeldAfter),
        ("m6-queue-3", JOB, Fault::HeldBefore),
        ("m6-queue-4", JOB, Fault::HeldAfter),
    ] {
        cut_off_at(name, "Queue", at, fault).await;
    }
}

/// M6: Its watch died silently, which it notices a minute later: meanwhile it knows less than the status says.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_whose_watch_is_silent_runs_no_slot_again_when_it_takes_over() {
    let world = World::new("m6-silent").await;
    let seen = world.recorder().await;
    let now = at("2027-01-01T10:00:30Z");
    let terms = |identity: &str| Some(Pace::SHORT.terms(identity, &world.namespace));
    let first = Operator::start_by(world.client.clone(), &world.namespace, now, terms("first"));
    until("the first to lead", || async { first.leads().then_some(()) }).await;
    let proxy = Proxy::start(world.client.clone(), |_, _| Fault::None).await;
    let second = Operator::start_by(proxy.client().await, &world.namespace, now, terms("second"));
    world.task("slot", json!({"successfulJobsHistoryLimit": 0})).await;
    world.settled("slot").await;
    until("the second to know the task", || async {
        (second.metric("punctual_tasks ") == 1.0).then_some(())
    })
    .await;
    // Jobs are listed after tasks, by a watch: silenced before, it would know nothing at all for a minute.
    until("the second to have listed Jobs", || async { second.is_ready().then_some(()) }).await;
    proxy.silence_watches(true);
    first.set(SLOT);
    second.set(SLOT);
    let job = format!("slot-{}", at(SLOT).as_second());
    world.job(&job).await;
    world.end_job(&job, 0, "").await;
    until("history to delete it", || async {
        world.job_names().await.is_empty().then_some(())
    })
    .await;
    world.status("slot", "its end", |status| status.succeeded == 1).await;
    first.stop().await;
    until("the second to lead", || async { second.leads().then_some(()) }).await;
    until("the second to have looked", || async { second.is_quiet().then_some(()) }).await;
    second.set("2027-01-01T10:02:00Z");
    world.job(&format!("slot-{}", at("2027-01-01T10:02:00Z").as_second())).await;
    second.stop().await;
    assert_eq!(seen.slots().await, [at(SLOT), at("2027-01-01T10:02:00Z")]);
}
