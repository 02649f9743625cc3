//! The Job template: stored as the author's JSON, and described by the full schema of a Job.
//!
//! The schema that `k8s-openapi` generates is changed so that it accepts and rejects the same manifests as CronJob does; each change
//! was needed by a real manifest. The template itself is not interpreted.

#![cfg_attr(
    not(test),
    expect(
        clippy::indexing_slicing,
        reason = "schemas are made of constants only, and tests make them; `JobTemplate`, which input can reach, indexes nothing"
    )
)]

use super::quantity;
use k8s_openapi::api::batch::v1::JobTemplateSpec;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// A `JobTemplateSpec` as JSON text, so that fields of a newer Kubernetes are not lost. Text is also the smallest form: as a tree, a list
/// of empty strings takes twenty times the memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JobTemplate(Arc<str>);

impl JobTemplate {
    /// Maximum length: 256 KiB, a sixth of etcd's limit for an object.
    pub const LONGEST: usize = 256 * 1024;

    /// Length of the compact JSON, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The error if it is too long.
    #[must_use]
    pub fn too_large(&self) -> Option<String> {
        (self.len() > Self::LONGEST).then(|| {
            format!(
                "spec.jobTemplate is too large: {} bytes of JSON, at most {} are allowed; move data into a ConfigMap or the image",
                self.len(),
                Self::LONGEST
            )
        })
    }

    /// Whether it has no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref() == "{}"
    }

    /// The template as a tree, parsed at each call.
    #[must_use]
    pub fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl From<Map<String, Value>> for JobTemplate {
    fn from(fields: Map<String, Value>) -> Self {
        Self(Value::Object(fields).to_string().into())
    }
}

impl Default for JobTemplate {
    fn default() -> Self {
        Self("{}".into())
    }
}

impl std::fmt::Debug for JobTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JobTemplate({} bytes)", self.0.len())
    }
}

impl Serialize for JobTemplate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JobTemplate {
    /// Transcodes to text without building a tree.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = serde_json::to_string(&serde_transcode::Transcoder::new(deserializer)).map_err(D::Error::custom)?;
        if text.starts_with('{') {
            return Ok(Self(text.into()));
        }
        // Serde's message says what was found and what was expected.
        let value: Value = serde_json::from_str(&text).map_err(D::Error::custom)?;
        Map::<String, Value>::deserialize(value).map_err(D::Error::custom)?;
        Err(D::Error::custom("expected an object"))
    }
}

impl JsonSchema for JobTemplate {
    fn schema_name() -> Cow<'static, str> {
        "JobTemplate".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let settings = schemars::generate::SchemaSettings::openapi3().with(|settings| settings.inline_subschemas = true);
        let generated = settings.into_generator().into_root_schema_for::<JobTemplateSpec>();
        let mut schema = generated.to_value();
        if let Some(root) = schema.as_object_mut() {
            root.remove("$schema");
            root.remove("title");
        }
        shorten_descriptions(&mut schema);
        quantity::allow_numbers(&mut schema);
        accept_nulls(&mut schema);
        adapt_job(&mut schema);
        Schema::try_from(schema).expect("an object schema stays an object")
    }
}

/// Calls `visit` for a schema and all schemas inside it.
fn each_schema(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(object) = schema.as_object_mut() else { return };
    visit(object);
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| each_schema(property, visit));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            each_schema(inner, visit);
        }
    }
}

/// `kubectl apply` stores the whole CRD in an annotation of at most 256 KiB; with complete descriptions it has 381 KB.
fn shorten_descriptions(schema: &mut Value) {
    each_schema(schema, &mut |object| {
        if let Some(Value::String(text)) = object.get_mut("description") {
            let sentence = text.split(['\n']).next().unwrap_or_default();
            let sentence = sentence.split_once(". ").map_or(sentence, |(first, _)| first);
            let short: String = sentence.trim_end_matches('.').chars().take(120).collect();
            *text = short;
        }
    });
}

/// CronJob accepts `null` for every optional field (`value:`, `metadata:`), so there are manifests with it.
fn accept_nulls(schema: &mut Value) {
    each_schema(schema, &mut |object| {
        let required: Vec<String> = object
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else {
            return;
        };
        for (name, property) in properties {
            if !required.contains(name) && property.get("default").is_none() {
                property["nullable"] = json!(true);
            }
        }
    });
}

fn adapt_job(schema: &mut Value) {
    schema["required"] = json!(["spec"]);
    let job = &mut schema["properties"]["spec"];
    reject_null(job);
    job["required"] = json!(["template"]);
    for count in [
        "activeDeadlineSeconds",
        "backoffLimit",
        "backoffLimitPerIndex",
        "completions",
        "maxFailedIndexes",
        "parallelism",
        "ttlSecondsAfterFinished",
    ] {
        job["properties"][count]["minimum"] = json!(0);
    }
    job["x-kubernetes-validations"] = json!([
        {"rule": "!has(self.selector)", "reason": "FieldValueForbidden",
         "message": "selector is set by Kubernetes for each Job: remove it from jobTemplate.spec", "fieldPath": ".selector"},
        {"rule": "!has(self.manualSelector) || !self.manualSelector", "reason": "FieldValueForbidden",
         "message": "manualSelector: true is not supported in a template: remove it from jobTemplate.spec", "fieldPath": ".manualSelector"},
        {"rule": "!has(self.completionMode) || self.completionMode != 'Indexed' || has(self.completions)",
         "message": "completionMode: Indexed requires completions: set the number of indexes", "fieldPath": ".completions"},
        {"rule": "!has(self.backoffLimitPerIndex) || (has(self.completionMode) && self.completionMode == 'Indexed')",
         "message": "backoffLimitPerIndex requires completionMode: Indexed", "fieldPath": ".backoffLimitPerIndex"},
        {"rule": "!has(self.maxFailedIndexes) || has(self.backoffLimitPerIndex)",
         "message": "maxFailedIndexes requires backoffLimitPerIndex", "fieldPath": ".maxFailedIndexes"}
    ]);
    one_of(&mut job["properties"]["completionMode"], &["NonIndexed", "Indexed"]);
    one_of(&mut job["properties"]["podReplacementPolicy"], &["TerminatingOrFailed", "Failed"]);
    let template = &mut job["properties"]["template"];
    template["required"] = json!(["spec"]);
    let pod = &mut template["properties"]["spec"];
    reject_null(pod);
    adapt_pod(pod);
}

fn adapt_pod(pod: &mut Value) {
    pod["required"] = json!(["containers"]);
    pod["x-kubernetes-validations"] = json!([{
        "rule": "has(self.restartPolicy)", "reason": "FieldValueRequired", "fieldPath": ".restartPolicy",
        "message": "set OnFailure (the kubelet restarts a failed container) or Never (a new pod for each retry)"
    }]);
    let restart = &mut pod["properties"]["restartPolicy"];
    restart["enum"] = json!(["OnFailure", "Never"]);
    reject_null(restart);
    pod["properties"]["containers"]["minItems"] = json!(1);
    // Server-side apply merges them by key, as in CronJob. Not `env`, where CronJob accepts duplicate names with a warning.
    keyed_by(&mut pod["properties"]["volumes"], &["name"]);
    for containers in ["containers", "initContainers"] {
        let list = &mut pod["properties"][containers];
        keyed_by(list, &["name"]);
        let ports = &mut list["items"]["properties"]["ports"];
        keyed_by(ports, &["containerPort", "protocol"]);
        let protocol = &mut ports["items"]["properties"]["protocol"];
        protocol["default"] = json!("TCP");
        reject_null(protocol);
    }
    // Kubernetes accepts `imagePullSecrets: [{}]`: the name is "effectively required", but may be missing.
    if let Some(reference) = pod["properties"]["imagePullSecrets"]["items"].as_object_mut() {
        reference.remove("required");
    }
}

/// The default, which the API server does not store: tools that compare what is rendered with what is stored would see a difference.
fn reject_null(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("nullable");
    }
}

/// An `enum` rejects `null` even if it is nullable, while CronJob accepts it; a rule is not evaluated for `null`.
fn one_of(schema: &mut Value, values: &[&str]) {
    schema["x-kubernetes-validations"] = json!([{
        "rule": format!("self in {values:?}"),
        "messageExpression": format!("'\"' + self + '\" is not supported: use {}'", values.join(" or ")),
    }]);
}

fn keyed_by(list: &mut Value, keys: &[&str]) {
    list["x-kubernetes-list-type"] = json!("map");
    list["x-kubernetes-list-map-keys"] = json!(keys);
}
