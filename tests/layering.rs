//! The structure of the source: which module may import which, no cycles, and the size of files.
//!
//! The rules are those of ARCHITECTURE.md. Clippy's disallowed methods guard clock and randomness.

#[path = "layering/imports.rs"]
mod imports;

use std::fs;
use std::path::{Path, PathBuf};

/// Lists of forbidden words, shared by modules.
type Words = &'static [&'static [&'static str]];

/// A folder or file of a module, the modules of the crate that it may import, and words that it must not contain.
const MODULES: &[(&str, &[&str], Words)] = &[
    ("src/api", &["api", "schedule"], &[PURE]),
    ("src/schedule", &["schedule"], &[PURE, NO_KUBERNETES]),
    ("src/plan", &["api", "schedule", "plan"], &[PURE]),
    ("src/state", &["api", "schedule", "plan", "state"], &[PURE]),
    (
        "src/controller",
        &["api", "plan", "state", "controller", "metrics", "notify", "clock", "schedule"],
        &[],
    ),
    ("src/notify", &["api", "schedule", "plan", "notify"], &[NO_CLIENT]),
    ("src/notify/book.rs", &["schedule"], &[PURE]),
    ("src/notify/config.rs", &[], &[PURE]),
    ("src/notify/event.rs", &["api"], &[PURE]),
    ("src/notify/message.rs", &["api", "plan"], &[PURE]),
    ("src/notify/news.rs", &["api"], &[PURE]),
    ("src/notify/pace.rs", &["schedule"], &[PURE]),
    ("src/notify/pending.rs", &[], &[PURE]),
    ("src/notify/position.rs", &["api"], &[PURE]),
    ("src/notify/reader.rs", &["api"], &[PURE]),
    ("src/notify/route.rs", &[], &[PURE]),
    ("src/notify/sink_config.rs", &[], &[PURE]),
    ("src/notify/text.rs", &["api"], &[PURE]),
    ("src/clock.rs", &[], &[&["kube::"]]),
    ("src/metrics.rs", &[], &[&["kube::", "async "]]),
    ("src/metrics", &["state"], &[PURE, &["kube::"]]),
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
/// Who tells people sends nothing to the cluster, and asks nobody for the time.
const NO_CLIENT: &[&str] = &[
    "kube::Client",
    "kube::Api",
    "SystemTime",
    "Timestamp::now",
    "rand::",
    "println!",
    "std::env",
];
/// The schedule does not depend on Kubernetes.
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

/// The lines of code, without comments and tests.
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
fn modules_import_only_what_is_allowed() {
    let mut wrong = Vec::new();
    for (module_path, allowed, forbidden) in MODULES {
        for path in files(&root().join(module_path)).into_iter().filter(|path| !is_test(path)) {
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
                    wrong.push(format!("{} (use one line for each module)", at()));
                }
                for word in forbidden.iter().copied().flatten() {
                    if line.contains(*word) {
                        wrong.push(format!("{} ({word:?} is forbidden here)", at()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_do_not_import_each_other_in_cycles() {
    let mut wrong = Vec::new();
    for folder in ["src", "dev/bench/src", "dev/cluster/src", "dev/demo/src"] {
        for cycle in imports::Graph::read(root(), folder).cycles() {
            wrong.push(format!("{} → {}", cycle.join(" → "), cycle[0]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Counters of the status; how they add up is proved of the ledger only.
const COUNTERS: &[&str] = &[
    "started",
    "succeeded",
    "failed",
    "cancelled",
    "retried",
    "missed",
    "skipped",
    "requested",
];

/// Whether a line changes a counter of a status, or borrows it to change it.
fn changes_a_counter(line: &str) -> bool {
    COUNTERS.iter().any(|counter| {
        let field = format!("status.{counter}");
        line.match_indices(&field).any(|(start, _)| {
            let (before, after) = (&line[..start], &line[start + field.len()..]);
            let is_whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            // In a tuple on the left, the sign stands behind the other members.
            let is_in_tuple = before.trim_start().starts_with('(') && after.contains(") = ");
            let operator = after.trim_start().split([' ', ';']).next().unwrap_or_default();
            let is_assigned = matches!(operator, "=" | "+=" | "-=" | "*=" | "/=") || is_in_tuple;
            let owner = before
                .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
                .map_or(0, |at| at + 1);
            is_whole && (is_assigned || before[..owner].ends_with("&mut "))
        })
    })
}

#[test]
fn only_the_ledger_changes_counters() {
    for line in [
        "ledger.status.started += 1;",
        "status.failed = 3;",
        "(status.missed, x) = (1, 0);",
        "f(&mut self.status.skipped)",
    ] {
        assert!(changes_a_counter(line), "{line}");
    }
    for line in [
        "if status.started == 1 {",
        "(\"missed\", status.missed),",
        "status.missed_since = None;",
        "let skipped = status.skipped;",
    ] {
        assert!(!changes_a_counter(line), "{line}");
    }
    let (mut wrong, mut in_ledger) = (Vec::new(), 0);
    for path in files(&root().join("src")).into_iter().filter(|path| !is_test(path)) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        for (number, line) in code(&path).iter().enumerate().filter(|(_, line)| changes_a_counter(line)) {
            match shown.as_str() {
                "src/plan/accounting.rs" => in_ledger += 1,
                _ => wrong.push(format!("{shown}:{}: {}", number + 1, line.trim())),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(in_ledger >= COUNTERS.len(), "{in_ledger} changes in src/plan/accounting.rs");
}

#[test]
fn only_six_files_touch_the_cluster() {
    for path in files(&root().join("src/controller")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = code(&path).join("\n");
        let sends = code.contains("ctx.send") || code.contains("Api::");
        let may = ["observe.rs", "perform.rs", "outbox.rs", "leader.rs", "claims_log.rs", "book.rs"].contains(&name.as_str());
        assert!(!sends || may, "{name} sends requests");
        if name == "observe.rs" {
            for write in [".create(", ".replace", ".patch", ".delete("] {
                assert!(!code.contains(write), "observe.rs writes: {write}");
            }
        }
    }
}

#[test]
fn reconcile_is_at_most_40_lines() {
    let text = code(&root().join("src/controller/reconcile.rs"));
    let body = text
        .iter()
        .skip_while(|line| !line.contains("pub async fn reconcile"))
        .filter(|line| !line.trim().is_empty())
        .count();
    assert!(body <= 40, "{body} lines");
}

#[test]
fn files_have_a_header_and_at_most_400_lines() {
    for path in files(&root().join("src")).into_iter().chain(files(&root().join("dev"))) {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        if shown.contains("target/") {
            continue;
        }
        assert!(text.lines().count() <= 400, "{shown} has {} lines: split it", text.lines().count());
        assert!(text.starts_with("//!"), "{shown} has no header");
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !["util", "utils", "common", "helpers", "manager", "misc"].contains(&stem.as_str()),
            "{shown} needs a name that says what it does"
        );
    }
}
