//! `punctual suspend`: sets `spec.suspend`, so that no slot starts.

use super::annotate::{Changed, change_each, patch};
use crate::cli::argument;
use crate::cli::cluster::{self, Target};
use crate::cli::output::Format;
use crate::cli::task::Task;
use anyhow::Result;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Suspend {
    /// Names of the tasks
    #[arg(value_name = "NAME", value_parser = argument::task_name, required = true)]
    names: Vec<String>,
    /// Print the objects
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    pub target: Target,
}

/// Sets `spec.suspend` of each task.
pub fn suspend(args: &Suspend) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        change_each(&args.names, args.output, async |name| {
            let object = patch(&cluster, name, json!({"spec": {"suspend": true}})).await?;
            let done = format!("suspended: {}", consequences(&Task::of(object.clone())));
            Ok(Changed {
                object,
                done,
                warning: None,
            })
        })
        .await
    })
}

/// What happens now, and how to end it.
fn consequences(task: &Task) -> String {
    let active = match task.status.as_ref().map_or(0, |status| status.running) {
        0 => String::new(),
        1 => "; 1 active run continues".to_owned(),
        runs => format!("; {runs} active runs continue"),
    };
    format!("no slot starts{active}; to end it: punctual resume {} --spec", task.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::task;

    #[test]
    fn suspend_says_what_continues_and_how_to_end_it() {
        for (status, text) in [
            (json!(null), "no slot starts; to end it: punctual resume x --spec"),
            (
                json!({"running": 1}),
                "no slot starts; 1 active run continues; to end it: punctual resume x --spec",
            ),
            (
                json!({"running": 2}),
                "no slot starts; 2 active runs continue; to end it: punctual resume x --spec",
            ),
        ] {
            assert_eq!(consequences(&task("x", json!({}), status)), text);
        }
    }
}
