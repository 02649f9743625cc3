//! `punctual run-now`, `resume` and `backfill`: requests, written as annotations, as `kubectl annotate` would.
//!
//! Takes names, gives a line for each; what fails for one is said, and the others are done. Never touches spec or status.

mod backfill;
mod follow;

pub use backfill::{Backfill, backfill};

use super::cluster::{self, Cluster, Target};
use super::output::{self, Format};
use super::task::Task;
use crate::api::{RESUME, RUN_NOW, printable};
use crate::clock::Clock;
use anyhow::Result;
use follow::Request;
use futures::future;
use kube::api::{Patch, PatchParams};
use kube::core::Duration;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct RunNow {
    /// Names of the tasks
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Wait until the run has ended; exit 1 if it did not succeed, or was refused
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, such as 90s or 1h30m
    #[arg(long, value_name = "DURATION", default_value = "10m", requires = "wait")]
    timeout: Duration,
    /// The objects instead of words
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
    /// The objects instead of words
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    target: Target,
}

/// Asks for a run of each task.
pub fn run_now(args: &RunNow) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let mut asked = Vec::new();
        let mut wrong = false;
        for name in &args.names {
            let name = cluster::bare_name(name);
            let request = now();
            match annotate(&cluster, name, RUN_NOW, &request).await {
                Ok(object) => {
                    say(args.output, &format!("{} run requested", cluster::full_name(name)))?;
                    asked.push((Request::new(request, &Task::of(object.clone())), object));
                }
                Err(error) => {
                    wrong = true;
                    cluster::complain(&error);
                }
            }
        }
        let mut objects: Vec<Value> = Vec::new();
        if args.wait {
            let timeout = args.timeout.into();
            let ends = future::join_all(asked.into_iter().map(async |(request, object)| {
                let ended = request.ended(&cluster, timeout).await;
                if let Some(success) = &ended.says {
                    say(args.output, success)?;
                }
                anyhow::Ok((ended.succeeded, ended.object.unwrap_or(object)))
            }));
            for end in ends.await {
                let (succeeded, object) = end?;
                wrong |= !succeeded;
                objects.push(object);
            }
        } else {
            objects.extend(asked.into_iter().map(|(_, object)| object));
        }
        show(args.output, objects)?;
        Ok(exit(wrong))
    })
}

/// Asks for the end of the suspension that failures brought about.
pub fn resume(args: &Resume) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let mut objects = Vec::new();
        let mut wrong = false;
        for name in &args.names {
            let name = cluster::bare_name(name);
            match annotate(&cluster, name, RESUME, &now()).await {
                Ok(object) => {
                    say(args.output, &format!("{} resume requested", cluster::full_name(name)))?;
                    if let Some(doubt) = doubt(&Task::of(object.clone())) {
                        output::complain(&format!("warning: {name}: {doubt}"));
                    }
                    objects.push(object);
                }
                Err(error) => {
                    wrong = true;
                    cluster::complain(&error);
                }
            }
        }
        show(args.output, objects)?;
        Ok(exit(wrong))
    })
}

/// Why there is nothing to resume, as far as the status tells.
fn doubt(task: &Task) -> Option<&'static str> {
    if task.fields.as_ref().is_some_and(|fields| fields.suspend) {
        return Some("spec.suspend is true, and the spec is its author's; set it to false");
    }
    (task.status.is_some() && task.suspended().is_none()).then_some("it is not suspended by failed runs: there is nothing to resume")
}

/// A value that no request had before.
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
    cluster::as_kubectl_shows(object.map_err(|error| cluster.said(error))?)
}

/// Words are for people; who asked for objects gets them at the end.
fn say(format: Option<Format>, line: &str) -> Result<()> {
    match format {
        Some(_) => Ok(()),
        None => output::print(&format!("{}\n", printable(line))),
    }
}

fn show(format: Option<Format>, objects: Vec<Value>) -> Result<()> {
    match format {
        Some(format) if !objects.is_empty() => output::print(&output::format(&output::one_or_list(objects), format)?),
        _ => Ok(()),
    }
}

fn exit(wrong: bool) -> ExitCode {
    if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};

    #[test]
    fn resume_doubts_where_there_is_nothing_to_resume() {
        let of = |spec: Value, status: Value| doubt(&task("x", spec, status));
        let paused = json!({"conditions": [condition("Suspended", "True", "TooManyFailures")]});
        assert_eq!(of(json!({}), paused), None);
        assert_eq!(of(json!({}), json!(null)), None);
        let goes_on = json!({"conditions": [condition("Suspended", "False", "NotSuspended")]});
        assert!(of(json!({}), goes_on).unwrap().contains("nothing to resume"));
        assert!(of(json!({"suspend": true}), json!({})).unwrap().contains("spec.suspend is true"));
    }

    #[test]
    fn no_two_requests_have_the_same_value() {
        let value = now();
        assert_eq!(value.len(), "2026-11-23T12:00:00.000000000Z".len(), "{value}");
        assert!(value.parse::<jiff::Timestamp>().is_ok());
    }
}
