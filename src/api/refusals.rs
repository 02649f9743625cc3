//! Collects what is wrong with a manifest, as far as anybody wants to read it.
//!
//! Takes messages, keeps the first of them, counts the others. No message is longer than a screen, whatever value it repeats.

use serde_json::Value;

/// So many messages are kept.
const MOST: usize = 100;
/// So many characters a message has at most.
const LONGEST_MESSAGE: usize = 2000;
/// So many characters of a value are repeated in a message.
const LONGEST_VALUE: usize = 500;

/// Messages about one manifest.
#[derive(Debug, Default)]
pub struct Refusals {
    kept: Vec<String>,
    more: usize,
}

impl Refusals {
    /// Adds a message.
    pub fn push(&mut self, message: impl Into<String>) {
        if self.kept.len() < MOST {
            self.kept.push(shortened(message.into(), LONGEST_MESSAGE));
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl Extend<String> for Refusals {
    fn extend<T: IntoIterator<Item = String>>(&mut self, messages: T) {
        messages.into_iter().for_each(|message| self.push(message));
    }
}

impl From<Refusals> for Vec<String> {
    fn from(Refusals { mut kept, more }: Refusals) -> Self {
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
            let start: String = text.chars().take(LONGEST_VALUE + 1).collect();
            shortened(Value::String(start).to_string(), LONGEST_VALUE)
        }
        other => shortened(other.to_string(), LONGEST_VALUE),
    }
}

/// The beginning of a text that is too long.
pub fn shortened(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The beginning of a message that is too long.
pub fn message(text: String) -> String {
    shortened(text, LONGEST_MESSAGE)
}
