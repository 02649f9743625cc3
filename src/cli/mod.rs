//! The commands.
//!
//! Takes arguments, gives an exit code: 0 done, 1 something was wrong with what was given, 2 wrong usage (clap's).

mod controller;
mod preview;
mod stream;

use crate::api;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Scheduled tasks for Kubernetes: every slot is accounted for.
#[derive(Parser, Debug)]
#[command(name = "punctual", version, about, long_about = None, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const CONTROLLER_EXAMPLES: &str = "Examples:
  # With the current context of your kubeconfig, or in a pod with its service account
  punctual controller

  # On another cluster, for one namespace, with logs for machines
  punctual controller --context staging --watch-namespaces reports --log-format json";

const PREVIEW_EXAMPLES: &str = "Examples:
  # The next ten runs of each task in a file
  punctual preview -f task.yaml

  # What a CronJob of the cluster would do around the change of clocks, as JSON
  kubectl get cronjob nightly -o yaml | punctual preview -f - --from 2027-03-27T00:00:00Z --count 3 -o json

  # An expression, without a manifest
  punctual preview --schedule '30 2 * * *' --time-zone Europe/Paris";

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the operator: turn each slot of each ScheduledTask into a Job
    #[command(after_help = CONTROLLER_EXAMPLES)]
    Controller(controller::Args),
    /// Show when a task will run, without a cluster
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview(preview::Args),
    /// Print the CustomResourceDefinition of ScheduledTask
    Crd,
}

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Controller(args) => controller::run(args),
        Command::Preview(args) => preview::run(&args),
        Command::Crd => {
            print!("{}", api::crd_yaml());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
