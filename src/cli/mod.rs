//! The command line: arguments in, an exit code out: 0 for success, 1 for an error, 2 for wrong usage (clap's).
//!
//! The binary calls itself `punctual`, or `kubectl punctual` if it runs as kubectl's plugin `kubectl-punctual`.

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "output makes everything printable")]

mod admission;
mod argument;
mod candidates;
mod check;
mod clock_changes;
mod cluster;
mod completion;
mod controller;
mod convert;
mod duration;
mod examples;
mod history;
mod input;
mod kubeconfig;
mod list;
mod logs;
mod manifest;
mod moment;
mod notify;
mod output;
mod preview;
mod proxy;
mod request;
mod table;
mod task;

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
    #[command(flatten)]
    target: cluster::Target,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the operator
    #[command(after_help = examples::CONTROLLER)]
    Controller(controller::Args),
    /// Print the next slots of tasks, without a cluster
    #[command(after_help = examples::PREVIEW)]
    Preview(preview::Args),
    /// Validate manifests and print warnings, without a cluster
    #[command(after_help = examples::CHECK)]
    Check(check::Args),
    /// Convert CronJobs to ScheduledTasks, without a cluster
    #[command(after_help = examples::CONVERT)]
    Convert(convert::Args),
    /// List tasks with their state, last result, last run and next run
    #[command(after_help = examples::LIST)]
    List(list::Args),
    /// Show the last runs of a task as a timeline
    #[command(after_help = examples::HISTORY)]
    History(history::Args),
    /// Print the logs of a run
    #[command(after_help = examples::LOGS)]
    Logs(logs::Args),
    /// Run tasks now, in addition to their schedule
    #[command(after_help = examples::RUN_NOW)]
    RunNow(request::RunNow),
    /// Suspend tasks: no slot starts until they are resumed
    #[command(after_help = examples::SUSPEND)]
    Suspend(request::Suspend),
    /// Resume tasks that were suspended by failures
    #[command(after_help = examples::RESUME)]
    Resume(request::Resume),
    /// Run the slots of an interval in the past
    #[command(after_help = examples::BACKFILL)]
    Backfill(request::Backfill),
    /// Send a test message to a sink of the operator's notifications
    #[command(after_help = examples::NOTIFY)]
    Notify(notify::Args),
    /// Print the CustomResourceDefinition of ScheduledTask
    Crd,
    /// Print the completion script for a shell
    #[command(after_help = examples::COMPLETION)]
    Completion(completion::Args),
}

impl Command {
    /// The command with the flags that stand before it, or a flag that it does not have.
    fn with(mut self, before: &cluster::Target) -> Result<Self, &'static str> {
        let target = match &mut self {
            Self::Check(args) => &mut args.target,
            Self::List(args) => &mut args.target,
            Self::History(args) => &mut args.target,
            Self::Logs(args) => &mut args.target,
            Self::RunNow(args) => &mut args.target,
            Self::Suspend(args) => &mut args.target,
            Self::Resume(args) => &mut args.target,
            Self::Backfill(args) => &mut args.target,
            Self::Controller(args) if before.flag() != Some("--namespace") => {
                args.access.or(before.access());
                return Ok(self);
            }
            Self::Controller(_) | Self::Preview(_) | Self::Convert(_) | Self::Notify(_) | Self::Crd | Self::Completion(_) => {
                return before.flag().map_or(Ok(self), Err);
            }
        };
        target.or(before);
        Ok(self)
    }
}

/// The name by which the binary was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Punctual,
    /// A plugin of kubectl.
    Plugin,
    /// The program that kubectl calls to complete the arguments of the plugin.
    PluginCompletion,
}

impl Name {
    fn of(path: &OsStr) -> Self {
        match Path::new(path).file_stem().and_then(OsStr::to_str) {
            Some("kubectl-punctual") => Self::Plugin,
            Some("kubectl_complete-punctual") => Self::PluginCompletion,
            _ => Self::Punctual,
        }
    }

    /// The name of the file, which shells complete.
    fn binary(self) -> &'static str {
        match self {
            Self::Punctual => "punctual",
            Self::Plugin | Self::PluginCompletion => "kubectl-punctual",
        }
    }

    /// The commands under this name.
    fn command(self) -> clap::Command {
        let command = completion::with_candidates(Cli::command());
        if self == Self::Punctual {
            return command.bin_name("punctual");
        }
        command
            .bin_name("kubectl punctual")
            .mut_subcommands(|sub| match sub.get_after_help().map(ToString::to_string) {
                Some(text) => sub.after_help(examples::for_plugin(&text)),
                None => sub,
            })
    }
}

/// Prints clap's error. Arguments may be untrusted: names of files, for example.
fn usage_error(error: &clap::Error) -> ! {
    let text = error.to_string();
    match printable_lines(&text) {
        // The exit code says enough if standard error is closed.
        Cow::Borrowed(_) => drop(error.print()),
        Cow::Owned(text) => text.lines().for_each(output::print_error),
    }
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(hint) = argument::hint(error.kind(), &words) {
        output::print_error(&format!("hint: {hint}"));
    }
    std::process::exit(error.exit_code())
}

/// Rejects a flag that stands before a command that does not have it.
fn misplaced(name: Name, flag: &str) -> ! {
    let message = format!("this command has no flag '{flag}'");
    usage_error(&name.command().error(clap::error::ErrorKind::UnknownArgument, message))
}

/// Runs the command in the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let name = std::env::args_os().next().map_or(Name::Punctual, |path| Name::of(&path));
    let result = match name {
        Name::PluginCompletion => completion::answer_kubectl(name.command(), std::env::args_os().skip(1)),
        Name::Punctual | Name::Plugin => match completion::answer_shell(|| name.command()) {
            Ok(true) => Ok(ExitCode::SUCCESS),
            Ok(false) => run(name),
            Err(error) => error.exit(),
        },
    };
    result.unwrap_or_else(|error| {
        cluster::print_error(&error);
        ExitCode::FAILURE
    })
}

fn run(name: Name) -> anyhow::Result<ExitCode> {
    let matches = name.command().try_get_matches().unwrap_or_else(|error| usage_error(&error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| usage_error(&error));
    match cli.command.with(&cli.target).unwrap_or_else(|flag| misplaced(name, flag)) {
        Command::Controller(args) => controller::run(args),
        Command::Preview(args) => preview::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::List(args) => list::run(&args),
        Command::History(args) => history::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::RunNow(args) => request::run_now(&args),
        Command::Suspend(args) => request::suspend(&args),
        Command::Resume(args) => request::resume(&args),
        Command::Backfill(args) => request::backfill(&args),
        Command::Notify(args) => notify::run(&args),
        Command::Crd => output::print(&api::crd_yaml()).map(|()| ExitCode::SUCCESS),
        Command::Completion(args) => completion::run(&args, name.binary()),
    }
}
