//! What tests stand on: a cluster, a namespace of one's own, an operator with a clock that the test sets, and a recorder
//! that counts Jobs without asking the operator.

mod access;
#[allow(dead_code, reason = "each of the test binaries uses its part")]
pub mod audit;
mod operator;
mod people;
mod pods;
mod proxy;
mod recorder;
#[allow(dead_code, reason = "each of the test binaries uses its part")]
mod replica;
mod rights;
#[allow(dead_code, reason = "each of the test binaries uses its part")]
mod testimony;
#[allow(dead_code, reason = "each of the test binaries uses its part")]
mod tls;
mod wire;
mod world;

pub use access::Access;
pub use operator::{Operator, Process};
pub use people::{annotation, env, told_as};
pub use proxy::{Fault, Proxy};
pub use recorder::Recorder;
pub use replica::{Pace, Replica, signal};
pub use testimony::{Request, requests};
pub use tls::{Authority, TlsFront};
pub use wire::{Link, Wire};
pub use world::{World, at, client, cluster, install_crds, own_control_plane, task_manifest, until};
