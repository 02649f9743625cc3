//! Tell people and machines outside of the cluster what became of runs.
//!
//! ```text
//!   status of a task ─┐
//!                     ├─► news ─► routes ─► sink: what is new to it, in one delivery ─► acknowledged ─► its position moves on
//!   position of a sink ┘                                                                                  └► book, now and then
//! ```
//! The ledgers are the log, and each sink reads them at its own pace: nothing is queued, so nothing can overflow. A delivery that is not
//! acknowledged is made again, from the ledger. What a ledger has dropped meanwhile is told as a gap, with its count. Everything but the
//! sinks themselves is pure.

mod book;
mod config;
mod event;
#[cfg(test)]
#[path = "scenarios/ledger.rs"]
mod ledger;
mod message;
mod news;
mod pace;
mod pending;
mod position;
mod reader;
mod route;
mod secret;
mod sink_config;
mod sinks;
mod text;
mod trace;
mod trace_env;

pub use book::Book;
pub use config::{Config, Wanted, WrongSink};
pub use event::{CONTENT_TYPE, cloud_event, event_schema};
pub use message::{Message, Subject, What};
pub use news::{News, news};
pub use pace::Pace;
pub use pending::Pending;
pub use position::Position;
pub use reader::{Part, Reader, View};
pub use route::Route;
pub use secret::Secret;
pub use sink_config::{Amqp, Heartbeat, Http, Kind as SinkKind, SinkConfig, Slack, Smtp, SmtpTls};
pub use sinks::{NotDelivered, Sink, Timeouts};
pub use text::{Digest, Line};
pub use trace_env::{Protocol, TraceEnv};
