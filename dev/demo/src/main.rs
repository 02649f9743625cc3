//! `make demo` and `make demo-down`: from a fresh machine to containers that run on time, and back.
//!
//! Takes nothing (or a kubeconfig context), gives a screen to read and a cluster to play with. Never touches more of an
//! existing cluster than one namespace and the CRD.

mod ground;
mod operator;
mod show;

use anyhow::Result;
use clap::{Parser, Subcommand};
use ground::Ground;
use std::process::ExitCode;

/// Where the examples live, on any cluster.
const NAMESPACE: &str = "punctual-demo";
const CRD: &str = "scheduledtasks.punctual.dev";

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    action: Action,
    /// A context of your kubeconfig: use that cluster instead of making one
    #[arg(long, global = true, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Subcommand)]
enum Action {
    /// Bring everything up and show slots that fire
    Up,
    /// Remove everything that `up` made
    Down,
    /// Hold the cluster (`up` starts this)
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
        Some(_) => step(1, "Kubernetes: yours, nothing to build"),
        None => ground::build()?,
    }
    step(2, "building the operator (about 3 minutes the first time)");
    let binary = operator::build()?;
    let ground = match existing {
        Some(ground) => {
            step(3, "the cluster is up: it is yours");
            ground
        }
        None => Ground::make()?,
    };
    step(4, &format!("installing the CRD {CRD}"));
    ground.install_crd()?;
    step(
        5,
        &format!("starting the operator, as a process on this machine, for the namespace {NAMESPACE}"),
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
    println!("The demo is gone{}.", if was_running { ", operator and all" } else { "" });
    Ok(())
}

/// Says what comes next.
fn step(number: u8, what: &str) {
    println!("[{number}/6] {what}");
}
