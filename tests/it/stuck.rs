//! S: tasks that other schedulers leave stuck.

use crate::harness::{World, at, cluster, until};
use k8s_openapi::api::batch::v1::Job;
use kube::api::{Patch, PatchParams, PostParams};
use punctual::api::ScheduledTaskStatus;
use serde_json::{Value, json};

fn condition(status: &ScheduledTaskStatus, kind: &str) -> (String, String, String) {
    let known = status.condition(kind).cloned();
    known.map(|known| (known.status, known.reason, known.message)).unwrap_or_default()
}

/// A Job that is not made by the operator.
async fn foreign_job(world: &World, name: &str, metadata: Value) -> Job {
    let mut body = json!({"metadata": {"name": name}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "example.com/none:1"}],
    }}}});
    for (key, value) in metadata.as_object().unwrap() {
        body["metadata"][key] = value.clone();
    }
    world
        .jobs()
        .create(&PostParams::default(), &serde_json::from_value(body).unwrap())
        .await
        .expect("the Job is taken")
}

/// Makes an object of any kind, cluster-scoped or not.
async fn make(world: &World, path: &str, body: Value) {
    let request = kube::core::Request::new(path)
        .create(&PostParams::default(), serde_json::to_vec(&body).unwrap())
        .unwrap();
    world.client.request::<Value>(request).await.expect("the object is taken");
}

/// S3
#[tokio::test(flavor = "multi_thread")]
async fn active_entries_of_finished_deleted_and_foreign_jobs_are_healed_at_once() {
    let world = World::new("s3").await;
    world.task("healed", json!({"concurrencyPolicy": "Forbid"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("healed").await;
    operator.set("2027-01-01T10:01:00Z");
    world.end_job("healed-1798797660", 0, "").await;
    world.status("healed", "its end", |status| status.succeeded == 1).await;
    operator.stop().await;
    let finished = world.job("healed-1798797660").await.metadata.uid.unwrap();
    let foreign = foreign_job(&world, "healed-foreign", json!({})).await.metadata.uid.unwrap();
    let entry = |job: &str, uid: &str| json!({"slot": "2027-01-01T10:01:00Z", "trigger": "Schedule", "attempt": 1, "job": job, "uid": uid});
    let active = json!([
        entry("healed-1798797660", &finished),
        entry("healed-foreign", &foreign),
        entry("healed-0", "00000000-0000-0000-0000-000000000000")
    ]);
    world
        .tasks()
        .patch_status(
            "healed",
            &PatchParams::default(),
            &Patch::Merge(json!({"status": {"active": active}})),
        )
        .await
        .unwrap();

    let operator = world.operator("2027-01-01T10:01:30Z").await;
    let status = world
        .status("healed", "active to be healed", |status| status.active.is_empty())
        .await;
    assert_eq!(status.running, 0);
    operator.set("2027-01-01T10:02:00Z");
    let status = world.status("healed", "the next slot", |status| status.active.len() == 1).await;
    assert_eq!(status.skipped, 0);
    assert!(
        world.job("healed-foreign").await.metadata.deletion_timestamp.is_none(),
        "a foreign Job is left alone"
    );
    operator.stop().await;
}

/// S4
#[tokio::test(flavor = "multi_thread")]
async fn replace_goes_on_when_the_old_job_is_already_gone() {
    let world = World::new("s4-gone").await;
    world.task("replacing", json!({"concurrencyPolicy": "Replace"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("replacing").await;
    operator.set("2027-01-01T10:01:00Z");
    world.job("replacing-1798797660").await;
    world.status("replacing", "the first run", |status| status.running == 1).await;
    operator.stop().await;
    world.delete_job("replacing-1798797660").await;
    let operator = world.operator("2027-01-01T10:02:00Z").await;
    let status = world
        .status("replacing", "the second run", |status| status.started == 2 && status.cancelled == 1)
        .await;
    assert_eq!(status.active[0].job, "replacing-1798797720");
    // And the usual case: it goes on, and is replaced.
    operator.set("2027-01-01T10:03:00Z");
    let status = world
        .status("replacing", "the third run", |status| status.started == 3 && status.cancelled == 2)
        .await;
    assert_eq!(status.recent_runs[0].reason, "Replaced");
    let jobs = world.jobs();
    until("the replaced Job to be gone", || async {
        jobs.get_opt("replacing-1798797720").await.unwrap().is_none().then_some(())
    })
    .await;
    operator.stop().await;
}

/// S4
#[tokio::test(flavor = "multi_thread")]
async fn replace_of_a_job_that_cannot_be_deleted_is_told_once_and_tried_again_later() {
    let world = World::new("s4-refused").await;
    let policy = &world.namespace;
    make(
        &world,
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": policy}, "spec": {
            "matchConstraints": {"resourceRules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["jobs"]}]},
            "validations": [{"expression": "false", "message": "nothing is deleted during the audit"}]}}),
    )
    .await;
    make(
        &world,
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": policy}, "spec": {
            "policyName": policy, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}}}}}),
    )
    .await;
    foreign_job(&world, "probe", json!({})).await;
    let jobs = world.jobs();
    let dry = kube::api::DeleteParams {
        dry_run: true,
        ..kube::api::DeleteParams::default()
    };
    until("the policy to be in force", || async {
        jobs.delete("probe", &dry).await.is_err().then_some(())
    })
    .await;

    world.task("replacing", json!({"concurrencyPolicy": "Replace"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("replacing").await;
    operator.set("2027-01-01T10:01:00Z");
    world.status("replacing", "the first run", |status| status.running == 1).await;
    operator.set("2027-01-01T10:02:00Z");
    let status = world
        .status("replacing", "the refusal to be told", |status| {
            condition(status, "Ready").1 == "DeleteRefused"
        })
        .await;
    assert!(
        condition(&status, "Ready").2.contains("nothing is deleted during the audit"),
        "{status:?}"
    );
    // Nothing is tried before the clock says so.
    let tried = operator.metric("punctual_api_requests_total{verb=\"delete\"}");
    operator.set("2027-01-01T10:02:00.5Z");
    assert!(tried <= 1.0, "{tried} deletions in one second");
    assert_eq!(world.job_names().await, ["probe", "replacing-1798797660"]);

    let unbind = kube::core::Request::new("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings");
    world
        .client
        .request::<Value>(unbind.delete(policy, &kube::api::DeleteParams::default()).unwrap())
        .await
        .unwrap();
    until("the policy to be lifted", || async {
        jobs.delete("probe", &dry).await.is_ok().then_some(())
    })
    .await;
    operator.set("2027-01-01T10:03:00Z");
    let status = world
        .status("replacing", "the newest slot", |status| {
            status.running == 1 && status.active[0].job == "replacing-1798797780"
        })
        .await;
    assert_eq!((status.started, status.missed, status.cancelled), (2, 1, 1));
    assert_eq!(condition(&status, "Ready").1, "Accepted");
    operator.stop().await;
}

/// S5
#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_schedule_is_told_at_once_and_harms_nobody() {
    let world = World::new("s5").await;
    for n in 0..20 {
        world
            .task(
                &format!("never-{n}"),
                json!({"schedule": "59 23 31 2 *", "timeZone": "America/New_York"}),
            )
            .await;
    }
    world.task("good", json!({})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("good").await;
    for n in 0..20 {
        let status = world.settled(&format!("never-{n}")).await;
        let (truth, reason, message) = condition(&status, "Ready");
        assert_eq!((truth.as_str(), reason.as_str()), ("False", "NeverRuns"));
        assert!(message.contains("59 23 31 2 *"), "{message}");
    }
    operator.set("2027-01-01T10:01:00Z");
    world.status("good", "its slot", |status| status.started == 1).await;
    // Mended, it runs.
    world.edit("never-0", json!({"schedule": "*/2 * * * *"})).await;
    world.settled("never-0").await;
    operator.set("2027-01-01T10:02:00Z");
    let status = world.status("never-0", "its slot", |status| status.started == 1).await;
    assert_eq!(condition(&status, "Ready").1, "Accepted");
    operator.stop().await;
}

/// S7
#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_full_is_told_and_the_slots_are_accounted_for() {
    let world = World::new("s7-quota").await;
    let quotas = format!("/api/v1/namespaces/{}/resourcequotas", world.namespace);
    world.task("refused", json!({"schedule": "*/10 * * * *"})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("refused").await;
    make(
        &world,
        &quotas,
        json!({"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}),
    )
    .await;
    let jobs = world.jobs();
    until("the quota to be in force", || async {
        let probe: Job = serde_json::from_value(json!({"metadata": {"name": "probe"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}}})).unwrap();
        jobs.create(&PostParams { dry_run: true, field_manager: None }, &probe).await.is_err().then_some(())
    })
    .await;
    operator.set("2027-01-01T10:10:00Z");
    let status = world
        .status("refused", "the refusal to be told", |status| {
            condition(status, "Ready").0 == "False"
        })
        .await;
    let (_, reason, message) = condition(&status, "Ready");
    assert_eq!(reason, "JobRefused");
    assert!(message.contains("exceeded quota"), "{message}");
    let reasons = until("an event", || async {
        let reasons = world.event_reasons("refused").await;
        reasons.contains(&"JobRefused".to_owned()).then_some(reasons)
    })
    .await;
    assert_eq!(reasons, ["JobRefused"]);
    // Backoff: the clock stands, and nothing is tried.
    assert!(operator.metric("punctual_api_requests_total{verb=\"create\"}") <= 2.0);
    operator.set("2027-01-01T10:11:30Z");
    let status = world
        .status("refused", "Overdue to be true", |status| condition(status, "Overdue").0 == "True")
        .await;
    assert_eq!(condition(&status, "Overdue").1, "JobRefused");
    // A newer slot takes the place of the refused one, which is counted.
    operator.set("2027-01-01T10:20:00Z");
    let status = world
        .status("refused", "the first slot's outcome", |status| status.missed == 1)
        .await;
    assert_eq!(status.recent_runs[0].reason, "JobRefused");
    let lift = kube::core::Request::new(quotas)
        .delete("none", &kube::api::DeleteParams::default())
        .unwrap();
    world.client.request::<Value>(lift).await.unwrap();
    for second in 1..600 {
        operator.set(&format!("2027-01-01T10:{}:{:02}Z", 21 + second / 60, second % 60));
        if !world.job_names().await.is_empty() {
            break;
        }
    }
    let status = world
        .status("refused", "the slot to be started", |status| status.started == 1)
        .await;
    assert_eq!(status.active[0].slot.0, at("2027-01-01T10:20:00Z"));
    assert_eq!(condition(&status, "Ready").1, "Accepted");
    operator.stop().await;
}

/// S7
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_missing_are_told() {
    let world = World::new("s7-rights").await;
    let kubeconfig = cluster()
        .kubeconfig_for(&format!("watcher-{}", world.namespace), None)
        .expect("a kubeconfig");
    let rbac = |kind: &str| format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{}/{kind}", world.namespace);
    make(
        &world,
        &rbac("roles"),
        json!({"metadata": {"name": "watcher"}, "rules": [
            {"apiGroups": ["punctual.dev"], "resources": ["scheduledtasks", "scheduledtasks/status"], "verbs": ["get", "list", "watch", "update", "patch"]},
            {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "update"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}]}),
    )
    .await;
    make(
        &world,
        &rbac("rolebindings"),
        json!({"metadata": {"name": "watcher"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "watcher"},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": format!("watcher-{}", world.namespace)}]}),
    )
    .await;
    world.task("denied", json!({})).await;
    let operator = crate::harness::Operator::start(
        crate::harness::client(kubeconfig).await,
        &world.namespace,
        at("2027-01-01T10:00:30Z"),
    );
    // Told at apply time, by the dry run.
    let status = world.settled("denied").await;
    let (truth, reason, message) = condition(&status, "Ready");
    assert_eq!((truth.as_str(), reason.as_str()), ("False", "JobRefused"));
    assert!(message.contains("cannot create resource \"jobs\""), "{message}");
    operator.set("2027-01-01T10:01:00Z");
    world
        .status("denied", "the refused slot to be named", |status| {
            condition(status, "Ready").2.contains("denied-1798797660")
        })
        .await;
    operator.set("2027-01-01T10:02:10Z");
    world
        .status("denied", "the first slot's outcome", |status| status.missed == 1)
        .await;
    operator.stop().await;
}

/// S7
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_cannot_be_called_and_a_namespace_that_is_ending_are_told() {
    let world = World::new("s7-webhook").await;
    world.task("refused", json!({})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("refused").await;
    let hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    make(
        &world,
        hooks,
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": world.namespace}, "webhooks": [{
            "name": "nobody.example.com", "clientConfig": {"url": "https://127.0.0.1:1/"}, "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}},
            "rules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}]}]}),
    )
    .await;
    let jobs = world.jobs();
    until("the webhook to be in force", || async {
        let probe: Job = serde_json::from_value(json!({"metadata": {"name": "probe"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}}})).unwrap();
        jobs.create(&PostParams { dry_run: true, field_manager: None }, &probe).await.is_err().then_some(())
    })
    .await;
    operator.set("2027-01-01T10:01:00Z");
    let status = world
        .status("refused", "the webhook to be named", |status| {
            condition(status, "Ready").0 == "False"
        })
        .await;
    assert!(condition(&status, "Ready").2.contains("nobody.example.com"), "{status:?}");
    let lift = kube::core::Request::new(hooks)
        .delete(&world.namespace, &kube::api::DeleteParams::default())
        .unwrap();
    world.client.request::<Value>(lift).await.unwrap();
    for second in 1..600 {
        operator.set(&format!("2027-01-01T10:{:02}:{:02}Z", 1 + second / 60, second % 60));
        if !world.job_names().await.is_empty() {
            break;
        }
    }
    world
        .status("refused", "a run after the webhook is gone", |status| status.started >= 1)
        .await;
    operator.stop().await;

    let ending = World::new("s7-ending").await;
    ending.task("left", json!({})).await;
    let pinned = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/keep"]}}));
    ending.tasks().patch("left", &PatchParams::default(), &pinned).await.unwrap();
    ending.task("also", json!({})).await;
    ending.tasks().patch("also", &PatchParams::default(), &pinned).await.unwrap();
    let operator = ending.operator("2027-01-01T10:00:30Z").await;
    ending.settled("left").await;
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(ending.client.clone());
    namespaces
        .delete(&ending.namespace, &kube::api::DeleteParams::default())
        .await
        .unwrap();
    let tasks = ending.tasks();
    until("the tasks to be ending", || async {
        tasks.get("left").await.ok()?.metadata.deletion_timestamp.map(|_| ())
    })
    .await;
    operator.set("2027-01-01T10:01:00Z");
    operator.stop().await;
    assert_eq!(
        ending.job_names().await,
        Vec::<String>::new(),
        "nothing is started for a task that is being deleted"
    );
    for task in ["left", "also"] {
        ending
            .tasks()
            .patch(
                task,
                &PatchParams::default(),
                &Patch::Merge(json!({"metadata": {"finalizers": null}})),
            )
            .await
            .unwrap();
    }
}

/// S8
#[tokio::test(flavor = "multi_thread")]
async fn names_of_any_length_run_side_by_side_and_never_share_a_job() {
    let world = World::new("s8").await;
    let seen = world.recorder().await;
    let long = "n".repeat(52);
    let names = [
        "a".into(),
        "a-1".into(),
        "a-1798797660".into(),
        long.clone(),
        format!("{long}-1"),
        format!("{long}-2"),
        format!("{}{}", long, "z".repeat(201)),
    ];
    for name in &names {
        world.task(name, json!({})).await;
    }
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    for name in &names {
        world.settled(name).await;
    }
    operator.set("2027-01-01T10:01:00Z");
    for name in &names {
        let status = world.status(name, "its run", |status| status.started == 1).await;
        assert!(status.active[0].job.len() <= 63);
        assert_eq!(condition(&status, "Ready").1, "Accepted", "{name}");
    }
    operator.stop().await;
    assert_eq!(seen.slots().await.len(), names.len());
}

/// S8
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_by_another_is_reported_and_never_adopted() {
    let world = World::new("s8-taken").await;
    let theirs = foreign_job(&world, "taken-1798797660", json!({})).await;
    world.task("taken", json!({})).await;
    let operator = world.operator("2027-01-01T10:00:30Z").await;
    world.settled("taken").await;
    operator.set("2027-01-01T10:01:00Z");
    let status = world
        .status("taken", "the conflict to be told", |status| {
            condition(status, "Ready").1 == "NameConflict"
        })
        .await;
    assert!(condition(&status, "Ready").2.contains("taken-1798797660"));
    assert_eq!(status.started, 0);
    operator.set("2027-01-01T10:02:00Z");
    let status = world.status("taken", "the next slot", |status| status.started == 1).await;
    assert_eq!(
        (status.missed, status.recent_runs.last().unwrap().reason.as_str()),
        (1, "NameConflict")
    );
    assert_eq!(world.job("taken-1798797660").await.metadata.uid, theirs.metadata.uid);
    operator.stop().await;
}
