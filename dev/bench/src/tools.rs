//! What all sessions share: where things are, and what is known about this machine's speed.

use std::cell::Cell;
use std::path::{Path, PathBuf};

/// What all sessions share.
pub struct Tools {
    /// The root of the repository.
    pub root: PathBuf,
    /// The operator, a release build.
    pub binary: PathBuf,
    /// Where the operators' logs go.
    pub logs: PathBuf,
    /// How much longer than expected the creation of tasks took last.
    pub setup_factor: Cell<f64>,
}

impl Tools {
    /// The file for an operator's log.
    pub fn log(&self, name: &str) -> PathBuf {
        let safe = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        Path::new(&self.logs).join(format!("operator-{safe}.log"))
    }
}
