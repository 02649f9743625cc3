//! `punctual list -w`: prints each task that changes after it was listed, in the columns of the table, as kubectl does.

use super::args::{Args, Output};
use super::rows;
use crate::cli::cluster::{self, Cluster};
use crate::cli::manifest;
use crate::cli::output::{self, Format};
use crate::cli::table::Table;
use crate::cli::task::Task;
use crate::clock::Clock;
use anyhow::Result;
use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use std::collections::HashMap;

/// Prints changes until the watch fails. `shown` are the keys and versions of the tasks in the table.
///
/// # Errors
/// When the cluster refuses the watch.
pub async fn watch(args: &Args, cluster: &Cluster, mut shown: HashMap<String, String>, mut table: Table) -> Result<()> {
    let mut config = watcher::Config::default();
    config.label_selector.clone_from(&args.selector);
    if let [name] = args.names.as_slice() {
        config = config.fields(&format!("metadata.name={}", cluster::bare_name(name)));
    }
    let changes = watcher(cluster.tasks_of(args.all_namespaces), config);
    let mut changes = changes.default_backoff().applied_objects().boxed();
    while let Some(change) = changes.next().await {
        let object = match change {
            Ok(object) => cluster::as_kubectl_shows(object)?,
            Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) => return Err(cluster.error(error)),
            // The watcher restarts by itself.
            Err(_) => continue,
        };
        let task = Task::of(object.clone());
        if !args.names.is_empty() && !args.names.iter().any(|name| cluster::bare_name(name) == task.name) {
            continue;
        }
        let (key, version) = key_and_version(&object);
        if shown.insert(key, version.clone()) == Some(version) {
            continue;
        }
        match args.output {
            Some(Output::Json) => output::print(&output::format(&object, Format::Json)?)?,
            Some(Output::Yaml) => output::print(&format!("---\n{}", output::format(&object, Format::Yaml)?))?,
            Some(Output::Name) => output::print(&format!("{}\n", cluster::full_name(&task.name)))?,
            Some(Output::Wide) | None => output::print(&rows::for_terminal(&mut table, args, &[task], Clock::System.now()))?,
        }
    }
    Ok(())
}

/// The key of a task, and the version of its object.
pub fn key_and_version(object: &Value) -> (String, String) {
    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    (manifest::key(object), version.unwrap_or_default().to_owned())
}
