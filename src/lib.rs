//! Punctual: an operator for scheduled tasks on Kubernetes that accounts for every slot.
//!
//! The library is used by the binary (`main.rs`), the tests and the benchmarks. ARCHITECTURE.md describes the modules.

#![warn(missing_docs)]
// No input may cause a panic: no byte slices of text, no indexing, no unwrap. An exception states why input cannot reach it.
#![cfg_attr(
    not(test),
    warn(clippy::string_slice, clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)
)]

pub mod api;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod metrics;
pub mod notify;
pub mod plan;
pub mod schedule;
pub mod server;
pub mod state;
pub mod telemetry;
