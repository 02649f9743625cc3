//! The language of the plan's scenarios, and the scenarios that concern all policies.
//!
//! ```text
//!   given…  ──► World ──► observe ─► plan() ─► effects, one by one ──► World     until a plan is empty
//!   Story       one task, its Jobs, a clock, an operator that crashes            audit: the rules of the ledger, at every effect
//! ```
//! A scenario is a chain of sentences: `given("*/5 * * * *").since("…").at("…").starts("…")`. Scenarios of one policy are beside it,
//! in `policies/<policy>/scenarios.rs`. No scenario uses a client or the system clock.

mod accounting;
mod audit;
mod clocks;
mod conflicts;
mod crashes;
mod cronjob_cases;
mod durations;
pub mod expect;
mod invalid_specs;
mod kstatus;
mod lost_responses;
mod manifest;
mod no_status;
mod pairs;
mod properties;
mod server;
mod status;
pub mod story;
pub mod world;
