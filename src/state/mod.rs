//! What is known: the record of each task, and the gate for everything that somebody else could have written.
//!
//! ```text
//!   watch, answers, reads ─► raw_task, raw_job (the form) ─► gate (whose is it?) ─► Record ─► Observed ─► plan
//! ```
//! Objects and answers go in, `Observed` comes out. Pure: no client, no clock, no `async`; the controller and the simulation
//! live on the same values.

mod answer;
mod backoff;
mod claims;
mod evidence;
mod execution;
mod first;
mod gate;
mod json;
mod knowledge;
mod metadata;
pub mod pods;
mod raw_job;
mod raw_task;
mod record;
mod request;
mod rest;
mod seal;
mod seen_again;
mod task_sample;
mod writes;

pub use answer::{Answer, ErrorStatus, Failure, FoundJob, Reply};
pub use claims::{ClaimsLog, LogAnswer, LogReply, LogRequest, Ticket, Writer, WriterNotice};
pub use execution::Execution;
pub use gate::believes;
pub use raw_job::RawJob;
pub use raw_task::{DEFECT, RawTask};
pub use record::Record;
pub use request::{Notice, Progress, Request, Step};
pub use rest::{Packed, PackedText, Standing, uid_hash};
pub use seal::Seal;
pub use seen_again::Source;
pub use task_sample::{ConditionSample, LastRun, TaskSample};
