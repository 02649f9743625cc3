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

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the operator: turn each slot of each ScheduledTask into a Job
    Controller(controller::Args),
    /// Show when a task will run, without a cluster
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
