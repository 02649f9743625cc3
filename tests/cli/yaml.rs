//! Odd YAML and JSON: check, preview and convert read each document of `yaml/` as kubectl does.
//!
//! `yaml/expected.tsv` has a line for each file: its name, whether the API server accepts it, and the value at a JSON pointer. A test on
//! the cluster (`tests/it`) asks kubectl and the API server for the same.

use crate::process::punctual;
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/yaml")
}

/// A file of the corpus.
struct Case {
    name: String,
    file: String,
    decision: String,
    /// A JSON pointer, and the value there.
    value: Option<(String, Option<Value>)>,
}

fn cases() -> Vec<Case> {
    let table = std::fs::read_to_string(folder().join("expected.tsv")).expect("a table");
    let case = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        let name = columns.next().expect("a name");
        Case {
            file: folder().join(format!("{name}.yaml")).display().to_string(),
            name,
            decision: columns.next().expect("a decision"),
            value: columns.next().zip(columns.next()).map(|(pointer, value)| {
                let value = (value != "absent").then(|| serde_json::from_str(&value).expect("JSON"));
                (pointer, value)
            }),
        }
    };
    table.lines().map(case).collect()
}

/// F18
#[test]
fn accepted_documents_have_the_values_that_kubectl_reads() {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.decision == "accepted").collect();
    let files: Vec<&str> = cases.iter().flat_map(|case| ["-f", &case.file]).collect();
    let check = punctual(&[&["check"], &files[..]].concat(), "");
    assert_eq!(check.code, Some(0), "{}", check.out);
    let preview = punctual(&[&["preview", "--count", "1"], &files[..]].concat(), "");
    assert_eq!((preview.code, preview.err.as_str()), (Some(0), ""));
    let converted = punctual(&[&["convert", "-o", "json"], &files[..]].concat(), "");
    let list: Value = serde_json::from_str(&converted.out).expect("a list");
    let objects = list["items"].as_array().expect("items");
    assert_eq!(objects.len(), cases.len());
    for (case, object) in cases.iter().zip(objects) {
        let (pointer, value) = case.value.as_ref().expect("a value");
        assert_eq!(object.pointer(pointer), value.as_ref(), "{}", case.name);
    }
}

/// F18
#[test]
fn rejected_documents_are_errors_of_check_and_preview() {
    let mut wrong = Vec::new();
    for case in cases().into_iter().filter(|case| case.decision != "accepted") {
        let check = punctual(&["check", "-f", &case.file], "");
        let preview = punctual(&["preview", "-f", &case.file], "");
        let empty = check.out.contains("contains no document");
        if (check.code, preview.code) != (Some(1), Some(1)) || empty != (case.decision == "nothing") {
            wrong.push(format!("{}: {} {}", case.name, check.out, preview.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_file_is_in_the_table() {
    let files = std::fs::read_dir(folder()).expect("a folder").count();
    assert_eq!(files, cases().len() + 1);
    assert!(files > 60);
}
