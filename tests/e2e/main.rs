//! The real chart on a real node: `helm install` as people do it, the operator as pods of its image, under the chart's own
//! ServiceAccount, with real containers.
//!
//! | file | asks |
//! |---|---|
//! | `ground` | nothing: a cluster with a node that has the image |
//! | `release` | nothing: the chart installed, by turns |
//! | `rights` | nothing: what the ServiceAccount may do, and what the audit log says it did |
//! | `installed` | does it run, lead, test itself; who is refused |
//! | `status` | who writes the status |
//! | `failover` | what a dead leader costs |
//! | `audit` | is anything denied, is any right unused |
//! | `lifecycle` | upgrade, uninstall, install again |
//!
//! Without the means for a node (not root, no cgroups) every test says so and claims nothing.
//! `PUNCTUAL_IMAGE=target/punctual.tar` takes the image of `make image`; without it one is made of the binary under test.

#[path = "../it/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "tests in virtual time use the rest of it")]
mod harness;

mod audit;
mod failover;
mod ground;
mod installed;
mod lifecycle;
mod release;
mod rights;
mod status;
