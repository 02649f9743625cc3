//! `punctual history`: shows the last runs of a task as a timeline, newest first; `-o json|yaml` prints the object.
//!
//! Colours are used on a terminal only, and not with NO_COLOR.

mod timeline;

use super::argument;
use super::cluster::{self, Target};
use super::output::{self, Format};
use super::task::Task;
use crate::clock::Clock;
use anyhow::Result;
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Name of the task
    #[arg(value_name = "NAME", value_parser = argument::task_name)]
    name: String,
    /// Print the object, which has its runs in status.recentRuns
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    pub target: Target,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let name = cluster::bare_name(&args.name);
    let object = cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let object = cluster.tasks().get(name).await.map_err(|error| cluster.error(error))?;
        cluster::as_kubectl_shows(object)
    })?;
    match args.output {
        Some(format) => output::print(&output::format(&object, format)?)?,
        None => {
            let canvas = canvas();
            output::print_coloured(&timeline::format(&Task::of(object), Clock::System.now(), canvas))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the terminal can show.
fn canvas() -> timeline::Canvas {
    let terminal = std::io::stdout().is_terminal();
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let size = terminal_size::terminal_size().filter(|_| terminal);
    timeline::Canvas {
        width: size.map(|(width, _)| width.0.into()),
        colour: terminal && !dumb && !set("NO_COLOR"),
    }
}
