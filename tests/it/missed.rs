//! M: slots that other schedulers lose. Each on the real API server, in virtual time.

use crate::harness::{World, at, until};
use kube::api::{Patch, PatchParams};
use serde_json::json;

/// M1
#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_closed_while_the_operator_was_away_still_gets_its_last_slot() {
    let world = World::new("m1").await;
    let seen = world.recorder().await;
    world.task("window", json!({"schedule": "*/5 9-17 * * *"})).await;
    let operator = world.operator("2027-03-01T08:59:00Z").await;
    world.settled("window").await;
    operator.stop().await;

    let operator = world.operator("2027-03-01T19:07:00Z").await;
    let status = world
        .status("window", "the last slot to be started", |status| status.started == 1)
        .await;
    assert_eq!(seen.slots().await, [at("2027-03-01T17:55:00Z")]);
    assert_eq!(status.missed, 107);
    assert_eq!(status.accounted_until.unwrap().0, at("2027-03-01T17:55:00Z"));
    let overdue = status.conditions.iter().find(|condition| condition.type_ == "Overdue").unwrap();
    assert_eq!((overdue.status.as_str(), overdue.reason.as_str()), ("True", "StartedLate"));
    operator.stop().await;
}

/// M2
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_from_1970_is_caught_up_in_bounded_work_and_the_task_goes_on() {
    let world = World::new("m2").await;
    let seen = world.recorder().await;
    world.task("minutely", json!({})).await;
    world.task("forbidding", json!({"concurrencyPolicy": "Forbid"})).await;
    let operator = world.operator("2027-01-01T00:00:05Z").await;
    for task in ["minutely", "forbidding"] {
        world.settled(task).await;
    }
    operator.stop().await;
    // As an operator left it whose clock had started in 1970.
    let began = json!({"status": {"scheduleSince": "1970-01-01T00:00:05Z", "accountedUntil": "1970-01-01T00:00:05Z"}});
    for task in ["minutely", "forbidding"] {
        world
            .tasks()
            .patch_status(task, &PatchParams::default(), &Patch::Merge(began.clone()))
            .await
            .unwrap();
    }
    let operator = world.operator("2027-01-01T12:00:30Z").await;
    for task in ["minutely", "forbidding"] {
        let status = world
            .status(task, "the newest slot to be started", |status| status.started == 1)
            .await;
        // Minutes from 1970-01-01T00:01 to 2027-01-01T11:59.
        let minutes = at("2027-01-01T12:00:00Z").as_second() / 60 - 1;
        assert_eq!(status.missed, minutes, "{task}");
        assert_eq!(status.last_schedule_time.unwrap().0, at("2027-01-01T12:00:00Z"));
    }
    assert_eq!(seen.slots().await, [at("2027-01-01T12:00:00Z"), at("2027-01-01T12:00:00Z")]);
    operator.set("2027-01-01T12:01:00Z");
    world.status("minutely", "the task to go on", |status| status.started == 2).await;
    operator.stop().await;
}

/// M2
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_starts_in_1970_owes_nothing_from_before_the_task_was_made() {
    let world = World::new("m2-clock").await;
    let seen = world.recorder().await;
    world.task("minutely", json!({})).await;
    let operator = world.operator("1970-01-01T00:00:05Z").await;
    let status = world.settled("minutely").await;
    let created = world.tasks().get("minutely").await.unwrap().metadata.creation_timestamp.unwrap();
    assert_eq!(status.schedule_since.unwrap().0, created.0);
    // The clock is set, to a moment long after.
    operator.set("2036-01-01T12:00:30Z");
    let status = world
        .status("minutely", "the newest slot to be started", |status| status.started == 1)
        .await;
    assert_eq!(
        status.missed,
        at("2036-01-01T12:00:00Z").as_second() / 60 - created.0.as_second() / 60 - 1
    );
    assert_eq!(seen.slots().await, [at("2036-01-01T12:00:00Z")]);
    operator.stop().await;
}

/// M2
#[tokio::test(flavor = "multi_thread")]
async fn two_years_of_downtime_under_every_policy_for_missed_runs() {
    let world = World::new("m2-years").await;
    let seen = world.recorder().await;
    world.task("latest", json!({})).await;
    world.task("none", json!({"missedRunPolicy": "None"})).await;
    world.task("all", json!({"missedRunPolicy": "All", "missedRunLimit": 3})).await;
    world
        .task("deadline", json!({"missedRunPolicy": "All", "startingDeadlineSeconds": 90}))
        .await;
    let operator = world.operator("2027-01-01T00:00:30Z").await;
    for task in ["latest", "none", "all", "deadline"] {
        world.settled(task).await;
    }
    operator.stop().await;
    let operator = world.operator("2029-01-01T00:01:10Z").await;
    let slots = (at("2029-01-01T00:01:00Z").as_second() - at("2027-01-01T00:00:00Z").as_second()) / 60;
    // The newest slot is ten seconds old: on time even for None.
    for (task, started) in [("latest", 1), ("none", 1), ("all", 3), ("deadline", 2)] {
        let status = world
            .status(task, "all slots to be accounted for", |status| {
                status.started + status.missed == slots
            })
            .await;
        assert_eq!(status.started, started, "{task}");
        assert_eq!(status.accounted_until.unwrap().0, at("2029-01-01T00:01:00Z"), "{task}");
    }
    assert_eq!(seen.slots().await.len(), 7);
    operator.stop().await;
}

/// M3
#[tokio::test(flavor = "multi_thread")]
async fn after_months_of_suspension_no_paused_slot_fires_and_the_next_one_does() {
    let world = World::new("m3").await;
    let seen = world.recorder().await;
    world.task("paused", json!({"schedule": "0 * * * *"})).await;
    let operator = world.operator("2027-01-01T00:30:00Z").await;
    world.settled("paused").await;
    world.edit("paused", json!({"suspend": true})).await;
    world.settled("paused").await;
    operator.set("2027-06-01T00:30:00Z");
    world.edit("paused", json!({"suspend": false})).await;
    let status = world.settled("paused").await;
    assert_eq!(status.skipped, 151 * 24);
    assert_eq!(status.recent_runs[0].reason, "Suspended");
    assert_eq!(seen.slots().await, []);
    operator.set("2027-06-01T01:00:00Z");
    world.job("paused-1811811600").await;
    assert_eq!(seen.slots().await, [at("2027-06-01T01:00:00Z")]);
    operator.stop().await;
}

/// M4
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_never_fires_a_slot_older_than_itself_and_old_wake_ups_do_nothing() {
    let world = World::new("m4").await;
    let seen = world.recorder().await;
    world.task("edited", json!({"schedule": "0 11 * * *"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("edited").await;
    // 10:00 is half a minute ago: not today.
    world.edit("edited", json!({"schedule": "0 10 * * *"})).await;
    let status = world.settled("edited").await;
    assert_eq!(status.schedule_since.unwrap().0, at("2027-01-01T10:00:30Z"));
    assert_eq!(status.next_runs[0], "2027-01-02T10:00:00Z");
    // The wake-up of the old schedule.
    operator.set("2027-01-01T11:00:10Z");
    // A zone in which 10:00 is two minutes from now.
    world
        .edit("edited", json!({"schedule": "2 12 * * *", "timeZone": "Europe/Paris"}))
        .await;
    let status = world.settled("edited").await;
    assert_eq!(status.next_runs[0], "2027-01-01T11:02:00Z");
    operator.set("2027-01-01T11:02:00Z");
    world
        .status("edited", "the slot of the new schedule", |status| status.started == 1)
        .await;
    // The same moment once more, by another expression: it is a new schedule from now on, and now is not after now.
    world.edit("edited", json!({"schedule": "02 12 * * *"})).await;
    world.settled("edited").await;
    operator.set("2027-01-01T11:02:50Z");
    world.edit("edited", json!({"schedule": "2 11 * * *", "timeZone": "UTC"})).await;
    world.settled("edited").await;
    operator.set("2027-01-02T11:02:00Z");
    world.status("edited", "the next day's slot", |status| status.started == 2).await;
    assert_eq!(seen.slots().await, [at("2027-01-01T11:02:00Z"), at("2027-01-02T11:02:00Z")]);
    operator.stop().await;
}

/// M4
#[tokio::test(flavor = "multi_thread")]
async fn slots_of_the_old_schedule_that_nobody_could_start_are_counted_as_missed_by_the_edit() {
    let world = World::new("m4-away").await;
    let seen = world.recorder().await;
    world.task("edited", json!({"schedule": "0 * * * *"})).await;
    let operator = world.operator("2027-01-01T10:30:00Z").await;
    world.settled("edited").await;
    operator.stop().await;
    world.edit("edited", json!({"schedule": "15 * * * *"})).await;
    let operator = world.operator("2027-01-01T13:30:00Z").await;
    let status = world.settled("edited").await;
    assert_eq!((status.missed, status.started), (3, 0));
    assert_eq!(status.recent_runs[0].reason, "ScheduleChanged");
    assert_eq!(seen.slots().await, []);
    operator.stop().await;
}

/// M5
#[tokio::test(flavor = "multi_thread")]
async fn a_task_without_a_status_starts_nothing_of_its_past() {
    let world = World::new("m5").await;
    let seen = world.recorder().await;
    world.task("restored", json!({"missedRunPolicy": "All"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("restored").await;
    operator.stop().await;
    // As a backup restores it: the spec without its status.
    let path = format!("/apis/punctual.dev/v1alpha1/namespaces/{}/scheduledtasks", world.namespace);
    let wipe = kube::core::Request::new(path)
        .patch_subresource(
            "status",
            "restored",
            &PatchParams::default(),
            &Patch::Json::<()>(serde_json::from_value(json!([{"op": "remove", "path": "/status"}])).unwrap()),
        )
        .unwrap();
    world.client.request::<serde_json::Value>(wipe).await.expect("the status is gone");
    let operator = world.operator("2027-02-01T10:00:30Z").await;
    let status = world.settled("restored").await;
    assert_eq!((status.started, status.missed), (0, 0));
    assert_eq!(status.schedule_since.unwrap().0, at("2027-02-01T10:00:30Z"));
    operator.set("2027-02-01T10:01:00Z");
    world.status("restored", "the next slot", |status| status.started == 1).await;
    assert_eq!(seen.slots().await, [at("2027-02-01T10:01:00Z")]);
    operator.stop().await;
}

/// M7
#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_that_came_late_is_told_by_overdue_until_one_is_on_time() {
    let world = World::new("m7").await;
    world.task("late", json!({"schedule": "0 * * * *"})).await;
    let operator = world.operator("2027-01-01T10:30:00Z").await;
    world.settled("late").await;
    // A machine that slept over its slot.
    operator.set("2027-01-01T11:10:00Z");
    let overdue = |status: &punctual::api::ScheduledTaskStatus| {
        status
            .condition("Overdue")
            .map(|overdue| (overdue.status.clone(), overdue.reason.clone(), overdue.message.clone()))
    };
    let status = world
        .status("late", "Overdue to be true", |status| {
            overdue(status).is_some_and(|(truth, _, _)| truth == "True")
        })
        .await;
    let (_, reason, message) = overdue(&status).unwrap();
    assert_eq!(reason, "StartedLate");
    assert_eq!(message, "Slot 2027-01-01T11:00:00Z was started 600 s late");
    operator.set("2027-01-01T12:00:00Z");
    world
        .status("late", "Overdue to be over", |status| {
            overdue(status).is_some_and(|(truth, _, _)| truth == "False")
        })
        .await;
    let reasons = until("an event that says it started", || async {
        let reasons = world.event_reasons("late").await;
        (reasons.len() >= 2).then_some(reasons)
    })
    .await;
    assert!(reasons.iter().all(|reason| reason == "Started"), "{reasons:?}");
    operator.stop().await;
}
