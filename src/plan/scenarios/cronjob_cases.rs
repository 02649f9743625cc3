//! The CronJob controller's own test cases, and where Punctual differs on purpose.
//!
//! The names are those of `TestControllerV2SyncCronJob` in kubernetes/kubernetes (pkg/controller/cronjob). Each row has what that
//! controller does (Jobs created, deleted, active), what Punctual's counters are, and, where the two differ, why. All wrong rows are
//! reported in one failure.

use super::expect::counters;
use super::story::{Story, given, time};
use crate::api::ConcurrencyPolicy::{self, *};
use crate::api::condition::READY;

/// What happened before the controller syncs.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    NeverRan,
    /// The run of 09:00 is done.
    Done,
    /// The run of 09:00 is active.
    Active,
    /// The run of 10:00 is done, and the clock was set back behind it.
    DoneLater,
    /// The run of 10:00 is active; the watch does not show its Job.
    Missing,
    /// The run of 10:00 is active; its controller crashed before it wrote the status.
    Unwritten,
}
use Before::*;

const EARLY: &str = "2016-05-19T09:59:00Z";
const AFTER: &str = "2016-05-19T10:01:00Z";
const WEEK: &str = "2016-05-26T10:00:00Z";
const HOURLY: &str = "0 * * * ?";
const SHORT: Option<i64> = Some(10);
const MEDIUM: Option<i64> = Some(2 * 60 * 60);
const LONG: Option<i64> = Some(1_000_000);

/// What a controller did: Jobs created, Jobs deleted, entries of `active` afterwards.
type Did = (usize, usize, usize);
/// name, schedule, policy, suspended, deadline, before, now; what CronJob does; what we do; our counters; why we differ.
type Case = (
    &'static str,
    &'static str,
    ConcurrencyPolicy,
    bool,
    Option<i64>,
    Before,
    &'static str,
    Did,
    Did,
    &'static str,
    &'static str,
);

const COUNTED: &str = "every slot is counted: CronJob warns of too many missed start times and forgets them";
const PAST: &str = "the same Jobs, but the slot that is too late is counted as missed";
const SKIPS: &str = "the slot is skipped and counted now; CronJob starts it late when the run ends within the deadline";
const PAUSED: &str = "the same Jobs, but the slots of the pause are counted as skipped when it ends, and none fires";

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("never ran, not valid schedule, A", "obvious error schedule", Allow, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "", ""),
    ("never ran, not valid schedule, F", "obvious error schedule", Forbid, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "", ""),
    ("never ran, not valid schedule, R", "obvious error schedule", Replace, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "", ""),
    ("never ran, not time, A", HOURLY, Allow, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "", ""),
    ("never ran, not time, F", HOURLY, Forbid, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "", ""),
    ("never ran, not time, R", HOURLY, Replace, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "", ""),
    ("never ran, is time, A", HOURLY, Allow, false, None, NeverRan, AFTER, (1, 0, 1), (1, 0, 1), "started 1", ""),
    ("never ran, is time, F", HOURLY, Forbid, false, None, NeverRan, AFTER, (1, 0, 1), (1, 0, 1), "started 1", ""),
    ("never ran, is time, R", HOURLY, Replace, false, None, NeverRan, AFTER, (1, 0, 1), (1, 0, 1), "started 1", ""),
    ("never ran, is time, suspended", HOURLY, Allow, true, None, NeverRan, AFTER, (0, 0, 0), (0, 0, 0), "", PAUSED),
    ("never ran, is time, past deadline", HOURLY, Allow, false, SHORT, NeverRan, "2016-05-19T10:12:00Z", (0, 0, 0), (0, 0, 0), "missed 1", PAST),
    ("never ran, is time, not past deadline", HOURLY, Allow, false, LONG, NeverRan, AFTER, (1, 0, 1), (1, 0, 1), "started 1", ""),

    ("prev ran but done, not time, A", HOURLY, Allow, false, None, Done, EARLY, (0, 0, 0), (0, 0, 0), "started 1, succeeded 1", ""),
    ("prev ran but done, not time, F", HOURLY, Forbid, false, None, Done, EARLY, (0, 0, 0), (0, 0, 0), "started 1, succeeded 1", ""),
    ("prev ran but done, not time, R", HOURLY, Replace, false, None, Done, EARLY, (0, 0, 0), (0, 0, 0), "started 1, succeeded 1", ""),
    ("prev ran but done, is time, A", HOURLY, Allow, false, None, Done, AFTER, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1", ""),
    ("prev ran but done, is time, F", HOURLY, Forbid, false, None, Done, AFTER, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1", ""),
    ("prev ran but done, is time, R", HOURLY, Replace, false, None, Done, AFTER, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1", ""),
    ("prev ran but done, is time, suspended", HOURLY, Allow, true, None, Done, AFTER, (0, 0, 0), (0, 0, 0), "started 1, succeeded 1", PAUSED),
    ("prev ran but done, is time, past deadline", HOURLY, Allow, false, SHORT, Done, AFTER, (0, 0, 0), (0, 0, 0), "started 1, succeeded 1, missed 1", PAST),
    ("prev ran but done, is time, not past deadline", HOURLY, Allow, false, LONG, Done, AFTER, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1", ""),

    ("still active, not time, A", HOURLY, Allow, false, None, Active, EARLY, (0, 0, 1), (0, 0, 1), "started 1", ""),
    ("still active, not time, F", HOURLY, Forbid, false, None, Active, EARLY, (0, 0, 1), (0, 0, 1), "started 1", ""),
    ("still active, not time, R", HOURLY, Replace, false, None, Active, EARLY, (0, 0, 1), (0, 0, 1), "started 1", ""),
    ("still active, is time, A", HOURLY, Allow, false, None, Active, AFTER, (1, 0, 2), (1, 0, 2), "started 2", ""),
    ("still active, is time, F", HOURLY, Forbid, false, None, Active, AFTER, (0, 0, 1), (0, 0, 1), "started 1, skipped 1", SKIPS),
    ("still active, is time, R", HOURLY, Replace, false, None, Active, AFTER, (1, 1, 1), (1, 1, 1), "started 2, cancelled 1", ""),
    ("still active, is time, suspended", HOURLY, Allow, true, None, Active, AFTER, (0, 0, 1), (0, 0, 1), "started 1", PAUSED),
    ("still active, is time, past deadline", HOURLY, Allow, false, SHORT, Active, AFTER, (0, 0, 1), (0, 0, 1), "started 1, missed 1", PAST),
    ("still active, is time, not past deadline", HOURLY, Allow, false, LONG, Active, AFTER, (1, 0, 2), (1, 0, 2), "started 2", ""),

    ("prev ran but done, long overdue, not past deadline, A", HOURLY, Allow, false, LONG, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, not past deadline, R", HOURLY, Replace, false, LONG, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, not past deadline, F", HOURLY, Forbid, false, LONG, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, no deadline, A", HOURLY, Allow, false, None, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, no deadline, R", HOURLY, Replace, false, None, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, no deadline, F", HOURLY, Forbid, false, None, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, past medium deadline, A", HOURLY, Allow, false, MEDIUM, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, past short deadline, A", HOURLY, Allow, false, SHORT, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, past medium deadline, R", HOURLY, Replace, false, MEDIUM, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, past short deadline, R", HOURLY, Replace, false, SHORT, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, past medium deadline, F", HOURLY, Forbid, false, MEDIUM, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("prev ran but done, long overdue, past short deadline, F", HOURLY, Forbid, false, SHORT, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),

    ("this ran but done, time drifted back, F", HOURLY, Forbid, false, None, DoneLater, EARLY, (0, 0, 0), (0, 0, 0), "started 1, succeeded 1",
        "the same Jobs; CronJob posts the Job again and is told AlreadyExists, we do not even try"),
    ("this started but went missing, not past deadline, A", HOURLY, Allow, false, LONG, Missing, AFTER, (0, 0, 1), (0, 0, 1), "started 1",
        "we ask the API server and keep the run; CronJob returns an error and backs off"),
    ("this started but went missing, not past deadline, f", HOURLY, Forbid, false, LONG, Missing, AFTER, (0, 0, 1), (0, 0, 1), "started 1", "as above"),
    ("this started but went missing, not past deadline, R", HOURLY, Replace, false, LONG, Missing, AFTER, (0, 0, 1), (0, 0, 1), "started 1", "as above"),
    ("this started but is not present in cronjob active list, not past deadline, A", HOURLY, Allow, false, LONG, Unwritten, AFTER, (0, 0, 1), (0, 0, 1), "started 1", ""),
    ("this started but is not present in cronjob active list, not past deadline, f", HOURLY, Forbid, false, LONG, Unwritten, AFTER, (0, 0, 1), (0, 0, 1), "started 1", ""),
    ("this started but is not present in cronjob active list, not past deadline, R", HOURLY, Replace, false, LONG, Unwritten, AFTER, (0, 0, 1), (0, 0, 1), "started 1", ""),

    ("with @every schedule, never ran, not time", "@every 1h", Allow, false, None, NeverRan, EARLY, (0, 0, 0), (0, 0, 0), "",
        "the phase is the epoch's, not the task's creation: it survives edits and restarts (k8s#104012)"),
    ("with @every schedule, never ran, is time", "@every 1h", Allow, false, None, NeverRan, AFTER, (1, 0, 1), (1, 0, 1), "started 1", "as above"),
    ("with @every schedule, never ran, is time, past deadline", "@every 1h", Allow, false, SHORT, NeverRan, AFTER, (0, 0, 0), (0, 0, 0), "missed 1", PAST),
    ("with @every schedule, prev ran but done, is time", "@every 1h", Forbid, false, None, Done, AFTER, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1", "as above"),
    ("with @every schedule, prev ran but done, long overdue, no deadline", "@every 1h", Allow, false, None, Done, WEEK, (1, 0, 1), (1, 0, 1), "started 2, succeeded 1, missed 168", COUNTED),
    ("with @every schedule, still active, is time", "@every 1h", Forbid, false, None, Active, AFTER, (0, 0, 1), (0, 0, 1), "started 1, skipped 1", SKIPS),
];

#[test]
fn cronjob_controller_cases_match_or_differ_for_a_reason() {
    let mut wrong = Vec::new();
    for &(name, schedule, policy, suspended, deadline, before, now, theirs, expected, books, why) in CASES {
        let story = lead_up(schedule, policy, before);
        let (made, deleted) = (story.world.started.len(), story.world.deleted.len());
        let story = story.edited(|spec| (spec.suspend, spec.starting_deadline_seconds) = (suspended, deadline));
        let story = story.when(|world| (world.is_running, world.now) = (true, time(now)));
        let world = &story.world;
        let ours = (
            world.started.len() - made,
            world.deleted.len() - deleted,
            world.status().active.len(),
        );
        if ours != expected || counters(world.status()) != books {
            wrong.push(format!(
                "{name}: {ours:?} {}; expected {expected:?} {books}",
                counters(world.status())
            ));
        }
        if theirs != expected && why.is_empty() {
            wrong.push(format!("{name}: differs from CronJob, and the table does not say why"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases: {wrong:#?}", wrong.len(), CASES.len());
}

fn lead_up(schedule: &str, policy: ConcurrencyPolicy, before: Before) -> Story {
    let story = given(schedule).policy(policy);
    match before {
        NeverRan => story.since("2016-05-19T09:59:00Z"),
        Done => story
            .since("2016-05-19T08:59:00Z")
            .at("2016-05-19T09:01:00Z")
            .all_jobs_succeed()
            .starts_jobs(1),
        Active => story.since("2016-05-19T08:59:00Z").at("2016-05-19T09:01:00Z").starts_jobs(1),
        DoneLater => story.since("2016-05-19T09:59:00Z").at(AFTER).all_jobs_succeed().starts_jobs(1),
        Missing => story
            .since("2016-05-19T09:59:00Z")
            .at("2016-05-19T10:00:00.1Z")
            .starts_jobs(1)
            .operator_stops()
            .when(|world| world.jobs.values_mut().for_each(|object| object.hidden = true)),
        // It is committed, and its Job is created.
        Unwritten => story
            .since("2016-05-19T09:59:00Z")
            .crashes_after(2)
            .at("2016-05-19T10:00:00.1Z")
            .starts_jobs(1),
    }
}

#[test]
fn never_ran_time_zones_as_in_the_cronjob_controller() {
    let slot = "2016-05-19T10:00:00Z";
    let of = |schedule: &str, zone: &str| given(schedule).zone(zone).since("2016-05-19T09:59:00Z");
    of("0 6 * * ?", "America/New_York").at(AFTER).starts(slot);
    of("0 10 * * ?", "America/New_York").at(AFTER).starts_nothing();
    of("0 10 * * ?", "Mars/Olympus")
        .has_condition(READY, "False UnknownTimeZone")
        .at(AFTER)
        .starts_nothing();
    // CronJob accepts a time zone in the schedule with a warning; Punctual rejects what can be read in two ways.
    of("TZ=America/New_York 0 6 * * ?", "UTC")
        .has_condition(READY, "False InvalidSchedule")
        .at(AFTER)
        .starts_nothing();
    of("CRON_TZ=UTC 0 10 * * ?", "UTC")
        .has_condition(READY, "False InvalidSchedule")
        .at(AFTER)
        .starts_nothing();
}

#[test]
fn prev_ran_but_done_is_time_create_job_failed() {
    for policy in [Allow, Forbid, Replace] {
        lead_up(HOURLY, policy, Done)
            .refuses_creates("quota")
            .at(AFTER)
            .starts_nothing()
            .has_condition(READY, "False JobRefused")
            .then(|world| {
                assert_eq!(
                    world.wake_at,
                    Some(time("2016-05-19T10:01:01Z")),
                    "CronJob backs off by its work queue; so do we, by time"
                )
            })
            .accepts_writes_again()
            .at("2016-05-19T10:01:01Z")
            .starts("2016-05-19T10:00:00Z");
    }
}

#[test]
fn still_active_is_time_get_job_failed() {
    for policy in [Allow, Forbid, Replace] {
        lead_up(HOURLY, policy, Active)
            .when(|world| world.faults.disconnected = true)
            .at(AFTER)
            .starts_nothing()
            .active(&["2016-05-19T09:00:00Z"])
            .reconnects()
            .starts_jobs(usize::from(policy != Forbid));
    }
}
