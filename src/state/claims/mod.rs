//! The claims log: every decision to start is written here before its Job is created.
//!
//! ```text
//!   claims of many tasks ─► Writer ─► one write of the whole log, by compare-and-swap ─► committed
//!                             ▲                                    │
//!                             └── a new leader reads it first ◄────┘ the log: one object of a built-in kind
//! ```
//! `log` is the text that is stored; `held` what is known of each claim; `writer` decides what is written and read when. Pure: the controller sends the requests, and the
//! simulation answers them from memory.

mod held;
mod log;
mod request;
mod writer;

pub use log::ClaimsLog;
pub use request::{LogAnswer, LogReply, LogRequest, Ticket, WriterNotice};
pub use writer::Writer;
