//! Reads manifests from files and standard input as kubectl does: YAML 1.1 or JSON, several documents, lists.
//!
//! The result is one entry for each document: its value, or what is wrong with it. An invalid document does not affect the others,
//! because documents are split at `---` before any of them is parsed. What exceeds a limit is rejected before it takes memory or time.

mod compose;
mod json;
mod limits;
mod parser;
mod scalar;

pub use parser::{Event, Parser};

use crate::api::shortened;
use crate::cli::argument;
use anyhow::{Context, Result, anyhow, bail};
use limits::Exceeded;
use serde_json::Value;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A document of a file.
pub struct Document {
    /// Such as `tasks.yaml, document 2`.
    pub place: String,
    pub value: Result<Value>,
    /// Its text, unless it is one of several between two lines `---`, or an item of a list.
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

/// All documents of a file; `-` is standard input. `command` is the command that reads it, for hints.
///
/// # Errors
/// When the file cannot be read, contains no document, or exceeds a limit.
pub fn documents(file: &Path, command: &str) -> Result<Vec<Document>> {
    let name = display_name(file);
    let text = if file.as_os_str() == "-" {
        limits::read(std::io::stdin().lock())
    } else {
        File::open(file).and_then(limits::read).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other(format!("no such file{}", argument::instead_of_file(&name, command))),
            _ => error,
        })
    }
    .with_context(|| format!("cannot read {name}"))?;
    let too_many = || anyhow!(Exceeded::Documents).context(format!("cannot read {name}"));
    let (mut documents, mut empty_list) = (Vec::new(), false);
    for (before, part) in split(&text).ok_or_else(too_many)? {
        let (values, text) = match part {
            Ok(text) => (parse(&text, before), text),
            Err(error) => (vec![Err(error)], String::new()),
        };
        let alone = values.len() == 1;
        for value in values {
            if documents.len() >= limits::DOCUMENTS {
                return Err(too_many());
            }
            let place = format!("{name}, document {}", documents.len() + 1);
            match value {
                Ok(Value::Null) => {}
                Ok(value) => {
                    let before = documents.len();
                    each(value, &place, &mut documents);
                    empty_list |= documents.len() == before;
                    if let Some([document]) = documents.get_mut(before..)
                        && alone
                        && !document.in_list
                    {
                        document.source = Some(text.clone());
                    }
                }
                Err(error) => documents.push(Document::new(place, Err(error))),
            }
        }
    }
    if documents.is_empty() {
        let what = if empty_list { "object: its List is empty" } else { "document" };
        bail!("{name} contains no {what}");
    }
    Ok(documents)
}

/// The files of arguments. A directory stands for its files that end with .yaml, .yml or .json, as in kubectl.
///
/// # Errors
/// When a directory cannot be read or has no such file.
pub fn files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for argument in arguments {
        if !argument.is_dir() {
            files.push(argument.clone());
            continue;
        }
        let name = argument.display();
        let entries = argument.read_dir().and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries = entries.with_context(|| format!("cannot read {name}"))?;
        let is_manifest =
            |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json") && path.is_file();
        let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_manifest).collect();
        if found.is_empty() {
            bail!("{name} contains no file that ends with .yaml, .yml or .json");
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// The name of a file in messages.
pub fn display_name(file: &Path) -> String {
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

/// A part of a file, after so many lines.
type Part = (u64, Result<String>);

/// The parts between lines that begin with `---`; `None` if there are too many.
fn split(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut part = (0, Ok(String::new()));
    for (before, line) in (0..).zip(text.trim_start_matches('\u{feff}').lines()) {
        if let Some(rest) = line.strip_prefix("---") {
            let comment = rest.trim_start();
            let next = match comment.is_empty() || comment.starts_with('#') {
                true => Ok(format!("{comment}\n")),
                false => Err(anyhow!(
                    "not valid YAML: invalid document separator {:?}: write the document on the lines after ---",
                    shortened(line.to_owned(), 40)
                )),
            };
            parts.push(std::mem::replace(&mut part, (before, next)));
            if parts.len() >= limits::DOCUMENTS {
                return None;
            }
        } else if let Ok(part) = &mut part.1 {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts.push(part);
    Some(parts)
}

/// Whether the text is exactly this value.
pub fn reads_as(text: &str, value: &Value) -> bool {
    matches!(parse(text, 0).as_slice(), [Ok(read)] if read == value)
}

/// One YAML document, or JSON values that follow one another. `before` is the number of lines of the file that precede it.
fn parse(part: &str, before: u64) -> Vec<Result<Value>> {
    if part.len() > limits::DOCUMENT_BYTES {
        return vec![Err(anyhow!(Exceeded::DocumentBytes))];
    }
    if part.trim_start().starts_with('{') {
        let values = json::values(part, before);
        // A flow mapping of YAML begins with a brace, too.
        if values.iter().all(Result::is_ok) || values.len() > 1 {
            return values;
        }
    }
    vec![compose::document(part, before)]
}
