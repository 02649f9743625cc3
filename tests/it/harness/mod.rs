//! What tests stand on: a cluster, a namespace of one's own, an operator with a clock that the test sets, and a recorder
//! that counts Jobs without asking the operator.

mod access;
pub mod audit;
mod operator;
mod people;
mod pods;
mod proxy;
mod recorder;
mod world;

pub use access::Access;
pub use operator::{Operator, Process};
pub use people::{annotation, env, told_as};
pub use proxy::{Fault, Proxy};
pub use recorder::Recorder;
pub use world::{World, at, client, cluster, install_crds, task_manifest, until};
