//! S7 and S8: what the API server refuses, and names that are taken.
//!
//! Takes stories of quotas, webhooks, missing rights and strangers. Never lets one end without condition and reason.

use super::story::{edit_template, given, time};
use super::world::World;
use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;
use crate::api::condition::{OVERDUE, READY, SUSPENDED};

#[test]
fn s7_a_template_that_is_refused_is_said_before_its_first_slot() {
    given("0 * * * *")
        .applied("2026-11-23T08:00:00Z")
        .refuses_creates("admission webhook denied the request: no latest tags")
        .says(READY, "False JobRefused")
        .then(|world| assert_eq!((world.wake_at, world.tried), (Some(time("2026-11-23T08:05:00Z")), 1)))
        .takes_everything_again()
        .at("2026-11-23T08:05:00Z")
        .says(READY, "True Accepted");
}

#[test]
fn s7_a_template_that_is_edited_is_asked_about_again() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .says(READY, "True Accepted")
        .refuses_creates("admission webhook denied the request: no latest tags")
        .says(READY, "True Accepted")
        .edited(|spec| {
            edit_template(spec, |fields| {
                fields.insert("metadata".into(), serde_json::json!({"labels": {"tier": "gold"}}));
            })
        })
        .says(READY, "False JobRefused")
        .then(|world| assert_eq!(world.tried, 2));
}

#[test]
fn s7_a_refused_job_backs_off_and_starts_late_when_it_is_taken() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("exceeded quota: jobs=10")
            .at("2026-11-23T09:00:00Z")
            .says(READY, "False JobRefused")
            .at("2026-11-23T09:02:00Z")
            .says(OVERDUE, "True JobRefused")
            .takes_everything_again()
            .at("2026-11-23T09:06:00Z")
            .starts("2026-11-23T09:00:00Z")
            .says(READY, "True Accepted")
            .says(OVERDUE, "True StartedLate")
            .counts("started 1");
    }
}

#[test]
fn s7_a_slot_that_is_refused_until_the_next_one_is_missed_with_that_reason() {
    for policy in [Allow, Forbid] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("namespace shop is being terminated")
            .at("2026-11-23T09:00:00Z")
            .at("2026-11-23T10:05:00Z")
            .newest("Missed JobRefused")
            .takes_everything_again()
            .at("2026-11-23T10:10:00Z")
            .starts("2026-11-23T10:00:00Z")
            .counts("started 1, missed 1");
    }
}

#[test]
fn s7_a_slot_that_is_refused_past_its_deadline_is_missed_with_that_reason() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .deadline(300)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("pods is forbidden")
            .at("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:05:01Z")
            .starts_nothing()
            .newest("Missed JobRefused")
            .counts("missed 1")
            .then(|world| assert!(world.status().active.is_empty(), "the claim is given up"));
    }
}

#[test]
fn s7_under_all_and_forbid_a_refused_slot_costs_no_later_one() {
    given("*/10 * * * *")
        .policy(Forbid)
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T08:10:00Z")
        .at("2026-11-23T08:20:00Z")
        .takes_everything_again()
        .at("2026-11-23T08:29:00Z")
        .starts("2026-11-23T08:10:00Z")
        .succeeds("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:20:00Z")
        .counts("started 2, succeeded 1");
}

#[test]
fn s7_the_backoff_grows_to_its_limit_and_a_clock_set_back_does_not_prolong_it() {
    given("0 0 1 1 *")
        .since("2026-12-31T23:00:00Z")
        .refuses_creates("no")
        .at("2027-01-01T00:00:00Z")
        .then(|world| {
            let mut world: World = world.clone();
            let mut waits = Vec::new();
            for _ in 0..12 {
                let wake = world.wake_at.expect("it tries again");
                waits.push(wake.duration_since(world.now).as_secs());
                world.now = wake;
                world.settle(false);
            }
            assert_eq!(waits[..3], [1, 2, 4], "{waits:?}");
            assert!(waits.iter().all(|wait| *wait <= 300) && waits.contains(&256), "{waits:?}");
        })
        .takes_everything_again()
        .at("2026-12-31T20:00:00Z")
        .at("2027-01-01T00:00:02Z")
        .starts("2027-01-01T00:00:00Z");
}

#[test]
fn s8_a_name_that_a_stranger_has_is_a_conflict_that_is_said_and_never_adopted() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .a_stranger_has_the_name_of("2026-11-23T09:00:00Z", "somebody-else")
            .at("2026-11-23T09:00:00Z")
            .starts_nothing()
            .says(READY, "False NameConflict")
            .at("2026-11-23T10:01:00Z")
            .starts("2026-11-23T10:00:00Z")
            .says(READY, "True Accepted")
            .counts("started 1, missed 1");
    }
}

#[test]
fn s8_names_of_52_characters_and_more_run_as_any_other() {
    for length in [52, 63, 253] {
        given("0 * * * *")
            .named(&"n".repeat(length))
            .policy(Forbid)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .succeeds("2026-11-23T09:00:00Z")
            .then(|world| assert!(world.jobs.keys().all(|name| name.len() <= 63)))
            .says(SUSPENDED, "False NotSuspended")
            .counts("started 1, succeeded 1");
    }
}
