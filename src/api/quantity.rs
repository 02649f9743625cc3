//! Quantities: `cpu: 0.5` is what people write, and the generated schema refuses it.
//!
//! Takes a schema, gives it with its quantity leaves open to numbers. Never looks at values.

use serde_json::{Map, Value, json};

/// What Kubernetes itself takes for a quantity (`k8s.io/apimachinery/pkg/api/resource`).
const PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// Where quantities stand in a pod template: maps of resources, and single fields.
const MAPS: [&str; 3] = ["limits", "requests", "overhead"];
const FIELDS: [&str; 2] = ["sizeLimit", "divisor"];

/// Takes the type away from each quantity. A structural schema cannot say "integer, number or string"; it can leave
/// the type open and refuse what is none of them: true, false, lists and objects.
pub fn loosen(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if FIELDS.contains(&name.as_str()) {
                open(property);
            } else if MAPS.contains(&name.as_str()) && property.get("additionalProperties").is_some() {
                open(&mut property["additionalProperties"]);
            } else {
                loosen(property);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            loosen(inner);
        }
    }
}

fn open(leaf: &mut Value) {
    let mut open = Map::new();
    if let Some(description) = leaf.get("description") {
        open.insert("description".into(), description.clone());
    }
    open.insert("x-kubernetes-preserve-unknown-fields".into(), json!(true));
    // `null` is zero to Kubernetes; without this it would be dropped on the way.
    open.insert("nullable".into(), json!(true));
    open.insert("pattern".into(), json!(PATTERN));
    open.insert("not".into(), json!({"enum": [true, false, {}, []]}));
    open.insert("maxItems".into(), json!(0));
    open.insert("maxProperties".into(), json!(0));
    *leaf = Value::Object(open);
}
