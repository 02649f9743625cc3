//! Scenarios of `concurrencyPolicy: Allow`, where no claim is written and the Job's name is the lock.

use crate::plan::scenarios::story::{given, time};

/// D4: The name is the lock as long as the Job is kept.
#[test]
fn a_deposed_leader_finds_the_job_name_taken() {
    let mut story = given("*/5 * * * *").since("2026-11-23T08:00:00Z");
    story.world.now = time("2026-11-23T08:05:00Z");
    let stopped = story.world.observe();
    story
        .at("2026-11-23T08:05:01Z")
        .starts("2026-11-23T08:05:00Z")
        .succeeds("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:15:00Z")
        .starts("2026-11-23T08:15:00Z")
        .when(|world| world.execute_stale_plan(&stopped))
        .starts_nothing()
        .counts("started 2, succeeded 1, missed 1");
}
