//! Stories that went wrong when they were first told, each with what the plan did then.
//!
//! They stay together as a reminder of where this design is hard: answers that are lost, refusals that last, clocks that go
//! back. Takes the smallest story that showed the fault.

use super::story::{given, time};
use super::world::World;
use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::READY;

/// `history` deletes again while the refusal of its deletion waits: refused, planned and refused without end.
#[test]
fn s4_clean_up_that_may_not_delete_backs_off() {
    given("0 * * * *")
        .keeping(0, 0)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .refuses_deletes("jobs.batch is forbidden: cannot delete")
        .succeeds("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:30:00Z");
}

/// Deletions come first in the list, the first refusal ends it, and so no slot is ever started again.
#[test]
fn s7_clean_up_that_may_not_delete_keeps_no_slot_from_starting() {
    let mut story = given("0 * * * *")
        .keeping(0, 0)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .succeeds("2026-11-23T09:00:00Z");
    story.world.faults.refuses_deletes = Some("jobs.batch is forbidden: cannot delete".into());
    story = story.at("2026-11-23T10:00:00Z").starts("2026-11-23T10:00:00Z");
    story
        .succeeds("2026-11-23T10:00:00Z")
        .at("2026-11-23T11:00:00Z")
        .starts("2026-11-23T11:00:00Z");
}

/// A claim whose Job was refused is made as soon as the refusal is forgotten, even if the clock is behind the slot by then.
#[test]
fn d6_a_refused_claim_waits_for_its_slot_when_the_clock_is_set_back() {
    for policy in [Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .refuses_creates("exceeded quota")
            .at("2026-11-23T12:00:00Z")
            .takes_everything_again()
            .at("2026-11-23T09:30:00Z")
            .starts_nothing()
            .at("2026-11-23T12:00:01Z")
            .starts("2026-11-23T12:00:00Z");
    }
}

/// A claim is given up (late, suspended) without asking whether its Job was made: the slot is counted twice when it shows.
#[test]
fn d7_a_claim_whose_answer_was_lost_is_not_given_up_before_somebody_asked_for_its_job() {
    for policy in [Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .deadline(60)
            .since("2026-11-23T08:00:00Z")
            .falls_silent_after_the_next_post()
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:05:00Z")
            .answers_again()
            .the_watch_catches_up()
            .counts("started 1");
    }
}

/// The same by the author's hand.
#[test]
fn d7_a_claim_whose_answer_was_lost_is_not_skipped_by_a_pause() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .falls_silent_after_the_next_post()
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .edited(|spec| spec.suspend = true)
        .answers_again()
        .the_watch_catches_up()
        .counts("started 1");
}

/// The claim is given up, and the next slot starts beside the Job that nobody asked for: an overlap under Forbid.
#[test]
fn d7_a_lost_answer_never_leads_to_an_overlap_under_forbid() {
    given("*/5 * * * *")
        .policy(Forbid)
        .deadline(60)
        .since("2026-11-23T08:00:00Z")
        .falls_silent_after_the_next_post()
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .answers_again()
        .the_watch_catches_up()
        .starts_nothing()
        .counts("started 1, skipped 1");
}

/// Under Allow there is no claim to ask about: a slot whose Job is there already is missed for a newer one, then started.
#[test]
fn d7_a_lost_answer_under_allow_is_not_counted_as_missed_and_as_started() {
    given("*/5 * * * *")
        .since("2026-11-23T08:00:00Z")
        .falls_silent_after_the_next_post()
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .answers_again()
        .starts("2026-11-23T08:10:00Z")
        .the_watch_catches_up()
        .counts("started 2");
}

/// `scheduleSince`: "no slot at or before it is ever started". A claim from before the edit is made after it.
#[test]
fn m4_a_claim_that_is_older_than_the_edit_is_not_made_after_it() {
    given("0 9 * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .refuses_creates("exceeded quota")
        .at("2026-11-23T09:00:00Z")
        .at("2026-11-23T09:10:00Z")
        .edited(|spec| spec.schedule = Some("0 18 * * *".into()))
        .takes_everything_again()
        .at("2026-11-23T09:30:00Z")
        .starts_nothing()
        .counts("missed 1");
}

/// A clock that started in 1970 makes `scheduleSince` 1970: a slot from before the task's creation starts, 29 million are missed.
#[test]
fn m2_a_clock_that_started_in_1970_fires_no_slot_older_than_the_task() {
    given("0 * * * *")
        .applied("2026-11-23T08:03:27Z")
        .when(|world| world.now = time("1970-01-01T00:00:40Z"))
        .at("2026-11-23T08:03:30Z")
        .starts_nothing()
        .counts("")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z");
}

/// The claim that replaces was given up, yet the old run is deleted as soon as that is allowed: cancelled for nothing.
#[test]
fn s4_a_run_is_not_ended_for_a_slot_that_was_given_up() {
    given("0 9,10 * * *")
        .policy(Replace)
        .deadline(300)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .refuses_deletes("jobs.batch is forbidden: cannot delete")
        .at("2026-11-23T10:00:00Z")
        .at("2026-11-23T10:05:01Z")
        .takes_everything_again()
        .at("2026-11-23T10:20:00Z")
        .active(&["2026-11-23T09:00:00Z"])
        .counts("started 1, missed 1");
}

/// Whatever the API server said is kept in `recentRuns` at any length; etcd takes 1.5 MB, and then no status is written any more.
#[test]
fn l3_a_refusal_of_any_length_leaves_the_status_small() {
    given("*/5 * * * *")
        .since("2026-11-23T08:00:00Z")
        .refuses_creates(&"denied ".repeat(100_000))
        .at("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .newest("Missed JobRefused")
        .then(|world| assert!(bytes(world) < 40_000, "{} bytes", bytes(world)));
}

/// `runHistoryLimit` takes effect with the next new entry only; a stretch that grows is none.
#[test]
fn l3_a_lower_run_history_limit_takes_effect() {
    given("* * * * *")
        .since("2026-11-23T08:00:00Z")
        .lives_until("2026-11-23T08:10:00Z")
        .starts_as_many_as(10)
        .edited(|spec| spec.run_history_limit = 2)
        .then(|world| assert_eq!(world.status().recent_runs.len(), 2));
}

/// While the spec cannot be read the limit is taken to be ten, and a history of a hundred is cut for ever.
#[test]
fn l3_a_spec_that_cannot_be_read_costs_no_history() {
    given("* * * * *")
        .recording(100)
        .since("2026-11-23T08:00:00Z")
        .lives_until("2026-11-23T08:40:00Z")
        .starts_as_many_as(40)
        .at("2026-11-23T08:41:00Z")
        .starts("2026-11-23T08:41:00Z")
        .when(World::garble)
        .succeeds("2026-11-23T08:41:00Z")
        .says(READY, "False InvalidSpec")
        .then(|world| assert_eq!(world.status().recent_runs.len(), 41));
}

fn bytes(world: &World) -> usize {
    serde_json::to_vec(world.status()).expect("a status is JSON").len()
}
