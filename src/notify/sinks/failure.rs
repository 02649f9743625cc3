//! Why messages did not arrive.
//!
//! Words of servers and of libraries go in; one printable line of bounded length comes out.

use crate::api::{printable, shortened};
use std::time::Duration;

/// A longer message is cut.
const MOST_CHARACTERS: usize = 400;

/// Why messages did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDelivered {
    /// How many of them, from the first on, were acknowledged all the same.
    pub delivered: usize,
    /// The receiver says that it will never take the next one: it is dropped.
    pub is_final: bool,
    /// How long the receiver asks to wait.
    pub after: Option<Duration>,
    /// What went wrong, without credentials, and the way out if there is one.
    pub message: String,
}

impl NotDelivered {
    /// No message was delivered; the same ones are to be sent again.
    pub fn new(message: impl AsRef<str>) -> Self {
        Self {
            delivered: 0,
            is_final: false,
            after: None,
            message: shortened(printable(message.as_ref()).into_owned(), MOST_CHARACTERS),
        }
    }
}

/// What an error says at its root. What is above it in the chain says only that something failed, and may quote an address.
pub fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    loop {
        // An I/O error that wraps another one shows it, and names the source of that one as its own.
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let next = wrapped.map(|wrapped| wrapped as &(dyn std::error::Error + 'static));
        match next.or_else(|| cause.source()) {
            Some(next) => cause = next,
            None => break,
        }
    }
    with_fix(cause.to_string())
}

/// Adds how to fix certificates that are not trusted.
fn with_fix(cause: String) -> String {
    if cause.contains("UnknownIssuer") {
        return cause + ": set caFile to a file with the certificate of the server's authority, in PEM";
    }
    cause
}
