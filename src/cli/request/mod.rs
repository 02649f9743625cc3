//! `punctual run-now`, `resume` and `backfill`: make requests by writing annotations on tasks, as `kubectl annotate` does.
//!
//! A line is printed for each task. An error for one does not affect the others. Spec and status are never written.

mod backfill;
mod wait;

pub use backfill::{Backfill, backfill};

use super::cluster::{self, Cluster, Target};
use super::output::{self, Format};
use super::task::Task;
use crate::api::{RESUME, RUN_NOW, printable};
use crate::clock::Clock;
use anyhow::Result;
use futures::future;
use kube::api::{Patch, PatchParams};
use kube::core::Duration;
use serde_json::{Value, json};
use std::process::ExitCode;
use wait::Request;

#[derive(clap::Args, Debug)]
pub struct RunNow {
    /// Names of the tasks
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Wait until the run has finished; exit 1 if it failed or was refused
    #[arg(long)]
    wait: bool,
    /// How long to wait, for example 90s or 1h30m
    #[arg(long, value_name = "DURATION", default_value = "10m", requires = "wait")]
    timeout: Duration,
    /// Print the objects
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args, Debug)]
pub struct Resume {
    /// Names of the tasks
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Print the objects
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    target: Target,
}

/// Requests a run of each task.
pub fn run_now(args: &RunNow) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let mut requests = Vec::new();
        let mut failed = false;
        for name in &args.names {
            let name = cluster::bare_name(name);
            let request = now();
            match annotate(&cluster, name, RUN_NOW, &request).await {
                Ok(object) => {
                    print_line(args.output, &format!("{} run requested", cluster::full_name(name)))?;
                    requests.push((Request::new(request, &Task::of(object.clone())), object));
                }
                Err(error) => {
                    failed = true;
                    cluster::print_error(&error);
                }
            }
        }
        let mut objects: Vec<Value> = Vec::new();
        if args.wait {
            let timeout = args.timeout.into();
            let ends = future::join_all(requests.into_iter().map(async |(request, object)| {
                let end = request.wait(&cluster, timeout).await;
                if let Some(message) = &end.message {
                    print_line(args.output, message)?;
                }
                anyhow::Ok((end.succeeded, end.object.unwrap_or(object)))
            }));
            for end in ends.await {
                let (succeeded, object) = end?;
                failed |= !succeeded;
                objects.push(object);
            }
        } else {
            objects.extend(requests.into_iter().map(|(_, object)| object));
        }
        print_objects(args.output, objects)?;
        Ok(exit_code(failed))
    })
}

/// Requests the end of a suspension by failures.
pub fn resume(args: &Resume) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let mut objects = Vec::new();
        let mut failed = false;
        for name in &args.names {
            let name = cluster::bare_name(name);
            match annotate(&cluster, name, RESUME, &now()).await {
                Ok(object) => {
                    print_line(args.output, &format!("{} resume requested", cluster::full_name(name)))?;
                    if let Some(warning) = nothing_to_resume(&Task::of(object.clone())) {
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
        print_objects(args.output, objects)?;
        Ok(exit_code(failed))
    })
}

/// Why the request has no effect, as far as the status shows.
fn nothing_to_resume(task: &Task) -> Option<&'static str> {
    if task.fields.as_ref().is_some_and(|fields| fields.suspend) {
        return Some("spec.suspend is true, which resume does not change: set it to false");
    }
    (task.status.is_some() && task.suspended().is_none()).then_some("not suspended by failures: there is nothing to resume")
}

/// A value that no earlier request had.
fn now() -> String {
    format!("{:.9}", Clock::System.now())
}

async fn annotate(cluster: &Cluster, name: &str, annotation: &str, value: &str) -> Result<Value> {
    let patch = Patch::Merge(json!({"metadata": {"annotations": {annotation: value}}}));
    let params = PatchParams {
        field_manager: Some("punctual-cli".into()),
        ..PatchParams::default()
    };
    let object = cluster.tasks().patch(name, &params, &patch).await;
    cluster::as_kubectl_shows(object.map_err(|error| cluster.error(error))?)
}

/// Prints a line, unless objects are printed at the end.
fn print_line(format: Option<Format>, line: &str) -> Result<()> {
    match format {
        Some(_) => Ok(()),
        None => output::print(&format!("{}\n", printable(line))),
    }
}

fn print_objects(format: Option<Format>, objects: Vec<Value>) -> Result<()> {
    match format {
        Some(format) if !objects.is_empty() => output::print(&output::format(&output::one_or_list(objects), format)?),
        _ => Ok(()),
    }
}

fn exit_code(failed: bool) -> ExitCode {
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};

    #[test]
    fn resume_warns_if_there_is_nothing_to_resume() {
        let of = |spec: Value, status: Value| nothing_to_resume(&task("x", spec, status));
        let paused = json!({"conditions": [condition("Suspended", "True", "TooManyFailures")]});
        assert_eq!(of(json!({}), paused), None);
        assert_eq!(of(json!({}), json!(null)), None);
        let running = json!({"conditions": [condition("Suspended", "False", "NotSuspended")]});
        assert!(of(json!({}), running).unwrap().contains("nothing to resume"));
        assert!(of(json!({"suspend": true}), json!({})).unwrap().contains("spec.suspend is true"));
    }

    #[test]
    fn request_values_are_unique_timestamps() {
        let value = now();
        assert_eq!(value.len(), "2026-11-23T12:00:00.000000000Z".len(), "{value}");
        assert!(value.parse::<jiff::Timestamp>().is_ok());
    }
}
