//! When: several schedules, `H`, jitter, a task's life and its blackouts, as Jobs and as `nextRuns` show them.

use super::{condition, minutes, seconds};
use crate::harness::{World, at, told_as};
use jiff::Timestamp;
use punctual::api::ScheduledTaskStatus;
use punctual::plan::job_name;
use serde_json::json;
use std::collections::BTreeSet;

const START: &str = "2027-01-01T10:00:30Z";

fn next_runs(status: &ScheduledTaskStatus) -> Vec<Timestamp> {
    status.next_runs.iter().map(|text| at(text)).collect()
}

/// Times on 2027-01-01.
fn day(times: &[&str]) -> Vec<Timestamp> {
    times.iter().map(|time| at(&format!("2027-01-01T{time}:00Z"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_several_schedules_name_is_one_slot() {
    let world = World::new("several").await;
    let seen = world.recorder().await;
    let schedules = ["0 * * * *", "*/30 * * * *", "0 11 * * FRI", "@hourly"];
    world.task("several", json!({"schedule": null, "schedules": schedules})).await;
    let operator = world.operator(START).await;
    let status = world.settled("several").await;
    assert_eq!(next_runs(&status), day(&["10:30", "11:00", "11:30", "12:00", "12:30"]));
    for (started, slot) in (1..).zip(day(&["10:30", "11:00", "11:30"])) {
        operator.set_to(slot);
        world.status("several", "the slot's run", |status| status.started == started).await;
    }
    operator.stop().await;
    assert_eq!(seen.slots().await, day(&["10:30", "11:00", "11:30"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn h_is_a_minute_of_the_tasks_own_that_no_restart_changes() {
    let world = World::new("hashed").await;
    let names: Vec<String> = (0..20).map(|n| format!("hashed-{n}")).collect();
    for name in &names {
        world
            .task(name, json!({"schedule": "H H(1-3) * * *", "timeZone": "Europe/Paris"}))
            .await;
    }
    let operator = world.operator(START).await;
    let mut first = Vec::new();
    for name in &names {
        first.push(next_runs(&world.settled(name).await)[0]);
    }
    let distinct: BTreeSet<Timestamp> = first.iter().copied().collect();
    assert!(distinct.len() > 10, "a herd: {distinct:?}");
    let (from, until) = (at("2027-01-02T00:00:00Z"), at("2027-01-02T03:00:00Z"));
    assert!(first.iter().all(|run| (from..until).contains(run)), "{first:?}");
    operator.stop().await;
    // Another process, another edit of something else: the same minute, and the Job is made then.
    for name in &names {
        world.edit(name, json!({"runHistoryLimit": 5})).await;
    }
    let operator = world.operator("2027-01-01T10:01:00Z").await;
    for (name, run) in names.iter().zip(&first) {
        assert_eq!(next_runs(&world.settled(name).await)[0], *run, "{name}");
    }
    let (name, run) = (&names[0], first[0]);
    operator.set_to(run);
    let job = world.job(&job_name(name, run, 1)).await;
    assert_eq!(told_as(&job, "PUNCTUAL_SLOT"), run.to_string());
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_starts_after_its_slot_by_the_jitter_that_next_runs_said() {
    let world = World::new("jitter").await;
    let names: Vec<String> = (0..5).map(|n| format!("late-{n}")).collect();
    for name in &names {
        world.task(name, json!({"schedule": "0 * * * *", "jitter": "45m"})).await;
    }
    let operator = world.operator(START).await;
    let slot = at("2027-01-01T11:00:00Z");
    let mut starts = Vec::new();
    for name in &names {
        let status = world.settled(name).await;
        let runs = next_runs(&status);
        for (hour, run) in (0..).zip(&runs) {
            let slot = slot + minutes(60 * hour);
            assert!((slot..slot + minutes(45)).contains(run), "{name}: {run} for {slot}");
        }
        starts.push((runs[0], name));
    }
    starts.sort();
    assert!(starts[0].0 < starts[4].0, "all at once: {starts:?}");
    for (start, name) in starts {
        let job = job_name(name, slot, 1);
        operator.set_to(start - seconds(1));
        operator.rests().await;
        assert!(!world.job_names().await.contains(&job), "{job} before {start}");
        operator.set_to(start);
        let made = world.job(&job).await;
        assert_eq!(told_as(&made, "PUNCTUAL_SLOT"), slot.to_string(), "the slot is the schedule's");
        let status = world.status(name, "the run to go on", |status| status.running == 1).await;
        assert_eq!(status.active[0].slot.0, slot);
        assert_eq!(condition(&status, "Overdue"), "False OnTime");
    }
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_has_no_slot_before_start_at_nor_from_end_at_on() {
    let world = World::new("life").await;
    let seen = world.recorder().await;
    let spec = json!({"schedule": "* * * * *", "startAt": "2027-01-01T10:05:00Z", "endAt": "2027-01-01T10:08:00Z"});
    world.task("life", spec).await;
    let operator = world.operator(START).await;
    let status = world.settled("life").await;
    assert_eq!(next_runs(&status), day(&["10:05", "10:06", "10:07"]));
    assert_eq!(condition(&status, "Ready"), "True Accepted");
    for minute in 1..=10 {
        operator.set_to(at("2027-01-01T10:00:00Z") + minutes(minute));
        operator.rests().await;
    }
    let status = world
        .status("life", "the end to be told", |status| condition(status, "Ready") == "True Ended")
        .await;
    let counted = (status.started, status.missed, status.skipped, status.next_runs.len());
    assert_eq!(counted, (3, 0, 0, 0));
    // Its life is made longer: it goes on, and nothing of the time between is made up for.
    world.edit("life", json!({"endAt": "2027-01-01T10:14:00Z"})).await;
    let status = world.settled("life").await;
    assert_eq!(next_runs(&status), day(&["10:11", "10:12", "10:13"]));
    operator.set("2027-01-01T10:11:00Z");
    world.status("life", "the next run", |status| status.started == 4).await;
    operator.stop().await;
    assert_eq!(seen.slots().await, day(&["10:05", "10:06", "10:07", "10:11"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_excluded_is_no_slot() {
    let world = World::new("blackout").await;
    let seen = world.recorder().await;
    // In Paris, where it is one hour later.
    let exclude = json!([
        {"schedule": "3-4 11 * * *"},
        {"from": "2027-01-01T11:06:00", "until": "2027-01-01T10:08:00Z"},
        {"from": "2027-02-01", "until": "2027-02-02"},
    ]);
    world
        .task("blackout", json!({"timeZone": "Europe/Paris", "exclude": exclude}))
        .await;
    let operator = world.operator(START).await;
    let status = world.settled("blackout").await;
    assert_eq!(next_runs(&status), day(&["10:01", "10:02", "10:05", "10:08", "10:09"]));
    for minute in 1..=9 {
        operator.set_to(at("2027-01-01T10:00:00Z") + minutes(minute));
        operator.rests().await;
    }
    let status = world.status("blackout", "its runs", |status| status.started == 5).await;
    assert_eq!((status.missed, status.skipped), (0, 0), "what is no slot is in no counter");
    operator.stop().await;
    assert_eq!(seen.slots().await, day(&["10:01", "10:02", "10:05", "10:08", "10:09"]));
}
