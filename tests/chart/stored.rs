//! What the chart renders is what the API server stores: Argo CD and Flux compare the two.

use super::helm::{NAMESPACE, everything, parse, template};
use super::server::Server;
use serde_json::Value;

/// Kinds of the Prometheus operator, whose CRDs this API server does not have.
const FOREIGN: [&str; 2] = ["ServiceMonitor", "PrometheusRule"];

/// Where the stored object differs from the rendered one, as a comparison sees it that knows nothing about the kind. A default that the API
/// server adds to an object is none of its business; inside a list it is, because it makes another element.
fn differences(want: &Value, have: &Value, at: &str, in_list: bool) -> Vec<String> {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            let added = have.keys().filter(|key| in_list && !want.contains_key(*key));
            let added: Vec<String> = added.map(|key| format!("{at}.{key}: added by the API server")).collect();
            let kept = want.iter().flat_map(|(key, want)| match have.get(key) {
                Some(have) => differences(want, have, &format!("{at}.{key}"), in_list),
                None => vec![format!("{at}.{key}: not stored")],
            });
            kept.chain(added).collect()
        }
        (Value::Array(want), Value::Array(have)) if want.len() == have.len() => {
            let pairs = want.iter().zip(have).enumerate();
            pairs
                .flat_map(|(n, (want, have))| differences(want, have, &format!("{at}[{n}]"), true))
                .collect()
        }
        (Value::Number(want), Value::Number(have)) if want.as_f64() == have.as_f64() => Vec::new(),
        _ if want == have => Vec::new(),
        _ => vec![format!("{at}: {want} is stored as {have}")],
    }
}

/// F15: with any values, every object is stored as it is rendered.
#[test]
fn what_the_chart_renders_is_what_the_api_server_stores() {
    let server = Server::shared();
    let choices: [(&str, Vec<String>); 5] = [
        ("defaults", Vec::new()),
        ("all values", everything().to_vec()),
        (
            "all but watchNamespaces",
            [&everything()[..], &["--set=watchNamespaces=null".to_owned()]].concat(),
        ),
        ("namespaced", vec!["--set=watchNamespaces={team-a,team-b}".to_owned()]),
        (
            "no probes, no election",
            [
                "livenessProbe=null,readinessProbe=null",
                "replicaCount=1,leaderElection.enabled=false",
                "networkPolicy.enabled=true",
            ]
            .map(|value| format!("--set={value}"))
            .to_vec(),
        ),
    ];
    for namespace in [NAMESPACE, "team-a", "team-b", "lease-space", "dashboards"] {
        server.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}"));
    }
    for (values, args) in choices {
        let objects = parse(&template(args.into_iter().chain(["--no-hooks".to_owned()])).expect("rendered"));
        let objects: Vec<Value> = objects
            .into_iter()
            .filter(|object| !FOREIGN.iter().any(|kind| object["kind"] == *kind))
            .collect();
        assert!(objects.len() > 10, "{values}: {} objects", objects.len());
        let manifest: Vec<String> = objects.iter().map(Value::to_string).collect();
        server.apply(&manifest.join("\n---\n"));
        let differences: Vec<String> = objects
            .iter()
            .flat_map(|object| differences(object, &server.stored(object), object["kind"].as_str().unwrap_or_default(), false))
            .collect();
        assert!(differences.is_empty(), "{values}: {differences:#?}");
        let names: Vec<String> = objects
            .iter()
            .filter(|object| object["kind"] != "CustomResourceDefinition")
            .map(Value::to_string)
            .collect();
        server
            .kubectl(&["delete", "--wait=false", "-f", "-"], &names.join("\n---\n"))
            .expect("deleted");
    }
}
