//! The part of an API server's OpenAPI schema that kustomize uses: which lists are merged, and by which key.
//!
//! The input is the schema of all kinds; the output has the same kinds and ScheduledTask, whose Job template is CronJob's. Descriptions, and
//! fields below which no list is merged, are left out.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const STRATEGY: &str = "x-kubernetes-patch-strategy";
const KINDS: &str = "x-kubernetes-group-version-kind";
const KEPT: [&str; 5] = [
    STRATEGY,
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "$ref",
];
const CRON_JOB_SPEC: &str = "io.k8s.api.batch.v1.CronJobSpec";

/// The schema, as text.
pub fn merge_keys(served: &Value) -> String {
    let mut definitions = served["definitions"].as_object().expect("definitions").clone();
    definitions.insert(
        "dev.punctual.v1alpha1.ScheduledTask".into(),
        json!({
            KINDS: [{"group": "punctual.dev", "version": "v1alpha1", "kind": "ScheduledTask"}],
            "properties": {
                "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
                "spec": {"properties": {"jobTemplate": definitions[CRON_JOB_SPEC]["properties"]["jobTemplate"]}, "type": "object"},
            },
            "type": "object",
        }),
    );
    // Until nothing is added: definitions below which a list is merged.
    let mut merged = BTreeSet::new();
    loop {
        let more = definitions
            .iter()
            .filter(|(name, schema)| !merged.contains(*name) && is_merged(schema, &merged));
        let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            break;
        }
        merged.extend(more);
    }
    let kept: Map<String, Value> = definitions
        .iter()
        .filter(|(name, _)| merged.contains(*name))
        .map(|(name, schema)| (name.clone(), pruned(schema, &merged)))
        .collect();
    let schema = json!({"swagger": "2.0", "info": {"title": "Merge keys of Kubernetes and ScheduledTask", "version": "v1alpha1"}, "paths": {}, "definitions": kept});
    // A definition in a line: a change shows which.
    let text = schema.to_string();
    text.replace(r#"},"dev."#, "},\n\"dev.").replace(r#"},"io."#, "},\n\"io.") + "\n"
}

fn is_merged(schema: &Value, merged: &BTreeSet<String>) -> bool {
    let refers = schema["$ref"]
        .as_str()
        .is_some_and(|path| merged.contains(path.trim_start_matches("#/definitions/")));
    let inner = schema["properties"].as_object().into_iter().flat_map(Map::values);
    refers || !schema[STRATEGY].is_null() || inner.chain(schema.get("items")).any(|schema| is_merged(schema, merged))
}

fn pruned(schema: &Value, merged: &BTreeSet<String>) -> Value {
    let mut kept = Map::new();
    for key in KEPT.iter().chain(&["type", KINDS]) {
        if let Some(value) = schema.get(*key) {
            kept.insert((*key).to_owned(), value.clone());
        }
    }
    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties: Map<String, Value> = properties
        .filter(|(_, schema)| is_merged(schema, merged))
        .map(|(name, schema)| (name.clone(), pruned(schema, merged)))
        .collect();
    if !properties.is_empty() {
        kept.insert("properties".into(), properties.into());
    }
    if let Some(items) = schema.get("items") {
        kept.insert("items".into(), pruned(items, merged));
    }
    kept.into()
}
