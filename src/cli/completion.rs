//! Completion: scripts for shells, and answers to kubectl, which asks a program named `kubectl_complete-punctual` for candidates.
//!
//! Takes the command tree, gives text. Never asks a cluster: completion must not wait.

use super::output;
use anyhow::Result;
use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The directives of cobra that kubectl understands.
const FILES: &str = ":0";
const NO_FILES: &str = ":4";

/// Prints the script for a shell. `binary` is the file's name, by which shells know it.
pub fn run(args: &Args, mut command: Command, binary: &str) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, binary, &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints candidates for the last of these words, as kubectl wants them.
pub fn answer(command: &Command, words: impl Iterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match output::print(&candidates(command, &words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn candidates(command: &Command, words: &[String]) -> String {
    let (current, before) = match words.split_last() {
        Some((current, before)) => (current.as_str(), before),
        None => ("", before_nothing()),
    };
    let mut command = command;
    for word in before {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    let asked = before.last().and_then(|word| value_of(command, word));
    let (found, directive): (Vec<String>, &str) = match asked {
        Some(arg) => {
            let values = arg.get_possible_values();
            let takes_file = matches!(arg.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath);
            let directive = if takes_file { FILES } else { NO_FILES };
            (values.iter().map(|value| value.get_name().to_owned()).collect(), directive)
        }
        None if current.starts_with('-') => (flags(command), NO_FILES),
        None => {
            let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
            let line = |sub: &Command| match sub.get_about() {
                Some(about) => format!("{}\t{about}", sub.get_name()),
                None => sub.get_name().to_owned(),
            };
            let positional = command.get_positionals().flat_map(Arg::get_possible_values);
            let positional = positional.map(|value| value.get_name().to_owned());
            (shown.map(line).chain(positional).collect(), NO_FILES)
        }
    };
    let fitting = found.into_iter().filter(|candidate| candidate.starts_with(current));
    fitting.map(|candidate| candidate + "\n").collect::<String>() + directive + "\n"
}

fn before_nothing() -> &'static [String] {
    &[]
}

/// The flag that waits for a value after this word.
fn value_of<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let flag = command.get_arguments().find(|arg| {
        let long = arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long));
        let short = arg
            .get_short()
            .is_some_and(|short| word.strip_prefix('-') == Some(short.to_string().as_str()));
        long || short
    })?;
    flag.get_action().takes_values().then_some(flag)
}

fn flags(command: &Command) -> Vec<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let line = |arg: &Arg| {
        let long = arg.get_long()?;
        Some(match arg.get_help() {
            Some(help) => format!("--{long}\t{help}"),
            None => format!("--{long}"),
        })
    };
    shown.filter_map(line).collect()
}
