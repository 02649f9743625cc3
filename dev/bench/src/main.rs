//! `make bench-cluster`: Punctual and the CronJob controller side by side on a real control plane.
//!
//! Input: a release build of the operator, and `QUICK=1` for a short run. Output: one table, `docs/benchmark.md` and its plots. It asserts
//! nothing: figures depend on the machine.
//!
//! [`measurements`] say what is measured, [`agenda`] in which sessions, [`session`] does it; [`book`] holds the values, [`report`],
//! [`figures`] and [`plots`] show them.

mod agenda;
mod audit;
mod book;
mod clock;
mod figures;
mod ground;
mod lateness;
mod load;
mod measurements;
mod observation;
mod operator;
mod peer;
mod plots;
mod report;
mod session;
mod stats;
mod tools;
mod usage;
mod workload;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;

use crate::agenda::Entry;
use crate::book::Book;
use crate::report::{Circumstances, PLOTS};
use crate::tools::Tools;

/// Measure Punctual and the CronJob controller on a real control plane.
#[derive(Parser, Debug)]
struct Args {
    /// The operator, a release build
    #[arg(long, value_name = "FILE", default_value = "target/release/punctual")]
    operator: PathBuf,
    /// At most 5 minutes instead of 30: fewer sizes, one round. Any value but 0 and the empty one
    #[arg(long, env = "QUICK", value_name = "BOOL", num_args = 0..=1, default_value = "", default_missing_value = "1")]
    quick: String,
    /// Only the sessions whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Folder for benchmark.md and its plots
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    out: PathBuf,
}

// The operator is started by the main thread, which lives as long as the process.
#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    // What was started ends when it is dropped.
    tokio::select! {
        result = bench(args) => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted; nothing was written"),
    }
}

async fn bench(args: Args) -> Result<()> {
    let quick = !matches!(args.quick.as_str(), "" | "0" | "false");
    ensure!(
        args.operator.is_file(),
        "{} is missing: run `make bench-cluster`",
        args.operator.display()
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let logs = tempfile::tempdir()?;
    let tools = Tools {
        root: root.canonicalize()?,
        binary: args.operator.canonicalize()?,
        logs: logs.path().to_owned(),
        setup_factor: Cell::new(1.0),
    };
    let load_before = load_average()?;
    let (begin, budget) = (Instant::now(), agenda::budget(quick));
    let (mut book, mut left_out) = (Book::default(), Vec::new());
    for entry in agenda::agenda(quick)
        .into_iter()
        .filter(|entry| entry.session.name.contains(&args.only))
    {
        let name = &entry.session.name;
        if !agenda::fits(&entry, begin.elapsed(), budget) {
            left_out.push(name.clone());
            continue;
        }
        eprintln!("[{:>4} s] {name}", begin.elapsed().as_secs());
        if let Err(error) = run(&entry, &tools, &mut book, || agenda::fits(&entry, begin.elapsed(), budget)).await {
            eprintln!("{name} failed: {error:#}");
            let first_line = format!("{error:#}").lines().next().unwrap_or_default().to_owned();
            book.note(format!("Not measured, because it failed: {name} ({first_line})."));
        }
    }
    let circumstances = Circumstances {
        date: clock::now().strftime("%Y-%m-%d").to_string(),
        kubernetes: cluster::Binaries::choose(None)?.release().to_string(),
        cores: std::thread::available_parallelism()?.get(),
        memory_gib: memory_gib()?,
        quick,
        load_before,
        minutes: begin.elapsed().as_secs_f64() / 60.0,
        left_out,
    };
    write(&args.out, &book, &circumstances)?;
    println!("{}", report::text(&book));
    println!(
        "{:.1} minutes; written to {}/benchmark.md",
        circumstances.minutes,
        args.out.display()
    );
    Ok(())
}

/// Runs a session, and a second time if it fails and there is time: a session that learned that the machine is slower than expected does
/// better then.
async fn run(entry: &Entry, tools: &Tools, book: &mut Book, fits: impl Fn() -> bool) -> Result<()> {
    let mut tries = 0;
    loop {
        // A session that fails halfway leaves nothing in the book.
        let mut trial = book.clone();
        match entry.session.run(tools, &mut trial).await {
            Ok(()) => {
                *book = trial;
                return Ok(());
            }
            Err(error) if tries == 0 && fits() => eprintln!("{}, once more: {error:#}", entry.session.name),
            Err(error) => return Err(error),
        }
        tries += 1;
    }
}

fn write(out: &Path, book: &Book, circumstances: &Circumstances) -> Result<()> {
    let folder = out.join("benchmark");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut drawn = Vec::new();
    for (figure, file, caption) in PLOTS {
        let path = folder.join(file);
        match figures::drawing(book, figure) {
            Some(drawing) => {
                std::fs::write(&path, plots::svg(caption, &drawing)?)?;
                drawn.push(file);
            }
            // One of an earlier run would be taken for this one's.
            None if path.exists() => std::fs::remove_file(&path)?,
            None => {}
        }
    }
    let page = out.join("benchmark.md");
    std::fs::write(&page, report::markdown(book, circumstances, &drawn)).with_context(|| format!("cannot write {}", page.display()))
}

/// The machine's load, average of one minute.
fn load_average() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .context("/proc/loadavg is not understood")
}

/// The machine's memory.
fn memory_gib() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .context("/proc/meminfo is not understood")?;
    let kib: u64 = total.trim().trim_end_matches(" kB").parse()?;
    Ok((kib + 512 * 1024) / (1024 * 1024))
}
