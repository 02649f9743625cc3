//! The status: how large it becomes, how often it is written, and that nothing else of a task is ever written.

use super::story::{given, time};
use super::world::World;
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::READY;
use jiff::SignedDuration;

/// P5
#[test]
fn no_plan_changes_spec_generation_or_name() {
    // The type of `Effect` has no way to say it; this is for the day when somebody adds one.
    let story = given("*/5 * * * *")
        .policy(Replace)
        .history_limits(1, 1)
        .since("2026-11-23T08:00:00Z");
    let before = (
        story.world.spec().unwrap().fields.clone(),
        story.world.task.generation,
        story.world.task.key(),
    );
    story
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:10:00Z")
        .fails("2026-11-23T08:10:00Z", 1)
        .runs_until("2026-11-23T10:00:00Z")
        .starts_jobs(22)
        .then(|world| {
            assert_eq!(
                (world.spec().unwrap().fields.clone(), world.task.generation, world.task.key()),
                before
            )
        });
}

/// L3
#[test]
fn an_idle_task_writes_nothing() {
    for late in [false, true] {
        let mut story = given("0 * * * *").policy(Forbid).since("2026-11-23T08:00:00Z");
        story.world.coalesces = late;
        let mut story = story
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:01:30Z");
        let (writes, tried) = (story.world.status_writes, story.world.dry_runs);
        for minute in 0..58 {
            story = story.when(|world| world.now = time("2026-11-23T09:02:00Z") + SignedDuration::from_mins(minute));
        }
        story = story.operator_stops().operator_starts();
        assert_eq!(
            (story.world.status_writes, story.world.dry_runs),
            (writes, tried),
            "an hour of reconciles"
        );
    }
}

/// L3
#[test]
fn a_run_costs_two_writes_or_three_with_a_claim() {
    for (policy, late, most) in [
        (Allow, true, 2),
        (Allow, false, 2),
        (Forbid, false, 3),
        (Forbid, true, 3),
        (Replace, true, 3),
    ] {
        let mut story = given("0 * * * *").policy(policy).since("2026-11-23T08:00:00Z");
        story.world.coalesces = late;
        story = story.runs_until("2026-11-23T12:00:00Z").starts_jobs(4);
        let before = story.world.status_writes;
        let story = story.runs_until("2026-11-24T12:00:00Z").starts_jobs(24);
        let each = (story.world.status_writes - before).div_ceil(24);
        assert!(each <= most, "{policy:?}, coalesced writes: {late}: {each} writes a run");
    }
}

/// L3
#[test]
fn the_status_stays_small_however_long_the_task_lives() {
    given("* * * * *")
        .policy(Forbid)
        .run_history_limit(100)
        .since("2026-11-23T08:00:00Z")
        .runs_until("2026-11-23T12:00:00Z")
        .starts_jobs(240)
        .at("2026-11-23T12:01:00Z")
        .starts("2026-11-23T12:01:00Z")
        .at("2026-11-23T12:02:00Z")
        .at("2026-11-23T12:03:00Z")
        .latest_record("Skipped PreviousRunActive x2")
        .has_condition(READY, "True Accepted")
        .then(|world| {
            assert_eq!((world.status().recent_runs.len(), world.status().next_runs.len()), (100, 5));
            let bytes = serde_json::to_vec(world.status()).unwrap().len();
            assert!(bytes < 40_000, "{bytes}");
        });
}

/// L3
#[test]
fn a_task_without_run_history_still_counts() {
    given("* * * * *")
        .run_history_limit(0)
        .since("2026-11-23T08:00:00Z")
        .runs_until("2026-11-23T08:10:00Z")
        .starts_jobs(10)
        .counts("started 10, succeeded 10")
        .then(|world| assert!(world.status().recent_runs.is_empty()));
}

/// L3: Not only with the next new entry.
#[test]
fn a_lower_run_history_limit_takes_effect_at_once() {
    given("* * * * *")
        .since("2026-11-23T08:00:00Z")
        .runs_until("2026-11-23T08:10:00Z")
        .starts_jobs(10)
        .edited(|spec| spec.run_history_limit = 2)
        .then(|world| assert_eq!(world.status().recent_runs.len(), 2));
}

/// L3: Without a spec the default limit must not cut a history of a hundred to ten.
#[test]
fn an_unreadable_spec_does_not_truncate_the_history() {
    given("* * * * *")
        .run_history_limit(100)
        .since("2026-11-23T08:00:00Z")
        .runs_until("2026-11-23T08:40:00Z")
        .starts_jobs(40)
        .at("2026-11-23T08:41:00Z")
        .starts("2026-11-23T08:41:00Z")
        .when(World::apply_unreadable_spec)
        .succeeds("2026-11-23T08:41:00Z")
        .has_condition(READY, "False InvalidSpec")
        .then(|world| assert_eq!(world.status().recent_runs.len(), 41));
}
