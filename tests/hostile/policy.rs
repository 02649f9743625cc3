//! A task makes Jobs, so who may not create Jobs creates no task, by whatever way. And a name is no Job: UIDs are.

use crate::forged::named;
use crate::ground::{Ground, make, maker_of_jobs, tenant, tenant_as};
use crate::harness::{World, task_manifest, until};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use punctual::api::ScheduledTask;
use serde_json::{Value, json};

fn refusal<T: std::fmt::Debug>(answer: Result<T, kube::Error>) -> Option<String> {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 403 => Some(status.message),
        _ => None,
    }
}

async fn create(world: &World, body: Value) -> Option<String> {
    let task: ScheduledTask = serde_json::from_value(body).expect("a task");
    refusal(world.tasks().create(&PostParams::default(), &task).await)
}

async fn patch<P: serde::Serialize + std::fmt::Debug>(world: &World, patch: &Patch<P>) -> Option<String> {
    let params = PatchParams::apply("attacker").force();
    let params = if matches!(patch, Patch::Apply(_)) {
        params
    } else {
        PatchParams::default()
    };
    refusal(world.tasks().patch("there", &params, patch).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_create_jobs_gets_none_by_a_task_whatever_the_way() {
    let ground = Ground::new("policy").await;
    let rules = json!([{"apiGroups": ["punctual.dev"], "resources": ["*"], "verbs": ["*"]}, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]);
    let attacker = tenant(&ground.victim, "no-jobs", rules).await;
    let there = ground.victim.task("there", json!({"suspend": true})).await;
    until("the policy to be in force", || async {
        create(&attacker, task_manifest("first", json!({})))
            .await
            .filter(|said| said.contains("may not create Jobs"))
    })
    .await;
    let mut owned = task_manifest("owned", json!({}));
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "there", "uid": there.uid().unwrap(), "controller": true}]);
    let mut generated = task_manifest("", json!({}));
    generated["metadata"] = json!({"generateName": "generated-", "finalizers": ["example.com/keep"]});
    for body in [owned, generated, task_manifest("suspended", json!({"suspend": true}))] {
        let said = create(&attacker, body.clone()).await;
        assert!(said.is_some_and(|said| said.contains("may not create Jobs")), "{body}");
    }
    let mut updated = ground.victim.tasks().get("there").await.expect("the task");
    updated.spec.suspend = false;
    let update = refusal(attacker.tasks().replace("there", &PostParams::default(), &updated).await);
    let request = |name: &str| json!({"metadata": {"annotations": {name: "2027-01-01T00:00:00Z"}}});
    let applied = task_manifest("there", json!({"schedule": "* * * * * *"}));
    let ways = [
        ("update", update),
        (
            "merge patch",
            patch(&attacker, &Patch::Merge(json!({"spec": {"suspend": false}}))).await,
        ),
        ("apply", patch(&attacker, &Patch::Apply(applied)).await),
        ("run-now", patch(&attacker, &Patch::Merge(request("punctual.dev/run-now"))).await),
        ("backfill", patch(&attacker, &Patch::Merge(request("punctual.dev/backfill"))).await),
        ("resume", patch(&attacker, &Patch::Merge(request("punctual.dev/resume"))).await),
        (
            "reset-ledger",
            patch(&attacker, &Patch::Merge(request("punctual.dev/reset-ledger"))).await,
        ),
    ];
    for (way, said) in ways {
        assert!(said.is_some_and(|said| said.contains("may not create Jobs")), "{way}");
    }
    // A task that is created by an apply, and one by a patch that names the whole spec.
    let params = PatchParams::apply("attacker").force();
    let applied = attacker
        .tasks()
        .patch("new", &params, &Patch::Apply(task_manifest("new", json!({}))))
        .await;
    assert!(refusal(applied).is_some_and(|said| said.contains("may not create Jobs")));
    let names: Vec<String> = ground
        .victim
        .tasks()
        .list(&Default::default())
        .await
        .expect("tasks")
        .iter()
        .map(ResourceExt::name_any)
        .collect();
    assert_eq!(names, ["there"]);
    // What asks for nothing is allowed.
    let label = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    attacker
        .tasks()
        .patch("there", &PatchParams::default(), &label)
        .await
        .expect("a label asks for no run");
}

/// The role `edit` with the chart's additions creates tasks, in its own namespace only.
#[tokio::test(flavor = "multi_thread")]
async fn an_editor_of_one_namespace_makes_tasks_there_and_nowhere_else() {
    let ground = Ground::new("editor").await;
    let editor = tenant_as(&ground.attacker, "editor", "edit").await;
    until("the aggregated role to be in force", || async {
        editor.tasks().list(&Default::default()).await.ok()
    })
    .await;
    until("a task to be taken", || async {
        create(&editor, task_manifest("own", json!({}))).await.is_none().then_some(())
    })
    .await;
    let elsewhere = World {
        client: editor.client.clone(),
        ..ground.victim.clone()
    };
    assert!(create(&elsewhere, task_manifest("other", json!({}))).await.is_some());
    assert!(ground.victim.tasks().get_opt("other").await.expect("tasks can be read").is_none());
    let status = Patch::Merge(json!({"status": {"missed": 3}}));
    let written = editor.tasks().patch_status("own", &PatchParams::default(), &status).await;
    assert!(refusal(written).is_some(), "the status is nobody's to write");
}

/// What Replace ends is the Job of that UID: whoever put another under its name keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_took_the_name_of_one_that_is_ended_is_not_deleted_in_its_place() {
    let ground = Ground::new("uid").await;
    let attacker = maker_of_jobs(&ground.victim).await;
    let spec = json!({"concurrencyPolicy": "Replace", "runTimeout": "90s", "jobTemplate": {"spec": {"suspend": true}}});
    let victim = ground.victim.task("victim", spec).await;
    let operator = ground.operator("2027-01-01T10:00:30Z").await;
    ground.victim.settled("victim").await;
    let slot = "2027-01-01T10:01:00Z";
    operator.set(slot);
    ground
        .victim
        .status("victim", "the slot to be started", |status| status.started == 1)
        .await;
    let name = ground.victim.job_names().await.remove(0);
    attacker
        .jobs()
        .delete(&name, &DeleteParams::background())
        .await
        .expect("the attacker may delete Jobs");
    until("the Job to be gone", || async {
        attacker
            .jobs()
            .get_opt(&name)
            .await
            .expect("Jobs can be read")
            .is_none()
            .then_some(())
    })
    .await;
    let dummy = make(&attacker, named(&victim, &name, slot)).await;
    operator.set("2027-01-01T10:02:00Z");
    ground
        .victim
        .status("victim", "the next slot to be started", |status| status.started == 2)
        .await;
    // The older run would be over its time by now, and replaced.
    operator.set("2027-01-01T10:02:40Z");
    operator.rests().await;
    let left = ground.victim.jobs().get(&name).await.expect("the stranger's Job stays");
    assert_eq!((left.uid(), left.metadata.deletion_timestamp), (dummy.uid(), None));
}
