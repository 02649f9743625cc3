//! Scenarios of quotas, webhooks, missing rights and terminating namespaces: what the API server refuses is reported, retried with
//! backoff and accounted for.

use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;
use crate::api::condition::{OVERDUE, READY};
use crate::plan::scenarios::story::{edit_template, given, time};
use crate::plan::scenarios::world::World;
use crate::state::Failure;
use jiff::SignedDuration;
use serde_json::json;

/// S7
#[test]
fn a_refused_template_is_reported_before_its_first_slot() {
    given("0 * * * *")
        .applied("2026-11-23T08:00:00Z")
        .refuses_creates("admission webhook denied the request: no latest tags")
        .has_condition(READY, "False JobRefused")
        .then(|world| assert_eq!((world.wake_at, world.dry_runs), (Some(time("2026-11-23T08:05:00Z")), 1)))
        .accepts_writes_again()
        .at("2026-11-23T08:05:00Z")
        .has_condition(READY, "True Accepted");
}

/// S7
#[test]
fn an_edited_template_is_checked_again() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .has_condition(READY, "True Accepted")
        .refuses_creates("admission webhook denied the request: no latest tags")
        .has_condition(READY, "True Accepted")
        .edited(|spec| {
            edit_template(spec, |fields| {
                fields.insert("metadata".into(), serde_json::json!({"labels": {"tier": "gold"}}));
            })
        })
        .has_condition(READY, "False JobRefused")
        .then(|world| assert_eq!(world.dry_runs, 2));
}

/// S7
#[test]
fn a_refused_create_backs_off_and_starts_late() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("exceeded quota: jobs=10")
            .at("2026-11-23T09:00:00Z")
            .has_condition(READY, "False JobRefused")
            .at("2026-11-23T09:02:00Z")
            .has_condition(OVERDUE, "True JobRefused")
            .accepts_writes_again()
            .at("2026-11-23T09:06:00Z")
            .starts("2026-11-23T09:00:00Z")
            .has_condition(READY, "True Accepted")
            .has_condition(OVERDUE, "True StartedLate")
            .counts("started 1");
    }
}

/// S7: The reason is the refusal.
#[test]
fn a_slot_refused_until_the_next_one_is_missed() {
    for policy in [Allow, Forbid] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("namespace shop is being terminated")
            .at("2026-11-23T09:00:00Z")
            .at("2026-11-23T10:05:00Z")
            .latest_record("Missed JobRefused")
            .accepts_writes_again()
            .at("2026-11-23T10:10:00Z")
            .starts("2026-11-23T10:00:00Z")
            .counts("started 1, missed 1");
    }
}

/// S7: The reason is the refusal.
#[test]
fn a_slot_refused_past_its_deadline_is_missed() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .deadline(300)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("pods is forbidden")
            .at("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:05:01Z")
            .starts_nothing()
            .latest_record("Missed JobRefused")
            .counts("missed 1")
            .then(|world| assert!(world.status().active.is_empty(), "the claim is given up"));
    }
}

/// S7
#[test]
fn all_under_forbid_loses_no_slot_to_a_refusal() {
    given("*/10 * * * *")
        .policy(Forbid)
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T08:10:00Z")
        .at("2026-11-23T08:20:00Z")
        .accepts_writes_again()
        .at("2026-11-23T08:29:00Z")
        .starts("2026-11-23T08:10:00Z")
        .succeeds("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:20:00Z")
        .counts("started 2, succeeded 1");
}

/// S7
#[test]
fn the_backoff_is_bounded_and_survives_a_clock_step_back() {
    given("0 0 1 1 *")
        .since("2026-12-31T23:00:00Z")
        .refuses_creates("no")
        .at("2027-01-01T00:00:00Z")
        .then(|world| {
            let mut world: World = world.clone();
            let mut waits = Vec::new();
            for _ in 0..12 {
                let wake = world.wake_at.expect("a retry is planned");
                waits.push(wake.duration_since(world.now).as_secs());
                world.now = wake;
                world.reconcile(false);
            }
            assert_eq!(waits[..3], [1, 2, 4], "{waits:?}");
            assert!(waits.iter().all(|wait| *wait <= 300) && waits.contains(&256), "{waits:?}");
        })
        .accepts_writes_again()
        .at("2026-12-31T20:00:00Z")
        .at("2027-01-01T00:00:02Z")
        .starts("2027-01-01T00:00:00Z");
}

/// S7: It has no Job, so it takes no capacity from them.
#[test]
fn under_a_limit_a_refused_claim_yields_to_newer_slots() {
    given("0 * * * *")
        .set("maxConcurrentRuns", json!(1))
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota: jobs=10")
        .at("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:05:00Z")
        .latest_record("Missed JobRefused")
        .accepts_writes_again()
        .at("2026-11-23T10:20:00Z")
        .starts("2026-11-23T10:00:00Z")
        .counts("started 1, missed 1");
}

/// S7: Ready must not stay False until the next slot or the next process (simulation, seeds 260 and 3814).
#[test]
fn an_accepted_dry_run_clears_the_refusal() {
    given("0 * * * *")
        .policy(Forbid)
        .deadline(60)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T09:00:00Z")
        .has_condition(READY, "False JobRefused")
        .at("2026-11-23T09:01:01Z")
        .latest_record("Missed JobRefused")
        .has_condition(READY, "False JobRefused")
        .accepts_writes_again()
        .at("2026-11-23T09:10:00Z")
        .has_condition(READY, "True Accepted")
        .counts("missed 1");
}

/// D6: Even if the clock is set behind the slot and the refusal is over.
#[test]
fn a_refused_claim_never_starts_before_its_slot() {
    for policy in [Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("exceeded quota")
            .at("2026-11-23T12:00:00Z")
            .accepts_writes_again()
            .at("2026-11-23T09:30:00Z")
            .starts_nothing()
            .at("2026-11-23T12:00:01Z")
            .starts("2026-11-23T12:00:00Z");
    }
}

/// D6
#[test]
fn a_backoff_set_by_a_fast_clock_is_not_awaited() {
    given("0 * * * *")
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T11:00:00Z")
        .at("2026-11-23T09:20:00Z")
        .starts_nothing()
        .accepts_writes_again()
        .at("2026-11-23T09:20:02Z")
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1");
}

/// L3: etcd takes 1.5 MB: with a whole refusal in `recentRuns` no status could be written any more.
#[test]
fn a_refusal_of_any_length_leaves_the_status_small() {
    given("*/5 * * * *")
        .since("2026-11-23T08:00:00Z")
        .refuses_creates(&"denied ".repeat(100_000))
        .at("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .latest_record("Missed JobRefused")
        .then(|world| assert!(bytes(world) < 40_000, "{} bytes", bytes(world)));
}

fn bytes(world: &World) -> usize {
    serde_json::to_vec(world.status()).expect("a status is JSON").len()
}

/// F04: an answer that leaves open what became of a creation, again and again.
#[test]
fn creates_that_are_never_carried_out_are_reported() {
    let etcd = Failure::Unanswered("500 etcdserver: leader changed".into());
    let throttled = Failure::Later {
        message: "429 Too many requests, please try again later.".into(),
        after: SignedDuration::ZERO,
    };
    for failure in [etcd, throttled] {
        given("0 * * * *")
            .policy(Forbid)
            .since("2026-11-23T08:00:00Z")
            .when(|world| world.faults.throttles_creates = Some(failure.clone()))
            .at("2026-11-23T09:00:00Z")
            .starts_nothing()
            .has_condition(READY, "False JobRefused")
            .then(|world| {
                let ready = world.status().condition(READY).unwrap();
                assert!(ready.message.contains(&failure.to_string()), "{}", ready.message);
            })
            .when(|world| world.faults.throttles_creates = None)
            .at("2026-11-23T09:05:00Z")
            .starts("2026-11-23T09:00:00Z")
            .has_condition(READY, "True Accepted")
            .counts("started 1");
    }
}

/// F31: a further attempt is refused for its name alone.
#[test]
fn a_hopeless_attempt_delays_no_other_slot_and_ends_its_run() {
    for policy in [Allow, Forbid] {
        given("0 * * * *")
            .policy(policy)
            .retry_policy(3, "1m")
            .since("2026-11-23T08:00:00Z")
            .when(|world| world.faults.refuses_retries = Some("metadata.name: Invalid value: must be no more than 63 characters".into()))
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:50:00Z")
            .fails("2026-11-23T09:00:00Z", 1)
            .at("2026-11-23T09:51:00Z")
            .has_condition(READY, "False JobRefused")
            .at("2026-11-23T10:00:00Z")
            .starts("2026-11-23T10:00:00Z")
            .latest_record("Failed JobRefused")
            .counts("started 2, failed 1");
    }
}
