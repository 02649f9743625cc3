//! Several writers: conflicts, a second replica and a deposed leader must lose and duplicate nothing.

use super::story::{given, time};
use crate::api::ConcurrencyPolicy::*;

/// D3
#[test]
fn conflicting_status_writes_lose_and_duplicate_nothing() {
    for policy in [Allow, Forbid, Replace] {
        let mut story = given("*/5 * * * *").policy(policy).since("2026-11-23T08:00:00Z");
        for slot in ["2026-11-23T08:05:00Z", "2026-11-23T08:10:00Z", "2026-11-23T08:15:00Z"] {
            story.world.faults.conflicts = 3;
            story = story.at(slot).starts(slot);
            story.world.faults.conflicts = 2;
            story = story.succeeds(slot);
        }
        let story = story.starts_nothing().counts("started 3, succeeded 3");
        let said = story
            .world
            .announced
            .iter()
            .filter(|said| said.outcome.as_str() == "Succeeded")
            .count();
        assert_eq!(said, 3, "each end is announced once: {:#?}", story.world.announced);
    }
}

/// D3
#[test]
fn two_replicas_claim_a_slot_and_one_job_is_created() {
    for policy in [Allow, Forbid, Replace] {
        let mut story = given("*/5 * * * *").policy(policy).since("2026-11-23T08:00:00Z");
        for slot in ["2026-11-23T08:05:00Z", "2026-11-23T08:10:00Z"] {
            story.world.faults.other_replica = true;
            story = story.at(slot).starts(slot).starts_nothing();
            story.world.faults.other_replica = true;
            story = story.succeeds(slot);
        }
        story.counts("started 2, succeeded 2");
    }
}

/// D4
#[test]
fn a_deposed_leader_with_a_stale_plan_starts_nothing() {
    for policy in [Allow, Forbid, Replace, Queue] {
        let mut story = given("*/5 * * * *")
            .policy(policy)
            .history_limits(0, 0)
            .since("2026-11-23T08:00:00Z");
        story.world.now = time("2026-11-23T08:05:00Z");
        let stopped = story.world.observe();
        story
            .at("2026-11-23T08:05:01Z")
            .starts("2026-11-23T08:05:00Z")
            .succeeds("2026-11-23T08:05:00Z")
            .at("2026-11-23T08:10:00Z")
            .starts("2026-11-23T08:10:00Z")
            .then(|world| assert_eq!(world.jobs.len(), 1, "the first Job is pruned: its name is free again"))
            .when(|world| world.execute_stale_plan(&stopped))
            .starts_nothing()
            .active(&["2026-11-23T08:10:00Z"])
            .counts("started 2, succeeded 1");
    }
}
