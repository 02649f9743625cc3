//! One policy, one file. In which order they apply is decided by the list in `plan/mod.rs`, and nowhere else.
//!
//! A policy reads the planner, moves runs between phases and leaves what later policies need: candidates, failures, reads. It knows
//! no other policy.

pub mod adoption;
pub mod allow;
pub mod backfill;
pub mod completion;
pub mod deadline;
pub mod history;
pub mod initialize;
pub mod missed;
pub mod name_conflict;
pub mod queue;
pub mod refusal;
pub mod repair;
pub mod replace;
pub mod reset;
pub mod retry;
pub mod run_now;
pub mod schedule_change;
pub mod skip;
pub mod suspension;
pub mod timeouts;
