//! A real Kubernetes cluster on one machine: the only implementation of one in this repository, used by tests,
//! demo and benchmarks.
//!
//! ```no_run
//! use cluster::{Cluster, NodeChoice, Options};
//!
//! let cluster = Cluster::start(Options { node: NodeChoice::RealOrKwok, ..Options::default() })?;
//! cluster.kubectl().args(["get", "nodes"]).status()?;
//! cluster.api_server().kill()?;
//! cluster.api_server().start()?; // the same port, the same data
//! # Ok::<(), cluster::Error>(())
//! ```
//!
//! Everything runs on loopback, in a directory of its own, as children that die with this process, however it ends.
//! Linux only. Synchronous: no runtime is needed, and none is in the way.

mod archive;
mod binaries;
mod cache;
mod cgroup;
mod claims;
mod cluster;
mod elf;
mod error;
mod forwarder;
mod gobuild;
mod image;
mod importer;
mod join;
mod keeper;
mod kubeconfig;
mod kwok;
mod layer;
mod logtail;
mod modules;
mod node;
mod node_choice;
mod nodeconfig;
mod operator;
mod options;
mod packages;
mod pki;
mod plane;
mod ports;
mod process;
mod real;
mod release;
mod spawner;
mod subnet;

pub use archive::{Layers, Size};
pub use binaries::{Binaries, Tool};
pub use cache::cache_dir;
pub use cluster::Cluster;
pub use error::{Error, Result};
pub use image::{BUSYBOX_IMAGE, Image};
pub use join::join;
pub use keeper::{Kept, down, keep, up};
pub use node::real_node_obstacle;
pub use node_choice::{Node, NodeChoice};
pub use operator::OperatorImage;
pub use options::Options;
pub use process::Component;
pub use release::Release;
