//! The commands.
//!
//! Takes arguments, gives an exit code: 0 done, 1 something was wrong with what was given, 2 wrong usage (clap's).

mod check;
mod controller;
mod convert;
mod daylight;
mod elapsed;
mod manifest;
mod output;
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
  punctual controller --context staging --namespace reports --log-format json";

const PREVIEW_EXAMPLES: &str = "Examples:
  # The next ten runs of each task in a file
  punctual preview -f task.yaml

  # What a CronJob of the cluster would do around the change of clocks, as JSON
  kubectl get cronjob nightly -o yaml | punctual preview -f - --from 2027-03-27T00:00:00Z --count 3 -o json

  # An expression, without a manifest
  punctual preview --schedule '30 2 * * *' --time-zone Europe/Paris";

const CHECK_EXAMPLES: &str = "Examples:
  # What is wrong with the tasks of a folder, and what is worth a thought
  punctual check -f tasks.yaml

  # Whatever kustomize makes; documents that are no tasks are passed over
  kustomize build . | punctual check -f -

  # For a pipeline that reads the hints, too
  punctual check -f tasks.yaml -o json";

const CONVERT_EXAMPLES: &str = "Examples:
  # A manifest in git, with a comment for each difference that matters
  punctual convert -f cronjob.yaml > task.yaml

  # Every CronJob of a namespace, without what the cluster wrote into them
  kubectl get cronjobs -o yaml | punctual convert

  # Straight into the cluster
  punctual convert -f cronjob.yaml -o json | kubectl apply -f -";

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the operator: turn each slot of each ScheduledTask into a Job
    #[command(after_help = CONTROLLER_EXAMPLES)]
    Controller(controller::Args),
    /// Show when a task will run, without a cluster
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview(preview::Args),
    /// Say what is wrong with manifests, and what is worth a thought, without a cluster
    #[command(after_help = CHECK_EXAMPLES)]
    Check(check::Args),
    /// Turn CronJobs into ScheduledTasks
    #[command(after_help = CONVERT_EXAMPLES)]
    Convert(convert::Args),
    /// Print the CustomResourceDefinition of ScheduledTask
    Crd,
}

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Controller(args) => controller::run(args),
        Command::Preview(args) => preview::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Convert(args) => convert::run(&args),
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
