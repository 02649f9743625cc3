//! A stream of manifests, as kubectl reads one: YAML or JSON, several documents, lists, standard input.
//!
//! Takes files, gives each document or what is wrong with it. A document that is broken harms no other: YAML documents
//! are told apart by their `---` before any of them is parsed. What is too large is refused before it costs anything: `budget`.

mod budget;
mod events;
mod values;

use anyhow::{Context, Result, anyhow, bail};
use budget::Exceeded;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use values::Budget;

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
/// When the file cannot be read, holds no document, or more than is read of one file.
pub fn documents(file: &Path) -> Result<Vec<Document>> {
    let shown = shown(file);
    let text = if file.as_os_str() == "-" {
        budget::read(std::io::stdin().lock())
    } else {
        File::open(file).and_then(budget::read)
    }
    .with_context(|| format!("cannot read {shown}"))?;
    let too_many = || anyhow!(Exceeded::Documents).context(format!("cannot read {shown}"));
    let mut documents = Vec::new();
    for part in split(&text).ok_or_else(too_many)? {
        let values = parse(&part);
        let alone = values.len() == 1;
        for value in values {
            if documents.len() >= budget::DOCUMENTS {
                return Err(too_many());
            }
            let place = format!("{shown}, document {}", documents.len() + 1);
            match value {
                Ok(Value::Null) => {}
                Ok(value) => {
                    let before = documents.len();
                    each(value, &place, &mut documents);
                    if let Some([document]) = documents.get_mut(before..)
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
            documents.iter_mut().skip(before).for_each(|document| document.in_list = true);
        }
        items => {
            if let Some((items, place)) = items.zip(value.get_mut("items")) {
                *place = items;
            }
            documents.push(Document::new(place.to_owned(), Ok(value)));
        }
    }
}

/// What stands between lines that begin with `---`; `None` if that is too much.
fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = match line.strip_prefix("---") {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
                parts.push(std::mem::take(&mut part));
                if parts.len() >= budget::DOCUMENTS {
                    return None;
                }
                rest
            }
            _ if line.starts_with('%') => "",
            _ => line,
        };
        part.push_str(line);
        part.push('\n');
    }
    parts.push(part);
    Some(parts)
}

/// One YAML document, or one JSON value after the other.
fn parse(part: &str) -> Vec<Result<Value>> {
    if part.len() > budget::DOCUMENT_BYTES {
        return vec![Err(anyhow!(Exceeded::DocumentBytes))];
    }
    if part.trim_start().starts_with('{') {
        let values = json(part);
        // What begins with a brace may be YAML all the same.
        if values.iter().all(Result::is_ok) || values.len() > 1 {
            return values;
        }
    }
    yaml(part)
}

fn json(part: &str) -> Vec<Result<Value>> {
    let budget = Budget::new();
    let mut from = serde_json::Deserializer::from_str(part);
    let mut values = Vec::new();
    while from.end().is_err() && values.len() <= budget::DOCUMENTS {
        let value = budget.build(&mut from);
        let ends = value.is_err();
        values.push(value.map_err(|error| budget.explain("JSON", &error)));
        if ends {
            break;
        }
    }
    values
}

fn yaml(part: &str) -> Vec<Result<Value>> {
    if let Err(exceeded) = events::count(part) {
        return vec![Err(exceeded)];
    }
    let budget = Budget::new();
    let mut values = Vec::new();
    for document in serde_yaml::Deserializer::from_str(part).take(budget::DOCUMENTS + 1) {
        let value = budget.build(document);
        let ends = value.is_err();
        values.push(value.map_err(|error| budget.explain("YAML", &error)));
        if ends {
            break;
        }
    }
    values
}
