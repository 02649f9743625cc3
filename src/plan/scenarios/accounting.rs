//! A day with every kind of outcome, whose counters are known beforehand.
//!
//! The audit checks the sums at every write of every scenario; this one checks the values.

use super::story::{given, time};
use super::world::World;
use crate::api::ConcurrencyPolicy::*;
use serde_json::json;

/// L2
#[test]
fn every_slot_of_a_day_is_in_exactly_one_counter() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T00:00:00Z")
        .at("2026-11-23T01:00:00Z")
        .starts("2026-11-23T01:00:00Z")
        .at("2026-11-23T02:00:00Z")
        .latest_record("Skipped PreviousRunActive")
        .succeeds("2026-11-23T01:00:00Z")
        .starts_nothing()
        .at("2026-11-23T03:00:00Z")
        .starts("2026-11-23T03:00:00Z")
        .fails("2026-11-23T03:00:00Z", 7)
        .latest_record("Failed JobFailed")
        .at("2026-11-23T04:00:00Z")
        .starts("2026-11-23T04:00:00Z")
        .job_deleted("2026-11-23T04:00:00Z")
        .operator_stops()
        .at("2026-11-23T08:30:00Z")
        .operator_starts()
        .starts("2026-11-23T08:00:00Z")
        .succeeds("2026-11-23T08:00:00Z")
        .edited(|spec| spec.suspend = true)
        .at("2026-11-23T12:30:00Z")
        .edited(|spec| spec.suspend = false)
        .operator_stops()
        .at("2026-11-23T14:30:00Z")
        .edited(|spec| spec.schedule = Some("30 * * * *".into()))
        .operator_starts()
        .latest_record("Missed ScheduleChanged x2")
        .at("2026-11-23T15:30:00Z")
        .starts("2026-11-23T15:30:00Z")
        .counts("started 5, succeeded 2, failed 1, cancelled 1, missed 5, skipped 5");
}

#[test]
fn the_last_start_includes_requested_runs_and_backfills() {
    let times = |schedule: Option<&'static str>, start: &'static str| {
        move |world: &World| {
            let status = world.status();
            let [known_schedule, known_start] = [&status.last_schedule_time, &status.last_start_time].map(|at| at.as_ref().map(|at| at.0));
            assert_eq!(known_schedule, schedule.map(time));
            assert_eq!(known_start, Some(time(start)));
        }
    };
    given("0 * * * *")
        .set("startAt", json!("2026-11-23T06:00:00Z"))
        .since("2026-11-23T08:10:00Z")
        .at("2026-11-23T08:20:00Z")
        .requests_run("now")
        .then(times(None, "2026-11-23T08:20:00Z"))
        .at("2026-11-23T08:30:00Z")
        .requests_backfill("2026-11-23T07:00:00Z/PT1H")
        .then(times(None, "2026-11-23T08:30:00Z"))
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .then(times(Some("2026-11-23T09:00:00Z"), "2026-11-23T09:00:00Z"));
}
