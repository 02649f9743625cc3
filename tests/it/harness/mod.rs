//! What tests stand on: a cluster, a namespace of one's own, an operator with a clock that the test sets, and a recorder
//! that counts Jobs without asking the operator.

mod operator;
mod people;
mod pods;
mod proxy;
mod recorder;
mod world;

pub use operator::{Operator, Process};
pub use people::{annotation, env, told_as};
pub use proxy::{Fault, Proxy};
pub use recorder::Recorder;
pub use world::{World, at, client, cluster, install_crds, task_manifest, until};
