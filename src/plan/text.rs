//! Texts of others, bounded and made printable.
//!
//! What the API server or a container says may be of any length and hold anything; a screen and etcd have their limits.

use crate::api::printable;

/// Characters of a message.
const LONGEST: usize = 1024;

/// The text, printable and at most 1,024 characters long; what is cut ends with an ellipsis.
#[must_use]
pub fn short(message: &str) -> String {
    cut(message, LONGEST)
}

/// The text, printable and at most `longest` characters long; what is cut ends with an ellipsis.
#[must_use]
pub fn cut(message: &str, longest: usize) -> String {
    // Escapes are longer than what they stand for, so the cut comes last; before it a megabyte need not be read.
    let end = message.char_indices().nth(longest).map_or(message.len(), |(at, _)| at);
    let printable = printable(message.get(..end).unwrap_or_default());
    if end == message.len() && printable.chars().count() <= longest {
        return printable.into_owned();
    }
    printable.chars().take(longest - 1).chain(['…']).collect()
}
