//! Runs `make demo` and `make demo-down` as users do, with a separate cache so that a running demo is not disturbed.

use cluster::{Cluster, NodeChoice, Options};
use std::path::Path;
use std::process::{Command, Output};

fn demo(cache: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(args)
        .env("PUNCTUAL_CACHE", cache)
        .output()
        .expect("the demo starts")
}

/// A cache that shares the binaries with the real one: building them again would take minutes.
fn cache() -> tempfile::TempDir {
    let cache = tempfile::tempdir().expect("a directory");
    let real = cluster::cache_dir().expect("a cache").join("bin");
    std::fs::create_dir_all(&real).expect("its bin");
    std::os::unix::fs::symlink(real, cache.path().join("bin")).expect("a link");
    cache
}

#[test]
fn the_demo_shows_slots_firing_and_demo_down_leaves_nothing() {
    let cache = cache();
    let shown = demo(cache.path(), &["up"]);
    let screen = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.status.success(), "{screen}\n{}", String::from_utf8_lossy(&shown.stderr));
    for step in 1..=6 {
        assert!(screen.contains(&format!("[{step}/6]")), "step {step} in {screen}");
    }
    for words in [
        "$ kubectl get stask",
        "$ kubectl get jobs",
        "$ kubectl describe stask fails",
        "export KUBECONFIG=",
        "make demo-down",
    ] {
        assert!(screen.contains(words), "{words} in {screen}");
    }
    if screen.contains("a real node") {
        for words in ["new lines", "kept", "exit code 3: nothing is mounted on /data", "I am hello-"] {
            assert!(screen.contains(words), "{words} in {screen}");
        }
    } else {
        println!("KWOK simulated the node: what needs real containers was not tested in this run");
        assert!(
            screen.contains("KWOK: pods complete on paper, no container runs, because"),
            "{screen}"
        );
    }
    let pid = std::fs::read_to_string(cache.path().join("demo/operator.pid")).expect("the operator's process id");

    let down = demo(cache.path(), &["down"]);
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    // It may not be reaped yet, but a dead process has no command line.
    let command = std::fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
    assert!(command.is_empty(), "the operator is gone");
    let again = demo(cache.path(), &["down"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn on_an_existing_cluster_the_demo_announces_and_removes_its_changes() {
    let theirs = Cluster::start(Options {
        node: NodeChoice::Kwok,
        ..Options::default()
    })
    .expect("a cluster");
    let kubectl = |args: &[&str]| {
        let done = theirs.kubectl().args(args).output().expect("kubectl runs");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    // The CRD existed before the demo.
    kubectl(&["apply", "-f", concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds")]);
    let context = kubectl(&["config", "current-context"]).trim().to_owned();
    let cache = cache();
    let run = |action: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
        command
            .args([action, "--context", &context])
            .env("PUNCTUAL_CACHE", cache.path())
            .env("KUBECONFIG", theirs.kubeconfig());
        let done = command.output().expect("the demo starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let screen = run("up");
    let (before, after) = screen.split_once("[1/6]").expect("the steps");
    for words in [
        "On the cluster of context",
        "install the CRD",
        "punctual-demo",
        "It changes nothing else",
        "KUBECONTEXT=",
    ] {
        assert!(before.contains(words), "{words} must be printed first: {screen}");
    }
    assert!(after.contains("hello        Succeeded"), "{screen}");
    assert!(
        !after.contains("log-digest"),
        "examples that read files of the node must be left out: {screen}"
    );
    run("down");
    assert_eq!(kubectl(&["get", "namespace", "punctual-demo", "--ignore-not-found"]), "");
    assert!(
        kubectl(&["get", "crd", "-o", "name"]).contains("scheduledtasks.punctual.dev"),
        "the CRD existed before the demo"
    );
}
