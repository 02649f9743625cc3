//! Programs of Debian's package `prometheus`: from the PATH, or unpacked from the package and not installed, so that no service starts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Downloads the package; where the machine knows no packages yet, after it has asked for their list.
const DOWNLOAD: &str = "apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }";

/// The program `prometheus` or `promtool`. Where there is neither the program nor the package, says so and returns nothing.
pub fn program(name: &str) -> Option<PathBuf> {
    if Command::new(name).arg("--version").output().is_ok() {
        return Some(name.into());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus");
    let program = folder.join("usr/bin").join(name);
    // Tests of several processes may ask at once.
    let lock = File::create(folder.with_extension("lock")).ok()?;
    lock.lock().ok()?;
    if !program.exists() {
        unpack(&folder);
    }
    if program.exists() {
        return Some(program);
    }
    eprintln!("not tested: {name} is missing (Debian: apt-get install prometheus)");
    None
}

fn unpack(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    let line = format!("({DOWNLOAD}) && dpkg -x prometheus_*.deb . && rm -r prometheus_*.deb usr/share");
    match Command::new("sh").args(["-c", &line]).current_dir(folder).output() {
        Ok(done) if !done.status.success() => eprintln!("{}", String::from_utf8_lossy(&done.stderr).trim()),
        _ => {}
    }
}
