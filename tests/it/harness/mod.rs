//! What tests stand on: a cluster, a namespace of one's own, an operator with a clock that the test sets, and a recorder
//! that counts Jobs without asking the operator.

#[allow(dead_code, reason = "tests/it and tests/failover each use their part")]
mod audit;
mod operator;
mod pods;
mod proxy;
mod recorder;
#[allow(dead_code, reason = "tests/it and tests/failover each use their part")]
mod replica;
mod rights;
mod wire;
mod world;

pub use audit::{Request, requests};
pub use operator::{Operator, Process};
pub use proxy::{Fault, Proxy};
pub use recorder::Recorder;
pub use replica::{Pace, Replica, signal};
pub use wire::{Link, Wire};
pub use world::{World, at, client, cluster, install_crds, until};
