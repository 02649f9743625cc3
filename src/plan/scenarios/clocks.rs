//! D5 and D6: clocks that step, machines that sleep, and phases that are kept.
//!
//! Takes stories whose time goes both ways. Never a start before its slot, never two.

use super::story::{given, time};
use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;

#[test]
fn d5_every_48_hours_keeps_its_phase_across_restarts_edits_and_a_lost_status() {
    given("@every 48h")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-25T00:00:00Z")
        .starts("2026-11-25T00:00:00Z")
        .succeeds("2026-11-25T00:00:00Z")
        .down()
        .at("2026-11-26T13:00:00Z")
        .up()
        .starts_nothing()
        .edited(|spec| spec.starting_deadline_seconds = Some(600))
        .at("2026-11-27T00:00:00Z")
        .starts("2026-11-27T00:00:00Z")
        .when(|world| {
            (world.audit.loose, world.task.status) = (true, Default::default());
            world.now = time("2026-11-28T01:00:00Z");
            world.touch();
        })
        .at("2026-11-28T23:59:59Z")
        .starts_nothing()
        .at("2026-11-29T00:00:00Z")
        .starts("2026-11-29T00:00:00Z");
}

#[test]
fn d6_a_clock_that_steps_back_for_hours_runs_no_slot_again() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T12:00:00Z")
            .starts("2026-11-23T12:00:00Z")
            .succeeds("2026-11-23T12:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .edited(|spec| spec.run_history_limit = 5)
            .then(|world| assert_eq!(world.status().next_runs[0], "2026-11-23T13:00:00Z", "what is shown has not run yet"))
            .at("2026-11-23T10:00:00Z")
            .at("2026-11-23T11:59:59Z")
            .at("2026-11-23T12:00:00Z")
            .starts_nothing()
            .at("2026-11-23T13:00:00Z")
            .starts("2026-11-23T13:00:00Z")
            .counts("started 2, succeeded 1, missed 3");
    }
}

#[test]
fn d6_a_clock_that_steps_forward_and_back_runs_each_slot_once() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T20:30:00Z")
        .starts("2026-11-23T20:00:00Z")
        .down()
        .at("2026-11-23T08:40:00Z")
        .up()
        .at("2026-11-23T09:00:00Z")
        .at("2026-11-23T20:00:00Z")
        .starts_nothing()
        .at("2026-11-23T21:00:00Z")
        .starts("2026-11-23T21:00:00Z")
        .counts("started 2, missed 11");
}

#[test]
fn d6_an_edit_under_a_clock_that_went_back_starts_nothing_that_was_accounted_for() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T12:00:00Z")
        .starts("2026-11-23T12:00:00Z")
        .at("2026-11-23T09:10:00Z")
        .edited(|spec| spec.schedule = Some("*/30 * * * *".into()))
        .at("2026-11-23T09:30:00Z")
        .at("2026-11-23T12:00:00Z")
        .starts_nothing()
        .at("2026-11-23T12:30:00Z")
        .starts("2026-11-23T12:30:00Z")
        .counts("started 2, missed 3");
}

#[test]
fn d6_a_refusal_by_a_clock_that_was_hours_ahead_is_not_waited_for() {
    given("0 * * * *")
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T11:00:00Z")
        .at("2026-11-23T09:20:00Z")
        .starts_nothing()
        .takes_everything_again()
        .at("2026-11-23T09:20:02Z")
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1");
}

#[test]
fn d6_a_fraction_of_a_second_before_its_slot_nothing_starts() {
    given("* * * * *")
        .since("2026-11-23T08:00:00.7Z")
        .at("2026-11-23T08:00:59.999999999Z")
        .starts_nothing()
        .at("2026-11-23T08:01:00.000000001Z")
        .starts("2026-11-23T08:01:00Z");
}
