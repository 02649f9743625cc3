//! Crashes of the operator: after every single effect of a busy morning, under each concurrency policy.
//!
//! The Jobs and counters of a morning with a crash are compared with those of the same morning without one.

use super::expect::counters;
use super::story::{Story, given, time};
use crate::api::ConcurrencyPolicy::{self, *};
use crate::plan::Exit;
use jiff::SignedDuration;

/// Slots that start, succeed, fail, overlap and are missed, and history that is deleted: some thirty effects.
fn a_busy_morning(policy: ConcurrencyPolicy, late: bool, crashes_after: usize) -> Story {
    let mut story = given("*/5 * * * *").policy(policy).history_limits(1, 0);
    story.world.coalesces = late;
    story.world.crashes_in = Some(crashes_after);
    let mut story = story.applied("2026-11-23T08:00:00Z");
    let reconcile = |story: Story, minute: i64, finish: bool| {
        let mut story = story.when(|world| {
            world.now = time("2026-11-23T08:00:00Z") + SignedDuration::from_mins(minute);
            for job in world.unfinished().iter().filter_map(|job| job.slot).collect::<Vec<_>>() {
                if finish {
                    world.end(job, minute % 2 == 0, Exit::Unknown);
                }
            }
        });
        if !story.world.is_running {
            story = story.operator_starts();
        }
        story.world.write_coalesced();
        if story.world.is_running { story } else { story.operator_starts() }
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
        story = reconcile(story, minute, finish);
    }
    story.world.crashes_in = None;
    reconcile(story, 44, false)
}

/// D1
#[test]
fn a_crash_after_any_effect_changes_no_job_or_counter() {
    for policy in [Allow, Forbid, Replace] {
        for late in [false, true] {
            let undisturbed = a_busy_morning(policy, late, usize::MAX);
            let expected = (undisturbed.world.started.clone(), counters(undisturbed.world.status()));
            for crashes_after in 1.. {
                let story = a_busy_morning(policy, late, crashes_after);
                let left = (story.world.started.clone(), counters(story.world.status()));
                assert_eq!(
                    left, expected,
                    "{policy:?}, coalesced writes: {late}, crashed after effect {crashes_after}"
                );
                if story.world.crashes == 0 {
                    // An announcement is part of a write, not an effect of its own.
                    assert!(crashes_after > 20, "{policy:?}: the morning had only {crashes_after} effects");
                    break;
                }
            }
        }
    }
}
