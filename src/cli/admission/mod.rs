//! Validates a manifest without a cluster, as the API server does at admission and with its messages.
//!
//! Checks unknown fields, the OpenAPI schema and the CEL rules of the CRD. It cannot replace a dry run: what the API server validates
//! in the Job itself, admission webhooks and quotas are known only to the cluster.

mod error_list;
mod schema;

pub use error_list::ErrorList;
pub use schema::{is_subdomain, validate_name};

use crate::api;
use crate::schedule;
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The schema of the CRD, with that of metadata added.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let versions = api::crd().spec.versions;
    let schema = versions.into_iter().next().and_then(|version| version.schema?.open_api_v3_schema);
    let mut schema = serde_json::to_value(schema).unwrap_or_default();
    let metadata = schema
        .pointer("/properties/spec/properties/jobTemplate/properties/metadata")
        .cloned();
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        fields.insert("metadata".into(), metadata.unwrap_or_default());
        for name in ["apiVersion", "kind"] {
            fields.insert(name.into(), serde_json::json!({"type": "string"}));
        }
    }
    schema
});

/// The schema of `spec`.
static SPEC: LazyLock<Value> = LazyLock::new(|| SCHEMA.pointer("/properties/spec").cloned().unwrap_or_default());

/// The schema of `metadata`.
static METADATA: LazyLock<Value> = LazyLock::new(|| SCHEMA.pointer("/properties/metadata").cloned().unwrap_or_default());

/// The API server's note when rules were not evaluated.
const RULES_SKIPPED: &str =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

static RULES: LazyLock<CompiledSchema> = LazyLock::new(|| {
    let mut schema = SCHEMA.clone();
    use_ascii_classes(&mut schema);
    compile_schema(&schema)
});

/// The classes `\s`, `\S` and `\w` are ASCII in the API server's regular expressions (RE2) and Unicode in ours. Unicode classes would
/// accept other strings, and take a hundred times as long to compile at each evaluation.
fn use_ascii_classes(schema: &mut Value) {
    match schema {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, inner)| match inner {
            Value::String(rule) if name == "rule" => {
                *rule = [(r"\s", r"[\t\n\f\r ]"), (r"\S", r"[^\t\n\f\r ]"), (r"\w", "[0-9A-Za-z_]")]
                    .iter()
                    .fold(std::mem::take(rule), |rule, (class, ascii)| rule.replace(class, ascii));
            }
            inner => use_ascii_classes(inner),
        }),
        Value::Array(items) => items.iter_mut().for_each(use_ascii_classes),
        _ => {}
    }
}

/// Validates a `ScheduledTask`; no errors if the API server would store it, as far as that can be known.
pub fn validate(manifest: &Value) -> Vec<String> {
    let mut errors = ErrorList::default();
    unknown_fields(&SCHEMA, manifest, "", &mut errors);
    if let Some(metadata) = manifest.get("metadata").filter(|metadata| !metadata.is_null()) {
        // Kubernetes decodes `null` as the empty value.
        errors.extend(Vec::from(schema::validate(&METADATA, &without_nulls(metadata), "metadata")));
    }
    let invalid = schema::validate(&SPEC, manifest.get("spec").unwrap_or(&Value::Null), "spec");
    if !invalid.is_empty() {
        // The API server evaluates rules only for objects that match the schema.
        return [Vec::from(errors), invalid.into(), vec![RULES_SKIPPED.to_owned()]].concat();
    }
    if let Err(failures) = Validator::new().validate_compiled(&RULES, &without_nulls(manifest), None) {
        // Other kinds of errors mean that a rule met a value of another type, which is reported when the spec is read.
        let failures = failures
            .into_vec()
            .into_iter()
            .filter(|error| error.kind == ErrorKind::ValidationFailure);
        let mut failures: Vec<String> = failures
            .map(|error| {
                format!(
                    "{}: {}",
                    error.field_path,
                    with_suggestion(manifest, &error.field_path, error.message)
                )
            })
            .collect();
        // Their order is random.
        failures.sort();
        errors.extend(failures);
    }
    errors.into()
}

/// The API server's message. A rule cannot search the time zones: where it can only say that a name is none, the similar one is named here.
fn with_suggestion(manifest: &Value, path: &str, message: String) -> String {
    let zone = manifest.pointer("/spec/timeZone").and_then(Value::as_str).unwrap_or_default();
    match message.split_once(" is not a name of a time zone: ") {
        Some((subject, _)) if path == "spec.timeZone" => {
            format!("{subject} is not a name of a time zone: {}", schedule::time_zone_suggestion(zone))
        }
        _ => message,
    }
}

/// Whether the spec of a task has this field.
pub fn is_spec_field(name: &str) -> bool {
    SPEC.get("properties").is_some_and(|fields| fields.get(name).is_some())
}

/// Reports fields that the schema does not have, as `fieldValidation: Strict` does, which is kubectl's default.
fn unknown_fields(schema: &Value, value: &Value, path: &str, errors: &mut ErrorList) {
    match value {
        Value::Object(fields) => {
            let known = schema.get("properties").and_then(Value::as_object);
            let any = schema.get("additionalProperties");
            let open = schema.get("x-kubernetes-preserve-unknown-fields").is_some();
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match known.and_then(|known| known.get(name)).or(any) {
                    Some(schema) => unknown_fields(schema, inner, &path, errors),
                    None if open || known.is_none() => {}
                    None => errors.push(
                        match known.map(|known| suggestions(name, known.keys())).unwrap_or_default().as_slice() {
                            [] => format!("unknown field {path:?}"),
                            similar => format!("unknown field {path:?} (did you mean {}?)", similar.join(" or ")),
                        },
                    ),
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (number, item) in items.iter().enumerate() {
                unknown_fields(schema, item, &format!("{path}[{number}]"), errors);
            }
        }
        _ => {}
    }
}

/// Fields that may be meant by an unknown one: the most similar, or those whose names contain it as a word.
fn suggestions<'a>(unknown: &str, known: impl Iterator<Item = &'a String> + Clone) -> Vec<String> {
    if let Some(similar) = similar(unknown, known.clone()) {
        return vec![format!("{similar:?}")];
    }
    let wanted = unknown.to_ascii_lowercase();
    let contains = |name: &&String| wanted.len() >= 4 && name.to_ascii_lowercase().contains(&wanted);
    let found: Vec<String> = known.filter(contains).map(|name| format!("{name:?}")).collect();
    // Many are no help.
    if found.len() <= 2 { found } else { Vec::new() }
}

/// The field that is most similar to an unknown one: at most two typing errors away, with the same first letter in any case.
fn similar<'a>(unknown: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let first = |name: &str| name.chars().next().map(|c| c.to_ascii_lowercase());
    let near = known.filter(|name| first(name) == first(unknown) && name.len().abs_diff(unknown.len()) <= 2);
    let near = near.map(|name| {
        (
            strsim::osa_distance(&name.to_ascii_lowercase(), &unknown.to_ascii_lowercase()),
            name,
        )
    });
    near.filter(|(distance, _)| *distance <= 2).min().map(|(_, name)| name)
}

/// A rule sees `null` as an absent field.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .iter()
                .filter(|(_, inner)| !inner.is_null())
                .map(|(name, inner)| (name.clone(), without_nulls(inner)))
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_name_the_field_in_the_words_of_the_api_server() {
        let manifest = json!({
            "apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask",
            "metadata": {"name": "x", "nam": "y", "labels": {"any": "thing"}},
            "spec": {"schedul": "x", "timeout": "5m", "retry": {}, "cron": "x", "schedule": "TZ=UTC 0 3 * * *", "timeZone": null,
                "jobTemplate": {"spec": {"selector": {}, "template": {"spec": {"restartPolicy": "Never",
                    "containers": [{"name": "a", "imag": 1, "resources": {"limits": {"cpu": 0.5}}}]}}}}},
        });
        assert_eq!(
            validate(&manifest),
            [
                r#"unknown field "metadata.nam" (did you mean "name"?)"#,
                r#"unknown field "spec.cron""#,
                r#"unknown field "spec.jobTemplate.spec.template.spec.containers[0].imag" (did you mean "image"?)"#,
                r#"unknown field "spec.retry" (did you mean "retryPolicy"?)"#,
                r#"unknown field "spec.schedul" (did you mean "schedule"?)"#,
                r#"unknown field "spec.timeout" (did you mean "pendingTimeout" or "runTimeout"?)"#,
                "spec.jobTemplate.spec.selector: selector is set by Kubernetes for each Job: remove it from jobTemplate.spec",
                r#"spec.schedule: schedule "TZ=UTC 0 3 * * *" contains a time zone: remove TZ=… and set spec.timeZone"#,
            ]
        );
    }

    #[test]
    fn rules_are_not_evaluated_for_an_invalid_schema() {
        let mut manifest = json!({"spec": {"schedule": "TZ=UTC 0 3 * * *", "suspend": "yes"}});
        assert_eq!(
            validate(&manifest),
            [
                "spec.jobTemplate: Required value",
                r#"spec.suspend: Invalid value: "yes": spec.suspend in body must be of type boolean: "string""#,
                RULES_SKIPPED,
            ]
        );
        manifest["spec"] = json!({"schedule": "0 3 * * *", "jobTemplate": {}, "retryPolicy": {"limit": 1, "delay": 30}});
        manifest["spec"]["jobTemplate"] =
            json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a"}]}}}});
        assert_eq!(
            validate(&manifest),
            [
                r#"spec.retryPolicy.delay: Invalid value: 30: spec.retryPolicy.delay in body must be of type string: "integer": a duration has a unit: for example 30s for seconds, or 30m for minutes"#,
                RULES_SKIPPED,
            ]
        );
        manifest["spec"] = Value::Null;
        assert_eq!(validate(&manifest), ["spec: Required value", RULES_SKIPPED]);
    }

    #[test]
    fn a_zone_with_other_characters_gets_a_suggestion() {
        let mut manifest = json!({"spec": {"schedule": "0 3 * * *", "timeZone": "+05:30",
            "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a"}]}}}}}});
        assert_eq!(
            validate(&manifest),
            [
                r#"spec.timeZone: timeZone "+05:30" is not a name of a time zone: use a place, for example Asia/Kolkata: only whole hours have a zone with a fixed offset"#
            ]
        );
        manifest["spec"]["timeZone"] = " New York".into();
        assert_eq!(
            validate(&manifest),
            [r#"spec.timeZone: timeZone " New York" is not a name of a time zone: did you mean America/New_York?"#]
        );
    }
}
