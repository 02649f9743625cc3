//! Changes an annotation or a field of a task, and prints the result.

use crate::api::printable;
use crate::cli::cluster::{self, Cluster};
use crate::cli::output::{self, Format};
use crate::clock::Clock;
use anyhow::Result;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::process::ExitCode;

/// A value that no earlier request had.
pub fn new_value() -> String {
    format!("{:.9}", Clock::System.now())
}

/// Sets an annotation, and returns the object.
pub async fn annotate(cluster: &Cluster, name: &str, annotation: &str, value: &str) -> Result<Value> {
    patch(cluster, name, json!({"metadata": {"annotations": {annotation: value}}})).await
}

/// Merges fields into the object, and returns it.
pub async fn patch(cluster: &Cluster, name: &str, fields: Value) -> Result<Value> {
    let patch = Patch::Merge(fields);
    let params = PatchParams {
        field_manager: Some("punctual-cli".into()),
        ..PatchParams::default()
    };
    let object = cluster.tasks().patch(name, &params, &patch).await;
    cluster::as_kubectl_shows(object.map_err(|error| cluster.error(error))?)
}

/// Prints a line, unless objects are printed at the end.
pub fn print_line(format: Option<Format>, line: &str) -> Result<()> {
    match format {
        Some(_) => Ok(()),
        None => output::print(&format!("{}\n", printable(line))),
    }
}

/// Prints objects in the format that was asked for.
pub fn print_objects(format: Option<Format>, objects: Vec<Value>) -> Result<()> {
    match format {
        Some(format) if !objects.is_empty() => output::print(&output::format(&output::one_or_list(objects), format)?),
        _ => Ok(()),
    }
}

/// What a command did to one task.
pub struct Changed {
    /// The object as it is now.
    pub object: Value,
    /// What is said after its name.
    pub done: String,
    /// What its author should know, if anything.
    pub warning: Option<String>,
}

/// Changes tasks one after the other; one that fails keeps no other from being changed.
pub async fn change_each(names: &[String], format: Option<Format>, change: impl AsyncFn(&str) -> Result<Changed>) -> Result<ExitCode> {
    let (mut objects, mut failed) = (Vec::new(), false);
    for name in names {
        let name = cluster::bare_name(name);
        match change(name).await {
            Ok(Changed { object, done, warning }) => {
                print_line(format, &format!("{} {done}", cluster::full_name(name)))?;
                if let Some(warning) = warning {
                    output::print_error(&format!("warning: {name}: {warning}"));
                }
                objects.push(object);
            }
            Err(error) => {
                failed = true;
                cluster::print_error(&error);
            }
        }
    }
    print_objects(format, objects)?;
    Ok(exit_code(failed))
}

/// The exit code of a command for several tasks.
pub fn exit_code(failed: bool) -> ExitCode {
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_values_are_unique_timestamps() {
        let value = new_value();
        assert_eq!(value.len(), "2026-11-23T12:00:00.000000000Z".len(), "{value}");
        assert!(value.parse::<jiff::Timestamp>().is_ok());
    }
}
