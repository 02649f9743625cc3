//! `cluster up`, `cluster down`, `cluster tools`, `cluster image`: a real Kubernetes cluster on this machine for hand work, and
//! the operator's image. Takes a choice of node, gives a kubeconfig, never touches another cluster.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::bail;
use clap::{Parser, Subcommand, ValueEnum};
use cluster::{Binaries, Kept, Layers, NodeChoice, OperatorImage, Result};

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
    /// Make the operator's image as an OCI archive, and bring it to the cluster that is up
    Image {
        /// The operator, built
        #[arg(long, value_name = "FILE")]
        binary: PathBuf,
        /// Its name without the tag; the tag is the binary's version
        #[arg(long, value_name = "NAME", default_value = "punctual.dev/punctual")]
        repository: String,
        /// What it was built from
        #[arg(long, value_name = "COMMIT", default_value = "unknown")]
        revision: String,
        /// Where the archive goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Join images of several architectures into one archive with an image index
    Join {
        /// Archives of `cluster image`, one per architecture
        #[arg(value_name = "ARCHIVE", required = true)]
        archives: Vec<PathBuf>,
        /// Where the joined archive is written
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
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
        Action::Image {
            binary,
            repository,
            revision,
            out,
        } => OperatorImage::new(binary, &repository, &revision).and_then(|image| make(&image, &out)),
        Action::Join { archives, out } => join(&archives, &out),
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

/// An image is small, or it says why not.
const LIMIT_MIB: f64 = 25.0;

fn make(image: &OperatorImage, out: &Path) -> Result<()> {
    let size = image.write(out, Layers::Gzip)?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!("{}: {}", image.name(), out.display());
    println!("{:.1} MiB compressed, {:.1} MiB unpacked", mib(size.pulled), mib(size.unpacked));
    if mib(size.pulled) > LIMIT_MIB {
        bail!("more than {LIMIT_MIB} MiB compressed: what became so big?");
    }
    match Kept::find()? {
        None => println!("To load it into your nodes or push it to a registry, see docs/install.md."),
        Some(kept) if kept.import_archive(out)? => println!("Imported into the running cluster. The chart's default values use it."),
        Some(kept) => println!("Not imported: the running cluster has {}.", kept.node),
    }
    Ok(())
}

fn join(archives: &[PathBuf], out: &Path) -> Result<()> {
    let (name, architectures) = cluster::join(archives, out)?;
    println!("{name} for {}: {}", architectures.join(" and "), out.display());
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
