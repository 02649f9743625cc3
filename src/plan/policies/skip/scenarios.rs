//! Scenarios of skipped slots of a task whose schedule is faster than its runs.
//!
//! Pairs of `Forbid` with other policies are in `plan/scenarios/pairs.rs`.

use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::OVERDUE;
use crate::plan::Pods;
use crate::plan::scenarios::story::{given, time};

/// A9: Calling them superseded would cost a write for each.
#[test]
fn a_late_reconcile_still_skips_slots_of_an_active_run() {
    given("* * * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:00:01Z")
        .starts("2026-11-23T08:00:01Z")
        .at("2026-11-23T08:00:05Z")
        .latest_record("Skipped PreviousRunActive x4")
        .counts("started 1, skipped 4")
        // After an hour it is unknown what happened in it.
        .at("2026-11-23T09:00:05Z")
        .counts("started 1, missed 3599, skipped 5");
}

/// A9: A task that skips each second must not write each second.
#[test]
fn consecutive_skips_are_written_together() {
    let mut story = given("* * * * * *")
        .policy(Forbid)
        .coalescing_writes()
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:00:01Z")
        .starts("2026-11-23T08:00:01Z");
    story.world.write_coalesced();
    let (writes, said) = (story.world.status_writes, story.world.announced.len());
    for second in 2..=9 {
        story = story.when(|world| world.now = time(&format!("2026-11-23T08:00:0{second}Z")));
    }
    assert_eq!(story.world.status_writes, writes, "nothing is written yet");
    story.world.write_coalesced();
    assert_eq!((story.world.status_writes, story.world.announced.len()), (writes + 1, said + 1));
    story.counts("started 1, skipped 8");
}

/// F19: a sidecar keeps the first Job open, and nobody set a timeout.
#[test]
fn slots_that_pile_up_behind_one_run_are_reported() {
    let mut story = given("* * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:01:00Z")
        .starts("2026-11-23T08:01:00Z");
    story.world.active_job(time("2026-11-23T08:01:00Z")).job.ready = true;
    story.world.active_job(time("2026-11-23T08:01:00Z")).waits =
        Pods::Began(Some("main ended with exit code 0, istio-proxy still runs".into()));
    story
        .at("2026-11-23T08:02:00Z")
        .at("2026-11-23T08:03:00Z")
        .has_condition(OVERDUE, "False OnTime")
        .at("2026-11-23T08:04:00Z")
        .at("2026-11-23T08:05:00Z")
        .has_condition(OVERDUE, "True PreviousRunActive")
        .then(|world| {
            let message = world.status().active[0].message.as_deref();
            assert_eq!(message, Some("main ended with exit code 0, istio-proxy still runs"));
            let overdue = world.status().condition(OVERDUE).unwrap();
            assert!(overdue.message.contains("istio-proxy still runs"), "{}", overdue.message);
        })
        .succeeds("2026-11-23T08:01:00Z")
        .has_condition(OVERDUE, "False OnTime");
}
