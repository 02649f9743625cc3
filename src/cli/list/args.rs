//! The arguments of `punctual list`.

use crate::cli::argument;
use crate::cli::cluster::Target;

/// The arguments of `punctual list`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Names of tasks. Default: all
    #[arg(value_name = "NAME", value_parser = argument::task_name, conflicts_with_all = ["selector", "all_namespaces"])]
    pub names: Vec<String>,
    /// List the tasks of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Selector (label query) to filter on, for example app=shop
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,
    /// After listing, print each task that changes
    #[arg(short, long)]
    pub watch: bool,
    /// Output format; wide adds the counters
    #[arg(short, long, value_enum)]
    pub output: Option<Output>,
    #[command(flatten)]
    pub target: Target,
}

/// What is printed instead of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    Json,
    Yaml,
    Wide,
    Name,
}

impl Args {
    /// Whether the table has the counters.
    pub fn is_wide(&self) -> bool {
        self.output == Some(Output::Wide)
    }
}
