//! From an older CRD to this one, away, and back: tasks and their ledgers stay.

use super::ground::{chart, ground, running};
use super::release::{NAME, NAMESPACE};
use crate::harness::until;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const CRD: &str = "scheduledtasks.punctual.dev";
/// Fields that an older operator did not have.
const NEW: [&str; 4] = ["queueLimit", "ttlAfterFinished", "suspendAfterFailures", "exclude"];

/// This chart with an older CRD in it: fields are missing, and rules that speak of them.
fn older_chart(into: &Path) {
    copy(&chart(), into);
    let file = into.join("files/crds/scheduledtasks.punctual.dev.yaml");
    let mut crd: Value = serde_yaml::from_str(&fs::read_to_string(&file).expect("the CRD")).expect("YAML");
    let spec = crd
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .expect("a schema");
    for field in NEW {
        let fields = spec["properties"].as_object_mut().expect("properties");
        assert!(fields.remove(field).is_some(), "{field} is no field any more: choose another");
    }
    let speaks_of_new = |rule: &Value| {
        NEW.iter()
            .any(|field| rule["rule"].as_str().is_some_and(|rule| rule.contains(field)))
    };
    if let Some(rules) = spec["x-kubernetes-validations"].as_array_mut() {
        rules.retain(|rule| !speaks_of_new(rule));
    }
    fs::write(&file, serde_yaml::to_string(&crd).expect("YAML")).expect("written");
}

/// Copies a folder; links become what they lead to.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_from_an_older_crd_and_an_uninstall_keep_tasks_ledgers_and_jobs() {
    let Some(ground) = ground() else { return };
    let _turn = ground.alone().await;
    let world = ground.world("lifecycle").await;
    let known = |field: &str| {
        let path = format!("jsonpath={{.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.{field}.type}}");
        ground.kubectl(&["get", "crd", CRD, "-o", &path]).is_ok_and(|kind| !kind.is_empty())
    };

    let older = tempfile::tempdir().expect("a folder");
    older_chart(older.path());
    let since = ground.now();
    ground.install(older.path(), &[]);
    assert!(NEW.iter().all(|field| !known(field)), "the older CRD knows no newer field");
    let spec = json!({"schedule": "*/2 * * * * *", "concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 100, "runHistoryLimit": 100, "jobTemplate": running("true")});
    world.task("kept", spec).await;
    let before = world.status("kept", "two runs", |status| status.succeeded >= 2).await;
    let uid = world.tasks().get("kept").await.expect("the task").metadata.uid;

    ground.upgrade(&chart(), &[]);
    assert!(NEW.iter().all(|field| known(field)), "helm upgrade has upgraded the CRD");
    let after = world
        .status("kept", "a run after the upgrade", |status| status.succeeded > before.succeeded + 1)
        .await;
    assert_eq!(after.schedule_since, before.schedule_since, "the ledger goes on");
    let runs: Vec<_> = after.recent_runs.iter().map(|run| &run.job).collect();
    assert!(
        before.recent_runs.iter().all(|run| runs.contains(&&run.job)),
        "runs of before are remembered"
    );
    world.edit("kept", json!({"ttlAfterFinished": "1h"})).await;
    let stored = world.tasks().get("kept").await.expect("the task");
    let stored = serde_json::to_value(&stored).expect("JSON");
    assert!(stored["spec"]["ttlAfterFinished"].is_string(), "the new field is kept: {stored}");
    world.settled("kept").await;
    ground.assert_nothing_denied(since);

    // A Job that goes on while the operator leaves.
    world
        .task(
            "long",
            json!({"schedule": "*/2 * * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": running("sleep 1000")}),
        )
        .await;
    let long = world.status("long", "its run", |status| status.running == 1).await;
    let long = long.active[0].job.clone();
    ground
        .helm(&["uninstall", NAME, "--namespace", NAMESPACE, "--wait"])
        .expect("uninstalled");
    until("the operator's pods to be gone", || async {
        ground.operators(&world.client).await.is_empty().then_some(())
    })
    .await;
    for (kind, name) in [
        ("clusterrole", NAME),
        ("validatingadmissionpolicy", NAME),
        ("deployment", NAME),
        ("serviceaccount", NAME),
    ] {
        assert!(ground.kubectl(&["get", kind, name, "-n", NAMESPACE]).is_err(), "{kind} is left");
    }
    assert!(known("schedule"), "the CRD stays");
    let left = world.tasks().get("kept").await.expect("the task stays");
    assert_eq!(left.metadata.uid, uid);
    let status = left.status.expect("its ledger stays");
    assert!(status.succeeded >= after.succeeded);
    let jobs = world.job_names().await;
    assert!(
        after.recent_runs.iter().flat_map(|run| &run.job).all(|job| jobs.contains(job)),
        "its Jobs stay"
    );
    assert_eq!(
        world.job(&long).await.status.and_then(|status| status.active),
        Some(1),
        "and what runs goes on"
    );

    ground.install(&chart(), &[]);
    let again = world
        .status("kept", "a run of the new operator", |now| now.succeeded > status.succeeded)
        .await;
    assert_eq!(again.schedule_since, before.schedule_since);
    let long_after = world.status("long", "its run to be known", |status| status.running == 1).await;
    assert_eq!(long_after.active[0].job, long);
    // Slots while nobody looked are accounted for like all others.
    let until = again.accounted_until.as_ref().expect("a ledger").0.as_second();
    let since = again.schedule_since.as_ref().expect("a ledger").0.as_second();
    let claimed = i64::try_from(again.active.iter().filter(|run| run.uid.is_none()).count()).expect("few");
    let slots = until.div_euclid(2) - since.div_euclid(2);
    assert_eq!(again.started + again.missed + again.skipped + claimed, slots, "{again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crd_that_kubectl_applied_is_taken_over_with_the_flags_that_the_page_names() {
    let Some(ground) = ground() else { return };
    let _turn = ground.alone().await;
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/install.md")).expect("the page");
    let flags = ["--take-ownership", "--force-conflicts"];
    assert!(page.contains(&format!("Add `{}` once.", flags.join(" "))));
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds").display().to_string();
    let _ = ground.kubectl(&["delete", "crd", CRD, "--ignore-not-found"]);
    ground.kubectl(&["apply", "-f", &crds]).expect("applied");
    ground.install(&chart(), &flags);
    // As long as both wrote the same, kubectl co-owns the versions: the first change needs the flag, later ones do not.
    assert!(page.contains("add `--force-conflicts` to that upgrade, too."));
    let older = tempfile::tempdir().expect("a folder");
    older_chart(older.path());
    ground.upgrade(older.path(), &flags[1..]);
    ground.upgrade(&chart(), &[]);
    let owner = "jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-name}";
    assert_eq!(ground.kubectl(&["get", "crd", CRD, "-o", owner]).as_deref(), Ok(NAME));
}
