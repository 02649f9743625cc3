//! Nothing is denied, and no right is unused: the chart's roles against the API server's audit log. Where everything is
//! watched, and where two namespaces are; and the one right that no request uses.

use super::ground::{Ground, chart, ground, running};
use super::rights::{rights, unused};
use crate::harness::audit::Request;
use crate::harness::{World, until};
use futures::future::join_all;
use k8s_openapi::api::batch::v1::Job;
use kube::api::{Patch, PatchParams, PostParams};
use punctual::api::ScheduledTaskStatus;
use serde_json::json;

const TASKS: &str = "punctual.dev/scheduledtasks";

/// Makes the operator use each of its rights in a namespace.
async fn exercise(ground: &Ground, world: &World, since: u64) {
    // A run that fails (pods are listed, an event is told), and one that is deleted as history.
    let fails =
        json!({"schedule": "*/2 * * * * *", "concurrencyPolicy": "Forbid", "failedJobsHistoryLimit": 0, "jobTemplate": running("exit 3")});
    world.task("fails", fails).await;
    // Names that are taken (Jobs are read). The slots are the next ones; the task is made after the Jobs.
    let now = punctual::clock::Clock::System.now().as_second();
    let slots = (now..now + 60).filter(|second| second % 5 == 0);
    for slot in slots {
        let body = json!({"metadata": {"name": format!("taken-{slot}")}, "spec": {"suspend": true, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/none:1"}]}}}});
        let job: Job = serde_json::from_value(body).expect("a Job");
        world.jobs().create(&PostParams::default(), &job).await.expect("made");
    }
    world
        .task("taken", json!({"schedule": "*/5 * * * * *", "jobTemplate": running("true")}))
        .await;
    world
        .status("taken", "the conflict to be told", |status| {
            status.condition("Ready").is_some_and(|ready| ready.reason == "NameConflict")
        })
        .await;
    let failed = world.status("fails", "its exit code", |status| status.failed >= 1).await;
    assert!(
        failed.recent_runs.iter().any(|run| run.exit_code == Some(3)),
        "{:?}",
        failed.recent_runs
    );
    // Somebody else writes the task all the time, so that the operator's write meets another version (the task is read).
    world
        .task(
            "contested",
            json!({"schedule": "* * * * * *", "jobTemplate": {"spec": {"suspend": true}}}),
        )
        .await;
    let read = |request: &Request| request.verb == "get" && request.what == TASKS && request.namespace == world.namespace;
    for round in 0_u64.. {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/touched": round.to_string()}}}));
        world
            .tasks()
            .patch("contested", &PatchParams::default(), &patch)
            .await
            .expect("patched");
        if round % 50 == 0 && ground.requests(since).iter().any(read) {
            break;
        }
        assert!(round < 20_000, "20,000 writes of another, and the operator never met one");
    }
}

/// Fails if anything was denied since then, or if a right was not used; prints both lists.
async fn assert_rights_fit(ground: &Ground, world: &World, since: u64) {
    let given = rights(&world.client).await;
    let left = until("every right to be used", || async {
        let left = unused(&given, &ground.requests(since));
        left.iter().all(|right| right.is_for().is_some()).then_some(left)
    });
    let left = match tokio::time::timeout(std::time::Duration::from_secs(50), left).await {
        Ok(left) => left,
        Err(_) => unused(&given, &ground.requests(since)),
    };
    let requests = ground.requests(since);
    let denied: Vec<&Request> = requests.iter().filter(|request| request.denied).collect();
    println!("{} requests under {} rights", requests.len(), given.len());
    println!("denied: {}", denied.len());
    denied.iter().for_each(|request| println!("  {request}"));
    println!("never used: {}", left.len());
    for right in &left {
        let reason = right.is_for().map_or_else(String::new, |reason| format!(" ({reason})"));
        println!("  {right}{reason}");
    }
    assert!(denied.is_empty(), "something was denied");
    assert!(left.iter().all(|right| right.is_for().is_some()), "rights that nothing uses");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_charts_rights_nothing_is_denied_and_no_right_is_unused() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("rights").await;
    exercise(ground, &world, release.since).await;
    assert_rights_fit(ground, &world, release.since).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_two_namespaces_are_watched_a_task_elsewhere_is_left_alone_and_the_rights_fit_as_well() {
    let Some(ground) = ground() else { return };
    let _turn = ground.alone().await;
    let worlds = [ground.world("team-a").await, ground.world("team-b").await];
    let elsewhere = ground.world("team-c").await;
    let since = ground.now();
    let [a, b] = &worlds;
    ground.install(&chart(), &[&format!("--set=watchNamespaces={{{},{}}}", a.namespace, b.namespace)]);
    let every = json!({"schedule": "* * * * * *", "jobTemplate": {"spec": {"suspend": true}}});
    elsewhere.task("alone", every).await;
    join_all(worlds.iter().map(|world| exercise(ground, world, since))).await;
    assert_rights_fit(ground, a, since).await;
    // By now every task of the watched namespaces has had its slots.
    let status = elsewhere.tasks().get("alone").await.expect("a task").status;
    assert_eq!(
        status.and_then(|status| status.observed_generation),
        Some(punctual::api::NOT_OBSERVED)
    );
    assert!(elsewhere.job_names().await.is_empty());
    let abroad: Vec<String> = ground
        .requests(since)
        .iter()
        .filter(|request| {
            !["coordination.k8s.io/leases", "/configmaps"].contains(&request.what.as_str())
                && ![&a.namespace, &b.namespace].contains(&&request.namespace)
        })
        .filter(|request| request.what != "/events")
        .map(ToString::to_string)
        .collect();
    assert!(abroad.is_empty(), "asked for beyond its namespaces: {abroad:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_right_that_no_request_uses_is_needed_where_its_plugin_is_on() {
    let Some(ground) = ground() else { return };
    let _turn = ground.alone().await;
    let world = ground.world("owner").await;
    ground.install(&chart(), &["--set=rbac.ownerReferences=false"]);
    world
        .task("owned", json!({"schedule": "*/2 * * * * *", "jobTemplate": running("true")}))
        .await;
    let refused = world
        .status("owned", "the refusal to be told", |status| {
            status.condition("Ready").is_some_and(|ready| ready.status == "False")
        })
        .await;
    let ready = refused.condition("Ready").expect("a condition");
    println!("Ready={} {}: {}", ready.status, ready.reason, ready.message);
    assert_eq!(ready.reason, "JobRefused");
    assert!(ready.message.contains("blockOwnerDeletion"), "{}", ready.message);
    assert!(world.job_names().await.is_empty());

    ground.upgrade(&chart(), &["--set=rbac.ownerReferences=true"]);
    let well = |status: &ScheduledTaskStatus| status.condition("Ready").is_some_and(|ready| ready.status == "True");
    world
        .status("owned", "a run under the right, and to be told that all is well", |status| {
            status.succeeded >= 1 && well(status)
        })
        .await;
}
