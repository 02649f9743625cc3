//! What goes to standard output: text, JSON or YAML, as kubectl writes them.
//!
//! Takes values, writes them. A reader that has seen enough (`… | head`) is no error.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// A format for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Json,
    Yaml,
}

/// Writes text.
///
/// # Errors
/// When standard output cannot take it, and not because its reader has left.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ => Ok(()),
    }
}

/// A value in this format, with a line feed at its end.
///
/// # Errors
/// Never for what is made of JSON.
pub fn format(value: &impl Serialize, format: Format) -> Result<String> {
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(value)? + "\n",
        Format::Yaml => serde_yaml::to_string(&serde_json::to_value(value)?)?,
    })
}

/// The object, or a `List` of several (or none).
pub fn one_or_list(mut objects: Vec<Value>) -> Value {
    if objects.len() == 1 {
        return objects.remove(0);
    }
    list(objects)
}

/// A `List`, as kubectl makes one.
pub fn list(objects: Vec<Value>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": objects})
}

/// One line without control characters: what a container said may hold any of them.
pub fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}
