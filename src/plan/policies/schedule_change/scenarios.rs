//! Scenarios of edits: a slot belongs to the schedule of its time, and none older than an edit starts after it.

use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::{OVERDUE, READY};
use crate::plan::scenarios::story::{given, time};
use jiff::SignedDuration;
use serde_json::json;

/// M4: The wake-up of the old schedule does nothing.
#[test]
fn an_edit_starts_no_slot_older_than_itself() {
    given("0 12 * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T11:30:00Z")
        .edited(|spec| spec.schedule = Some("0 10 * * *".into()))
        .starts_nothing()
        .at("2026-11-23T12:00:00Z")
        .starts_nothing()
        .counts("")
        .at("2026-11-24T10:00:00Z")
        .starts("2026-11-24T10:00:00Z");
}

/// M4
#[test]
fn a_time_zone_edit_is_a_schedule_edit() {
    given("0 12 * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T11:30:00Z")
        .edited(|spec| spec.time_zone = "Europe/Paris".into())
        .at("2026-11-23T12:00:00Z")
        .starts_nothing()
        .at("2026-11-24T11:00:00Z")
        .starts("2026-11-24T11:00:00Z")
        .counts("started 1");
}

/// M4
#[test]
fn an_edit_around_a_slot_leaves_it_exactly_one_outcome() {
    for second in 57..64 {
        for (policy, early) in [(Allow, false), (Allow, true), (Forbid, true), (Replace, true)] {
            let at = time("2026-11-23T11:59:00Z") + SignedDuration::from_secs(second);
            let mut story = given("0 * * * *").policy(policy).since("2026-11-23T11:10:00Z");
            if early && second >= 60 {
                story = story.at("2026-11-23T12:00:00Z").starts("2026-11-23T12:00:00Z");
            }
            let story = story.when(|world| {
                world.now = at;
                world.edit(|spec| spec.schedule = Some("*/30 * * * *".into()));
            });
            // Whoever is late with both slot and edit cannot know which came first: the slot is missed, and says so.
            let fate = if second < 60 {
                ""
            } else if early {
                "started 1"
            } else {
                "missed 1"
            };
            let story = story.starts_nothing().counts(fate);
            let story = if second < 60 {
                story.at("2026-11-23T12:00:03Z").starts("2026-11-23T12:00:00Z")
            } else {
                story
            };
            story
                .at("2026-11-23T12:30:00Z")
                .starts_jobs(usize::from(policy != Forbid || second >= 60 && !early));
        }
    }
}

/// M4
#[test]
fn other_edits_leave_the_schedule_alone() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .when(|world| world.now = time("2026-11-23T09:00:10Z"))
        .edited(|spec| spec.successful_jobs_history_limit = 7)
        .operator_starts()
        .starts("2026-11-23T09:00:00Z")
        .then(|world| assert_eq!(world.status().observed_generation, Some(world.task.generation)));
}

/// M4
#[test]
fn an_edit_reverted_while_the_operator_is_down_is_no_edit() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .operator_stops()
        .edited(|spec| spec.schedule = Some("5 * * * *".into()))
        .at("2026-11-23T09:10:00Z")
        .edited(|spec| spec.schedule = Some("0 * * * *".into()))
        .operator_starts()
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1");
}

/// M4: No slot at or before `scheduleSince` is ever started, claimed or not.
#[test]
fn a_claim_older_than_the_edit_is_not_started() {
    given("0 9 * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:10:00Z")
        .edited(|spec| spec.schedule = Some("0 18 * * *".into()))
        .accepts_writes_again()
        .at("2026-11-23T09:30:00Z")
        .starts_nothing()
        .counts("missed 1");
}

/// D6
#[test]
fn an_edit_after_a_clock_step_back_repeats_no_slot() {
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

/// M4: The spec keeps the fraction and the status does not: an edit in each reconcile would start no slot at all. The same holds for
/// `endAt`.
#[test]
fn a_fraction_of_a_second_in_start_at_is_no_edit() {
    given("0 * * * *")
        .set("startAt", json!("2026-11-23T08:59:59.500Z"))
        .set("endAt", json!("2026-11-23T10:00:00.001Z"))
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .at("2026-11-23T12:00:00Z")
        .has_condition(READY, "True Ended")
        .counts("started 2");
}

/// M7: A start that was on time with the jitter of its schedule is not judged by the schedule of today.
#[test]
fn removing_jitter_makes_no_earlier_start_late() {
    let mut due = None;
    let story = given("0 * * * *")
        .set("jitter", json!("50m"))
        .since("2026-11-23T08:30:00Z")
        .then(|world| due = world.wake_at);
    let due = due.expect("it wakes").to_string();
    assert!(time(&due) > time("2026-11-23T09:01:00Z"), "a jitter worth the story: {due}");
    story
        .at(&due)
        .starts("2026-11-23T09:00:00Z")
        .has_condition(OVERDUE, "False OnTime")
        .edited(|spec| spec.jitter = None)
        .has_condition(OVERDUE, "False OnTime");
}

/// F11: the API server drops status fields that an older CRD does not know.
#[test]
fn a_pruned_status_is_reported_and_costs_no_slot() {
    given("0 * * * *")
        .set("jitter", json!("30s"))
        .with_world(|world| world.faults.prunes_status = true)
        .since("2026-11-23T08:00:00Z")
        .has_condition(READY, "False OutdatedCRD")
        .at("2026-11-23T09:00:30Z")
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1")
        .then(|world| assert!(world.status_writes < 8, "{} writes", world.status_writes));
}

/// F11: what the operator knew of the dropped fields is forgotten when it stops.
#[test]
fn a_pruned_schedule_is_no_edit_after_a_restart() {
    given("0 * * * *")
        .set("jitter", json!("30s"))
        .with_world(|world| world.faults.prunes_status = true)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:30Z")
        .starts("2026-11-23T09:00:00Z")
        .operator_stops()
        .at("2026-11-23T10:00:30Z")
        .operator_starts()
        .starts("2026-11-23T10:00:00Z")
        .has_condition(READY, "False OutdatedCRD")
        .counts("started 2");
}

/// F11: the field that tells of acceptance is dropped itself, and comes back when the CRD is applied.
#[test]
fn a_pruned_acceptance_is_reported_without_end() {
    for restarts in [false, true] {
        let mut story = given("0 * * * *")
            .with_world(|world| world.faults.prunes_status = true)
            .since("2026-11-23T08:00:00Z")
            .has_condition(READY, "False OutdatedCRD")
            .then(|world| assert!(world.status_writes < 6, "{} writes", world.status_writes))
            .with_world(|world| world.faults.prunes_status = false);
        if restarts {
            story = story.operator_stops().operator_starts();
        }
        story
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .has_condition(READY, "True Accepted");
    }
}

/// M4: An edit that only adds a field is not what an older CRD dropped.
#[test]
fn slots_of_a_suspension_are_skipped_whatever_is_added_to_the_schedule() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .edited(|spec| spec.suspend = true)
        .when(|world| {
            world.now = time("2026-11-23T10:30:00Z");
            world.edit(|spec| spec.start_at = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(time("2026-11-23T11:00:00Z"))));
        })
        .starts_nothing()
        .counts("skipped 2");
}
