//! Validates a spec against the OpenAPI schema of the CRD, with the API server's messages.
//!
//! Covers types, bounds, enums, required fields and duplicate list keys. Unknown fields and CEL rules are in the parent module.

use super::error_list::{ErrorList, repeated};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Validates a part of a manifest, at this path, against its schema.
pub fn validate(schema: &Value, part: &Value, path: &str) -> ErrorList {
    let mut errors = ErrorList::default();
    match part {
        Value::Null => errors.push(format!("{path}: Required value")),
        part => validate_value(schema, part, path, &mut errors),
    }
    errors
}

/// Validates `metadata.name`; `None` if it is valid.
pub fn validate_name(manifest: &Value) -> Option<String> {
    let text = |field: &str| manifest.pointer(&format!("/metadata/{field}")).and_then(Value::as_str);
    match (text("name").unwrap_or_default(), text("generateName")) {
        ("", None | Some("")) => Some("metadata.name: Required value: name or generateName is required".into()),
        ("", Some(_)) => None,
        (name, _) if is_subdomain(name) => None,
        (name, _) => Some(format!(
            "metadata.name: Invalid value: {}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            repeated(&Value::from(name))
        )),
    }
}

/// Whether a name is a lowercase RFC 1123 subdomain.
pub fn is_subdomain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if plain(*first) && plain(*last))
            && bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn validate_value(schema: &Value, value: &Value, path: &str, errors: &mut ErrorList) {
    if value.is_null() {
        if schema["nullable"] != true && schema.get("default").is_none() {
            errors.push(format!("{path}: Required value"));
        }
        return;
    }
    if schema.get("pattern").is_some() {
        return validate_quantity(value, path, errors);
    }
    if schema.get("x-kubernetes-int-or-string").is_some() {
        if !value.is_i64() && !value.is_string() {
            errors.push(mismatch(path, "integer,string", value));
        }
        return;
    }
    if let Some(expected) = schema["type"].as_str()
        && !is_of(expected, value)
    {
        return errors.push(mismatch(path, expected, value) + &unit(schema, value));
    }
    match value {
        Value::Object(fields) => validate_object(schema, fields, path, errors),
        Value::Array(items) => validate_array(schema, items, path, errors),
        _ => validate_scalar(schema, value, path, errors),
    }
}

fn validate_object(schema: &Value, fields: &Map<String, Value>, path: &str, errors: &mut ErrorList) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let missing = fields.get(name).is_none_or(Value::is_null);
        if missing && schema.get("properties").and_then(|all| all.get(name)?.get("default")).is_none() {
            errors.push(format!("{path}.{name}: Required value"));
        }
    }
    for (name, value) in fields {
        let required = || {
            schema["required"]
                .as_array()
                .is_some_and(|names| names.iter().any(|known| known == name))
        };
        if value.is_null() && required() {
            continue;
        }
        let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        if let Some(known) = known {
            validate_value(known, value, &format!("{path}.{name}"), errors);
        }
    }
}

fn validate_array(schema: &Value, items: &[Value], path: &str, errors: &mut ErrorList) {
    let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
    if let Some(most) = bound("maxItems").filter(|most| items.len() > *most) {
        errors.push(format!("{path}: Too many: {}: must have at most {most} items", items.len()));
    }
    if let Some(least) = bound("minItems").filter(|least| items.len() < *least) {
        errors.push(format!(
            "{path}: Invalid value: {}: {path} in body should have at least {least} items",
            items.len()
        ));
    }
    let keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut seen = HashSet::new();
    for (number, item) in items.iter().enumerate() {
        let path = format!("{path}[{number}]");
        validate_value(&schema["items"], item, &path, errors);
        if keys.is_empty() {
            continue;
        }
        let default = |key: &str| schema.pointer("/items/properties")?.get(key)?.get("default").cloned();
        let mut own = Map::new();
        for key in &keys {
            let value = item.get(*key).cloned().or_else(|| default(key)).unwrap_or_default();
            own.insert((*key).to_owned(), value);
        }
        let own = Value::Object(own);
        if !seen.insert(own.to_string()) {
            errors.push(format!("{path}: Duplicate value: {}", repeated(&own)));
        }
    }
}

fn validate_scalar(schema: &Value, value: &Value, path: &str, errors: &mut ErrorList) {
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        let supported: Vec<String> = words.iter().map(Value::to_string).collect();
        errors.push(format!(
            "{path}: Unsupported value: {}: supported values: {}",
            repeated(value),
            supported.join(", ")
        ));
    }
    let shown = || repeated(value);
    let wrong = |what: &str, bound: &Value| format!("{path}: Invalid value: {}: {path} in body should be {what} {bound}", shown());
    let number = value.as_f64();
    if let (Some(number), Some(least)) = (number, schema["minimum"].as_f64())
        && number < least
    {
        errors.push(wrong("greater than or equal to", &schema["minimum"]));
    }
    if let (Some(number), Some(most)) = (number, schema["maximum"].as_f64())
        && number > most
    {
        errors.push(wrong("less than or equal to", &schema["maximum"]));
    }
    let fits = |number: f64, bits: i32| (-(2_f64.powi(bits))..2_f64.powi(bits)).contains(&number);
    if let (Some(number), Some("int32")) = (number, schema["format"].as_str())
        && !fits(number, 31)
    {
        errors.push(format!("{path}: Invalid value: {}: {path} in body must be of type int32", shown()));
    }
    if let (Some(text), Some("date-time")) = (value.as_str(), schema["format"].as_str())
        && text.parse::<jiff::Timestamp>().is_err()
    {
        errors.push(format!(
            "{path}: Invalid value: {}: {path} in body must be of type date-time: {}: use RFC 3339, for example 2027-03-26T02:30:00Z",
            shown(),
            shown()
        ));
    }
    if let (Some(text), Some(most)) = (value.as_str(), schema["maxLength"].as_u64())
        && text.chars().count() as u64 > most
    {
        errors.push(format!("{path}: Too long: may not be more than {most} bytes"));
    }
}

fn mismatch(path: &str, expected: &str, value: &Value) -> String {
    let (kind, shown) = match value {
        Value::Object(_) => ("object", r#""object""#.to_owned()),
        Value::Array(_) => ("array", r#""array""#.to_owned()),
        Value::Bool(_) => ("boolean", repeated(value)),
        Value::Number(number) if number.is_f64() => ("number", repeated(value)),
        Value::Number(_) => ("integer", repeated(value)),
        _ => ("string", repeated(value)),
    };
    format!("{path}: Invalid value: {shown}: {path} in body must be of type {expected}: {kind:?}")
}

/// The way out where a duration has no unit.
fn unit(schema: &Value, value: &Value) -> String {
    let rule = schema
        .pointer("/x-kubernetes-validations/0/messageExpression")
        .and_then(Value::as_str);
    match value {
        Value::Number(number) if rule.is_some_and(|rule| rule.contains("duration")) => {
            format!(": a duration has a unit: for example {number}s for seconds, or {number}m for minutes")
        }
        _ => String::new(),
    }
}

/// kubectl reads YAML 1.1, whose `yes` is true and whose `0644` is octal; to our reader both are text.
fn is_of(expected: &str, value: &Value) -> bool {
    match (expected, value) {
        ("object", Value::Object(_)) | ("array", Value::Array(_)) | ("string", Value::String(_)) | ("boolean", Value::Bool(_)) => true,
        ("integer", Value::Number(number)) => !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0),
        ("number", Value::Number(_)) => true,
        ("integer", Value::String(text)) => text.starts_with('0') && text.bytes().all(|byte| matches!(byte, b'0'..=b'7')),
        _ => false,
    }
}

/// A quantity is a number, or a string of a number and a suffix.
fn validate_quantity(value: &Value, path: &str, errors: &mut ErrorList) {
    let good = match value {
        Value::Number(_) => true,
        Value::String(text) => is_quantity(text),
        _ => false,
    };
    if !good {
        errors.push(format!(
            "{path}: Invalid value: {}: quantities are numbers with a suffix such as m, k, M, Mi, Gi",
            repeated(value)
        ));
    }
}

fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_number = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().filter(|byte| *byte == b'.').count() <= 1;
    let exponent = || {
        let digits = suffix.strip_prefix(['e', 'E'])?;
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        Some(is_number(digits) && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    };
    let units = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    is_number(number) && (units.contains(&suffix) || exponent() == Some(true))
}
