//! How long runs took, as the status keeps it: which runs count, how many are kept, and what somebody else may have written there.

use super::story::{Story, given, time};
use super::world::World;
use crate::plan::{Outcome, Reason};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;

fn durations(expected: &[i64]) -> impl Fn(&World) {
    move |world| assert_eq!(world.status().recent_run_seconds, expected, "at {}", world.now)
}

/// Somebody writes the durations into the status.
fn written(world: &mut World, seconds: Vec<i64>) {
    Arc::make_mut(&mut world.task.status).recent_run_seconds = seconds;
    world.bump_resource_version();
}

/// The next `runs` runs take 1, 2, 3, … seconds.
fn growing(mut story: Story, first: &str, runs: i64) -> Story {
    for run in 0..runs {
        let slot = time(first) + SignedDuration::from_mins(run);
        let (start, end) = (slot.to_string(), slot + SignedDuration::from_secs(run + 1));
        story = story.at(&start).starts(&start).at(&end.to_string()).succeeds(&start);
    }
    story
}

#[test]
fn only_runs_that_succeed_leave_a_duration() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .then(|world| assert_eq!(json!(world.status()).get("recentRunSeconds"), None))
        .at("2026-11-23T09:01:30Z")
        .succeeds("2026-11-23T09:00:00Z")
        .then(durations(&[90]))
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .at("2026-11-23T10:00:20Z")
        .fails("2026-11-23T10:00:00Z", 1)
        .at("2026-11-23T11:00:00Z")
        .starts("2026-11-23T11:00:00Z")
        .at("2026-11-23T11:00:40Z")
        .job_deleted("2026-11-23T11:00:00Z")
        .counts("started 3, succeeded 1, failed 1, cancelled 1")
        .then(durations(&[90]))
        .at("2026-11-23T12:00:00Z")
        .starts("2026-11-23T12:00:00Z")
        .at("2026-11-23T12:00:05Z")
        .succeeds("2026-11-23T12:00:00Z")
        .then(durations(&[5, 90]));
}

#[test]
fn a_retried_run_took_the_time_of_all_attempts() {
    given("0 * * * *")
        .retry_policy(1, "10m")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:05:00Z")
        .fails("2026-11-23T09:00:00Z", 1)
        .at("2026-11-23T09:15:00Z")
        .retries("2026-11-23T09:00:00Z", 2)
        .at("2026-11-23T09:20:00Z")
        .succeeds("2026-11-23T09:00:00Z")
        .then(durations(&[1_200]));
}

#[test]
fn backfilled_runs_leave_a_duration() {
    given("0 * * * *")
        .since("2026-11-23T08:10:00Z")
        .at("2026-11-23T08:30:00Z")
        .requests_backfill("2026-11-23T07:00:00Z/PT1H")
        .at("2026-11-23T08:31:00Z")
        .succeeds("2026-11-23T07:00:00Z")
        .counts("started 1, succeeded 1, requested 1")
        .then(durations(&[60]));
}

#[test]
fn the_last_twenty_durations_are_kept() {
    let story = given("* * * * *").run_history_limit(0).since("2026-11-23T08:59:30Z");
    let newest: Vec<i64> = (6..=25).rev().collect();
    growing(story, "2026-11-23T09:00:00Z", 25)
        .operator_stops()
        .operator_starts()
        .edited(|spec| spec.schedule = Some("30 * * * *".into()))
        .counts("started 25, succeeded 25")
        .then(durations(&newest));
}

#[test]
fn impossible_durations_are_removed_and_announced() {
    let story = given("* * * * *").since("2026-11-23T08:59:30Z");
    let many = [vec![-1, i64::MAX, i64::MIN], vec![7; 10_000]].concat();
    let story = growing(story, "2026-11-23T09:00:00Z", 3)
        .when(|world| written(world, many))
        .then(durations(&[7; 20]))
        .announces("9983 entries of recentRunSeconds were impossible");
    assert_eq!(
        story
            .world
            .announced
            .iter()
            .filter(|said| said.reason == Reason::LedgerRepaired)
            .count(),
        1
    );
    growing(story, "2026-11-23T09:03:00Z", 1).then(|world| assert_eq!(world.status().recent_run_seconds[..2], [1, 7]));
}

#[test]
fn the_announcement_of_an_end_says_how_long_the_run_took() {
    let story = given("* * * * *").since("2026-11-23T08:59:30Z");
    growing(story, "2026-11-23T09:00:00Z", 1)
        .at("2026-11-23T09:01:00Z")
        .starts("2026-11-23T09:01:00Z")
        .at("2026-11-23T09:01:08Z")
        .fails("2026-11-23T09:01:00Z", 1)
        .at("2026-11-23T09:02:00Z")
        .starts("2026-11-23T09:02:00Z")
        .at("2026-11-23T09:02:09Z")
        .job_deleted("2026-11-23T09:02:00Z")
        .then(|world| {
            let said = world.announced.iter().filter(|said| said.outcome != Outcome::Started);
            let said: Vec<_> = said.map(|said| (said.outcome, said.run_seconds)).collect();
            let expected = [
                (Outcome::Succeeded, Some(1)),
                (Outcome::Failed, Some(8)),
                (Outcome::Cancelled, None),
            ];
            assert_eq!(said, expected);
        });
}
