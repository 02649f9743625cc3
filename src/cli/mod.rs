//! The commands.
//!
//! Takes arguments, gives an exit code: 0 done, 1 something was wrong with what was given, 2 wrong usage (clap's). The name under which
//! the binary is called decides how it names itself: `punctual`, or `kubectl punctual` as kubectl's plugin `kubectl-punctual`.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "output.rs writes, and lets nothing pass that is not printable"
)]

mod check;
mod cluster;
mod completion;
mod controller;
mod convert;
mod daylight;
mod elapsed;
mod examples;
mod history;
mod list;
mod manifest;
mod output;
mod preview;
mod request;
mod stream;
mod table;
mod task;
mod yaml;

use crate::api::{self, printable_lines};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
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
    #[command(after_help = examples::CONTROLLER)]
    Controller(controller::Args),
    /// Show when a task will run, without a cluster
    #[command(after_help = examples::PREVIEW)]
    Preview(preview::Args),
    /// Say what is wrong with manifests, and what is worth a thought, without a cluster
    #[command(after_help = examples::CHECK)]
    Check(check::Args),
    /// Turn CronJobs into ScheduledTasks, without a cluster
    #[command(after_help = examples::CONVERT)]
    Convert(convert::Args),
    /// List tasks: state, last result, last and next run
    #[command(after_help = examples::LIST)]
    List(list::Args),
    /// Draw the last runs of a task as a timeline
    #[command(after_help = examples::HISTORY)]
    History(history::Args),
    /// Run tasks now, beside their schedule
    #[command(after_help = examples::RUN_NOW)]
    RunNow(request::RunNow),
    /// Let tasks go on that failed runs have suspended
    #[command(after_help = examples::RESUME)]
    Resume(request::Resume),
    /// Run the slots of an interval of the past (again)
    #[command(after_help = examples::BACKFILL)]
    Backfill(request::Backfill),
    /// Print the CustomResourceDefinition of ScheduledTask
    Crd,
    /// Print the completion script for a shell
    #[command(after_help = examples::COMPLETION)]
    Completion(completion::Args),
}

/// The name under which the binary was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Punctual,
    /// kubectl's plugin.
    Plugin,
    /// What kubectl calls to complete the arguments of its plugin.
    Completer,
}

impl Called {
    fn by(path: &OsStr) -> Self {
        match Path::new(path).file_stem().and_then(OsStr::to_str) {
            Some("kubectl-punctual") => Self::Plugin,
            Some("kubectl_complete-punctual") => Self::Completer,
            _ => Self::Punctual,
        }
    }

    /// The file that shells complete.
    fn binary(self) -> &'static str {
        match self {
            Self::Punctual => "punctual",
            Self::Plugin | Self::Completer => "kubectl-punctual",
        }
    }

    /// The commands, under that name.
    fn command(self) -> clap::Command {
        let command = Cli::command();
        if self == Self::Punctual {
            return command.bin_name("punctual");
        }
        command
            .bin_name("kubectl punctual")
            .mut_subcommands(|sub| match sub.get_after_help().map(ToString::to_string) {
                Some(text) => sub.after_help(examples::of_the_plugin(&text)),
                None => sub,
            })
    }
}

/// Says what is wrong with the arguments, which may be names of files that somebody else has made.
fn wrong_usage(error: &clap::Error) -> ! {
    let text = error.to_string();
    match printable_lines(&text) {
        Cow::Borrowed(_) => error.exit(),
        Cow::Owned(text) => {
            text.lines().for_each(output::complain);
            std::process::exit(error.exit_code())
        }
    }
}

/// Reads the arguments and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let called = std::env::args_os().next().map_or(Called::Punctual, |path| Called::by(&path));
    if called == Called::Completer {
        return completion::answer(&called.command(), std::env::args_os().skip(1));
    }
    let matches = called.command().try_get_matches().unwrap_or_else(|error| wrong_usage(&error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| wrong_usage(&error));
    let done = match cli.command {
        Command::Controller(args) => controller::run(args),
        Command::Preview(args) => preview::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::List(args) => list::run(&args),
        Command::History(args) => history::run(&args),
        Command::RunNow(args) => request::run_now(&args),
        Command::Resume(args) => request::resume(&args),
        Command::Backfill(args) => request::backfill(&args),
        Command::Crd => output::print(&api::crd_yaml()).map(|()| ExitCode::SUCCESS),
        Command::Completion(args) => completion::run(&args, called.command(), called.binary()),
    };
    done.unwrap_or_else(|error| {
        cluster::complain(&error);
        ExitCode::FAILURE
    })
}
