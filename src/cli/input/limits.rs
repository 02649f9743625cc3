//! The limits of what is read: bytes, documents, levels and values. docs/limits.md has the same numbers.
//!
//! They are counted, never timed, so that the answer is the same everywhere. An error names the limit and the fix.

use std::fmt;
use std::io::{self, Read};

/// Size of a file or of standard input.
pub const STREAM_BYTES: u64 = 64 << 20;
/// Documents in a file: as many as a large cluster has objects of a kind.
pub const DOCUMENTS: usize = 10_000;
/// Size of a document. The API server accepts 3 MiB; a `List` may have thousands of objects.
pub const DOCUMENT_BYTES: usize = 16 << 20;
/// Nesting: the deepest schema of a CustomResourceDefinition in use has about fifty levels.
pub const LEVELS: usize = 100;
/// Keys and values of a document; those of an alias are counted at each use.
pub const VALUES: usize = 1_000_000;

/// The limit that was exceeded.
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
                "nested deeper than {LEVELS} levels, the limit of a document: no manifest is this deep"
            ),
            Self::Values => write!(
                f,
                "more than {VALUES} values, the limit of a document, those of an alias counted at each use: use fewer aliases, or split a List"
            ),
        }
    }
}

impl std::error::Error for Exceeded {}

/// Reads all text.
///
/// # Errors
/// When it is larger than the limit, cannot be read, or is not text.
pub fn read(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.take(STREAM_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > STREAM_BYTES {
        return Err(io::Error::other(Exceeded::StreamBytes));
    }
    decode(bytes).ok_or_else(|| io::Error::other("neither UTF-8 nor UTF-16 with a byte order mark: is it text?"))
}

/// UTF-8, or UTF-16 if a byte order mark says so, as kubectl does: PowerShell writes it.
fn decode(bytes: Vec<u8>) -> Option<String> {
    let from_bytes: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        _ => return String::from_utf8(bytes).ok(),
    };
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    let units = units.iter().skip(1).map(|unit| from_bytes(*unit));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_or_has_the_mark_of_utf_16() {
        let text = "schedule: \"0 3 * * *\" # é\n";
        let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [text.as_bytes(), &little, &big] {
            assert_eq!(read(bytes).unwrap(), text);
        }
        for bytes in [&little[..little.len() - 1], &[0xff, 0xfe, 0x00, 0xd8], &[0x1f, 0x8b, 0x08], &[0xff]] {
            assert!(read(bytes).unwrap_err().to_string().starts_with("neither UTF-8"), "{bytes:?}");
        }
    }
}
