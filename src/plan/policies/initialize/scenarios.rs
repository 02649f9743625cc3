//! Scenarios of tasks without a status: new, restored from a backup, or older than the operator.
//!
//! Nothing of the past starts, but for a task that is a few minutes old.

use crate::plan::scenarios::story::{given, time};

/// M5
#[test]
fn an_old_task_met_by_a_new_operator_runs_nothing_past() {
    given("*/5 * * * *")
        .applied("2024-11-23T08:00:00Z")
        .when(|world| world.now = time("2026-11-23T08:02:00Z"))
        .starts_nothing()
        .counts("")
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z");
}

/// M5: Its first slots passed during a short absence, so the latest of them is started.
#[test]
fn a_task_created_while_the_operator_was_away_runs() {
    given("* * * * *")
        .applied("2026-11-23T08:00:30Z")
        .when(|world| world.now = time("2026-11-23T08:02:10Z"))
        .starts("2026-11-23T08:02:00Z")
        .counts("started 1, missed 1");
}

/// M5
#[test]
fn a_lost_status_begins_anew_and_keeps_active_runs() {
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
            world.bump_resource_version();
        })
        .starts_nothing()
        .active(&["2026-11-23T08:10:00Z"])
        .counts("started 1")
        .succeeds("2026-11-23T08:10:00Z")
        .at("2026-11-23T09:15:00Z")
        .starts("2026-11-23T09:15:00Z");
}

/// M2: Otherwise `scheduleSince` would be 1970, and 29 million slots would be missed.
#[test]
fn a_clock_starting_in_1970_runs_no_slot_before_creation() {
    given("0 * * * *")
        .applied("2026-11-23T08:03:27Z")
        .when(|world| world.now = time("1970-01-01T00:00:40Z"))
        .at("2026-11-23T08:03:30Z")
        .starts_nothing()
        .counts("")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z");
}

/// Whoever started them died before it wrote a status: what has ended by then is no history of before the ledger.
#[test]
fn runs_of_a_new_task_that_ended_before_a_status_was_written_are_counted() {
    given("* * * * *")
        .operator_stops()
        .applied("2026-11-23T08:00:30Z")
        .at("2026-11-23T08:01:00Z")
        .crashes_after(2)
        .when(|world| world.is_running = true)
        .starts("2026-11-23T08:01:00Z")
        .then(|world| assert!(!world.is_running && world.status().schedule_since.is_none()))
        .succeeds("2026-11-23T08:01:00Z")
        .operator_starts()
        .at("2026-11-23T08:02:00Z")
        .starts("2026-11-23T08:02:00Z")
        .counts("started 2, succeeded 1");
}
