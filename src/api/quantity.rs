//! Makes the schema accept quantities as numbers: `cpu: 0.5` is common, and the generated schema rejects it.

use serde_json::{Map, Value, json};

/// The syntax of quantities (`k8s.io/apimachinery/pkg/api/resource`).
const PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// The fields of a pod template that are maps of quantities.
const MAPS: [&str; 3] = ["limits", "requests", "overhead"];
/// The fields of a pod template that are quantities.
const FIELDS: [&str; 2] = ["sizeLimit", "divisor"];

/// Removes the type of each quantity. A structural schema cannot express "integer, number or string"; it can omit the type and reject
/// what is none of them: booleans, lists and objects.
pub fn allow_numbers(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if FIELDS.contains(&name.as_str()) {
                allow_any_scalar(property);
            } else if MAPS.contains(&name.as_str()) && property.get("additionalProperties").is_some() {
                allow_any_scalar(&mut property["additionalProperties"]);
            } else {
                allow_numbers(property);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            allow_numbers(inner);
        }
    }
}

fn allow_any_scalar(schema: &mut Value) {
    let mut open = Map::new();
    if let Some(description) = schema.get("description") {
        open.insert("description".into(), description.clone());
    }
    open.insert("x-kubernetes-preserve-unknown-fields".into(), json!(true));
    // Kubernetes reads `null` as zero; without this the API server would drop it.
    open.insert("nullable".into(), json!(true));
    open.insert("pattern".into(), json!(PATTERN));
    open.insert("not".into(), json!({"enum": [true, false, {}, []]}));
    open.insert("maxItems".into(), json!(0));
    open.insert("maxProperties".into(), json!(0));
    *schema = Value::Object(open);
}
