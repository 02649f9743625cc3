//! `punctual run-now`, `suspend`, `resume` and `backfill`: change annotations of tasks, as `kubectl annotate` does, or `spec.suspend`.
//!
//! A line is printed for each task. An error for one does not affect the others.

mod annotate;
mod backfill;
mod resume;
mod run_now;
mod suspend;
mod wait;

pub use backfill::{Backfill, backfill};
pub use resume::{Resume, resume};
pub use run_now::{RunNow, run_now};
pub use suspend::{Suspend, suspend};
