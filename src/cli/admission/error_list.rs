//! The errors about one manifest, bounded in number and length.
//!
//! The first hundred messages are kept and the others are counted. A message and the value that it repeats are cut at a fixed length.

use crate::api::shortened;
use serde_json::Value;

/// How many messages are kept.
const MAX_ERRORS: usize = 100;
/// The maximum length of a message, in characters.
const MAX_MESSAGE: usize = 2000;
/// How many characters of a value a message repeats.
const MAX_VALUE: usize = 500;

/// Errors about one manifest.
#[derive(Debug, Default)]
pub struct ErrorList {
    kept: Vec<String>,
    more: usize,
}

impl ErrorList {
    /// Adds a message.
    pub fn push(&mut self, message: impl Into<String>) {
        if self.kept.len() < MAX_ERRORS {
            self.kept.push(shortened(message.into(), MAX_MESSAGE));
        } else {
            self.more += 1;
        }
    }

    /// Whether there is no error.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl Extend<String> for ErrorList {
    fn extend<T: IntoIterator<Item = String>>(&mut self, messages: T) {
        messages.into_iter().for_each(|message| self.push(message));
    }
}

impl From<ErrorList> for Vec<String> {
    fn from(ErrorList { mut kept, more }: ErrorList) -> Self {
        if more > 0 {
            kept.push(format!("and {more} more"));
        }
        kept
    }
}

/// A value as messages repeat it.
pub fn repeated(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let start: String = text.chars().take(MAX_VALUE + 1).collect();
            shortened(Value::String(start).to_string(), MAX_VALUE)
        }
        other => shortened(other.to_string(), MAX_VALUE),
    }
}
