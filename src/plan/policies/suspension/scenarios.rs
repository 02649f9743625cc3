//! Scenarios of `suspend`: slots that pass meanwhile are skipped, and none of them starts afterwards.

use crate::api::ConcurrencyPolicy::*;
use crate::plan::scenarios::story::given;

/// M3: The next one does.
#[test]
fn no_slot_of_a_long_suspension_starts_after_it() {
    for policy in [Allow, Forbid, Replace] {
        given("0 3 * * *")
            .policy(policy)
            .since("2026-03-01T00:00:00Z")
            .runs_until("2026-03-03T04:00:00Z")
            .starts_jobs(3)
            .edited(|spec| spec.suspend = true)
            .at("2026-05-20T12:00:00Z")
            .then(|world| assert_eq!(world.wake_at, None, "a suspended task sleeps"))
            .at("2026-08-31T12:00:00Z")
            .starts_nothing()
            .edited(|spec| spec.suspend = false)
            .starts_nothing()
            .latest_record("Skipped Suspended x181")
            .at("2026-09-01T03:00:00Z")
            .starts("2026-09-01T03:00:00Z")
            .counts("started 4, succeeded 3, skipped 181");
    }
}

/// M3
#[test]
fn a_starting_deadline_revives_no_slot_of_a_suspension() {
    given("* * * * *")
        .deadline(86_400)
        .since("2026-11-23T08:00:00Z")
        .edited(|spec| spec.suspend = true)
        .at("2026-11-23T08:30:30Z")
        .edited(|spec| spec.suspend = false)
        .starts_nothing()
        .counts("skipped 30")
        .at("2026-11-23T08:31:00Z")
        .starts("2026-11-23T08:31:00Z");
}

/// M3
#[test]
fn a_task_created_suspended_skips_its_slots() {
    given("* * * * *")
        .suspended()
        .since("2026-11-23T08:00:30Z")
        .at("2026-11-23T12:00:30Z")
        .edited(|spec| spec.suspend = false)
        .starts_nothing()
        .counts("skipped 240");
}
