//! Completion for shells and for kubectl, by clap_complete's dynamic engine.
//!
//! The script of a shell calls the binary with [`VARIABLE`] set. kubectl calls a program named `kubectl_complete-punctual`, and expects
//! the format of the cobra library: a candidate a line, with a tab before its description, and a directive at the end.

use super::{candidates, output};
use anyhow::{Context, Result};
use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The environment variable by which a script asks for candidates.
const VARIABLE: &str = "PUNCTUAL_COMPLETE";

/// cobra's directive not to offer files when there are no candidates.
const NO_FILES: u8 = 4;
/// cobra's directive not to add a space.
const NO_SPACE: u8 = 2;

/// Prints the script for a shell. `binary` is the name of the file, by which shells know it.
pub fn run(args: &Args, binary: &str) -> Result<ExitCode> {
    let shell = args.shell.to_string();
    let mut script = Vec::new();
    Shells::builtins()
        .completer(&shell)
        .context("unknown shell")?
        .write_registration(VARIABLE, "punctual", binary, binary, &mut script)?;
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// The command, with completion of the names of tasks, namespaces and contexts.
pub fn with_candidates(command: Command) -> Command {
    let offer = |command: Command| {
        command.mut_args(|arg| match arg.get_id().as_str() {
            "name" | "names" if arg.is_positional() => arg.add(ArgValueCompleter::new(candidates::tasks)),
            "namespace" => arg.add(ArgValueCompleter::new(candidates::namespaces)),
            "context" => arg.add(ArgValueCompleter::new(candidates::contexts)),
            _ => arg,
        })
    };
    offer(command).mut_subcommands(offer)
}

/// Prints candidates if a shell's script asks for them; `false` if it does not.
pub fn answer_shell(command: impl Fn() -> Command) -> clap::error::Result<bool> {
    let directory = std::env::current_dir().ok();
    CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), directory.as_deref())
}

/// Prints candidates for the last of these words, for kubectl.
pub fn answer_kubectl(mut command: Command, words: impl Iterator<Item = OsString>) -> Result<ExitCode> {
    let mut words: Vec<OsString> = std::iter::once("punctual".into()).chain(words).collect();
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    // The engine offers flags where it knows nothing else; kubectl does so after a dash only.
    let wants_flag = words.last().is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let directory = std::env::current_dir().ok();
    let mut candidates = complete(&mut command, words, last, directory.as_deref())?;
    candidates.retain(|candidate| wants_flag || !candidate.get_value().to_string_lossy().starts_with('-'));
    let is_directory = candidates
        .iter()
        .any(|candidate| candidate.get_value().to_string_lossy().ends_with('/'));
    let directive = if is_directory { NO_FILES | NO_SPACE } else { NO_FILES };
    let lines: String = candidates.iter().map(|candidate| line(candidate) + "\n").collect();
    output::print(&format!("{lines}:{directive}\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn line(candidate: &CompletionCandidate) -> String {
    let value = output::one_line(&candidate.get_value().to_string_lossy());
    match candidate.get_help() {
        Some(help) => format!("{value}\t{}", output::one_line(&help.to_string())),
        None => value,
    }
}
