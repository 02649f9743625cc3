//! Punctual: scheduled tasks for Kubernetes, every slot accounted for.
//!
//! The binary is `main.rs`; the library is there for tests and benchmarks. ARCHITECTURE.md has the map.

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
