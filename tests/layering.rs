//! The house: who may import whom (ARCHITECTURE.md), read from the source.
//!
//! Clippy's disallowed methods watch over clock and randomness; this test over imports, `async` and the size of files.

use std::fs;
use std::path::{Path, PathBuf};

/// Words, in lists that rooms share.
type Words = &'static [&'static [&'static str]];

/// Folder or file, the crate's modules that it may import, and words that never stand in it.
const HOUSE: &[(&str, &[&str], Words)] = &[
    ("src/api", &["api", "schedule"], &[PURE]),
    ("src/schedule", &["schedule"], &[PURE, NO_KUBERNETES]),
    ("src/plan", &["api", "schedule", "plan"], &[PURE]),
    ("src/state", &["api", "schedule", "plan", "state"], &[PURE]),
    (
        "src/controller",
        &["api", "plan", "state", "controller", "metrics", "clock", "schedule"],
        &[],
    ),
    ("src/clock.rs", &[], &[&["kube::"]]),
    ("src/metrics.rs", &[], &[&["kube::", "async "]]),
    ("src/server", &["controller"], &[&["kube::"]]),
    ("src/telemetry.rs", &["api"], &[&["kube::", "async "]]),
];

const PURE: &[&str] = &[
    "async ",
    ".await",
    "tokio",
    "tracing",
    "kube::Client",
    "kube::Api",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "rand::",
    "println!",
    "std::env",
    "std::fs",
];
/// Beyond that: when knows nothing of Kubernetes.
const NO_KUBERNETES: &[&str] = &["kube::", "k8s_openapi"];

fn files(below: &Path) -> Vec<PathBuf> {
    if below.is_file() {
        return vec![below.to_owned()];
    }
    let entries = fs::read_dir(below).unwrap_or_else(|error| panic!("{}: {error}", below.display()));
    let mut files: Vec<PathBuf> = entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    files.sort();
    files
}

/// Lines of code: no comments, no tests.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    product
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().to_owned())
        .collect()
}

fn is_test(path: &Path) -> bool {
    path.to_string_lossy().contains("scenarios")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn each_room_imports_only_what_the_house_allows() {
    let mut wrong = Vec::new();
    for (room, allowed, never) in HOUSE {
        for path in files(&root().join(room)).into_iter().filter(|path| !is_test(path)) {
            for (number, line) in code(&path).iter().enumerate() {
                let at = || format!("{}:{}: {}", path.strip_prefix(root()).unwrap().display(), number + 1, line.trim());
                for (start, _) in line.match_indices("crate::") {
                    let module: String = line[start + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    if !module.is_empty()
                        && !allowed.contains(&module.as_str())
                        && line[start + 7..].starts_with(&module)
                        && !line.contains("$crate")
                    {
                        wrong.push(format!("{} (imports {module})", at()));
                    }
                }
                if line.contains("crate::{") {
                    wrong.push(format!("{} (one line for each room)", at()));
                }
                for word in never.iter().copied().flatten() {
                    if line.contains(*word) {
                        wrong.push(format!("{} ({word:?} never stands here)", at()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn only_observe_and_perform_touch_the_cluster() {
    for path in files(&root().join("src/controller")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = code(&path).join("\n");
        let sends = code.contains("ctx.send") || code.contains("Api::");
        let may = ["observe.rs", "perform.rs", "events.rs", "leader.rs"].contains(&name.as_str());
        assert!(!sends || may, "{name} sends requests");
        if name == "observe.rs" {
            for write in [".create(", ".replace", ".patch", ".delete("] {
                assert!(!code.contains(write), "observe.rs writes: {write}");
            }
        }
    }
}

#[test]
fn reconcile_is_a_table_of_contents() {
    let text = code(&root().join("src/controller/reconcile.rs"));
    let body = text
        .iter()
        .skip_while(|line| !line.contains("pub async fn reconcile"))
        .filter(|line| !line.trim().is_empty())
        .count();
    assert!(body <= 40, "{body} lines");
}

#[test]
fn a_file_is_one_idea_of_at_most_400_lines_and_says_what_it_takes_and_gives() {
    for path in files(&root().join("src")).into_iter().chain(files(&root().join("dev"))) {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        if shown.contains("target/") {
            continue;
        }
        assert!(text.lines().count() <= 400, "{shown} has {} lines: two ideas", text.lines().count());
        assert!(text.starts_with("//!"), "{shown} has no header");
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !["util", "utils", "common", "helpers", "manager", "misc"].contains(&stem.as_str()),
            "{shown} has a name that says nothing"
        );
    }
}
