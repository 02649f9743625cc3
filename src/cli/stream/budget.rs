//! How much of a stream of manifests is read: bytes, documents, levels, values. docs/limits.md has the same numbers.
//!
//! Takes what was counted, gives a refusal that names the limit and what to do. Counted, never timed: the answer is the same everywhere.

use std::fmt;
use std::io::{self, Read};

/// A file, or standard input.
pub const STREAM_BYTES: u64 = 64 << 20;
/// As many as a large cluster has objects of a kind.
pub const DOCUMENTS: usize = 10_000;
/// The API server takes 3 MiB; this is for a `List` of thousands.
pub const DOCUMENT_BYTES: usize = 16 << 20;
/// The deepest schema of a CustomResourceDefinition in use has some fifty.
pub const LEVELS: usize = 100;
/// Keys and values, those of an alias counted each time that it is used.
pub const VALUES: usize = 1_000_000;

/// What was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    StreamBytes,
    Documents,
    DocumentBytes,
    Levels,
    Values,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: usize| bytes >> 20;
        match self {
            Self::StreamBytes => write!(
                f,
                "larger than {} MiB, the limit of a file: split it, and give each part a -f",
                STREAM_BYTES >> 20
            ),
            Self::Documents => write!(
                f,
                "more than {DOCUMENTS} documents, the limit of a file: split it, and give each part a -f"
            ),
            Self::DocumentBytes => write!(
                f,
                "larger than {} MiB, the limit of a document: split a List into documents with --- between them",
                mib(DOCUMENT_BYTES)
            ),
            Self::Levels => write!(
                f,
                "nested deeper than {LEVELS} levels, the limit of a document: no manifest is; correct it"
            ),
            Self::Values => write!(
                f,
                "more than {VALUES} values, the limit of a document, those of an alias counted at each use: use fewer aliases, or split a List"
            ),
        }
    }
}

impl std::error::Error for Exceeded {}

/// Reads all text, unless it is more than a stream may hold.
///
/// # Errors
/// When it is, when it cannot be read, and when it is not UTF-8.
pub fn read(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(STREAM_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > STREAM_BYTES {
        return Err(io::Error::other(Exceeded::StreamBytes));
    }
    Ok(text)
}
