//! `cluster up` and `cluster down` as a person runs them, in a cache of the test's own.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use cluster::{Binaries, Tool};

/// A cache that has the programs of the real one, so that nothing is built twice.
fn cache() -> tempfile::TempDir {
    let binaries = Binaries::choose(None).unwrap();
    for tool in [Tool::Etcd, Tool::ApiServer] {
        binaries.path(tool).unwrap();
    }
    let cache = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(cluster::cache_dir().unwrap().join("bin"), cache.path().join("bin")).unwrap();
    cache
}

fn run(cache: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .args(args)
        .env("PUNCTUAL_CACHE", cache)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cluster {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs it, and expects its output to begin so.
fn says(cache: &Path, args: &[&str], beginning: &str) {
    let said = String::from_utf8(run(cache, args).stdout).unwrap();
    assert!(
        said.starts_with(beginning),
        "cluster {args:?} said {said:?} instead of {beginning:?}"
    );
}

/// Kills the keeper, and waits until it is dead: until then it is a keeper, and `up` rightly says so.
fn kill_keeper(cache: &Path) {
    let lock = cache.join("cluster/keeper.lock");
    let keeper = std::fs::read_to_string(&lock).unwrap();
    assert!(Command::new("kill").args(["-KILL", keeper.trim()]).status().unwrap().success());
    File::open(lock).unwrap().lock_shared().unwrap();
}

#[test]
fn up_is_up_until_down_and_a_killed_keeper_disturbs_nobody() {
    let cache = cache();
    let dir = cache.path();
    says(dir, &["up", "--node", "none"], "The cluster is up,");
    says(dir, &["up"], "The cluster is up already,");
    let kubectl = Binaries::choose(None).unwrap().path(Tool::Kubectl).unwrap();
    let config = dir.join("cluster/site/kubeconfig");
    assert!(
        Command::new(&kubectl)
            .arg("--kubeconfig")
            .arg(&config)
            .args(["get", "namespaces"])
            .status()
            .unwrap()
            .success()
    );

    kill_keeper(dir);
    says(dir, &["up", "--node", "none"], "The cluster is up,");
    says(dir, &["down"], "The cluster is gone");
    says(dir, &["down"], "No cluster was up");
    assert!(!dir.join("cluster/site").exists());
}

#[test]
fn an_unsupported_version_is_an_error_that_names_the_supported_ones() {
    let output = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .args(["up"])
        .env("K8S", "1.29")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("K8S=1.34, K8S=1.35, K8S=1.36, K8S=1.37"), "{said}");
}

#[test]
fn without_go_the_error_says_what_to_install() {
    let cache = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_cluster"));
    up.args(["up", "--node", "none"])
        .env("PATH", empty.path())
        .env("PUNCTUAL_CACHE", cache.path())
        .env_remove("KUBEBUILDER_ASSETS");
    let output = up.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Go is needed to build etcd") && said.contains("install Go"), "{said}");
}
