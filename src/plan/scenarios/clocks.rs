//! Clocks that step in either direction, lost wake-ups and phases that survive restarts.
//!
//! No run starts before its slot, and no slot runs twice.

use super::story::{given, time};
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::OVERDUE;
use crate::plan::plan;

/// D5: Even when the status is lost.
#[test]
fn every_48_hours_keeps_its_phase_across_restarts_and_edits() {
    given("@every 48h")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-25T00:00:00Z")
        .starts("2026-11-25T00:00:00Z")
        .succeeds("2026-11-25T00:00:00Z")
        .operator_stops()
        .at("2026-11-26T13:00:00Z")
        .operator_starts()
        .starts_nothing()
        .edited(|spec| spec.starting_deadline_seconds = Some(600))
        .at("2026-11-27T00:00:00Z")
        .starts("2026-11-27T00:00:00Z")
        .when(|world| {
            (world.audit.loose, world.task.status) = (true, Default::default());
            world.now = time("2026-11-28T01:00:00Z");
            world.bump_resource_version();
        })
        .at("2026-11-28T23:59:59Z")
        .starts_nothing()
        .at("2026-11-29T00:00:00Z")
        .starts("2026-11-29T00:00:00Z");
}

/// D6
#[test]
fn a_clock_that_steps_back_repeats_no_slot() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T12:00:00Z")
            .starts("2026-11-23T12:00:00Z")
            .succeeds("2026-11-23T12:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .edited(|spec| spec.run_history_limit = 5)
            .then(|world| {
                assert_eq!(
                    world.status().next_runs[0],
                    "2026-11-23T13:00:00Z",
                    "nextRuns are in the future of the ledger"
                )
            })
            .at("2026-11-23T10:00:00Z")
            .at("2026-11-23T11:59:59Z")
            .at("2026-11-23T12:00:00Z")
            .starts_nothing()
            .at("2026-11-23T13:00:00Z")
            .starts("2026-11-23T13:00:00Z")
            .counts("started 2, succeeded 1, missed 3");
    }
}

/// D6
#[test]
fn a_clock_stepping_forward_and_back_runs_each_slot_once() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T20:30:00Z")
        .starts("2026-11-23T20:00:00Z")
        .operator_stops()
        .at("2026-11-23T08:40:00Z")
        .operator_starts()
        .at("2026-11-23T09:00:00Z")
        .at("2026-11-23T20:00:00Z")
        .starts_nothing()
        .at("2026-11-23T21:00:00Z")
        .starts("2026-11-23T21:00:00Z")
        .counts("started 2, missed 11");
}

/// D6
#[test]
fn nothing_starts_a_fraction_of_a_second_early() {
    given("* * * * *")
        .since("2026-11-23T08:00:00.7Z")
        .at("2026-11-23T08:00:59.999999999Z")
        .starts_nothing()
        .at("2026-11-23T08:01:00.000000001Z")
        .starts("2026-11-23T08:01:00Z");
}

/// M7
#[test]
fn the_plan_wakes_at_the_slot_and_does_nothing_earlier() {
    let mut story = given("0 9 * * *").zone("America/New_York").since("2026-11-23T08:00:00Z");
    assert_eq!(story.world.wake_at, Some(time("2026-11-23T14:00:00Z")));
    let early = time("2026-11-23T13:59:59.999Z");
    let mut observed = story.world.observe();
    observed.now = early;
    assert!(plan(&observed).effects.is_empty(), "an early plan");
    story.at("2026-11-23T14:00:00Z").starts("2026-11-23T14:00:00Z");
}

/// M7
#[test]
fn a_lost_wake_up_is_recovered_and_reported_as_overdue() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .has_condition(OVERDUE, "False OnTime")
        .at("2026-11-23T10:03:20Z")
        .starts("2026-11-23T10:00:00Z")
        .has_condition(OVERDUE, "True StartedLate")
        .at("2026-11-23T11:00:05Z")
        .starts("2026-11-23T11:00:00Z")
        .has_condition(OVERDUE, "False OnTime");
}
