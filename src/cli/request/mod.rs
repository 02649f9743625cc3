//! `punctual run-now`, `resume` and `backfill`: make requests by writing annotations on tasks, as `kubectl annotate` does.
//!
//! A line is printed for each task. An error for one does not affect the others.

mod annotate;
mod backfill;
mod resume;
mod run_now;
mod wait;

pub use backfill::{Backfill, backfill};
pub use resume::{Resume, resume};
pub use run_now::{RunNow, run_now};
