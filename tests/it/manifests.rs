//! Bad input: kinds of wrong manifest, each told where it is wrong, beside a good task that goes on all the time.

mod garbage;
mod good;
mod wrong;

use crate::cronjob::{as_task, probes};
use crate::harness::{Operator, World, at};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, ListParams, PostParams};
use punctual::api::ScheduledTaskStatus;
use punctual::plan::job_name;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wrong::{Told, WRONG};

const START: &str = "2027-01-04T10:00:30Z";

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_wrong_manifest_is_told_in_its_words_and_the_good_task_beside_them_goes_on() {
    let world = World::new("wrong").await;
    let seen = world.recorder().await;
    world.task("good", json!({})).await;
    let operator = world.operator(START).await;
    world.settled("good").await;

    let mut faults = Vec::new();
    let mut minutes = 0;
    for chunk in WRONG.chunks(10) {
        let told: Vec<Option<String>> = stream::iter(chunk)
            .map(|wrong| tell(&world, wrong))
            .buffer_unordered(8)
            .collect()
            .await;
        faults.extend(told.into_iter().flatten());
        minutes += 1;
        good_goes_on(&world, &operator, minutes).await;
    }
    assert!(
        faults.is_empty(),
        "{} are not told as expected:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let told = |admission: bool| {
        WRONG
            .iter()
            .filter(|wrong| matches!(wrong.3, Told::AtAdmission(_)) == admission)
            .count()
    };
    println!(
        "{} kinds of wrong manifest: {} told at admission, {} by Ready",
        WRONG.len(),
        told(true),
        told(false)
    );
    assert!(WRONG.len() >= 60);

    // Nothing is due for them, so nothing is written: not when time passes, and not when the API server is asked again.
    let before = versions(&world).await;
    assert_eq!(before.len(), told(false) + 1);
    for _ in 0..3 {
        minutes += 1;
        good_goes_on(&world, &operator, minutes).await;
    }
    let refused = WRONG
        .iter()
        .filter(|wrong| matches!(wrong.3, Told::InReady("JobRefused", _)))
        .count();
    // A question that is on its way now would be answered at eleven, and not be asked again then.
    crate::harness::until("the operator to have nothing to do", || async { operator.is_quiet().then_some(()) }).await;
    let asked = operator.metric(CREATES);
    operator.set("2027-01-04T11:00:00Z");
    let all = asked + f64::from(u32::try_from(refused).unwrap()) + 1.0;
    crate::harness::until("every refused Job to be asked for again, and the good one to be made", || async {
        (operator.metric(CREATES) >= all).then_some(())
    })
    .await;
    good_goes_on(&world, &operator, 61).await;
    let mut after = versions(&world).await;
    assert_ne!(after["good"], before["good"]);
    after.insert("good".into(), before["good"].clone());
    assert_eq!(after, before, "a task that is told to be wrong is written again and again");
    assert!(seen.slots().await.iter().all(|slot| *slot > at(START)));
    seen.assert_once().await;
    operator.stop().await;
    world.delete().await;
}

const CREATES: &str = r#"punctual_api_requests_total{verb="create"}"#;

/// Applies one; gives what is not as expected.
async fn tell(world: &World, (name, place, fragment, told): &(&str, probes::At, &str, Told)) -> Option<String> {
    let mut manifest = as_task(&probes::manifest(name, *place, fragment));
    if manifest.pointer("/spec/schedule").is_some_and(|schedule| schedule == "0 3 * * *") {
        manifest["spec"]["schedule"] = json!("0 0 1 1 *");
    }
    let posted = world.post("punctual.dev/v1alpha1", "scheduledtasks", &manifest, false).await;
    let (right, said) = match (posted, told) {
        (Err(message), Told::AtAdmission(fragments)) => (fragments.iter().all(|fragment| message.contains(fragment)), message),
        (Err(message), Told::InReady(..)) => (false, message),
        (Ok(_), _) => {
            let status = world.settled(name).await;
            let ready = status.condition("Ready").expect("settled");
            let said = format!("Ready={} {}: {}", ready.status, ready.reason, ready.message);
            let right = match told {
                Told::AtAdmission(_) => false,
                Told::InReady(reason, fragments) => {
                    let named = fragments.iter().all(|fragment| ready.message.contains(fragment));
                    ready.status == "False" && ready.reason == *reason && named && is_quiet(&status)
                }
            };
            (right, said)
        }
    };
    (!right).then(|| format!("{name}: expected {told:?}\n  got {said}"))
}

/// A task that is wrong has started nothing and lost nothing.
fn is_quiet(status: &ScheduledTaskStatus) -> bool {
    status.started + status.missed + status.skipped == 0 && status.active.is_empty()
}

/// One more minute, and the good task's Job for it.
async fn good_goes_on(world: &World, operator: &Operator, minute: i64) {
    let slot = at("2027-01-04T10:00:00Z") + jiff::SignedDuration::from_mins(minute);
    operator.set(&slot.to_string());
    world.job(&job_name("good", slot, 1)).await;
}

async fn versions(world: &World) -> BTreeMap<String, String> {
    let tasks = world
        .tasks()
        .list(&ListParams::default())
        .await
        .expect("each of them can be read")
        .items;
    tasks
        .into_iter()
        .map(|task| (task.metadata.name.unwrap(), task.metadata.resource_version.unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_leaves_no_room_is_told_when_the_task_is_applied_and_again_when_it_is_lifted() {
    let world = World::new("quota").await;
    let quotas: Api<ResourceQuota> = Api::namespaced(world.client.clone(), &world.namespace);
    let quota: ResourceQuota =
        serde_json::from_value(json!({"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}})).unwrap();
    quotas.create(&PostParams::default(), &quota).await.expect("a quota");
    crate::harness::until("the quota to be in force", || async {
        quotas.get("none").await.expect("the quota").status?.hard.map(|_| ())
    })
    .await;
    world.task("full", json!({"schedule": "0 0 1 1 *"})).await;
    let operator = world.operator(START).await;
    let status = world.settled("full").await;
    let ready = status.condition("Ready").unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "JobRefused"));
    for words in [
        "the API server would refuse the Job",
        "exceeded quota: none",
        "limited: count/jobs.batch=0",
    ] {
        assert!(ready.message.contains(words), "{}", ready.message);
    }
    // The spec does not change when the quota does, so the API server is asked again from time to time.
    quotas
        .delete("none", &kube::api::DeleteParams::default())
        .await
        .expect("the quota goes");
    // The API server itself takes a moment to notice, so it is asked more than once.
    let mut now = at(START);
    crate::harness::until("Ready to be true", || {
        now += jiff::SignedDuration::from_mins(5);
        operator.set(&now.to_string());
        async { (world.settled("full").await.condition("Ready")?.status == "True").then_some(()) }
    })
    .await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_corrected_is_ready_at_once_and_runs() {
    let world = World::new("corrected").await;
    let operator = world.operator(START).await;
    world.task("wrong", json!({"timeZone": "Europe/Pariss"})).await;
    world
        .task(
            "refused",
            json!({"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "main"}]}}}}}),
        )
        .await;
    let reason = |status: ScheduledTaskStatus| status.condition("Ready").unwrap().reason.clone();
    assert_eq!(reason(world.settled("wrong").await), "UnknownTimeZone");
    assert_eq!(reason(world.settled("refused").await), "JobRefused");
    world.edit("wrong", json!({"timeZone": "Europe/Paris"})).await;
    let mended: Value = json!({"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "x"}]}}}}});
    world.edit("refused", mended).await;
    for task in ["wrong", "refused"] {
        assert_eq!(reason(world.settled(task).await), "Accepted", "{task}");
    }
    operator.set("2027-01-04T10:01:00Z");
    for task in ["wrong", "refused"] {
        world.job(&job_name(task, at("2027-01-04T10:01:00Z"), 1)).await;
    }
    operator.stop().await;
}
