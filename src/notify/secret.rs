//! A credential, or where it is.

use std::path::PathBuf;

/// A text that is given, or the file that holds it; a file is read anew for each delivery, so that a Secret may be rotated.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// As in the configuration.
    Text(String),
    /// In a file, for which a Secret is mounted.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}
