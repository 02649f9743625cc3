//! Schedules that never match, invalid specs and specs that cannot be read: reported at once, and harmless to what runs.

use super::story::given;
use super::world::World;
use crate::api::condition::{HEALTHY, READY};

/// S5
#[test]
fn a_schedule_that_never_matches_is_reported_and_costs_nothing() {
    let begun = std::time::Instant::now();
    for schedule in ["59 23 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *"] {
        given(schedule)
            .since("2026-11-23T08:00:00Z")
            .has_condition(READY, "False NeverRuns")
            .at("2027-11-23T08:00:00Z")
            .starts_nothing()
            .then(|world| assert_eq!(world.wake_at, None))
            .edited(|spec| spec.schedule = Some("0 9 * * *".into()))
            .has_condition(READY, "True Accepted")
            .at("2027-11-23T09:00:00Z")
            .starts("2027-11-23T09:00:00Z");
    }
    assert!(begun.elapsed().as_secs() < 5);
}

/// S5: Active runs continue.
#[test]
fn an_invalid_schedule_or_time_zone_is_reported() {
    for (wrong, reason) in [
        ("61 * * * *", "InvalidSchedule"),
        ("every day", "InvalidSchedule"),
        ("", "InvalidSchedule"),
    ] {
        given(wrong)
            .since("2026-11-23T08:00:00Z")
            .has_condition(READY, &format!("False {reason}"))
            .starts_nothing();
    }
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .edited(|spec| spec.time_zone = "Mars/Olympus".into())
        .has_condition(READY, "False UnknownTimeZone")
        .announces("Mars/Olympus")
        .fails("2026-11-23T09:00:00Z", 3)
        .then(|world| {
            let said = |said: &&crate::plan::Announcement| said.reason == crate::plan::Reason::InvalidSpec;
            assert_eq!(world.announced.iter().filter(said).count(), 1, "once, and not in each plan");
        })
        .has_condition(HEALTHY, "False JobFailed")
        .counts("started 1, failed 1");
}

/// S6: The ledger is kept meanwhile.
#[test]
fn an_unreadable_spec_is_reported_and_recovers_when_fixed() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .when(World::apply_unreadable_spec)
        .has_condition(READY, "False InvalidSpec")
        .succeeds("2026-11-23T09:00:00Z")
        .counts("started 1, succeeded 1")
        .at("2026-11-23T09:30:00Z")
        .edited(|_| ())
        .has_condition(READY, "True Accepted")
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z");
}
