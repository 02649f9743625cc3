//! RBAC and admission policies, compared with the operator's requests.

use super::helm::{NAMESPACE, everything, is_hook, of_kind, render, set};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The requests of `src/controller` in watched namespaces: group, resource, verbs. `scheduledtasks/finalizers` is an exception:
/// no request uses it, but the admission plugin OwnerReferencesPermissionEnforcement requires it.
const SENT: &[(&str, &str, &[&str])] = &[
    ("punctual.dev", "scheduledtasks", &["get", "list", "watch"]),
    ("punctual.dev", "scheduledtasks/status", &["update"]),
    ("punctual.dev", "scheduledtasks/finalizers", &["update"]),
    ("batch", "jobs", &["get", "list", "watch", "create", "delete"]),
    ("", "pods", &["list"]),
    ("", "events", &["create"]),
];

/// The rights of a role, each as `verb group/resource`.
fn rights(role: &Value) -> BTreeSet<String> {
    let words = |rule: &Value, key: &str| -> Vec<String> { serde_json::from_value(rule[key].clone()).unwrap_or_default() };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        let names = words(rule, "resourceNames").join(",");
        let names = if names.is_empty() { names } else { format!(" named {names}") };
        for (group, resource) in words(rule, "apiGroups")
            .iter()
            .flat_map(|g| words(rule, "resources").into_iter().map(move |r| (g, r)))
        {
            rights.extend(words(rule, "verbs").iter().map(|verb| format!("{verb} {group}/{resource}{names}")));
        }
    }
    rights
}

fn sent() -> BTreeSet<String> {
    let verbs = |(group, resource, verbs): &(&str, &str, &[&str])| {
        let right = |verb: &&str| format!("{verb} {group}/{resource}");
        verbs.iter().map(right).collect::<Vec<_>>()
    };
    SENT.iter().flat_map(verbs).collect()
}

fn roles(objects: &[Value]) -> Vec<&Value> {
    let of = |kind| of_kind(objects, kind).into_iter();
    of("Role").chain(of("ClusterRole")).collect()
}

#[test]
fn no_role_has_wildcards_secrets_or_escalation() {
    for objects in [render::<&str>([]), render(everything()), set(&["watchNamespaces={a,b}"])] {
        for role in roles(&objects) {
            let text = role["rules"].to_string();
            for never in ["*", "secrets", "impersonate", "escalate", "\"bind\"", "nonResourceURLs", "pods/"] {
                assert!(!text.contains(never), "{never}: {text}");
            }
        }
    }
}

#[test]
fn the_operators_rights_are_exactly_its_requests() {
    let objects = render::<&str>([]);
    let [own] = &roles(&objects)
        .into_iter()
        .filter(|role| role["metadata"]["name"] == "punctual")
        .collect::<Vec<_>>()[..]
    else {
        panic!("one role")
    };
    assert_eq!(own["kind"], "ClusterRole");
    assert_eq!(rights(own), sent());
    let without = set(&["rbac.ownerReferences=false"]);
    let without = rights(
        roles(&without)
            .into_iter()
            .find(|role| role["metadata"]["name"] == "punctual")
            .expect("a role"),
    );
    let left: Vec<String> = sent().difference(&without).cloned().collect();
    assert_eq!(left, ["update punctual.dev/scheduledtasks/finalizers"]);
}

#[test]
fn the_operator_may_change_only_its_own_lease_and_config_maps() {
    let of = |values: &[&str]| {
        let objects = set(values);
        let role = roles(&objects)
            .into_iter()
            .find(|role| role["metadata"]["name"] == "punctual-leader-election")
            .cloned();
        role.map(|role| (role["metadata"]["namespace"].clone(), rights(&role).into_iter().collect::<Vec<_>>()))
    };
    let get = "get coordination.k8s.io/leases named punctual".to_owned();
    let update = "update coordination.k8s.io/leases named punctual".to_owned();
    let (create, events) = ("create coordination.k8s.io/leases".to_owned(), "create /events".to_owned());
    let claims = [
        "create /configmaps",
        "get /configmaps named punctual-claims,punctual-told",
        "update /configmaps named punctual-claims,punctual-told",
    ];
    let with_claims = |others: &[&String]| {
        let all: BTreeSet<String> = claims
            .iter()
            .map(ToString::to_string)
            .chain(others.iter().map(ToString::to_string))
            .collect();
        all.into_iter().collect::<Vec<_>>()
    };
    let (here, lease) = (json!(NAMESPACE), with_claims(&[&create, &get, &update]));
    assert_eq!(of(&[]), Some((here.clone(), lease.clone())));
    assert_eq!(
        of(&["watchNamespaces={a}"]),
        Some((here.clone(), with_claims(&[&events, &create, &get, &update])))
    );
    assert_eq!(
        of(&[&format!("watchNamespaces={{a,{NAMESPACE}}}")]),
        Some((here.clone(), lease.clone()))
    );
    assert_eq!(of(&["leaderElection.namespace=there"]), Some((json!("there"), lease)));
    assert_eq!(
        of(&["leaderElection.enabled=false", "replicaCount=1"]),
        Some((here, with_claims(&[])))
    );
}

#[test]
fn namespaced_mode_has_roles_and_no_cluster_roles() {
    let objects = set(&["watchNamespaces={a,b}"]);
    assert!(of_kind(&objects, "ClusterRole").is_empty());
    assert!(of_kind(&objects, "ClusterRoleBinding").is_empty());
    for kind in ["Role", "RoleBinding"] {
        let own = of_kind(&objects, kind)
            .into_iter()
            .filter(|object| object["metadata"]["name"] == "punctual");
        let places: Vec<&str> = own
            .map(|object| object["metadata"]["namespace"].as_str().expect("a namespace"))
            .collect();
        assert_eq!(places, ["a", "b"], "{kind}");
    }
    for role in of_kind(&objects, "Role")
        .into_iter()
        .filter(|role| role["metadata"]["name"] == "punctual")
    {
        assert_eq!(rights(role), sent());
    }
    let args = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["args"];
    assert!(
        args.as_array().expect("arguments").contains(&json!("--watch-namespaces=a,b")),
        "{args}"
    );
    // The policies apply to these namespaces only, with names that do not collide with another operator's.
    let bindings = of_kind(&objects, "ValidatingAdmissionPolicyBinding");
    let names: Vec<&Value> = bindings.iter().map(|binding| &binding["metadata"]["name"]).collect();
    assert_eq!(
        names,
        [
            &json!(format!("punctual.{NAMESPACE}")),
            &json!(format!("punctual-status.{NAMESPACE}"))
        ]
    );
    for binding in bindings {
        let selector = &binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"];
        assert_eq!(
            *selector,
            json!([{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}])
        );
    }
    // The task of helm test is in a watched namespace.
    assert_eq!(of_kind(&objects, "ScheduledTask")[0]["metadata"]["namespace"], "a");
}

#[test]
fn every_binding_names_the_pods_service_account() {
    for values in [
        &[][..],
        &["serviceAccount.name=clockmaker"],
        &["serviceAccount.create=false"],
        &["watchNamespaces={a}"],
    ] {
        let objects = set(values);
        let account = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["serviceAccountName"];
        for kind in ["RoleBinding", "ClusterRoleBinding"] {
            for binding in of_kind(&objects, kind).into_iter().filter(|binding| !is_hook(binding)) {
                let subjects = json!([{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]);
                assert_eq!(binding["subjects"], subjects, "{values:?}");
            }
        }
    }
}

#[test]
fn aggregated_roles_include_tasks_but_not_their_status() {
    let objects = render::<&str>([]);
    let role = |name: &str| {
        of_kind(&objects, "ClusterRole")
            .into_iter()
            .find(|role| role["metadata"]["name"] == name)
            .expect("a role")
    };
    let to = |name: &str| {
        let all = ["view", "edit", "admin"].into_iter();
        all.filter(|to| role(name)["metadata"]["labels"][format!("rbac.authorization.k8s.io/aggregate-to-{to}")] == "true")
            .collect::<Vec<_>>()
    };
    assert_eq!(to("punctual-view"), ["view", "edit", "admin"]);
    assert_eq!(to("punctual-edit"), ["edit", "admin"]);
    let writes = |right: &&String| !["get ", "list ", "watch "].iter().any(|read| right.starts_with(read));
    assert_eq!(rights(role("punctual-view")).iter().filter(writes).count(), 0);
    let edit = rights(role("punctual-edit"));
    assert!(edit.iter().all(|right| right.ends_with("punctual.dev/scheduledtasks")), "{edit:?}");
}

/// The spec of a policy: 0 is the policy on tasks, 1 the policy on their status.
fn policy(objects: &[Value], place: usize) -> Value {
    of_kind(objects, "ValidatingAdmissionPolicy")[place]["spec"].clone()
}

#[test]
fn the_task_policy_requires_the_right_to_create_jobs() {
    let objects = render::<&str>([]);
    let policy = policy(&objects, 0);
    let rule = json!([{
        "apiGroups": ["punctual.dev"],
        "apiVersions": ["v1alpha1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["scheduledtasks"],
        "scope": "*",
    }]);
    assert_eq!(policy["matchConstraints"]["resourceRules"], rule);
    let asked = policy["validations"][0]["expression"].as_str().expect("CEL");
    assert!(asked.contains("authorizer.group('batch').resource('jobs').namespace(request.namespace).check('create').allowed()"));
    for binding in of_kind(&objects, "ValidatingAdmissionPolicyBinding") {
        assert_eq!(binding["spec"]["validationActions"], json!(["Deny"]));
        assert_eq!(binding["spec"]["matchResources"], Value::Null, "all namespaces");
    }
}

#[test]
fn the_status_policy_allows_the_operator_and_the_listed_users() {
    for (values, writers) in [
        (&[][..], format!(r#"["system:serviceaccount:{NAMESPACE}:punctual"]"#)),
        (
            &["serviceAccount.name=clockmaker"],
            format!(r#"["system:serviceaccount:{NAMESPACE}:clockmaker"]"#),
        ),
        (
            &["serviceAccount.create=false"],
            format!(r#"["system:serviceaccount:{NAMESPACE}:default"]"#),
        ),
        (
            &["watchNamespaces={a}", r#"admissionPolicy.status.users={velero,x"y}"#],
            format!(r#"["system:serviceaccount:{NAMESPACE}:punctual","velero","x\"y"]"#),
        ),
    ] {
        let objects = set(values);
        let account = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["serviceAccountName"];
        assert!(writers.contains(&format!(":{}\"", account.as_str().expect("a name"))), "{writers}");
        let policy = policy(&objects, 1);
        let rule = &policy["matchConstraints"]["resourceRules"][0];
        assert_eq!(
            (&rule["resources"], &rule["operations"]),
            (&json!(["scheduledtasks/status"]), &json!(["UPDATE"]))
        );
        assert_eq!(
            policy["validations"][0]["expression"],
            format!("request.userInfo.username in {writers}")
        );
    }
    let objects = set(&["admissionPolicy.status.groups={system:masters,Domain Admins}"]);
    let expression = policy(&objects, 1)["validations"][0]["expression"].clone();
    let expression = expression.as_str().expect("CEL");
    assert!(
        expression.ends_with(r#" || request.userInfo.groups.exists(group, group in ["system:masters","Domain Admins"])"#),
        "{expression}"
    );
}
