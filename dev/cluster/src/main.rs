//! `cluster up`, `cluster down`, `cluster tools`: a real Kubernetes cluster on this machine for hand work. Takes a
//! choice of node, gives a kubeconfig, never touches another cluster.

use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use cluster::{Binaries, NodeChoice, Result};

/// A real Kubernetes cluster on this machine, built from source, without a registry.
#[derive(Parser)]
#[command(
    name = "cluster",
    after_help = "K8S=1.34 chooses another Kubernetes (1.34 to 1.37; the default is 1.37)."
)]
struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start the cluster, unless it is up, and say how to reach it
    Up {
        /// Who runs the pods
        #[arg(long, value_enum, default_value_t = Runner::Auto)]
        node: Runner,
    },
    /// End the cluster and remove everything of it
    Down,
    /// Build or install every program that is missing
    Tools,
    /// Hold the cluster until told to end (`up` starts this)
    #[command(hide = true)]
    Keep {
        #[arg(long, value_enum, default_value_t = Runner::Auto)]
        node: Runner,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Runner {
    /// A real node where it is possible, else KWOK
    Auto,
    /// containerd and the kubelet (needs root)
    Real,
    /// KWOK: pods complete on paper
    Kwok,
    /// Nobody
    None,
}

impl Runner {
    fn choice(self) -> NodeChoice {
        match self {
            Runner::Auto => NodeChoice::RealOrKwok,
            Runner::Real => NodeChoice::Real,
            Runner::Kwok => NodeChoice::Kwok,
            Runner::None => NodeChoice::None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Runner::Auto => "auto",
            Runner::Real => "real",
            Runner::Kwok => "kwok",
            Runner::None => "none",
        }
    }
}

fn main() -> ExitCode {
    let done = match Args::parse().action {
        Action::Up { node } => up(node),
        Action::Down => down(),
        Action::Tools => tools(),
        Action::Keep { node } => cluster::keep(node.choice()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {}", error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "));
            ExitCode::FAILURE
        }
    }
}

fn up(node: Runner) -> Result<()> {
    let mut keeper = Command::new(std::env::current_exe()?);
    keeper.args(["keep", "--node", node.word()]);
    let kept = cluster::up(keeper, node.choice())?;
    let state = if kept.was_up { "is up already" } else { "is up" };
    println!("The cluster {state}, with {}.\n", kept.node);
    println!("    export KUBECONFIG={}", kept.kubeconfig.display());
    if let Some(dir) = kept.kubectl.parent() {
        println!("    export PATH={}:$PATH", dir.display());
    }
    println!("    kubectl get nodes\n\n`make cluster-down` ends it.");
    Ok(())
}

fn down() -> Result<()> {
    match cluster::down()? {
        true => println!("The cluster is gone: processes, mounts, interfaces, cgroups and files."),
        false => println!("No cluster was up; nothing is left of one."),
    }
    Ok(())
}

fn tools() -> Result<()> {
    let binaries = Binaries::choose(None)?;
    for (_, path) in binaries.all()? {
        println!("{}", path.display());
    }
    if let Some(obstacle) = cluster::real_node_obstacle() {
        println!("no real node here: {obstacle}");
    }
    Ok(())
}
