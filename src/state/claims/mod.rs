//! The claims log: every decision to start is written here before its Job is created.
//!
//! ```text
//!   claims of many tasks ─► Writer ─► one write of the whole log, by compare-and-swap ─► committed
//!                             ▲                                    │
//!                             └── a new leader reads it first ◄────┘ the log: one object of a built-in kind
//! ```
//! `log` is the text that is stored; `writer` decides what is written and read when. Pure: the controller sends the requests, and the
//! simulation answers them from memory.

mod log;
mod writer;

pub use log::ClaimsLog;
pub use writer::{LogAnswer, LogReply, LogRequest, Ticket, Writer, WriterNotice};
