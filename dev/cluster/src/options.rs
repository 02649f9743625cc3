//! What kind of cluster. Takes a caller's wishes, gives them to the parts, never decides for them.

use std::path::PathBuf;

use crate::{NodeChoice, Release};

/// What kind of cluster to start. `Options::default()` is a control plane without a node, made for tests.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which Kubernetes; `None`: what `K8S` says, else what `KUBEBUILDER_ASSETS` holds, else the default.
    pub release: Option<Release>,
    /// Who runs pods.
    pub node: NodeChoice,
    /// With the controller manager (Jobs make pods, CronJobs make Jobs, owners are garbage-collected)?
    pub controller_manager: bool,
    /// etcd writes through to the disk. Off for tests; on where numbers are compared.
    pub fsync: bool,
    /// Where data and logs go and stay; `None`: a directory that is removed with the cluster. A given one is empty.
    pub dir: Option<PathBuf>,
    /// More flags for the API server; a flag given here wins.
    pub api_server_args: Vec<String>,
    /// More flags for the controller manager; a flag given here wins.
    pub controller_manager_args: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            release: None,
            node: NodeChoice::None,
            controller_manager: true,
            fsync: false,
            dir: None,
            api_server_args: Vec::new(),
            controller_manager_args: Vec::new(),
        }
    }
}
