//! Programs of Debian's packages: from the PATH, or unpacked from the packages and not installed, so that no service starts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program `prometheus` or `promtool`. Where there is neither the program nor the package, says so and returns nothing.
#[allow(dead_code, reason = "not all tests need it")]
pub fn program(name: &str) -> Option<PathBuf> {
    if Command::new(name).arg("--version").output().is_ok() {
        return Some(name.into());
    }
    unpacked("prometheus", &["prometheus"]).map(|folder| folder.join("usr/bin").join(name))
}

/// The folder in which these packages are unpacked. Where they cannot be had, says so and returns nothing.
pub fn unpacked(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let complete = folder.join("complete");
    // Tests of several processes may ask at once.
    let lock = File::create(folder.with_extension("lock")).ok()?;
    lock.lock().ok()?;
    if !complete.exists() && unpack(&folder, packages) {
        File::create(&complete).ok()?;
    }
    if complete.exists() {
        return Some(folder);
    }
    eprintln!("not tested: {name} is missing (Debian: apt-get install {})", packages.join(" "));
    None
}

fn unpack(folder: &Path, packages: &[&str]) -> bool {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder");
    let packages = packages.join(" ");
    // The machine may know no packages yet.
    let download = format!("apt-get download -q {packages} || {{ apt-get update -q && apt-get download -q {packages}; }}");
    let line = format!("({download}) && for package in *.deb; do dpkg -x $package . || exit 1; done && rm -r *.deb usr/share");
    match Command::new("sh").args(["-c", &line]).current_dir(folder).output() {
        Ok(done) if !done.status.success() => eprintln!("{}", String::from_utf8_lossy(&done.stderr).trim()),
        Ok(done) => return done.status.success(),
        Err(error) => eprintln!("{error}"),
    }
    false
}
