//! What the fallible functions of this crate return: a message with its causes, for people.

pub use anyhow::Error;

/// What every fallible function here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
