//! P2, P5, L2 and L3: what belongs to whom, what is never written, and books that add up.
//!
//! Takes stories whose numbers are known beforehand. The sums themselves are the audit's, at every write of every story.

use super::story::{done, given, time};
use super::world::Object;
use crate::api::ConcurrencyPolicy::*;
use crate::api::MissedRunPolicy;
use crate::api::condition::{HEALTHY, READY};
use crate::plan::{Exit, JobObject};
use jiff::SignedDuration;

#[test]
fn p2_a_job_of_another_owner_is_neither_counted_nor_deleted_nor_in_the_way() {
    given("0 * * * *")
        .policy(Forbid)
        .keeping(0, 0)
        .since("2026-11-23T08:00:00Z")
        .a_stranger_has_the_name_of("2026-11-23T08:59:00Z", "cronjob-with-the-same-name")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .succeeds("2026-11-23T09:00:00Z")
        .counts("started 1, succeeded 1")
        .then(|world| assert_eq!((world.jobs.len(), world.deleted.len()), (1, 1)));
}

#[test]
fn p2_a_job_of_ours_without_a_slot_is_left_alone() {
    given("0 * * * *")
        .policy(Forbid)
        .keeping(0, 0)
        .since("2026-11-23T08:00:00Z")
        .when(|world| {
            let job = JobObject {
                name: "by-hand".into(),
                uid: "by-hand".into(),
                end: Some(done(world.now)),
                ..world.fresh_job()
            };
            let object = Object {
                job,
                owner: world.task.uid.clone(),
                hidden: false,
                pods: Exit::Unknown,
                waits: crate::plan::Pods::Began,
            };
            world.jobs.insert("by-hand".into(), object);
        })
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .counts("started 1")
        .then(|world| assert!(world.deleted.is_empty()));
}

#[test]
fn p5_no_story_changes_spec_generation_or_name() {
    // The type of `Effect` has no way to say it; this is for the day when somebody adds one.
    let story = given("*/5 * * * *").policy(Replace).keeping(1, 1).since("2026-11-23T08:00:00Z");
    let before = (
        story.world.spec().unwrap().fields.clone(),
        story.world.task.generation,
        story.world.task.key(),
    );
    story
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .starts("2026-11-23T08:10:00Z")
        .fails("2026-11-23T08:10:00Z", 1)
        .lives_until("2026-11-23T10:00:00Z")
        .starts_as_many_as(22)
        .then(|world| {
            assert_eq!(
                (world.spec().unwrap().fields.clone(), world.task.generation, world.task.key()),
                before
            )
        });
}

#[test]
fn l2_every_slot_of_a_day_is_in_exactly_one_counter() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T00:00:00Z")
        .at("2026-11-23T01:00:00Z")
        .starts("2026-11-23T01:00:00Z")
        .at("2026-11-23T02:00:00Z")
        .newest("Skipped PreviousRunActive")
        .succeeds("2026-11-23T01:00:00Z")
        .starts_nothing()
        .at("2026-11-23T03:00:00Z")
        .starts("2026-11-23T03:00:00Z")
        .fails("2026-11-23T03:00:00Z", 7)
        .newest("Failed JobFailed")
        .at("2026-11-23T04:00:00Z")
        .starts("2026-11-23T04:00:00Z")
        .sees_deleted("2026-11-23T04:00:00Z")
        .down()
        .at("2026-11-23T08:30:00Z")
        .up()
        .starts("2026-11-23T08:00:00Z")
        .succeeds("2026-11-23T08:00:00Z")
        .edited(|spec| spec.suspend = true)
        .at("2026-11-23T12:30:00Z")
        .edited(|spec| spec.suspend = false)
        .down()
        .at("2026-11-23T14:30:00Z")
        .edited(|spec| spec.schedule = Some("30 * * * *".into()))
        .up()
        .newest("Missed ScheduleChanged x2")
        .at("2026-11-23T15:30:00Z")
        .starts("2026-11-23T15:30:00Z")
        .counts("started 5, succeeded 2, failed 1, cancelled 1, missed 5, skipped 5");
}

#[test]
fn l2_a_failure_is_recorded_with_exit_code_and_last_words() {
    given("0 * * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .fails("2026-11-23T09:00:00Z", 42)
        .says(HEALTHY, "False JobFailed")
        .then(|world| {
            let run = &world.status().recent_runs[0];
            assert_eq!((run.exit_code, run.message.as_deref()), (Some(42), Some("no space left")));
            assert_eq!(world.status().consecutive_failures, 1);
        })
        .at("2026-11-23T10:00:00Z")
        .starts("2026-11-23T10:00:00Z")
        .succeeds("2026-11-23T10:00:00Z")
        .says(HEALTHY, "True JobCompleted")
        .then(|world| assert_eq!(world.status().consecutive_failures, 0));
}

#[test]
fn l2_each_job_is_told_the_slot_and_interval_that_it_stands_for() {
    given("*/5 9-17 * * *")
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T09:00:03Z")
        .starts("2026-11-23T09:00:00Z")
        .then(|world| {
            let said = &world.manifest["metadata"]["annotations"];
            assert_eq!(said["punctual.dev/slot"], "2026-11-23T09:00:00Z");
            assert_eq!(said["punctual.dev/interval-start"], "2026-11-22T17:55:00Z");
            assert_eq!(said["punctual.dev/interval-end"], "2026-11-23T09:00:00Z");
        });
}

#[test]
fn l2_a_slot_without_a_trace_is_missed_when_a_newer_one_is_found_started() {
    given("*/10 * * * *")
        .missed(MissedRunPolicy::All)
        .since("2026-11-23T08:00:00Z")
        .down()
        .at("2026-11-23T08:30:00Z")
        .when(|world| (world.awake, world.dies_in) = (true, Some(3)))
        .starts_as_many_as(3)
        .then(|world| assert!(!world.awake && world.status().started == 0, "dead before anything was written"))
        .sees_deleted("2026-11-23T08:20:00Z")
        .when(|world| world.made.retain(|slot| *slot != time("2026-11-23T08:20:00Z")))
        .up()
        .counts("started 2, missed 1");
}

#[test]
fn l2_history_keeps_the_newest_jobs_of_either_kind() {
    let mut story = given("0 * * * *").keeping(2, 1).since("2026-11-23T00:00:00Z");
    for hour in 1..=6 {
        let slot = format!("2026-11-23T0{hour}:00:00Z");
        story = story.at(&slot).starts(&slot);
        story = if hour % 2 == 0 {
            story.succeeds(&slot)
        } else {
            story.fails(&slot, 1)
        };
    }
    story.counts("started 6, succeeded 3, failed 3").then(|world| {
        let kept: Vec<String> = world
            .jobs
            .values()
            .filter_map(|object| object.job.slot)
            .map(|slot| slot.to_string())
            .collect();
        assert_eq!(kept, ["2026-11-23T04:00:00Z", "2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"]);
    });
}

#[test]
fn l3_while_nothing_happens_nothing_is_written() {
    for late in [false, true] {
        let mut story = given("0 * * * *").policy(Forbid).since("2026-11-23T08:00:00Z");
        story.world.merges_late = late;
        let mut story = story
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:01:30Z");
        let (writes, tried) = (story.world.writes, story.world.tried);
        for minute in 0..58 {
            story = story.when(|world| world.now = time("2026-11-23T09:02:00Z") + SignedDuration::from_mins(minute));
        }
        story = story.down().up();
        assert_eq!((story.world.writes, story.world.tried), (writes, tried), "an hour of looks");
    }
}

#[test]
fn l3_a_run_costs_two_writes_under_allow_and_three_where_slots_are_claimed() {
    for (policy, late, most) in [
        (Allow, true, 2),
        (Allow, false, 2),
        (Forbid, false, 3),
        (Forbid, true, 3),
        (Replace, true, 3),
    ] {
        let mut story = given("0 * * * *").policy(policy).since("2026-11-23T08:00:00Z");
        story.world.merges_late = late;
        story = story.lives_until("2026-11-23T12:00:00Z").starts_as_many_as(4);
        let before = story.world.writes;
        let story = story.lives_until("2026-11-24T12:00:00Z").starts_as_many_as(24);
        let each = (story.world.writes - before).div_ceil(24);
        assert!(each <= most, "{policy:?}, merged writes late: {late}: {each} writes a run");
    }
}

#[test]
fn l3_a_status_stays_small_however_long_the_task_lives() {
    given("* * * * *")
        .policy(Forbid)
        .recording(100)
        .since("2026-11-23T08:00:00Z")
        .lives_until("2026-11-23T12:00:00Z")
        .starts_as_many_as(240)
        .at("2026-11-23T12:01:00Z")
        .starts("2026-11-23T12:01:00Z")
        .at("2026-11-23T12:02:00Z")
        .at("2026-11-23T12:03:00Z")
        .newest("Skipped PreviousRunActive x2")
        .says(READY, "True Accepted")
        .then(|world| {
            assert_eq!((world.status().recent_runs.len(), world.status().next_runs.len()), (100, 5));
            let bytes = serde_json::to_vec(world.status()).unwrap().len();
            assert!(bytes < 40_000, "{bytes}");
        });
}

#[test]
fn l3_a_task_that_records_nothing_still_counts() {
    given("* * * * *")
        .recording(0)
        .since("2026-11-23T08:00:00Z")
        .lives_until("2026-11-23T08:10:00Z")
        .starts_as_many_as(10)
        .counts("started 10, succeeded 10")
        .then(|world| assert!(world.status().recent_runs.is_empty()));
}

/// A9: a look that came late called them superseded, and each such look was a write.
#[test]
fn slots_that_a_run_kept_out_are_skipped_also_by_a_look_that_is_some_seconds_late() {
    given("* * * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:00:01Z")
        .starts("2026-11-23T08:00:01Z")
        .at("2026-11-23T08:00:05Z")
        .newest("Skipped PreviousRunActive x4")
        .counts("started 1, skipped 4")
        // After an hour nobody knows what went on in it.
        .at("2026-11-23T09:00:05Z")
        .counts("started 1, missed 3599, skipped 5");
}

/// A9: a task that skips each second wrote each second.
#[test]
fn slots_that_are_skipped_one_after_the_other_are_written_together() {
    let mut story = given("* * * * * *")
        .policy(Forbid)
        .merging_late()
        .since("2026-11-23T08:00:00Z")
        .at("2026-11-23T08:00:01Z")
        .starts("2026-11-23T08:00:01Z");
    story.world.write_what_waits();
    let (writes, said) = (story.world.writes, story.world.said.len());
    for second in 2..=9 {
        story = story.when(|world| world.now = time(&format!("2026-11-23T08:00:0{second}Z")));
    }
    assert_eq!(story.world.writes, writes, "nothing is written yet");
    story.world.write_what_waits();
    assert_eq!((story.world.writes, story.world.said.len()), (writes + 1, said + 1));
    story.counts("started 1, skipped 8");
}
