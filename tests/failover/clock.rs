//! A wall clock of its own for one replica, to be stepped while it runs.
//!
//! Takes seconds, gives what the process must be started with. Never touches the machine's clock, nor anybody's monotonic one.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use tempfile::NamedTempFile;

/// One replica's clock.
pub struct WallClock {
    offset: NamedTempFile,
}

impl WallClock {
    /// A clock that goes right.
    pub fn new() -> WallClock {
        let clock = WallClock {
            offset: NamedTempFile::new().expect("a file"),
        };
        clock.step(0);
        clock
    }

    /// Sets it ahead, or back, by so many seconds against the right time.
    pub fn step(&self, seconds: i64) {
        let file = File::options().write(true).open(self.offset.path()).expect("the file");
        file.write_all_at(&seconds.to_ne_bytes(), 0).expect("eight bytes");
    }

    /// What its process needs in its environment.
    pub fn env(&self) -> [(&'static str, String); 2] {
        let library = library().to_str().expect("a path").to_owned();
        [
            ("LD_PRELOAD", library),
            ("CLOCK_OFFSET", self.offset.path().to_str().expect("a path").to_owned()),
        ]
    }
}

/// Compiled once; `cc` is what links Rust programs as well.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("clock-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/failover/clock.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", source, "-o"])
            .arg(&library)
            .status();
        assert!(compiled.expect("cc, which links Rust programs").success(), "{source} compiles");
        library
    })
}
