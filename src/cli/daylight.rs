//! The next night on which clocks go forward, and the next on which they go back, if a task has a slot in the lost or repeated hour.
//!
//! Takes a spec and an instant, gives what will happen. Nothing is computed anew: the schedule itself is asked under both policies, and
//! where the answers differ the policy decides about a slot.

use crate::api::{Gap, ObservedSchedule, Overlap, ScheduledTaskSpec};
use crate::plan;
use jiff::{SignedDuration, Timestamp};

/// How far ahead one looks: every yearly change of clocks lies within.
const AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A change of clocks that concerns a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Night {
    /// The zone, and the local date and times that are lost or come twice.
    zone: String,
    date: String,
    from: String,
    until: String,
    /// What the task says of it.
    policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Gap(Gap),
    Overlap(Overlap),
}

impl Night {
    /// What will happen, in a sentence.
    pub fn says(&self) -> String {
        let Self {
            zone, date, from, until, ..
        } = self;
        let gap = format!("on {date} {zone} has no time from {from} to {until}");
        let overlap = format!("on {date} {zone} has the time from {from} to {until} twice");
        match self.policy {
            Policy::Gap(Gap::RunAfter) => format!("{gap}: the slot in it starts at {until} (daylightSaving.gap: RunAfter)"),
            Policy::Gap(Gap::Skip) => format!("{gap}: the slot in it is left out (daylightSaving.gap: Skip)"),
            Policy::Overlap(Overlap::First) => {
                format!("{overlap}: the slot in it starts the first time only (daylightSaving.overlap: First)")
            }
            Policy::Overlap(Overlap::Both) => format!("{overlap}: the slot in it starts both times (daylightSaving.overlap: Both)"),
        }
    }
}

/// The next two nights that concern the task, at most one of a kind. `task` is its key.
pub fn nights(fields: &ScheduledTaskSpec, task: &str, now: Timestamp) -> Vec<Night> {
    let observed = fields.observed_schedule();
    let Ok(schedule) = plan::schedule_of(&observed, task) else {
        return Vec::new();
    };
    let count = |observed: &ObservedSchedule, after: Timestamp, until: Timestamp| {
        plan::schedule_of(observed, task).map_or(0, |schedule| schedule.count(after, until))
    };
    let differ = |one: ObservedSchedule, other: ObservedSchedule, after, until| count(&one, after, until) != count(&other, after, until);
    let zone = schedule.time_zone();
    let mut nights: Vec<Night> = Vec::new();
    for change in zone.following(now).take_while(|change| change.timestamp() <= now + AHEAD) {
        let at = change.timestamp();
        let before = zone.to_offset(at - SECOND);
        let shift = SignedDuration::from_secs(i64::from(change.offset().seconds() - before.seconds()));
        let (policy, concerned) = if shift.is_positive() {
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
        let known = |night: &Night| std::mem::discriminant(&night.policy) == std::mem::discriminant(&policy);
        if !concerned || nights.iter().any(known) {
            continue;
        }
        let [old, new] = [before, change.offset()].map(|offset| offset.to_datetime(at));
        let (from, until) = if shift.is_positive() { (old, new) } else { (new, old) };
        nights.push(Night {
            zone: fields.zone().to_owned(),
            date: from.date().to_string(),
            from: from.strftime("%H:%M").to_string(),
            until: until.strftime("%H:%M").to_string(),
            policy,
        });
    }
    nights
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn says(schedule: &str, zone: &str, more: serde_json::Value) -> Vec<String> {
        let mut spec = json!({"schedule": schedule, "timeZone": zone, "jobTemplate": {}});
        spec["daylightSaving"] = more;
        let fields = ScheduledTaskSpec::read(&spec).unwrap();
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        nights(&fields, "default/x", now).iter().map(Night::says).collect()
    }

    #[test]
    fn a_fixed_time_in_the_lost_or_repeated_hour_is_told_with_its_policy() {
        assert_eq!(
            says("30 2 * * *", "Europe/Paris", json!({})),
            [
                "on 2027-03-28 Europe/Paris has no time from 02:00 to 03:00: the slot in it starts at 03:00 (daylightSaving.gap: RunAfter)",
                "on 2027-10-31 Europe/Paris has the time from 02:00 to 03:00 twice: the slot in it starts the first time only (daylightSaving.overlap: First)",
            ]
        );
        assert_eq!(
            says("30 2 * * *", "Europe/Paris", json!({"gap": "Skip", "overlap": "Both"})),
            [
                "on 2027-03-28 Europe/Paris has no time from 02:00 to 03:00: the slot in it is left out (daylightSaving.gap: Skip)",
                "on 2027-10-31 Europe/Paris has the time from 02:00 to 03:00 twice: the slot in it starts both times (daylightSaving.overlap: Both)",
            ]
        );
        // South of the equator, by half an hour, autumn first.
        assert_eq!(
            says("45 1 * * *", "Australia/Lord_Howe", json!({})),
            [
                "on 2027-04-04 Australia/Lord_Howe has the time from 01:30 to 02:00 twice: the slot in it starts the first time only (daylightSaving.overlap: First)"
            ]
        );
    }

    #[test]
    fn what_no_change_of_clocks_concerns_is_not_told() {
        for (schedule, zone) in [
            ("30 2 * * *", "UTC"),
            ("30 2 * * *", "Asia/Tokyo"),
            ("30 12 * * *", "Europe/Paris"),
            ("*/15 * * * *", "Europe/Paris"),
            ("@hourly", "Europe/Paris"),
            ("@every 90m", "Europe/Paris"),
            ("30 2 1 * *", "Europe/Paris"),
        ] {
            assert_eq!(says(schedule, zone, json!({})), [""; 0], "{schedule} in {zone}");
        }
    }
}
