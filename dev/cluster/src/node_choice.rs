//! What can run the pods of a cluster: what a caller asks for, and what was started. Plain values.

/// What the caller wants to run pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeChoice {
    /// Nobody: pods stay Pending, and a test may play the kubelet.
    None,
    /// containerd and the kubelet, or an error.
    Real,
    /// KWOK: pods are said to run and to complete, and nothing runs.
    Kwok,
    /// A real node where that is possible, else KWOK; `Cluster::node` says which, and why.
    RealOrKwok,
}

/// What really runs the pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    None,
    /// Real containers.
    Real,
    /// No containers: KWOK completes pods. `reason` says why it is not a real node.
    Kwok {
        reason: String,
    },
}
