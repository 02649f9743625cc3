//! What tools make of a task that is not ready: Stalled where only a person can help, Reconciling where time does, else neither.

use super::story::given;
use crate::api::condition::{READY, RECONCILING, STALLED};

#[test]
fn a_wrong_spec_is_stalled_until_it_is_fixed() {
    given("0 * * * *")
        .zone("Mars/Olympus")
        .since("2026-11-23T08:00:00Z")
        .has_condition(STALLED, "True UnknownTimeZone")
        .has_no_condition(RECONCILING)
        .then(|world| assert_eq!(world.status_writes, 1, "they ride on the write of Ready"))
        .edited(|spec| spec.time_zone = "UTC".into())
        .has_condition(READY, "True Accepted")
        .has_no_condition(STALLED)
        .has_no_condition(RECONCILING)
        .then(|world| assert_eq!(world.status_writes, 2));
}

#[test]
fn an_invalid_job_is_stalled_and_a_full_quota_is_waited_for() {
    for (said, there, absent) in [
        (
            "Job.batch \"x\" is invalid: spec.template.spec.containers[0].image",
            STALLED,
            RECONCILING,
        ),
        ("jobs.batch \"x\" is forbidden: exceeded quota: q", RECONCILING, STALLED),
    ] {
        let mut story = given("0 * * * *").applied("2026-11-23T08:00:00Z");
        story.world.faults.refuses_creates = Some(said.into());
        let story = story
            .at("2026-11-23T08:00:01Z")
            .has_condition(READY, "False JobRefused")
            .has_condition(there, "True JobRefused")
            .has_no_condition(absent)
            // At the slot the creation itself is refused.
            .at("2026-11-23T09:00:00Z")
            .has_condition(there, "True JobRefused")
            .has_no_condition(absent);
        story
            .accepts_writes_again()
            .at("2026-11-23T09:01:00Z")
            .starts("2026-11-23T09:00:00Z")
            .has_condition(READY, "True Accepted")
            .has_no_condition(there);
    }
}

#[test]
fn a_healthy_task_that_fails_or_is_suspended_is_not_stalled() {
    given("0 * * * *")
        .set("suspendAfterFailures", 1.into())
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .fails("2026-11-23T09:00:00Z", 1)
        .has_condition("Suspended", "True TooManyFailures")
        .has_condition(READY, "True Accepted")
        .has_no_condition(STALLED)
        .has_no_condition(RECONCILING);
}
