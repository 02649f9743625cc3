//! D: slots that other schedulers start twice.

use crate::harness::{Fault, Process, Proxy, World, at, until};
use http::Method;
use kube::api::{Patch, PatchParams};
use punctual::api::ScheduledTaskStatus;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Every slot since the ledger began has exactly one outcome, and the counters add up.
fn assert_adds_up(status: &ScheduledTaskStatus, seconds_between_slots: i64) {
    let since = status.schedule_since.as_ref().unwrap().0.as_second();
    let until = status.accounted_until.as_ref().unwrap().0.as_second();
    let slots = until.div_euclid(seconds_between_slots) - since.div_euclid(seconds_between_slots);
    let claimed = status.active.iter().filter(|run| run.uid.is_none()).count() as i64;
    assert_eq!(status.started + status.missed + status.skipped + claimed, slots, "{status:#?}");
    assert_eq!(
        status.started,
        status.succeeded + status.failed + status.cancelled + status.running,
        "{status:#?}"
    );
}

/// The real process is killed at each of its first writes, before it is done and after, and started again.
async fn killed_at_each_write(name: &str, policy: &str) {
    let world = World::new(name).await;
    let seen = world.recorder().await;
    world
        .task(
            "killed",
            json!({"schedule": "* * * * * *", "concurrencyPolicy": policy, "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1}),
        )
        .await;
    for write in 0..6 {
        for fault in [Fault::HeldBefore, Fault::HeldAfter] {
            let mut left = write;
            let proxy = Proxy::start(world.access.client.clone(), move |_, _| {
                left -= 1;
                if left < 0 { fault } else { Fault::None }
            })
            .await;
            let operator = Process::start(proxy.kubeconfig(), &world.namespace);
            // Jobs end by themselves meanwhile, so that ends and deletions are among the writes.
            let ending = world.end_jobs(0);
            proxy.hit.lock().await.recv().await.expect("the write comes");
            operator.kill();
            ending.abort();
        }
    }
    let operator = Process::start(&world.access.kubeconfig, &world.namespace);
    let killed = world.status("killed", "its ledger", |status| status.started > 0).await;
    world
        .status("killed", "the operator to go on", |status| {
            status.accounted_until.as_ref().map(|at| at.0) > killed.accounted_until.as_ref().map(|at| at.0)
        })
        .await;
    // No slot comes any more; what was started is written down.
    world.edit("killed", json!({"suspend": true})).await;
    let status = until("every Job to be in the ledger", || async {
        let status = world.tasks().get("killed").await.ok()?.status?;
        let is_suspended = status.suspension.is_some();
        (is_suspended && seen.slots().await.len() as i64 == status.started).then_some(status)
    })
    .await;
    assert_eq!(operator.terminate(), Some(0));
    seen.assert_once().await;
    assert_adds_up(&status, 1);
}

/// D1
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_under_allow_each_slot_has_one_job() {
    killed_at_each_write("d1-allow", "Allow").await;
}

/// D1
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_under_forbid_each_slot_has_one_job() {
    killed_at_each_write("d1-forbid", "Forbid").await;
}

/// D1
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_under_replace_each_slot_has_one_job() {
    killed_at_each_write("d1-replace", "Replace").await;
}

/// D2
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_deleted_right_after_it_finished_is_not_made_again() {
    let world = World::new("d2").await;
    let seen = world.recorder().await;
    world.task("user", json!({})).await;
    world
        .task("ttl", json!({"jobTemplate": {"spec": {"ttlSecondsAfterFinished": 0}}}))
        .await;
    world.task("running", json!({"concurrencyPolicy": "Forbid"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for task in ["user", "ttl", "running"] {
        world.settled(task).await;
    }
    operator.set("2027-01-01T10:01:00Z");
    for task in ["user", "ttl", "running"] {
        world.job(&format!("{task}-1798797660")).await;
    }
    // Before the status that says "started" is written: that write waits a second to be merged.
    let (user, ttl, running) = tokio::join!(
        async {
            world.end_job("user-1798797660", 0, "").await;
            world.delete_job("user-1798797660").await;
        },
        async { world.end_pod("ttl-1798797660", 0, "").await },
        world.delete_job("running-1798797660"),
    );
    let ((), (), ()) = (user, ttl, running);
    world.status("user", "its end", |status| status.succeeded == 1).await;
    world.status("ttl", "its end", |status| status.succeeded == 1).await;
    let status = world.status("running", "its end", |status| status.cancelled == 1).await;
    assert_eq!(status.recent_runs[0].reason, "JobDeleted");
    // A restart, and a new slot: nothing of the old ones comes back.
    operator.stop().await;
    let operator = world.operator("2027-01-01T10:02:00Z").await;
    for task in ["user", "ttl", "running"] {
        world.status(task, "the next slot", |status| status.started == 2).await;
    }
    operator.stop().await;
    assert_eq!(seen.slots().await.len(), 6);
    let mut distinct = seen.slots().await;
    distinct.dedup();
    assert_eq!(distinct, [at("2027-01-01T10:01:00Z"), at("2027-01-01T10:02:00Z")]);
}

/// D3
#[tokio::test(flavor = "multi_thread")]
async fn two_operators_and_a_third_writer_lose_nothing_and_double_nothing() {
    let world = World::new("d3").await;
    let seen = world.recorder().await;
    for policy in ["Allow", "Forbid", "Replace"] {
        world.task(&policy.to_lowercase(), json!({"concurrencyPolicy": policy})).await;
    }
    let one = world.operator("2027-01-01T10:00:30Z").await;
    let two = world.operator("2027-01-01T10:00:30Z").await;
    for policy in ["allow", "forbid", "replace"] {
        world.settled(policy).await;
    }
    for minute in 1..=10 {
        for task in ["allow", "forbid", "replace"] {
            // Somebody else writes the object: every version that the operators know is old.
            let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/touched": minute.to_string()}}}));
            world.tasks().patch(task, &PatchParams::default(), &patch).await.unwrap();
        }
        let now = format!("2027-01-01T10:{minute:02}:00Z");
        one.set(&now);
        two.set(&now);
        for task in ["allow", "forbid", "replace"] {
            let due = at(&now);
            world
                .status(task, "the slot's outcome", |status| {
                    // A claim that still waits (for the Job that it replaces) would make way for the next slot.
                    let claims = status.active.iter().filter(|run| run.uid.is_none()).count();
                    claims == 0 && status.accounted_until.as_ref().is_some_and(|until| until.0 >= due)
                })
                .await;
        }
        if minute % 3 == 0 {
            let slot = at(&now).as_second();
            if world.job_names().await.contains(&format!("forbid-{slot}")) {
                world.end_job(&format!("forbid-{slot}"), 0, "").await;
            }
        }
    }
    one.stop().await;
    two.stop().await;
    for (task, started) in [("allow", Some(10)), ("forbid", None), ("replace", Some(10))] {
        let status = world.tasks().get(task).await.unwrap().status.unwrap();
        assert_adds_up(&status, 60);
        assert_eq!(status.started + status.skipped, 10, "{task}");
        if let Some(started) = started {
            assert_eq!(status.started, started, "{task}: {status:#?}");
        }
        let jobs = seen.of(&format!("{task}-")).await;
        assert_eq!(jobs.len() as i64, status.started, "{task}");
        let mut distinct = jobs.clone();
        distinct.dedup();
        assert_eq!(distinct, jobs, "{task}");
    }
}

/// D5
#[tokio::test(flavor = "multi_thread")]
async fn every_48_hours_keeps_its_phase_over_restarts_and_edits_of_other_fields() {
    let world = World::new("d5").await;
    let seen = world.recorder().await;
    world.task("every", json!({"schedule": "@every 48h"})).await;
    let mut first = None;
    for day in (1..=15).step_by(2) {
        let operator = world.operator(&format!("2027-01-{day:02}T07:00:00Z")).await;
        let status = world.settled("every").await;
        let next = at(&status.next_runs[0]);
        let phase = next.as_second().rem_euclid(48 * 3600);
        assert_eq!(*first.get_or_insert(phase), phase, "restarted on day {day}");
        world.edit("every", json!({"successfulJobsHistoryLimit": day})).await;
        world.settled("every").await;
        operator.stop().await;
    }
    let slots = seen.slots().await;
    assert!(
        slots.windows(2).all(|pair| pair[1].as_second() - pair[0].as_second() == 48 * 3600),
        "{slots:?}"
    );
    assert_eq!(slots.len(), 7);
}

/// D6
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_and_forth_by_hours_starts_each_slot_once_and_never_early() {
    let world = World::new("d6").await;
    let seen = world.recorder().await;
    world.task("hourly", json!({"schedule": "0 * * * *"})).await;
    let operator = world.operator("2027-01-01T10:30:00Z").await;
    world.settled("hourly").await;
    operator.set("2027-01-01T11:00:00Z");
    world.status("hourly", "11:00", |status| status.started == 1).await;
    // Back by three hours: 9:00, 10:00 and 11:00 come again by the clock, and are not theirs to run again.
    operator.set("2027-01-01T08:00:00Z");
    operator.set("2027-01-01T09:00:00Z");
    operator.set("2027-01-01T11:00:00Z");
    operator.set("2027-01-01T11:59:59Z");
    let before = world.tasks().get("hourly").await.unwrap().metadata.resource_version;
    operator.set("2027-01-01T12:00:00Z");
    world.status("hourly", "12:00", |status| status.started == 2).await;
    assert_ne!(before, world.tasks().get("hourly").await.unwrap().metadata.resource_version);
    // Forward by six hours, as after a suspended machine: the latest once, the others counted.
    operator.set("2027-01-01T18:20:00Z");
    let status = world.status("hourly", "18:00", |status| status.started == 3).await;
    assert_eq!(status.missed, 5);
    operator.stop().await;
    assert_eq!(
        seen.slots().await,
        [at("2027-01-01T11:00:00Z"), at("2027-01-01T12:00:00Z"), at("2027-01-01T18:00:00Z")]
    );
}

/// D7
#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_is_lost_is_neither_doubled_nor_lost() {
    let world = World::new("d7").await;
    let seen = world.recorder().await;
    for policy in ["Allow", "Forbid", "Replace"] {
        world.task(&policy.to_lowercase(), json!({"concurrencyPolicy": policy})).await;
    }
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = posts.clone();
    // Two answers of three are lost, for creations of Jobs and for writes of status alike.
    let proxy = Proxy::start(world.access.client.clone(), move |method, path| {
        let number = counted.fetch_add(usize::from(method == Method::POST && path.ends_with("/jobs")), Ordering::Relaxed);
        if number % 3 == 2 { Fault::None } else { Fault::AnswerLost }
    })
    .await;
    let operator = crate::harness::Operator::start(proxy.client().await, &world.namespace, at("2027-01-01T10:00:30Z"));
    for policy in ["allow", "forbid", "replace"] {
        world.settled(policy).await;
    }
    for minute in 1..=8 {
        operator.set(&format!("2027-01-01T10:{minute:02}:00Z"));
        let slot = at(&format!("2027-01-01T10:{minute:02}:00Z"));
        for task in ["allow", "forbid", "replace"] {
            world.job(&format!("{task}-{}", slot.as_second())).await;
            world.status(task, "the run to be known", |status| status.started == minute).await;
        }
        world.end_job(&format!("forbid-{}", slot.as_second()), 0, "").await;
        world.status("forbid", "its end", |status| status.succeeded == minute).await;
    }
    operator.stop().await;
    assert!(posts.load(Ordering::Relaxed) >= 24);
    for task in ["allow", "forbid", "replace"] {
        let status = world.tasks().get(task).await.unwrap().status.unwrap();
        assert_adds_up(&status, 60);
        assert_eq!(seen.of(&format!("{task}-")).await.len(), 8, "{task}");
    }
}

/// D7
#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_swallowed_after_it_was_done_is_not_done_again() {
    let world = World::new("d7-held").await;
    let seen = world.recorder().await;
    world.task("held", json!({"concurrencyPolicy": "Forbid"})).await;
    let mut first = true;
    let proxy = Proxy::start(world.access.client.clone(), move |method, path| {
        if method == Method::POST && path.ends_with("/jobs") && std::mem::take(&mut first) {
            Fault::HeldAfter
        } else {
            Fault::None
        }
    })
    .await;
    let operator = crate::harness::Operator::start(proxy.client().await, &world.namespace, at("2027-01-01T10:00:30Z"));
    world.settled("held").await;
    operator.set("2027-01-01T10:01:00Z");
    // The operator gives up after its own deadline, and finds that the Job is its own.
    let status = world.status("held", "the run to be known", |status| status.started == 1).await;
    assert_eq!(status.active[0].job, "held-1798797660");
    operator.stop().await;
    assert_eq!(seen.slots().await, [at("2027-01-01T10:01:00Z")]);
}
