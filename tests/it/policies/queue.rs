//! `concurrencyPolicy: Queue`: first in, first out, and nobody waits for ever.

use super::{newest, what};
use crate::harness::{Operator, World, at};
use jiff::Timestamp;
use punctual::api::{RUN_NOW, ScheduledTaskStatus, Trigger};
use punctual::plan::job_name;
use serde_json::json;

fn queued(status: &ScheduledTaskStatus) -> Vec<String> {
    let time = |slot: Timestamp| slot.to_string()[11..16].to_owned();
    status.queued.iter().map(|run| time(run.slot.0)).collect()
}

/// Slots on 2027-01-01.
fn day(time: &str) -> Timestamp {
    at(&format!("2027-01-01T{time}:00Z"))
}

/// Sets the clock to each of these, and waits until its slot is accounted for.
async fn pass(world: &World, operator: &Operator, times: &[&str]) -> ScheduledTaskStatus {
    let mut status = ScheduledTaskStatus::default();
    for time in times {
        operator.set_to(day(time));
        let accounted = |status: &ScheduledTaskStatus| status.accounted_until.as_ref().is_some_and(|until| until.0 == day(time));
        status = world.status("queue", &format!("the slot of {time}"), accounted).await;
    }
    status
}

/// Ends the run of a slot, and waits until that is written down.
async fn end(world: &World, time: &str) {
    let job = job_name("queue", day(time), 1);
    world.end_job(&job, 0, "").await;
    world
        .status("queue", "its end", |status| status.active.iter().all(|run| run.job != job))
        .await;
}

/// P3
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_first_in_first_out_and_who_finds_it_full_is_skipped() {
    let world = World::new("p3-fifo").await;
    let seen = world.recorder().await;
    let spec = json!({"schedule": "*/5 * * * *", "concurrencyPolicy": "Queue", "queueLimit": 2});
    world.task("queue", spec).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("queue").await;
    let status = pass(&world, &operator, &["10:05", "10:10", "10:15"]).await;
    assert_eq!((queued(&status), status.running), (vec!["10:10".into(), "10:15".into()], 1));
    let status = pass(&world, &operator, &["10:20"]).await;
    assert_eq!(newest(&status), "Skipped QueueFull");
    assert_eq!(
        status.recent_runs[0].message.as_deref(),
        Some("slot 2027-01-01T10:20:00Z not started: 2 runs are queued, and queueLimit allows no more")
    );
    world.is_told("queue", "QueueFull", "queueLimit allows no more").await;
    world.is_told("queue", "Queued", "slot 2027-01-01T10:10:00Z").await;
    // The line outlives the operator.
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:21:00Z").await;
    operator.rests().await;
    assert_eq!(world.job_names().await, [job_name("queue", day("10:05"), 1)]);
    for (ends, next, left) in [("10:05", "10:10", 1), ("10:10", "10:15", 0)] {
        end(&world, ends).await;
        world.job(&job_name("queue", day(next), 1)).await;
        let moved = |status: &ScheduledTaskStatus| status.running == 1 && status.queued.len() == left;
        let status = world.status("queue", "the line to move", moved).await;
        assert_eq!(status.active[0].slot.0, day(next));
    }
    end(&world, "10:15").await;
    let status = world.status("queue", "all to end", |status| status.succeeded == 3).await;
    assert_eq!((status.started, status.skipped, status.missed), (3, 1, 0));
    operator.stop().await;
    assert_eq!(seen.slots().await, [day("10:05"), day("10:10"), day("10:15")]);
}

/// P3
#[tokio::test(flavor = "multi_thread")]
async fn a_queued_slot_past_its_deadline_is_dropped_with_its_reason() {
    let world = World::new("p3-deadline").await;
    let spec = json!({"schedule": "*/5 * * * *", "concurrencyPolicy": "Queue", "startingDeadlineSeconds": 600});
    world.task("queue", spec).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("queue").await;
    pass(&world, &operator, &["10:05", "10:10", "10:15", "10:20"]).await;
    operator.rests().await;
    let status = world.tasks().get("queue").await.unwrap().status.unwrap();
    assert_eq!(
        queued(&status),
        ["10:10", "10:15", "10:20"],
        "the deadline's last second is in time"
    );
    operator.set("2027-01-01T10:20:01Z");
    let status = world.status("queue", "the slot to be dropped", |status| status.missed == 1).await;
    assert_eq!(
        (queued(&status), newest(&status).as_str()),
        (vec!["10:15".into(), "10:20".into()], "Missed StartingDeadlineExceeded")
    );
    let dropped = "slot 2027-01-01T10:10:00Z removed from the queue: no capacity within startingDeadlineSeconds";
    assert_eq!(status.recent_runs[0].message.as_deref(), Some(dropped));
    world.is_told("queue", "StartingDeadlineExceeded", dropped).await;
    end(&world, "10:05").await;
    world.job(&job_name("queue", day("10:15"), 1)).await;
    let status = world.status("queue", "the next in line", |status| status.running == 1).await;
    assert_eq!((status.started, status.missed), (2, 1));
    operator.stop().await;
}

/// P3
#[tokio::test(flavor = "multi_thread")]
async fn a_queued_slot_past_the_life_of_its_task_is_dropped_with_its_reason() {
    let world = World::new("p3-end").await;
    let spec = json!({"schedule": "*/5 * * * *", "concurrencyPolicy": "Queue", "endAt": "2027-01-01T10:12:00Z"});
    world.task("queue", spec).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("queue").await;
    let status = pass(&world, &operator, &["10:05", "10:10"]).await;
    assert_eq!(queued(&status), ["10:10"]);
    operator.set("2027-01-01T10:11:59Z");
    operator.rests().await;
    assert_eq!(queued(&world.tasks().get("queue").await.unwrap().status.unwrap()), ["10:10"]);
    operator.set("2027-01-01T10:12:00Z");
    let status = world.status("queue", "the slot to be dropped", |status| status.skipped == 1).await;
    assert_eq!((queued(&status).len(), newest(&status).as_str()), (0, "Skipped Ended"));
    let dropped = "slot 2027-01-01T10:10:00Z removed from the queue: endAt has passed before there was capacity";
    assert_eq!(status.recent_runs[0].message.as_deref(), Some(dropped));
    end(&world, "10:05").await;
    operator.set("2027-01-01T11:00:00Z");
    operator.rests().await;
    let status = world.tasks().get("queue").await.unwrap().status.unwrap();
    assert_eq!((status.started, status.succeeded, status.running), (1, 1, 0));
    assert_eq!(super::condition(&status, "Ready"), "True Ended");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_room_for_two_runs_two_and_a_request_gets_in_line() {
    let world = World::new("queue-two").await;
    let spec = json!({"schedule": "*/5 * * * *", "concurrencyPolicy": "Queue", "maxConcurrentRuns": 2});
    world.task("queue", spec).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("queue").await;
    let status = pass(&world, &operator, &["10:05", "10:10", "10:15"]).await;
    assert_eq!((queued(&status), status.running), (vec!["10:15".into()], 2));
    operator.set("2027-01-01T10:16:00Z");
    world.annotate("queue", RUN_NOW, Some("please")).await;
    let status = world
        .status("queue", "the request in line", |status| status.queued.len() == 2)
        .await;
    assert_eq!(
        (status.queued[1].trigger, status.requested, status.skipped),
        (Trigger::Manual, 1, 0)
    );
    end(&world, "10:10").await;
    let status = world
        .status("queue", "the line to move", |status| {
            status.queued.len() == 1 && status.running == 2
        })
        .await;
    let running: Vec<Timestamp> = status.active.iter().map(|run| run.slot.0).collect();
    assert_eq!(running, [day("10:05"), day("10:15")]);
    end(&world, "10:05").await;
    let status = world
        .status("queue", "the request to run", |status| {
            status.queued.is_empty() && status.running == 2
        })
        .await;
    assert_eq!(status.active[1].trigger, Trigger::Manual);
    assert_eq!(
        status.recent_runs.iter().map(what).collect::<Vec<_>>(),
        ["Succeeded JobCompleted"; 2]
    );
    operator.stop().await;
}
