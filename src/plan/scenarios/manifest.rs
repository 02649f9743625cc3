//! What the Job of a run carries: its name, its slot and the interval that it stands for.

use super::story::given;
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::SUSPENDED;

/// L2
#[test]
fn each_job_carries_its_slot_and_interval() {
    given("*/5 9-17 * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:03Z")
        .starts("2026-11-23T09:00:00Z")
        .then(|world| {
            let said = &world.manifest["metadata"]["annotations"];
            assert_eq!(said["punctual.dev/slot"], "2026-11-23T09:00:00Z");
            assert_eq!(said["punctual.dev/interval-start"], "2026-11-22T17:55:00Z");
            assert_eq!(said["punctual.dev/interval-end"], "2026-11-23T09:00:00Z");
        });
}

/// S8
#[test]
fn task_names_of_52_characters_and_more_run() {
    for length in [52, 63, 253] {
        given("0 * * * *")
            .named(&"n".repeat(length))
            .policy(Forbid)
            .since("2026-11-23T08:00:00Z")
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .succeeds("2026-11-23T09:00:00Z")
            .then(|world| assert!(world.jobs.keys().all(|name| name.len() <= 63)))
            .has_condition(SUSPENDED, "False NotSuspended")
            .counts("started 1, succeeded 1");
    }
}
