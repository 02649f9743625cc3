//! `punctual.dev/backfill`: slots of the past, each with the interval that its run is for.

use super::{minutes, newest};
use crate::harness::{Operator, World, annotation, at, env, told_as};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use punctual::api::{BACKFILL, INTERVAL_END, INTERVAL_START, SLOT, ScheduledTaskStatus, TRIGGER, Trigger};
use serde_json::{Value, json};

/// An hourly task, and an operator at half past ten.
async fn hourly(name: &str, spec: Value) -> (World, Operator) {
    let world = World::new(name).await;
    let mut spec = spec;
    spec["schedule"] = json!("0 * * * *");
    world.task("hourly", spec).await;
    let operator = world.operator("2027-01-01T10:30:00Z").await;
    world.settled("hourly").await;
    (world, operator)
}

/// Jobs that run now, by slot.
async fn running(world: &World, many: usize) -> Vec<(Timestamp, Job)> {
    let what = format!("{many} backfilled runs");
    let filling = |status: &ScheduledTaskStatus| {
        let runs = status.active.iter();
        runs.filter(|run| run.trigger == Trigger::Backfill && run.started.is_some()).count() == many
    };
    let status = world.status("hourly", &what, filling).await;
    let mut jobs = Vec::new();
    for run in status.active {
        jobs.push((run.slot.0, world.job(&run.job).await));
    }
    jobs
}

async fn ends(world: &World, job: &Job, ended: i64) -> ScheduledTaskStatus {
    world.end_job(job.metadata.name.as_ref().unwrap(), 0, "").await;
    world.status("hourly", "the run to end", |status| status.succeeded == ended).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_backfilled_slot_is_a_run_that_is_told_its_own_interval() {
    let pod = json!({"initContainers": [{"name": "fetch", "image": "example.com/none:1"}], "containers": [
        {"name": "main", "image": "example.com/none:1"},
        {"name": "own", "image": "example.com/none:1", "env": [{"name": "PUNCTUAL_INTERVAL_START", "value": "mine"}]}]});
    let template = json!({"spec": {"template": {"metadata": {"annotations": {"punctual.dev/slot": "mine"}}, "spec": pod}}});
    let (world, operator) = hourly("interval", json!({"jobTemplate": template})).await;
    world.annotate("hourly", BACKFILL, Some("2026-12-31T22:00:00Z/PT3H")).await;
    let jobs = running(&world, 3).await;
    let slots: Vec<String> = jobs.iter().map(|(slot, _)| slot.to_string()).collect();
    assert_eq!(slots, ["2026-12-31T22:00:00Z", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"]);
    for (slot, job) in &jobs {
        let (from, until) = ((*slot - minutes(60)).to_string(), slot.to_string());
        let told = [
            ("PUNCTUAL_TRIGGER", TRIGGER, "Backfill".to_owned()),
            ("PUNCTUAL_SLOT", SLOT, until.clone()),
            ("PUNCTUAL_INTERVAL_START", INTERVAL_START, from),
            ("PUNCTUAL_INTERVAL_END", INTERVAL_END, until),
        ];
        for (name, key, value) in told {
            assert_eq!(annotation(job, key), value, "{key}");
            assert_eq!(
                env(job, "initContainers", name),
                [Some(value.clone())],
                "init containers are told {name}"
            );
            let own = if name == "PUNCTUAL_INTERVAL_START" {
                "mine".to_owned()
            } else {
                value.clone()
            };
            assert_eq!(
                env(job, "containers", name),
                [Some(value), Some(own)],
                "{name}, where the author has none"
            );
        }
        assert_eq!(told_as(job, "PUNCTUAL_LAST_SUCCESS"), "", "the watermark is today's");
        let pod = job
            .spec
            .as_ref()
            .unwrap()
            .template
            .metadata
            .as_ref()
            .unwrap()
            .annotations
            .clone()
            .unwrap();
        assert_eq!((pod[SLOT].as_str(), pod[TRIGGER].as_str()), ("mine", "Backfill"));
    }
    world.is_told("hourly", "BackfillStarted", "backfilling 3 slots").await;
    world
        .is_told("hourly", "BackfillEnded", "every slot of the backfill is started")
        .await;
    let status = world.tasks().get("hourly").await.unwrap().status.unwrap();
    assert_eq!((status.requested, status.started, status.missed, status.skipped), (3, 3, 0, 0));
    assert_eq!(
        status.accounted_until.as_ref().unwrap().0,
        at("2027-01-01T10:30:00Z"),
        "the ledger of today is not moved"
    );
    assert!(status.last_schedule_time.is_none());
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_under_forbid_is_one_run_at_a_time_over_a_restart_and_once() {
    let (world, operator) = hourly("forbid", json!({"concurrencyPolicy": "Forbid"})).await;
    let seen = world.recorder().await;
    world.annotate("hourly", BACKFILL, Some("2026-12-31/PT3H")).await;
    let first = running(&world, 1).await.remove(0);
    let status = world.tasks().get("hourly").await.unwrap().status.unwrap();
    assert_eq!(status.backfill.as_ref().unwrap().remaining, 2);
    ends(&world, &first.1, 1).await;
    let second = running(&world, 1).await.remove(0);
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:31:00Z").await;
    operator.rests().await;
    ends(&world, &second.1, 2).await;
    let third = running(&world, 1).await.remove(0);
    let status = ends(&world, &third.1, 3).await;
    assert_eq!((status.backfill, status.running), (None, 0));
    assert_eq!(status.last_handled_backfill.as_deref(), Some("2026-12-31/PT3H"));
    operator.rests().await;
    operator.stop().await;
    // One value is one backfill.
    let operator = world.operator("2027-01-01T10:32:00Z").await;
    operator.rests().await;
    operator.stop().await;
    let slots: Vec<String> = seen.slots().await.iter().map(ToString::to_string).collect();
    assert_eq!(slots, ["2026-12-31T00:00:00Z", "2026-12-31T01:00:00Z", "2026-12-31T02:00:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_cannot_be_is_refused_with_its_reason_and_starts_nothing() {
    let (world, operator) = hourly("refused", json!({"backfillLimit": 3})).await;
    for (request, why) in [
        (
            "2026-12-31/PT4H",
            "it names 4 slots, and backfillLimit is 3; request a shorter interval, or raise the limit",
        ),
        (
            "2027-01-01T09:00:00Z/PT5H",
            "it ends at 2027-01-01T14:00:00Z, and only the past can be filled; end it at or before now",
        ),
        (
            "2026-12-31T00:10:00Z/PT5M",
            "the schedule names no slot from 2026-12-31T00:10:00Z to 2026-12-31T00:15:00Z",
        ),
        (
            "yesterday",
            "invalid interval \"yesterday\": use <from>/<until>, for example 2026-11-01/2026-11-08",
        ),
        (
            "2026-12-31/2026-12-30",
            "ends at 2026-12-30T00:00:00Z, not after its start 2026-12-31T00:00:00Z: swap the two",
        ),
    ] {
        world.annotate("hourly", BACKFILL, Some(request)).await;
        world.is_told("hourly", "RequestRefused", why).await;
        let status = world
            .status("hourly", "the request to be recorded", |status| {
                status.last_handled_backfill.as_deref() == Some(request)
            })
            .await;
        let refused = status.last_refused_request.as_ref().unwrap();
        assert_eq!((refused.annotation.as_str(), refused.value.as_str()), (BACKFILL, request));
        assert!(refused.message.contains(why), "{}", refused.message);
        assert_eq!((status.requested, status.backfill), (0, None), "{request}");
    }
    operator.rests().await;
    assert_eq!(world.job_names().await, Vec::<String>::new());
    world.annotate("hourly", BACKFILL, Some("2026-12-31/PT3H")).await;
    running(&world, 3).await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_is_withdrawn_starts_no_more() {
    let (world, operator) = hourly("withdrawn", json!({"concurrencyPolicy": "Forbid"})).await;
    world.annotate("hourly", BACKFILL, Some("2026-12-31/PT10H")).await;
    let first = running(&world, 1).await.remove(0);
    world.annotate("hourly", BACKFILL, None).await;
    world.is_told("hourly", "BackfillEnded", "backfill stopped with 9 slots left").await;
    let status = world
        .status("hourly", "the backfill to be stopped", |status| status.backfill.is_none())
        .await;
    assert_eq!((status.running, status.last_handled_backfill), (1, None), "what runs goes on");
    ends(&world, &first.1, 1).await;
    operator.rests().await;
    assert_eq!(world.job_names().await.len(), 1);
    // The schedule goes on as if nothing had been.
    operator.set("2027-01-01T11:00:00Z");
    let status = world.status("hourly", "the slot of eleven", |status| status.running == 1).await;
    assert_eq!(
        (status.active[0].trigger, newest(&status).as_str()),
        (Trigger::Schedule, "Succeeded JobCompleted")
    );
    operator.stop().await;
}
