//! What the writer of the claims log asks of the shell, what it is answered, and what it says.

use crate::state::Failure;

/// A request to write claims.
pub type Ticket = u64;
/// What the API server answers about the log.
pub type LogAnswer = Result<LogReply, Failure>;

/// What is asked of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogRequest {
    /// GET the log.
    Read,
    /// POST the log, which does not exist.
    Create {
        /// Its text.
        text: String,
    },
    /// PUT the log.
    Replace {
        /// Precondition: its `resourceVersion`.
        version: String,
        /// Its text.
        text: String,
    },
}

/// The log as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReply {
    /// Its `resourceVersion`.
    pub version: String,
    /// Its text; empty where there is none.
    pub text: String,
}

/// Something that people should know of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriterNotice {
    /// It was read, and belongs to this process. So many claims of others are carried out.
    Opened(usize),
    /// It was deleted or emptied, and is written again.
    Gone,
    /// So many lines of it could not be read; it is written again.
    Damaged(usize),
    /// Another process holds it.
    Deposed(String),
    /// The API server refuses it, in these words.
    Refused(String),
}
