//! Converts the text of a manifest line by line, so that comments, order and quotes stay as the author wrote them.
//!
//! Takes the text and the task that it should become, gives the new text only if it reads as exactly that task. Block style is all it
//! knows; whatever else is written anew by the caller.

use super::{LAST_APPLIED, OF_THE_CLUSTER};
use crate::api;
use serde_json::Value;

/// The text of the converted manifest; `None` if lines alone do not do it.
pub fn converted(text: &str, task: &Value) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    replace(&mut lines, "apiVersion", &format!("{}/{}", api::GROUP, api::VERSION))?;
    replace(&mut lines, "kind", api::KIND)?;
    remove(&mut lines, &["status"]);
    for field in OF_THE_CLUSTER {
        remove(&mut lines, &["metadata", field]);
    }
    remove(&mut lines, &["metadata", "annotations", LAST_APPLIED]);
    let annotations = find(&lines, &["metadata", "annotations"]);
    if task.pointer("/metadata/annotations").is_none() && annotations.is_some() {
        remove(&mut lines, &["metadata", "annotations"]);
    }
    for template in [
        &["spec", "jobTemplate", "metadata"][..],
        &["spec", "jobTemplate", "spec", "template", "metadata"],
    ] {
        remove(&mut lines, &[template, &["creationTimestamp"]].concat());
    }
    let first = lines.iter().position(|line| !line.trim().is_empty())?;
    let text = lines.get(first..)?.join("\n").trim_end().to_owned() + "\n";
    let reads: Value = serde_yaml::from_str(&text).ok()?;
    (without_empty_metadata(reads) == without_empty_metadata(task.clone())).then_some(text)
}

/// A template's metadata of which nothing is left reads as null when its lines are gone.
fn without_empty_metadata(mut task: Value) -> Value {
    for path in ["/spec/jobTemplate", "/spec/jobTemplate/spec/template"] {
        if let Some(fields) = task.pointer_mut(path).and_then(Value::as_object_mut)
            && fields
                .get("metadata")
                .is_some_and(|metadata| metadata.is_null() || metadata.as_object().is_some_and(|all| all.is_empty()))
        {
            fields.remove("metadata");
        }
    }
    task
}

/// Gives a field at the margin another value, and keeps the comment behind it.
fn replace(lines: &mut [String], key: &str, value: &str) -> Option<()> {
    let at = find(lines, &[key])?;
    let line = lines.get_mut(at.start)?;
    let (_, rest) = line.split_once(':')?;
    // The blanks before a comment are its own.
    let comment = rest
        .split_once(" #")
        .map_or("", |(own, _)| rest.strip_prefix(own.trim_end()).unwrap_or_default());
    *line = format!("{key}: {value}{comment}");
    Some(())
}

fn remove(lines: &mut Vec<String>, path: &[&str]) {
    if let Some(range) = find(lines, path) {
        lines.drain(range);
    }
}

/// The lines of a field and all that is in it.
fn find(lines: &[String], path: &[&str]) -> Option<std::ops::Range<usize>> {
    let mut within = 0..lines.len();
    let mut indent = Some(0);
    for (depth, key) in path.iter().enumerate() {
        if depth > 0 {
            indent = lines.get(within.clone())?.iter().find_map(|line| indent_of(line));
        }
        let indent = indent?;
        let start = within.clone().find(|number| {
            lines
                .get(*number)
                .is_some_and(|line| indent_of(line) == Some(indent) && is_key(line.trim_start(), key))
        })?;
        let inside = |number: &usize| {
            lines.get(*number).is_some_and(|line| {
                // A list may stand as far left as the field that holds it.
                indent_of(line).is_none_or(|own| own > indent || own == indent && line.trim_start().starts_with("- "))
            })
        };
        let mut end = (start + 1..within.end).find(|number| !inside(number)).unwrap_or(within.end);
        // Comments and empty lines at the end belong to what follows.
        while end > start + 1 && lines.get(end - 1).is_some_and(|line| indent_of(line).is_none()) {
            end -= 1;
        }
        if depth + 1 == path.len() {
            return Some(start..end);
        }
        within = start + 1..end;
    }
    None
}

/// How far a line is indented; `None` for comments and empty lines.
fn indent_of(line: &str) -> Option<usize> {
    let text = line.trim_start();
    (!text.is_empty() && !text.starts_with('#')).then(|| line.len() - text.len())
}

fn is_key(text: &str, key: &str) -> bool {
    let text = text.strip_prefix(['"', '\'']).unwrap_or(text);
    let Some(rest) = text.strip_prefix(key) else { return false };
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    rest.strip_prefix(':').is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
