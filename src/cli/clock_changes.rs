//! Finds the next clock changes in which `daylightSaving` decides about a slot of a task.
//!
//! A change is relevant if the schedule names different numbers of slots around it under the two policies.

use crate::api::{Gap, ObservedSchedule, Overlap, ScheduledTaskSpec};
use crate::plan;
use jiff::{SignedDuration, Timestamp};

/// How far ahead to search: more than a year.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A clock change with a slot in the skipped or repeated hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockChange {
    zone: String,
    date: String,
    /// The local times that are skipped or repeated.
    from: String,
    until: String,
    /// The policy of the task for this change.
    policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Gap(Gap),
    Overlap(Overlap),
}

impl ClockChange {
    /// What will happen, in a sentence.
    pub fn describe(&self) -> String {
        let Self {
            zone, date, from, until, ..
        } = self;
        let gap = format!("on {date} clocks in {zone} skip {from} to {until}");
        let overlap = format!("on {date} clocks in {zone} repeat {from} to {until}");
        match self.policy {
            Policy::Gap(Gap::RunAfter) => format!("{gap}: the slot in that hour starts at {until} (daylightSaving.gap: RunAfter)"),
            Policy::Gap(Gap::Skip) => format!("{gap}: the slot in that hour does not run (daylightSaving.gap: Skip)"),
            Policy::Overlap(Overlap::First) => {
                format!("{overlap}: the slot in that hour runs the first time only (daylightSaving.overlap: First)")
            }
            Policy::Overlap(Overlap::Both) => format!("{overlap}: the slot in that hour runs both times (daylightSaving.overlap: Both)"),
        }
    }
}

/// The next relevant change forward and the next one back. `task` is the key of the task.
pub fn next(fields: &ScheduledTaskSpec, task: &str, now: Timestamp) -> Vec<ClockChange> {
    let observed = fields.observed_schedule();
    let Ok(schedule) = plan::schedule_of(&observed, task) else {
        return Vec::new();
    };
    let count = |observed: &ObservedSchedule, after: Timestamp, until: Timestamp| {
        plan::schedule_of(observed, task).map_or(0, |schedule| schedule.count(after, until))
    };
    let differ = |one: ObservedSchedule, other: ObservedSchedule, after, until| count(&one, after, until) != count(&other, after, until);
    let zone = schedule.time_zone();
    let mut changes: Vec<ClockChange> = Vec::new();
    for change in zone.following(now).take_while(|change| change.timestamp() <= now + HORIZON) {
        let at = change.timestamp();
        let before = zone.to_offset(at - SECOND);
        let shift = SignedDuration::from_secs(i64::from(change.offset().seconds() - before.seconds()));
        let (policy, relevant) = if shift.is_positive() {
            let [after, skip] = [Gap::RunAfter, Gap::Skip].map(|gap| ObservedSchedule { gap, ..observed.clone() });
            (Policy::Gap(observed.gap), differ(after, skip, at - SECOND, at))
        } else if shift.is_negative() {
            let [first, both] = [Overlap::First, Overlap::Both].map(|overlap| ObservedSchedule {
                overlap,
                ..observed.clone()
            });
            (
                Policy::Overlap(observed.overlap),
                differ(first, both, at - SECOND, at - shift - SECOND),
            )
        } else {
            continue;
        };
        let known = |change: &ClockChange| std::mem::discriminant(&change.policy) == std::mem::discriminant(&policy);
        if !relevant || changes.iter().any(known) {
            continue;
        }
        let [old, new] = [before, change.offset()].map(|offset| offset.to_datetime(at));
        let (from, until) = if shift.is_positive() { (old, new) } else { (new, old) };
        changes.push(ClockChange {
            zone: fields.zone().to_owned(),
            date: from.date().to_string(),
            from: from.strftime("%H:%M").to_string(),
            until: until.strftime("%H:%M").to_string(),
            policy,
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn describe(schedule: &str, zone: &str, more: serde_json::Value) -> Vec<String> {
        let mut spec = json!({"schedule": schedule, "timeZone": zone, "jobTemplate": {}});
        spec["daylightSaving"] = more;
        let fields = ScheduledTaskSpec::read(&spec).unwrap();
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        next(&fields, "default/x", now).iter().map(ClockChange::describe).collect()
    }

    #[test]
    fn a_slot_in_the_skipped_or_repeated_hour_is_described() {
        assert_eq!(
            describe("30 2 * * *", "Europe/Paris", json!({})),
            [
                "on 2027-03-28 clocks in Europe/Paris skip 02:00 to 03:00: the slot in that hour starts at 03:00 (daylightSaving.gap: RunAfter)",
                "on 2027-10-31 clocks in Europe/Paris repeat 02:00 to 03:00: the slot in that hour runs the first time only (daylightSaving.overlap: First)",
            ]
        );
        assert_eq!(
            describe("30 2 * * *", "Europe/Paris", json!({"gap": "Skip", "overlap": "Both"})),
            [
                "on 2027-03-28 clocks in Europe/Paris skip 02:00 to 03:00: the slot in that hour does not run (daylightSaving.gap: Skip)",
                "on 2027-10-31 clocks in Europe/Paris repeat 02:00 to 03:00: the slot in that hour runs both times (daylightSaving.overlap: Both)",
            ]
        );
        // South of the equator, half an hour, autumn first.
        assert_eq!(
            describe("45 1 * * *", "Australia/Lord_Howe", json!({})),
            [
                "on 2027-04-04 clocks in Australia/Lord_Howe repeat 01:30 to 02:00: the slot in that hour runs the first time only (daylightSaving.overlap: First)"
            ]
        );
    }

    #[test]
    fn irrelevant_clock_changes_are_not_reported() {
        for (schedule, zone) in [
            ("30 2 * * *", "UTC"),
            ("30 2 * * *", "Asia/Tokyo"),
            ("30 12 * * *", "Europe/Paris"),
            ("*/15 * * * *", "Europe/Paris"),
            ("@hourly", "Europe/Paris"),
            ("@every 90m", "Europe/Paris"),
            ("30 2 1 * *", "Europe/Paris"),
        ] {
            assert_eq!(describe(schedule, zone, json!({})), [""; 0], "{schedule} in {zone}");
        }
    }
}
