//! `make demo` and `make demo-down`: from a fresh machine to containers that run on schedule, and back.
//!
//! Starts a cluster (or uses a kubeconfig context), runs the examples, and prints their slots as they fire. On an existing cluster it
//! changes one namespace and the CRD, nothing else.

mod ground;
mod names;
mod operator;
mod show;
mod steps;

use anyhow::Result;
use clap::{Parser, Subcommand};
use ground::Ground;
use names::{CRD, NAMESPACE};
use std::process::ExitCode;
use steps::step;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    action: Action,
    /// Use the cluster of this kubeconfig context instead of creating one
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Subcommand)]
enum Action {
    /// Start everything and show slots as they fire
    Up,
    /// Remove everything that `up` created
    Down,
    /// Keep the cluster running (`up` starts this)
    #[command(hide = true)]
    Keep,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let context = args.context.filter(|name| !name.is_empty());
    let done = match args.action {
        Action::Up => up(context),
        Action::Down => down(context),
        Action::Keep => cluster::keep(cluster::NodeChoice::RealOrKwok),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn up(context: Option<String>) -> Result<()> {
    let existing = context.map(Ground::existing).transpose()?;
    match &existing {
        Some(_) => step(1, "Kubernetes: your cluster, nothing to build"),
        None => ground::build()?,
    }
    step(2, "building the operator (about 3 minutes the first time)");
    let binary = operator::build()?;
    let ground = match existing {
        Some(ground) => {
            step(3, "using your cluster");
            ground
        }
        None => Ground::make()?,
    };
    step(4, &format!("installing the CRD {CRD}"));
    ground.install_crd()?;
    step(
        5,
        &format!("starting the operator as a process on this machine, for the namespace {NAMESPACE}"),
    );
    let log = operator::start(&binary, &ground)?;
    println!("      its log: {}", log.display());
    step(6, "applying examples/");
    let tasks = ground.apply_examples()?;
    show::slots_firing(&ground, &tasks)?;
    show::closing(&ground)
}

fn down(context: Option<String>) -> Result<()> {
    let was_running = operator::stop()?;
    match context {
        Some(name) => Ground::existing_quietly(name)?.remove()?,
        None => ground::unmake()?,
    }
    println!("Removed the demo{}.", if was_running { " and stopped its operator" } else { "" });
    Ok(())
}
