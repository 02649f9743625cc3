//! The alerts, run by the real promtool on series as the operator serves them: `alerts.yaml`.
//!
//! promtool comes from the PATH, or from Debian's package `prometheus`, which is unpacked and not installed: no service starts. Where
//! there is neither, the test says so and does nothing.

use super::helm::{of_kind, root, set};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Unpacks Debian's package below this folder, unless that was done before.
fn from_debian(folder: &Path) -> Option<PathBuf> {
    let promtool = folder.join("usr/bin/promtool");
    if promtool.exists() {
        return Some(promtool);
    }
    // Beside the folder, and renamed when it is complete: tests of two processes may run at once.
    let unpacked = tempfile::tempdir_in(folder.parent()?).ok()?;
    let line = "apt-get download -q prometheus && dpkg -x prometheus_*.deb . && rm -r prometheus_*.deb usr/share";
    let done = Command::new("sh").args(["-c", line]).current_dir(&unpacked).output().ok()?;
    if !done.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&done.stderr).trim());
        return None;
    }
    let _ = std::fs::rename(unpacked.keep(), folder);
    promtool.exists().then_some(promtool)
}

fn promtool() -> Option<PathBuf> {
    let on_path = Command::new("promtool").arg("--version").output().is_ok();
    on_path
        .then(|| PathBuf::from("promtool"))
        .or_else(|| from_debian(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus")))
}

#[test]
fn alerts_fire_and_resolve() {
    let Some(promtool) = promtool() else {
        eprintln!("not tested: promtool is missing (Debian: apt-get install prometheus)");
        return;
    };
    let objects = set(&["prometheusRule.enabled=true"]);
    let rules = of_kind(&objects, "PrometheusRule")[0]["spec"].clone();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rules.yaml"), rules.to_string()).expect("a file");
    std::fs::copy(root().join("tests/chart/alerts.yaml"), folder.path().join("alerts.yaml")).expect("a copy");
    for arguments in [["check", "rules", "rules.yaml"], ["test", "rules", "alerts.yaml"]] {
        let output = Command::new(&promtool)
            .args(arguments)
            .current_dir(&folder)
            .output()
            .expect("promtool runs");
        let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "promtool {}:\n{said}{wrong}", arguments.join(" "));
    }
}
