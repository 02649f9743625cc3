//! An operator that has rights in some of its namespaces only. Each on the real API server, by a ServiceAccount with a few Roles.

use crate::harness::{Operator, World, at, client, cluster, until};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

const ACCOUNT: &str = "punctual";

/// Everything that the operator needs, but for Jobs.
fn tasks() -> Value {
    json!([
        {"apiGroups": ["punctual.dev"], "resources": ["scheduledtasks"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["punctual.dev"], "resources": ["scheduledtasks/status", "scheduledtasks/finalizers"], "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ])
}

fn jobs() -> Value {
    json!([{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch", "create", "delete"]}])
}

/// Gives the operator's account these rights in that namespace.
async fn allow(world: &World, name: &str, rules: Value, home: &World) {
    let role = json!({"metadata": {"name": name}, "rules": rules});
    let roles: Api<Role> = Api::namespaced(world.client.clone(), &world.namespace);
    let role = serde_json::from_value(role).expect("a role");
    roles.create(&PostParams::default(), &role).await.expect("the role is taken");
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": home.namespace}],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(world.client.clone(), &world.namespace);
    let binding = serde_json::from_value(binding).expect("a binding");
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .expect("the binding is taken");
}

/// A client with the rights of the operator's account, whose home is that namespace: it holds its claims log there.
async fn account(home: &World) -> kube::Client {
    let claims = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "update"]}]);
    allow(home, "claims", claims, home).await;
    account_without_rights(home).await
}

async fn account_without_rights(home: &World) -> kube::Client {
    let accounts: Api<ServiceAccount> = Api::namespaced(home.client.clone(), &home.namespace);
    let account = serde_json::from_value(json!({"metadata": {"name": ACCOUNT}})).expect("an account");
    accounts
        .create(&PostParams::default(), &account)
        .await
        .expect("the account is taken");
    let namespace = home.namespace.clone();
    let token = move || cluster().kubeconfig_for_service_account(&namespace, ACCOUNT).expect("a token");
    client(tokio::task::spawn_blocking(token).await.expect("a token")).await
}

/// F03: without rights in one namespace the tasks of the others run; its own run when the rights are there.
#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_namespace_stops_no_other_and_runs_once_allowed() {
    let (a, b) = (World::new("f03-a").await, World::new("f03-b").await);
    let client = account(&a).await;
    for (name, rules) in [("tasks", tasks()), ("jobs", jobs())] {
        allow(&a, name, rules, &a).await;
    }
    for world in [&a, &b] {
        world.task("minutely", json!({"concurrencyPolicy": "Forbid"})).await;
    }
    let namespaces = vec![a.namespace.clone(), b.namespace.clone()];
    let operator = Operator::start_in(client, namespaces, at("2027-01-01T10:00:30Z"), None);
    a.settled("minutely").await;
    operator.set("2027-01-01T10:01:00Z");
    a.job("minutely-1798797660").await;
    operator.rests().await;
    let errors = |what: &str| operator.metric(&format!("punctual_watch_errors_total{{resource=\"{what}\"}}"));
    assert!(errors("tasks") >= 3.0, "refusals are counted: {}", errors("tasks"));
    assert_eq!(operator.metric("punctual_tasks "), 1.0);
    let forbidden = |what: &str| operator.metric(&format!("punctual_watches_forbidden{{resource=\"{what}\"}}"));
    assert_eq!((forbidden("tasks"), forbidden("jobs")), (1.0, 0.0), "one alert can tell it");

    // While its Jobs are unknown, a task is known and left alone.
    allow(&b, "tasks", tasks(), &a).await;
    until("the Jobs of the other namespace to be refused", || async {
        (operator.metric("punctual_tasks ") == 2.0 && errors("jobs") >= 3.0).then_some(())
    })
    .await;
    operator.rests().await;
    assert_eq!((forbidden("tasks"), forbidden("jobs")), (0.0, 1.0));
    let task = b.tasks().get("minutely").await.expect("the task");
    let observed = task.status.as_ref().and_then(|status| status.observed_generation);
    assert_eq!(observed, Some(punctual::api::NOT_OBSERVED), "it was reconciled: {:?}", task.status);
    assert_eq!(b.job_names().await, [""; 0]);

    allow(&b, "jobs", jobs(), &a).await;
    b.settled("minutely").await;
    operator.set("2027-01-01T10:02:00Z");
    b.job("minutely-1798797720").await;
    assert_eq!((forbidden("tasks"), forbidden("jobs")), (0.0, 0.0));
    operator.stop().await;
}

/// F03: where nothing may be listed, the operator does not say that it is ready.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_without_any_rights_is_not_ready() {
    let world = World::new("f03-none").await;
    let client = account(&world).await;
    world.task("minutely", json!({})).await;
    let operator = Operator::start(client, &world.namespace, at("2027-01-01T10:00:30Z"));
    until("several refusals", || async {
        (operator.metric("punctual_watch_errors_total{resource=\"tasks\"}") >= 4.0).then_some(())
    })
    .await;
    assert!(!operator.is_quiet(), "it is ready and does nothing");
    for (name, rules) in [("tasks", tasks()), ("jobs", jobs())] {
        allow(&world, name, rules, &world).await;
    }
    world.settled("minutely").await;
    operator.stop().await;
}

/// An operator that may not write its claims log can start nothing: it ends, and says which right it needs.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_without_the_right_to_its_claims_log_does_not_start() {
    let world = World::new("claims-none").await;
    let client = account_without_rights(&world).await;
    for (name, rules) in [("tasks", tasks()), ("jobs", jobs())] {
        allow(&world, name, rules, &world).await;
    }
    let operator = Operator::start(client, &world.namespace, at("2027-01-01T10:00:30Z"));
    let said = operator.ended().await.expect_err("it ends by itself").to_string();
    let log = format!("the claims log, ConfigMap {}/punctual-claims, cannot be used: ", world.namespace);
    assert!(said.starts_with(&log) && said.contains("forbidden"), "{said}");
    assert!(
        said.contains("grant get and update on this ConfigMap and create on configmaps"),
        "{said}"
    );
}
