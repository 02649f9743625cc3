//! A stream of manifests, as kubectl reads one: YAML or JSON, several documents, lists, standard input.
//!
//! Takes files, gives each document or what is wrong with it. A document that is broken harms no other: YAML documents
//! are told apart by their `---` before any of them is parsed.

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// A document: where it stands, and what it says.
pub struct Document {
    /// Such as `tasks.yaml, document 2`.
    pub place: String,
    pub value: Result<Value>,
    /// Its text, with comments and the author's order of fields, if it stands alone between two `---`.
    pub source: Option<String>,
    in_list: bool,
}

impl Document {
    fn new(place: String, value: Result<Value>) -> Self {
        Self {
            place,
            value,
            source: None,
            in_list: false,
        }
    }
}

/// All documents of a file; `-` is standard input.
///
/// # Errors
/// When the file cannot be read, or holds no document.
pub fn documents(file: &Path) -> Result<Vec<Document>> {
    let shown = shown(file);
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    }
    .with_context(|| format!("cannot read {shown}"))?;
    let mut documents = Vec::new();
    for part in split(&text) {
        let values = parse(&part);
        let alone = values.len() == 1;
        for value in values {
            let place = format!("{shown}, document {}", documents.len() + 1);
            match value {
                Ok(Value::Null) => {}
                Ok(value) => {
                    let before = documents.len();
                    each(value, &place, &mut documents);
                    if let [document] = &mut documents[before..]
                        && alone
                        && !document.in_list
                    {
                        document.source = Some(part.clone());
                    }
                }
                Err(error) => documents.push(Document::new(place, Err(error))),
            }
        }
    }
    if documents.is_empty() {
        bail!("{shown} holds no document");
    }
    Ok(documents)
}

/// How a file is called in messages.
pub fn shown(file: &Path) -> String {
    match file.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => file.display().to_string(),
    }
}

/// The document, or those inside a `List`.
fn each(mut value: Value, place: &str, documents: &mut Vec<Document>) {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => {
            let before = documents.len();
            items.into_iter().for_each(|item| each(item, place, documents));
            documents[before..].iter_mut().for_each(|document| document.in_list = true);
        }
        items => {
            if let Some(items) = items {
                value["items"] = items;
            }
            documents.push(Document::new(place.to_owned(), Ok(value)));
        }
    }
}

/// What stands between lines that begin with `---`.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = match line.strip_prefix("---") {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
                parts.push(String::new());
                rest
            }
            _ if line.starts_with('%') => "",
            _ => line,
        };
        let part = parts.last_mut().expect("there is always one");
        part.push_str(line);
        part.push('\n');
    }
    parts
}

/// One YAML document, or one JSON value after the other.
fn parse(part: &str) -> Vec<Result<Value>> {
    if part.trim_start().starts_with('{') {
        let values: Vec<_> = serde_json::Deserializer::from_str(part).into_iter::<Value>().collect();
        // What begins with a brace may be YAML all the same.
        if values.iter().all(Result::is_ok) || values.len() > 1 {
            return values
                .into_iter()
                .map(|value| value.map_err(|error| anyhow!("not valid JSON: {error}")))
                .collect();
        }
    }
    let mut values = Vec::new();
    for document in serde_yaml::Deserializer::from_str(part) {
        match Value::deserialize(document) {
            Ok(value) => values.push(Ok(value)),
            Err(error) => {
                values.push(Err(anyhow!("not valid YAML: {error}")));
                break;
            }
        }
    }
    values
}
