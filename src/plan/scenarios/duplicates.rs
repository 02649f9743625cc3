//! D1 to D4 and D7: crashes, deletions, conflicts and lost answers that make others run a slot twice.
//!
//! Takes stories with death after every single effect. Never trusts a lucky order: where two are possible, both are told.

use super::story::{Story, given, time};
use crate::api::ConcurrencyPolicy::{self, *};
use jiff::SignedDuration;

/// Slots that start, succeed, fail, overlap and are missed, and history that is deleted: some thirty effects.
fn a_busy_morning(policy: ConcurrencyPolicy, late: bool, dies_after: usize) -> Story {
    let mut story = given("*/5 * * * *").policy(policy).keeping(1, 0);
    story.world.merges_late = late;
    story.world.dies_in = Some(dies_after);
    let mut story = story.applied("2026-11-23T08:00:00Z");
    let look = |story: Story, minute: i64, finish: bool| {
        let mut story = story.when(|world| {
            world.now = time("2026-11-23T08:00:00Z") + SignedDuration::from_mins(minute);
            for job in world.unfinished().iter().filter_map(|job| job.slot).collect::<Vec<_>>() {
                if finish {
                    world.end(job, minute % 2 == 0, crate::plan::Exit::Unknown);
                }
            }
        });
        if !story.world.awake {
            story = story.up();
        }
        story.world.write_what_waits();
        if story.world.awake { story } else { story.up() }
    };
    for (minute, finish) in [
        (0, false),
        (5, false),
        (6, true),
        (10, false),
        (12, true),
        (15, false),
        (20, false),
        (22, true),
        (40, false),
        (41, true),
        (42, true),
    ] {
        story = look(story, minute, finish);
    }
    story.world.dies_in = None;
    look(story, 44, false)
}

#[test]
fn d1_death_after_each_single_effect_leaves_one_job_for_each_slot_and_the_same_books() {
    for policy in [Allow, Forbid, Replace] {
        for late in [false, true] {
            let undisturbed = a_busy_morning(policy, late, usize::MAX);
            let expected = (undisturbed.world.made.clone(), super::expect::counters(undisturbed.world.status()));
            for dies_after in 1.. {
                let story = a_busy_morning(policy, late, dies_after);
                let left = (story.world.made.clone(), super::expect::counters(story.world.status()));
                assert_eq!(
                    left, expected,
                    "{policy:?}, merged writes late: {late}, dead after effect {dies_after}"
                );
                if story.world.deaths == 0 {
                    // What is said about a write is a part of it, and no effect of its own.
                    assert!(dies_after > 20, "{policy:?}: the morning had only {dies_after} effects");
                    break;
                }
            }
        }
    }
}

#[test]
fn d2_a_job_that_is_deleted_right_after_it_finished_is_not_run_again() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .succeeds("2026-11-23T09:00:00Z")
            .sees_deleted("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:00:30Z")
            .starts_nothing()
            .down()
            .at("2026-11-23T09:01:00Z")
            .up()
            .starts_nothing()
            .counts("started 1, succeeded 1");
    }
}

#[test]
fn d2_a_job_that_finished_and_was_deleted_between_two_looks_counts_as_what_it_was() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .when(|world| {
            world.end(time("2026-11-23T09:00:00Z"), true, crate::plan::Exit::Unknown);
            world.remove("report-1795424400");
        })
        .starts_nothing()
        .counts("started 1, succeeded 1");
}

#[test]
fn d2_a_job_that_is_deleted_while_it_runs_is_cancelled_and_not_run_again() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:10:00Z")
            .sees_deleted("2026-11-23T09:00:00Z")
            .starts_nothing()
            .newest("Cancelled JobDeleted")
            .at("2026-11-23T10:00:00Z")
            .starts("2026-11-23T10:00:00Z")
            .counts("started 2, cancelled 1");
    }
}

#[test]
fn d2_a_job_that_is_deleted_while_the_operator_is_down_is_not_run_again() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .down()
        .sees_deleted("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:20:00Z")
        .up()
        .starts_nothing()
        .counts("started 1, cancelled 1");
}

#[test]
fn d2_history_of_no_jobs_at_all_deletes_only_what_is_counted() {
    given("* * * * *")
        .keeping(0, 0)
        .merging_late()
        .since("2026-11-23T08:00:00Z")
        .lives_until("2026-11-23T08:30:00Z")
        .starts_as_many_as(30)
        .counts("started 30, succeeded 30")
        .then(|world| assert!(world.jobs.is_empty() && world.deleted.len() == 30));
}

#[test]
fn d3_a_status_that_others_write_all_the_time_loses_nothing_and_doubles_nothing() {
    for policy in [Allow, Forbid, Replace] {
        let mut story = given("*/5 * * * *").policy(policy).since("2026-11-23T08:00:00Z");
        for slot in ["2026-11-23T08:05:00Z", "2026-11-23T08:10:00Z", "2026-11-23T08:15:00Z"] {
            story.world.faults.conflicts = 3;
            story = story.at(slot).starts(slot);
            story.world.faults.conflicts = 2;
            story = story.succeeds(slot);
        }
        let story = story.starts_nothing().counts("started 3, succeeded 3");
        let said = story.world.said.iter().filter(|said| said.outcome.as_str() == "Succeeded").count();
        assert_eq!(said, 3, "each end is announced once: {:#?}", story.world.said);
    }
}

#[test]
fn d3_two_writers_claim_the_same_slot_and_one_job_is_made() {
    for policy in [Allow, Forbid, Replace] {
        let mut story = given("*/5 * * * *").policy(policy).since("2026-11-23T08:00:00Z");
        for slot in ["2026-11-23T08:05:00Z", "2026-11-23T08:10:00Z"] {
            story.world.faults.rival = true;
            story = story.at(slot).starts(slot).starts_nothing();
            story.world.faults.rival = true;
            story = story.succeeds(slot);
        }
        story.counts("started 2, succeeded 2");
    }
}

#[test]
fn d4_a_process_that_was_stopped_before_its_claim_wakes_deposed_and_runs_nothing() {
    for policy in [Forbid, Replace] {
        let mut story = given("*/5 * * * *").policy(policy).keeping(0, 0).since("2026-11-23T08:00:00Z");
        story.world.now = time("2026-11-23T08:05:00Z");
        let stopped = story.world.observe();
        story
            .at("2026-11-23T08:05:01Z")
            .starts("2026-11-23T08:05:00Z")
            .succeeds("2026-11-23T08:05:00Z")
            .at("2026-11-23T08:10:00Z")
            .starts("2026-11-23T08:10:00Z")
            .then(|world| assert_eq!(world.jobs.len(), 1, "the first Job is forgotten: its name is free again"))
            .when(|world| world.does_what_was_planned_before(&stopped))
            .starts_nothing()
            .active(&["2026-11-23T08:10:00Z"])
            .counts("started 2, succeeded 1");
    }
}

#[test]
fn d4_under_allow_the_name_is_the_lock_as_long_as_the_job_is_kept() {
    let mut story = given("*/5 * * * *").since("2026-11-23T08:00:00Z");
    story.world.now = time("2026-11-23T08:05:00Z");
    let stopped = story.world.observe();
    story
        .at("2026-11-23T08:05:01Z")
        .starts("2026-11-23T08:05:00Z")
        .succeeds("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:15:00Z")
        .starts("2026-11-23T08:15:00Z")
        .when(|world| world.does_what_was_planned_before(&stopped))
        .starts_nothing()
        .counts("started 2, succeeded 1, missed 1");
}

#[test]
fn d7_a_post_whose_answer_is_lost_makes_one_job_and_loses_none() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .loses_the_next_answer()
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .starts_nothing()
            .falls_silent_after_the_next_post()
            .succeeds("2026-11-23T09:00:00Z")
            .at("2026-11-23T10:00:00Z")
            .starts("2026-11-23T10:00:00Z")
            .at("2026-11-23T10:20:00Z")
            .answers_again()
            .starts_nothing()
            .the_watch_catches_up()
            .active(&["2026-11-23T10:00:00Z"])
            .counts("started 2, succeeded 1");
    }
}
