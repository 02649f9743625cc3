//! `punctual list`: prints the tasks of a namespace, or of all, as a table; `-o json|yaml` prints the objects, `-o name` their names.
//!
//! On a terminal no line is longer than the terminal is wide.

mod args;
mod rows;
mod watch;

pub use args::Args;

use super::cluster::{self, Cluster};
use super::output::{self, Format};
use super::table::Table;
use super::task::{NOT_PROCESSED, Task};
use crate::clock::Clock;
use anyhow::Result;
use args::Output;
use jiff::Timestamp;
use serde_json::Value;
use std::process::ExitCode;

pub fn run(args: &Args) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let (objects, failed) = objects(args, &cluster).await?;
        let listed = objects.iter().map(watch::key_and_version).collect();
        let mut table = rows::table(args.all_namespaces, args.is_wide());
        print(args, objects, &cluster.namespace, failed, &mut table)?;
        if args.watch && !failed {
            watch::watch(args, &cluster, listed, table).await?;
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

/// The tasks that were asked for, and whether one of them could not be read.
async fn objects(args: &Args, cluster: &Cluster) -> Result<(Vec<Value>, bool)> {
    if args.names.is_empty() {
        return Ok((cluster.list(args.all_namespaces, args.selector.as_deref()).await?, false));
    }
    let (mut objects, mut failed) = (Vec::new(), false);
    for name in &args.names {
        match cluster.task(cluster::bare_name(name)).await {
            Ok(object) => objects.push(object),
            Err(error) => {
                failed = true;
                cluster::print_error(&error);
            }
        }
    }
    Ok((objects, failed))
}

fn print(args: &Args, objects: Vec<Value>, namespace: &str, failed: bool, table: &mut Table) -> Result<()> {
    let format = match args.output {
        Some(Output::Json) => Some(Format::Json),
        Some(Output::Yaml) => Some(Format::Yaml),
        Some(Output::Wide | Output::Name) | None => None,
    };
    if let Some(format) = format {
        return output::print(&output::format(&output::list(objects), format)?);
    }
    if args.output == Some(Output::Name) {
        let names = objects.into_iter().map(|object| cluster::full_name(&Task::of(object).name) + "\n");
        return output::print(&names.collect::<String>());
    }
    if objects.is_empty() {
        match args.all_namespaces {
            _ if failed => {}
            true => output::print_error("No resources found"),
            false => output::print_error(&format!("No resources found in {namespace} namespace.")),
        }
        return Ok(());
    }
    let tasks: Vec<Task> = objects.into_iter().map(Task::of).collect();
    let now = Clock::System.now();
    output::print(&rows::for_terminal(table, args, &tasks, now))?;
    hints(&tasks, now).iter().for_each(|hint| output::print_error(hint));
    Ok(())
}

/// What to check if no operator works on the tasks.
fn hints(tasks: &[Task], now: Timestamp) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    let ignored: Vec<&str> = tasks
        .iter()
        .filter(|task| !task.is_processed())
        .map(|task| task.name.as_str())
        .collect();
    if !ignored.is_empty() {
        hints.push(format!("warning: {}: {NOT_PROCESSED}", few(&ignored)));
    }
    let late: Vec<&str> = tasks
        .iter()
        .filter(|task| task.ignored_start(now).is_some())
        .map(|task| task.name.as_str())
        .collect();
    if !late.is_empty() {
        hints.push(format!(
            "warning: {}: the announced start has passed and no operator has started a run: check that Punctual is running",
            few(&late)
        ));
    }
    hints
}

/// Some of the names, and how many there are beside.
fn few(names: &[&str]) -> String {
    const MOST: usize = 3;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};
    use rows::tests::tasks;
    use serde_json::json;

    #[test]
    fn tasks_without_an_operator_have_a_hint() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(hints(&tasks(), now), [format!("warning: wrong: {NOT_PROCESSED}")]);
        let late = task(
            "late",
            json!({}),
            json!({"conditions": [condition("Ready", "True", "Accepted")], "nextRuns": ["2026-11-23T11:00:00Z"]}),
        );
        let hints = hints(&[late], now);
        assert!(hints[0].starts_with("warning: late: the announced start has passed"), "{hints:?}");
        assert_eq!(few(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
