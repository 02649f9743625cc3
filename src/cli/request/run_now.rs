//! `punctual run-now`: requests runs, and waits for them if asked.

use super::annotate::{annotate, exit_code, new_value, print_line, print_objects};
use super::wait::Request;
use crate::api::RUN_NOW;
use crate::cli::argument;
use crate::cli::cluster::{self, Target};
use crate::cli::output::Format;
use crate::cli::task::Task;
use anyhow::Result;
use futures::future;
use kube::core::Duration;
use serde_json::Value;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct RunNow {
    /// Names of the tasks
    #[arg(value_name = "NAME", value_parser = argument::task_name, required = true)]
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
    pub target: Target,
}

/// Requests a run of each task.
pub fn run_now(args: &RunNow) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let mut requests = Vec::new();
        let mut failed = false;
        for name in &args.names {
            let name = cluster::bare_name(name);
            let request = new_value();
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
