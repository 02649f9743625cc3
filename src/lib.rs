//! Punctual: scheduled tasks for Kubernetes, every slot accounted for.
//!
//! The binary is `main.rs`; the library is there for tests and benchmarks. ARCHITECTURE.md has the map.

// What input can reach never panics: no slice by bytes, no index, no unwrap. An exception says why it cannot be reached.
#![cfg_attr(
    not(test),
    warn(clippy::string_slice, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)
)]

pub mod api;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod metrics;
pub mod plan;
pub mod schedule;
pub mod server;
pub mod state;
pub mod telemetry;
