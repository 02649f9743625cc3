//! Scenarios of `endAt`: the task says that its life is over when it is.
//!
//! `startingDeadlineSeconds` of slots that are due is in the scenarios of `missed`, that of refused slots in those of `refusal`.

use crate::api::condition::READY;
use crate::plan::scenarios::story::{given, time};
use serde_json::json;

/// S5: Its template is checked too, so that `kubectl wait --for=condition=Ready` does not hang.
#[test]
fn a_task_without_slots_left_is_ready_or_says_why() {
    given("0 9 1 1 *")
        .set("endAt", json!("2026-12-01T00:00:00Z"))
        .since("2026-11-23T08:00:00Z")
        .has_condition(READY, "True Accepted")
        .then(|world| assert!(world.status().next_runs.is_empty()))
        .at("2026-12-01T00:00:00Z")
        .has_condition(READY, "True Ended");
    given("0 9 1 1 *")
        .set("endAt", json!("2026-12-01T00:00:00Z"))
        .applied("2026-11-23T08:00:00Z")
        .refuses_creates("no latest tags")
        .has_condition(READY, "False JobRefused");
}

/// S5: Not only with the next change, and for a suspended task too (simulation, seed 588).
#[test]
fn end_at_is_reported_when_it_passes() {
    for suspend in [false, true] {
        given("0 * * * *")
            .set("endAt", json!("2026-11-23T09:30:00Z"))
            .set("suspend", json!(suspend))
            .since("2026-11-23T09:00:00Z")
            .then(|world| assert_eq!(world.wake_at, Some(time("2026-11-23T09:30:00Z"))))
            .at("2026-11-23T09:30:00Z")
            .has_condition(READY, "True Ended")
            .then(|world| assert_eq!(world.wake_at, None));
    }
}
