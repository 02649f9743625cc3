//! Generated files are up to date. `BLESS=1 cargo test --test generated` updates them.

use punctual::api;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn crd_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crds/scheduledtasks.punctual.dev.yaml")
}

fn crd() -> Value {
    serde_json::to_value(api::crd()).expect("JSON")
}

fn schema() -> Value {
    crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

fn is_up_to_date(file: &Path, made: &str) {
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        fs::write(file, made).expect("it can be written");
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    let same = kept.lines().zip(made.lines()).take_while(|(kept, made)| kept == made).count();
    let at = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    assert!(
        kept == made,
        "{} is not up to date; update it with: BLESS=1 cargo test --test generated\nline {}: kept {:?}, made {:?}",
        file.display(),
        same + 1,
        at(&kept),
        at(made)
    );
}

#[test]
fn the_crd_in_crds_is_up_to_date() {
    is_up_to_date(&crd_file(), &api::crd_yaml());
}

#[test]
fn the_schema_of_events_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/events/punctual-event.schema.json");
    let made = serde_json::to_string_pretty(&punctual::notify::event_schema()).expect("JSON");
    is_up_to_date(&file, &format!("{made}\n"));
}

#[test]
fn the_crd_fits_into_the_annotation_of_client_side_apply() {
    // kubectl stores the object as compact JSON in an annotation; all annotations together may have 256 KiB.
    let bytes = crd().to_string().len();
    println!("the CRD has {bytes} bytes of compact JSON, of 262144");
    assert!(bytes < 225 * 1024, "{bytes} bytes: too little space for further fields");
}

#[test]
fn integers_have_formats_of_the_api_server() {
    let mut wrong = Vec::new();
    walk(&schema(), "", &mut |path, schema| {
        let known = [
            None,
            Some("int32"),
            Some("int64"),
            Some("date-time"),
            Some("byte"),
            Some("double"),
            Some("int-or-string"),
        ];
        if !known.contains(&schema["format"].as_str()) {
            wrong.push(format!("{path}: {}", schema["format"]));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_field_has_a_description() {
    let mut silent = Vec::new();
    walk(&schema(), "", &mut |path, schema| {
        let theirs = path.starts_with(".spec.jobTemplate.") || path.starts_with(".status.conditions[]");
        let field = !path.is_empty() && !path.ends_with("[]");
        if field && !theirs && schema["description"].as_str().unwrap_or_default().is_empty() {
            silent.push(path.to_owned());
        }
    });
    assert!(silent.is_empty(), "no description: {}", silent.join(", "));
}

#[test]
fn fields_of_the_template_have_short_descriptions() {
    let containers = schema()
        .pointer("/properties/spec/properties/jobTemplate/properties/spec/properties/template/properties/spec/properties/containers/items")
        .cloned()
        .expect("the template has its whole schema");
    let image = containers["properties"]["image"]["description"].as_str().unwrap_or_default();
    assert_eq!(image, "Container image name");
    assert!(containers["properties"].as_object().is_some_and(|fields| fields.len() > 20));
}

fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        walk(inner, &format!("{path}.{name}"), visit);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{path}[]"), visit);
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &format!("{path}[]"), visit);
    }
}
