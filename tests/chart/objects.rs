//! The rendered objects.

use super::helm::{CRD, CRD_COPY, NAMESPACE, chart, everything, helm, is_hook, of_kind, parse, read, render, root, set, template};
use super::is_generated_from;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn helm_lint_reports_nothing() {
    let chart = chart().display().to_string();
    for values in [Vec::new(), everything().to_vec()] {
        let args = ["lint", "--strict", &chart].map(str::to_owned).into_iter().chain(values);
        helm(args).unwrap_or_else(|said| panic!("{said}"));
    }
}

#[test]
fn every_object_has_name_namespace_and_labels() {
    let cluster_wide = [
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    for objects in [render::<&str>([]), render(everything())] {
        let mut seen = BTreeSet::new();
        for object in &objects {
            let (kind, meta) = (object["kind"].as_str().expect("a kind"), &object["metadata"]);
            let at = format!("{kind} {}", meta["name"]);
            assert_eq!(meta["namespace"].is_string(), !cluster_wide.contains(&kind), "{at}: namespace");
            assert_eq!(meta["labels"]["app.kubernetes.io/instance"], "punctual", "{at}: labels");
            assert!(seen.insert((at.clone(), meta["namespace"].to_string())), "{at} is rendered twice");
        }
    }
}

#[test]
fn the_crd_is_the_one_in_crds_and_is_kept() {
    let files: Vec<_> = std::fs::read_dir(root().join("crds")).expect("crds/").collect();
    assert_eq!(files.len(), 1, "a CRD of crds/ is not in the chart");
    let source: Value = serde_yaml::from_str(&read(CRD)).expect("YAML");
    let crd_of = |values: &[&str]| {
        of_kind(&set(values), "CustomResourceDefinition")
            .into_iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    let [crd] = &crd_of(&[])[..] else { panic!("one CRD") };
    let same = plain(crd["spec"].clone()) == plain(source["spec"].clone());
    assert!(same, "the rendered CRD differs from that of crds/");
    assert_eq!(crd["metadata"]["name"], source["metadata"]["name"]);
    assert_eq!(crd["metadata"]["annotations"], json!({"helm.sh/resource-policy": "keep"}));
    assert_eq!(crd_of(&["crds.keep=false"])[0]["metadata"]["annotations"], Value::Null);
    assert!(crd_of(&["crds.enabled=false"]).is_empty());
    assert_eq!(read(CRD_COPY), read(CRD), "`make manifests` renews the copy");
}

/// With `0.0` as `0`, because Helm writes the shorter form.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}

#[test]
fn a_packaged_chart_renders_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (chart, folder) = (chart().display().to_string(), folder.path().to_owned());
    helm(["package", &chart, "--destination", &folder.display().to_string()]).expect("packaged");
    let package = folder
        .join(format!("punctual-{}.tgz", env!("CARGO_PKG_VERSION")))
        .display()
        .to_string();
    let all = "--set=grafanaDashboard.enabled=true";
    let packaged = helm(["template", "punctual", &package, "--namespace", NAMESPACE, all]).expect("rendered");
    assert!(packaged == template([all]).expect("rendered"), "a file is missing in the package");
}

#[test]
fn chart_and_operator_have_the_same_version() {
    let about: Value = serde_yaml::from_str(&read("charts/punctual/Chart.yaml")).expect("YAML");
    assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(about["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_switch_removes_only_what_it_names() {
    let kinds = |objects: &[Value]| {
        let mut kinds: Vec<String> = objects
            .iter()
            .map(|object| object["kind"].as_str().expect("a kind").to_owned())
            .collect();
        kinds.sort();
        kinds
    };
    let all = [
        "serviceMonitor.enabled=true",
        "prometheusRule.enabled=true",
        "grafanaDashboard.enabled=true",
        "networkPolicy.enabled=true",
    ];
    let off: &[(&str, &[&str])] = &[
        ("crds.enabled", &["CustomResourceDefinition"]),
        ("serviceAccount.create", &["ServiceAccount"]),
        (
            "admissionPolicy.enabled",
            &[
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
                "ValidatingAdmissionPolicyBinding",
            ],
        ),
        (
            "admissionPolicy.status.enabled",
            &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
        ),
        ("podDisruptionBudget.enabled", &["PodDisruptionBudget"]),
        ("metrics.service.enabled", &["Service"]),
        ("serviceMonitor.enabled", &["ServiceMonitor"]),
        ("prometheusRule.enabled", &["PrometheusRule"]),
        ("grafanaDashboard.enabled", &["ConfigMap"]),
        ("networkPolicy.enabled", &["NetworkPolicy"]),
        ("rbac.aggregateRoles", &["ClusterRole", "ClusterRole"]),
        (
            "rbac.create",
            &[
                "ClusterRole",
                "ClusterRole",
                "ClusterRole",
                "ClusterRoleBinding",
                "Role",
                "RoleBinding",
            ],
        ),
        ("test.enabled", &["Pod", "Role", "RoleBinding", "ScheduledTask", "ServiceAccount"]),
    ];
    for (switch, gone) in off {
        let value = format!("{switch}=false");
        // A ServiceMonitor requires the Service.
        let on: Vec<&str> = all
            .into_iter()
            .filter(|on| *switch != "metrics.service.enabled" || !on.starts_with("serviceM"))
            .collect();
        let mut left = kinds(&set(&[&on[..], &[&value]].concat()));
        left.extend(gone.iter().map(|kind| (*kind).to_owned()));
        left.sort();
        assert_eq!(left, kinds(&set(&on)), "{switch}");
    }
}

/// Every pod specification in an object.
fn pods(object: &Value) -> Vec<&Value> {
    ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"]
        .into_iter()
        .filter_map(|path| object.pointer(path))
        .filter(|spec| spec["containers"].is_array())
        .collect()
}

#[test]
fn every_pod_passes_the_restricted_pod_security_standard() {
    let objects = render::<&str>([]);
    let pods: Vec<&Value> = objects.iter().flat_map(pods).collect();
    assert_eq!(pods.len(), 3, "the operator, the test, the test's task");
    for pod in pods {
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for container in pod["containers"].as_array().expect("containers") {
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false);
            assert_eq!(context["readOnlyRootFilesystem"], true);
            assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}));
            assert!(container["resources"]["limits"]["memory"].is_string());
        }
    }
}

#[test]
fn selectors_match_only_the_operators_pods() {
    let mut objects = set(&["networkPolicy.enabled=true"]);
    // Also with conflicting labels in the values.
    objects.extend(set(&[
        "podLabels.app\\.kubernetes\\.io/component=x",
        "commonLabels.app\\.kubernetes\\.io/name=x",
    ]));
    let matches = |selector: &Value, labels: &Value| {
        selector
            .as_object()
            .expect("labels")
            .iter()
            .all(|(key, value)| labels[key] == *value)
    };
    for object in &objects {
        let selector = match object["kind"].as_str() {
            Some("Deployment" | "PodDisruptionBudget") => &object["spec"]["selector"]["matchLabels"],
            Some("Service") => &object["spec"]["selector"],
            Some("NetworkPolicy") => &object["spec"]["podSelector"]["matchLabels"],
            _ => continue,
        };
        for deployment in of_kind(&objects, "Deployment") {
            assert!(
                matches(selector, &deployment["spec"]["template"]["metadata"]["labels"]),
                "{selector}"
            );
        }
        assert!(!matches(selector, &of_kind(&objects, "Pod")[0]["metadata"]["labels"]), "{selector}");
    }
}

#[test]
fn a_network_policy_restricts_egress_by_default() {
    assert!(of_kind(&set(&[]), "NetworkPolicy").is_empty(), "no policy fits all clusters");
    let policy = |values: &[&str]| of_kind(&set(&[&["networkPolicy.enabled=true"], values].concat()), "NetworkPolicy")[0]["spec"].clone();
    let both = policy(&[]);
    assert_eq!(both["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(
        both["ingress"],
        json!([{"ports": [{"port": 8080, "protocol": "TCP"}]}]),
        "everybody"
    );
    assert!(both["egress"].is_array());
    let ingress = policy(&["networkPolicy.restrictEgress=false"]);
    assert_eq!(ingress["policyTypes"], json!(["Ingress"]));
    assert_eq!(ingress["egress"], Value::Null);
}

#[test]
fn alerts_use_existing_metrics_and_labels() {
    let rules = set(&["prometheusRule.enabled=true"]);
    let rules = &of_kind(&rules, "PrometheusRule")[0]["spec"]["groups"][0]["rules"];
    let (metrics, effect) = (
        read("src/metrics.rs") + &read("src/metrics/task_series.rs"),
        read("src/plan/effect.rs"),
    );
    let mut names = Vec::new();
    for rule in rules.as_array().expect("rules") {
        let expression = rule["expr"].as_str().expect("an expression");
        let words: Vec<&str> = expression.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let ours: Vec<&str> = words.into_iter().filter(|word| word.starts_with("punctual_")).collect();
        assert!(!ours.is_empty(), "{expression}");
        for metric in ours {
            assert!(metrics.contains(&format!("\"{}\"", metric.trim_end_matches("_bucket"))), "{metric}");
        }
        for outcome in expression.split("outcome=\"").skip(1) {
            let outcome = outcome.split('"').next().unwrap_or_default();
            assert!(effect.contains(&format!("=> \"{outcome}\"")), "{outcome}");
        }
        names.push(rule["alert"].clone());
    }
    let schema: Value = serde_json::from_str(&read("charts/punctual/values.schema.json")).expect("JSON");
    let known = schema
        .pointer("/properties/prometheusRule/properties/disabled/items/enum")
        .expect("names");
    assert_eq!(known, &Value::Array(names), "the schema lists the alerts that can be disabled");
}

#[test]
fn every_alert_has_a_section_in_the_runbooks() {
    let runbooks = read("docs/runbooks.md");
    let rules = |values: &[&str]| {
        let rules = set(&[&["prometheusRule.enabled=true"], values].concat());
        of_kind(&rules, "PrometheusRule")[0]["spec"]["groups"][0]["rules"]
            .as_array()
            .expect("rules")
            .clone()
    };
    let all = rules(&[]);
    for rule in &all {
        let alert = rule["alert"].as_str().expect("a name");
        let url = rule["annotations"]["runbook_url"].as_str().expect("an address");
        assert!(url.ends_with(&format!("docs/runbooks.md#{}", alert.to_lowercase())), "{url}");
        assert!(runbooks.contains(&format!("\n### {alert}\n")), "{alert} is not in docs/runbooks.md");
    }
    let sections = runbooks.lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(sections, all.len(), "docs/runbooks.md has sections for alerts that do not exist");
    let without = rules(&["metrics.perTask.enabled=false", "prometheusRule.runbookUrl="]);
    assert!(without.len() < all.len());
    for rule in without {
        assert_eq!(rule["annotations"]["runbook_url"], Value::Null);
        assert!(
            !rule["expr"].as_str().expect("an expression").contains("(namespace, task"),
            "{rule}"
        );
    }
}

#[test]
fn the_operator_accepts_every_flag_of_the_chart() {
    let help = Command::new(env!("CARGO_BIN_EXE_punctual"))
        .args(["controller", "--help"])
        .output()
        .expect("runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let objects = set(&["watchNamespaces={a,b}"]);
    let args = of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]["args"].clone();
    let args: Vec<String> = serde_json::from_value(args).expect("arguments");
    assert_eq!(args[0], "controller");
    for flag in args.iter().skip(1).map(|arg| arg.split('=').next().unwrap_or_default()) {
        let known = help.split_whitespace().any(|word| word.split([',', '[']).next() == Some(flag));
        assert!(known, "{flag} is not in:\n{help}");
    }
}

#[test]
fn the_manifests_for_kubectl_are_generated_from_the_chart() {
    let rendered = template(["--no-hooks"]).expect("rendered");
    let made = format!(
        "# Generated from charts/punctual with its default values. Do not edit: `make manifests` regenerates it.\n\
         # kubectl apply -f deploy/punctual.yaml\n\
         ---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n  labels:\n    \
         pod-security.kubernetes.io/enforce: restricted\n{rendered}"
    );
    assert!(!parse(&made).iter().any(is_hook), "objects of helm test must not be in it");
    is_generated_from(&root().join("deploy/punctual.yaml"), &made);
}

#[test]
fn without_leader_election_the_strategy_is_recreate() {
    let strategy = |values: &[&str]| {
        let objects = set(values);
        of_kind(&objects, "Deployment")[0]["spec"]["strategy"]["type"].clone()
    };
    assert_eq!(strategy(&[]), "RollingUpdate");
    assert_eq!(strategy(&["leaderElection.enabled=false", "replicaCount=1"]), "Recreate");
}

#[test]
fn numeric_names_stay_strings_and_probes_may_be_null() {
    let mut values = vec![
        "--set-string",
        "nameOverride=123",
        "--set",
        "livenessProbe=null,readinessProbe=null",
    ];
    values.extend(["--set", "serviceMonitor.enabled=true"]);
    for object in render(values) {
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        for (name, value) in labels.into_iter().flatten() {
            assert!(value.is_string(), "{name}: {value}");
        }
        if object["kind"] == "Deployment" {
            assert_eq!(object["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"], "123");
            let container = &object["spec"]["template"]["spec"]["containers"][0];
            assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/livez");
        }
    }
}
