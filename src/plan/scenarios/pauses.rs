//! M3 to M5 and M7: pauses, edits, restored tasks and late wake-ups.
//!
//! Takes stories in which slots pass that nobody may start afterwards. Never starts one that is older than its schedule.

use super::story::{given, time};
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::OVERDUE;
use crate::plan::plan;
use jiff::SignedDuration;

#[test]
fn m3_suspended_for_months_no_paused_slot_fires_and_the_next_one_does() {
    for policy in [Allow, Forbid, Replace] {
        given("0 3 * * *")
            .policy(policy)
            .since("2026-03-01T00:00:00Z")
            .lives_until("2026-03-03T04:00:00Z")
            .starts_as_many_as(3)
            .edited(|spec| spec.suspend = true)
            .at("2026-05-20T12:00:00Z")
            .then(|world| assert_eq!(world.wake_at, None, "a paused task sleeps"))
            .at("2026-08-31T12:00:00Z")
            .starts_nothing()
            .edited(|spec| spec.suspend = false)
            .starts_nothing()
            .newest("Skipped Suspended x181")
            .at("2026-09-01T03:00:00Z")
            .starts("2026-09-01T03:00:00Z")
            .counts("started 4, succeeded 3, skipped 181");
    }
}

#[test]
fn m3_a_pause_within_a_starting_deadline_fires_nothing_of_the_pause_either() {
    given("* * * * *")
        .deadline(86_400)
        .since("2026-11-23T08:00:00Z")
        .edited(|spec| spec.suspend = true)
        .at("2026-11-23T08:30:30Z")
        .edited(|spec| spec.suspend = false)
        .starts_nothing()
        .counts("skipped 30")
        .at("2026-11-23T08:31:00Z")
        .starts("2026-11-23T08:31:00Z");
}

#[test]
fn m3_a_task_that_is_born_suspended_owes_nothing() {
    given("* * * * *")
        .suspended()
        .since("2026-11-23T08:00:30Z")
        .at("2026-11-23T12:00:30Z")
        .edited(|spec| spec.suspend = false)
        .starts_nothing()
        .counts("skipped 240");
}

#[test]
fn m4_an_edit_never_fires_a_slot_older_than_itself_and_the_old_wake_up_does_nothing() {
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

#[test]
fn m4_an_edit_of_the_zone_is_an_edit_of_the_schedule() {
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

#[test]
fn m4_at_any_second_around_a_slot_an_edit_leaves_the_slot_one_fate() {
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
                .starts_as_many_as(usize::from(policy != Forbid || second >= 60 && !early));
        }
    }
}

#[test]
fn m4_an_edit_of_anything_else_leaves_the_schedule_alone() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .down()
        .when(|world| world.now = time("2026-11-23T09:00:10Z"))
        .edited(|spec| spec.successful_jobs_history_limit = 7)
        .up()
        .starts("2026-11-23T09:00:00Z")
        .then(|world| assert_eq!(world.status().observed_generation, Some(world.task.generation)));
}

#[test]
fn m4_an_edit_and_its_undoing_while_nobody_looked_is_no_edit() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .down()
        .edited(|spec| spec.schedule = Some("5 * * * *".into()))
        .at("2026-11-23T09:10:00Z")
        .edited(|spec| spec.schedule = Some("0 * * * *".into()))
        .up()
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1");
}

#[test]
fn m5_met_by_a_new_operator_an_old_task_owes_nothing_of_its_past() {
    given("*/5 * * * *")
        .applied("2024-11-23T08:00:00Z")
        .when(|world| world.now = time("2026-11-23T08:02:00Z"))
        .starts_nothing()
        .counts("")
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z");
}

#[test]
fn m5_applied_while_the_operator_was_away_for_a_moment_the_first_slot_is_owed() {
    given("* * * * *")
        .applied("2026-11-23T08:00:30Z")
        .when(|world| world.now = time("2026-11-23T08:02:10Z"))
        .starts("2026-11-23T08:02:00Z")
        .counts("started 1, missed 1");
}

#[test]
fn m5_when_its_status_is_lost_the_ledger_begins_from_now_and_keeps_the_run_that_goes_on() {
    given("*/5 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .succeeds("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:10:00Z")
        .when(|world| {
            (world.audit.loose, world.task.status) = (true, Default::default());
            world.now = time("2026-11-23T09:12:00Z");
            world.touch();
        })
        .starts_nothing()
        .active(&["2026-11-23T08:10:00Z"])
        .counts("started 1")
        .succeeds("2026-11-23T08:10:00Z")
        .at("2026-11-23T09:15:00Z")
        .starts("2026-11-23T09:15:00Z");
}

#[test]
fn m7_a_lost_wake_up_is_made_good_by_the_next_look_and_overdue_says_so() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .says(OVERDUE, "False OnTime")
        .at("2026-11-23T10:03:20Z")
        .starts("2026-11-23T10:00:00Z")
        .says(OVERDUE, "True StartedLate")
        .at("2026-11-23T11:00:05Z")
        .starts("2026-11-23T11:00:00Z")
        .says(OVERDUE, "False OnTime");
}

#[test]
fn m7_it_wakes_at_the_slot_and_waking_early_does_nothing() {
    let mut story = given("0 9 * * *").zone("America/New_York").since("2026-11-23T08:00:00Z");
    assert_eq!(story.world.wake_at, Some(time("2026-11-23T14:00:00Z")));
    let early = time("2026-11-23T13:59:59.999Z");
    let mut observed = story.world.observe();
    observed.now = early;
    assert!(plan(&observed).effects.is_empty(), "an early look");
    story.at("2026-11-23T14:00:00Z").starts("2026-11-23T14:00:00Z");
}
