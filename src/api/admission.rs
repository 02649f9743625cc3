//! What the API server says of a manifest before it stores it, as far as that can be known without one.
//!
//! Takes a manifest, gives the refusals in the API server's words: unknown fields, what is wrong with the shape, and the rules
//! of the CRD by the same CEL. Never the last word: what else Kubernetes refuses in a template is told by a dry run, on a cluster.

use super::refusals::Refusals;
use super::structure;
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The schema of the CRD, metadata included.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let versions = super::crd().spec.versions;
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

/// The schema of specs.
pub(super) static SPEC: LazyLock<Value> = LazyLock::new(|| SCHEMA.pointer("/properties/spec").cloned().unwrap_or_default());

/// As the API server says it.
const NOT_ALL: &str =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

static RULES: LazyLock<CompiledSchema> = LazyLock::new(|| {
    let mut schema = SCHEMA.clone();
    as_the_api_server_matches(&mut schema);
    compile_schema(&schema)
});

/// To the API server `\s`, `\S` and `\w` are of ASCII, to our expressions of Unicode: they would take other texts, and a hundred times as
/// long, because an expression is made anew each time that it is asked.
fn as_the_api_server_matches(schema: &mut Value) {
    match schema {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, inner)| match inner {
            Value::String(rule) if name == "rule" => {
                *rule = [(r"\s", r"[\t\n\f\r ]"), (r"\S", r"[^\t\n\f\r ]"), (r"\w", "[0-9A-Za-z_]")]
                    .iter()
                    .fold(std::mem::take(rule), |rule, (class, ascii)| rule.replace(class, ascii));
            }
            inner => as_the_api_server_matches(inner),
        }),
        Value::Array(items) => items.iter_mut().for_each(as_the_api_server_matches),
        _ => {}
    }
}

/// Why the API server would refuse to store this `ScheduledTask`; empty, if no reason is known. Of very many reasons the first.
#[must_use]
pub fn refusals(manifest: &Value) -> Vec<String> {
    let mut refusals = Refusals::default();
    unknown_fields(&SCHEMA, manifest, "", &mut refusals);
    let misshapen = structure::refusals(&SPEC, manifest.get("spec").unwrap_or(&Value::Null));
    if !misshapen.is_empty() {
        // The rules are for what has its shape: the API server does not ask them either.
        return [Vec::from(refusals), misshapen.into(), vec![NOT_ALL.to_owned()]].concat();
    }
    if let Err(errors) = Validator::new().validate_compiled(&RULES, &without_nulls(manifest), None) {
        // A rule that cannot be asked met a value of another type: that is for whoever reads the value to say.
        let broken = errors
            .into_vec()
            .into_iter()
            .filter(|error| error.kind == ErrorKind::ValidationFailure);
        let mut broken: Vec<String> = broken.map(|error| format!("{}: {}", error.field_path, error.message)).collect();
        // They come in no order of their own.
        broken.sort();
        refusals.extend(broken);
    }
    refusals.into()
}

/// As `fieldValidation: Strict` has it, which is what kubectl asks for.
fn unknown_fields(schema: &Value, value: &Value, path: &str, unknown: &mut Refusals) {
    match value {
        Value::Object(fields) => {
            let known = schema.get("properties").and_then(Value::as_object);
            let any = schema.get("additionalProperties");
            let open = schema.get("x-kubernetes-preserve-unknown-fields").is_some();
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match known.and_then(|known| known.get(name)).or(any) {
                    Some(schema) => unknown_fields(schema, inner, &path, unknown),
                    None if open || known.is_none() => {}
                    None => unknown.push(format!("unknown field {path:?}")),
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (number, item) in items.iter().enumerate() {
                unknown_fields(schema, item, &format!("{path}[{number}]"), unknown);
            }
        }
        _ => {}
    }
}

/// To a rule, `null` is a field that is not there.
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
    fn unknown_fields_are_named_by_their_path_and_rules_speak_as_on_the_cluster() {
        let manifest = json!({
            "apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask",
            "metadata": {"name": "x", "nam": "y", "labels": {"any": "thing"}},
            "spec": {"schedul": "x", "schedule": "TZ=UTC 0 3 * * *", "timeZone": null,
                "jobTemplate": {"spec": {"selector": {}, "template": {"spec": {"restartPolicy": "Never",
                    "containers": [{"name": "a", "imag": 1, "resources": {"limits": {"cpu": 0.5}}}]}}}}},
        });
        assert_eq!(
            refusals(&manifest),
            [
                r#"unknown field "metadata.nam""#,
                r#"unknown field "spec.jobTemplate.spec.template.spec.containers[0].imag""#,
                r#"unknown field "spec.schedul""#,
                "spec.jobTemplate.spec.selector: selector is made by Kubernetes for each Job: take it out of jobTemplate.spec",
                r#"spec.schedule: schedule "TZ=UTC 0 3 * * *" names a zone: take TZ=… out and set spec.timeZone instead"#,
            ]
        );
    }

    #[test]
    fn rules_are_for_what_has_its_shape() {
        let mut manifest = json!({"spec": {"schedule": "TZ=UTC 0 3 * * *", "suspend": "yes"}});
        assert_eq!(
            refusals(&manifest),
            [
                "spec.jobTemplate: Required value",
                r#"spec.suspend: Invalid value: "yes": spec.suspend in body must be of type boolean: "string""#,
                NOT_ALL,
            ]
        );
        manifest["spec"] = Value::Null;
        assert_eq!(refusals(&manifest), ["spec: Required value", NOT_ALL]);
    }
}
