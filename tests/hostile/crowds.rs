//! Much of everything: what one namespace has too much of is not taken from another.

use crate::ground::Ground;
use crate::harness::{Operator, World, until};
use futures::{StreamExt, stream};
use kube::api::{Patch, PatchParams};
use punctual::api::ScheduledTaskStatus;
use serde_json::{Value, json};

const NOW: &str = "2027-01-01T10:00:00Z";

fn hangs(schedule: &str, policy: &str) -> Value {
    json!({"schedule": schedule, "concurrencyPolicy": policy, "jobTemplate": {"spec": {"suspend": true}}})
}

fn requests(operator: &Operator, verb: &str) -> f64 {
    operator.metric(&format!("punctual_api_requests_total{{verb=\"{verb}\"}}"))
}

async fn many(world: &World, count: usize, spec: &Value) {
    let tasks = (0..count).map(|number| async move { drop(world.task(&format!("hog-{number:03}"), spec.clone()).await) });
    stream::iter(tasks).buffer_unordered(16).collect::<Vec<()>>().await;
}

/// A9: tasks that skip each second. The victim loses no slot, and skips are written together.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_skip_each_second_take_no_slot_from_others_and_write_their_skips_together() {
    const HOGS: usize = 60;
    const SECONDS: i64 = 60;
    let ground = Ground::new("a9").await;
    many(&ground.attacker, HOGS, &hangs("* * * * * *", "Forbid")).await;
    ground.victim.task("victim", hangs("*/2 * * * * *", "Allow")).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    for number in 0..HOGS {
        ground.attacker.settled(&format!("hog-{number:03}")).await;
    }
    operator.rests().await;
    let before = requests(&operator, "status");
    for second in 1..=SECONDS {
        operator.set_to(crate::harness::at(NOW) + jiff::SignedDuration::from_secs(second));
        if second % 2 == 0 {
            ground
                .victim
                .status("victim", "its slot to be started", |status| status.started == second / 2)
                .await;
        }
        operator.rests().await;
    }
    let writes = requests(&operator, "status") - before;
    // The victim writes for each of its starts. A hog writes its claim and its Job, and then now and then.
    let most = f64::from(u32::try_from(SECONDS).unwrap()) + HOGS as f64 * (3.0 + SECONDS as f64 / 6.0);
    assert!(writes <= most, "{writes} writes of statuses, and {most} at most");
    let victim = ground.victim.settled("victim").await;
    assert_eq!((victim.missed, victim.skipped, victim.started), (0, 0, SECONDS / 2));
    // Nothing that was put off is lost.
    operator.stop().await;
    // A process that is stopped writes what was put off; what it has no time for, the next one decides again.
    let operator = ground.operator("2027-01-01T10:01:00Z").await;
    for number in 0..HOGS {
        let name = format!("hog-{number:03}");
        let counts = |status: &ScheduledTaskStatus| (status.started, status.skipped, status.missed);
        let all = |status: &ScheduledTaskStatus| counts(status) == (1, SECONDS - 1, 0);
        ground.attacker.status(&name, "every slot to be counted", all).await;
    }
    operator.stop().await;
}

/// A13: hundreds of changes of a task whose Jobs are refused add no attempt.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_a_task_that_fails_add_no_requests() {
    let ground = Ground::new("a13").await;
    ground.attacker.quota("none", json!({"count/jobs.batch": "0"})).await;
    ground.attacker.task("fails", hangs("* * * * *", "Forbid")).await;
    ground.attacker.task("fails-too", hangs("* * * * *", "Allow")).await;
    let operator = ground.operator(NOW).await;
    for task in ["fails", "fails-too"] {
        ground.attacker.settled(task).await;
    }
    operator.set("2027-01-01T10:01:00Z");
    until("the refusals to be told", || async {
        (requests(&operator, "create") >= 2.0).then_some(())
    })
    .await;
    operator.rests().await;
    let sum = || {
        ["create", "status", "get job", "get task", "delete"]
            .iter()
            .map(|verb| requests(&operator, verb))
            .sum::<f64>()
    };
    let before = sum();
    let touch = |number: usize| {
        let tasks = ground.attacker.tasks();
        async move {
            let task = if number.is_multiple_of(2) { "fails" } else { "fails-too" };
            let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/touched": number.to_string()}}}));
            tasks
                .patch(task, &PatchParams::default(), &patch)
                .await
                .expect("the change is taken");
        }
    };
    stream::iter((0..400).map(touch)).buffer_unordered(8).collect::<Vec<()>>().await;
    operator.rests().await;
    assert!(sum() - before <= 8.0, "{} requests for 400 changes", sum() - before);
    // Nor later: each wait is one wait. So many looks as the backoff has steps, not as there were changes.
    let before = sum();
    for second in 1..=50 {
        operator.set_to(crate::harness::at("2027-01-01T10:01:00Z") + jiff::SignedDuration::from_secs(second));
        operator.rests().await;
    }
    assert!(sum() - before <= 60.0, "{} requests in 50 seconds", sum() - before);
}

/// A14: a namespace that says too much is cut short, that is counted, and others are heard.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_namespace_has_to_say_silences_no_other() {
    const TASKS: usize = 10;
    // More than a task may say at once, and less than makes a minute of it.
    const TIMES: usize = 40;
    let ground = Ground::new("a14").await;
    many(&ground.attacker, TASKS, &json!({"suspend": true})).await;
    ground.victim.task("victim", json!({"suspend": true})).await;
    let operator = ground.operator(NOW).await;
    ground.victim.settled("victim").await;
    let talk = |number: usize| {
        let world = ground.attacker.clone();
        async move {
            let task = format!("hog-{number:03}");
            world.settled(&task).await;
            for time in 0..TIMES {
                let value = format!("nonsense {time}");
                world.annotate(&task, "punctual.dev/backfill", Some(&value)).await;
                world
                    .status(&task, "the refusal", |status| {
                        status.last_refused_request.as_ref().is_some_and(|refused| refused.value == value)
                    })
                    .await;
            }
        }
    };
    stream::iter((0..TASKS).map(talk))
        .buffer_unordered(TASKS)
        .collect::<Vec<()>>()
        .await;
    assert!(
        operator.metric("punctual_events_dropped_total ") > 0.0,
        "what is not said is counted"
    );
    ground.victim.annotate("victim", "punctual.dev/backfill", Some("nonsense")).await;
    ground.victim.is_told("victim", "RequestRefused", "nonsense").await;
}
