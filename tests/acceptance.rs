//! The acceptance list: failures of other schedulers, and the tests that cover each of them, as a table in `tests/README.md`.
//!
//! A test names the lines that it covers at the start of its doc comment (`/// D2, D7: …`) or of its name. `BLESS=1` renews the table.
//! Every line has a test, and no test names a line that does not exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each line of the acceptance list: its id, and the failure that users of other schedulers experienced.
const LINES: &[(&str, &str)] = &[
    (
        "M1",
        "a windowed schedule, down across its window's end: the latest slot is found exactly",
    ),
    (
        "M2",
        "minutely for two years of downtime, a clock that started in 1970: bounded work, the task continues",
    ),
    ("M3", "suspended for months, resumed: no paused slot fires, the next one does"),
    ("M4", "an edit at any moment: never a slot older than the edit, never two"),
    ("M5", "reinstalled, or restored with an empty status: no burst of old runs"),
    ("M6", "a change of leader in the second of a slot: one run, none lost"),
    ("M7", "a lost or late wake-up: found, and `Overdue` says so"),
    ("D1", "a crash after each single API write: one Job per slot"),
    ("D2", "a Job that is deleted right after it finished: its slot is not run again"),
    ("D3", "conflicts, two writers: nothing lost, nothing duplicated"),
    ("D4", "a paused process wakes as a deposed leader: no second run, no overlap"),
    ("D5", "`@every 48h` keeps its phase across restarts"),
    ("D6", "clock steps of hours in both directions: never before the slot, one per slot"),
    ("D7", "a create whose response is lost: no duplicate, no loss"),
    (
        "S1",
        "Forbid with a Job that can never start: `pendingTimeout` terminates it, the next slot runs",
    ),
    (
        "S2",
        "a quota full of finished Jobs: they are pruned first, whether creates succeed or not",
    ),
    ("S3", "`active` names a finished, deleted or foreign Job: repaired in one reconcile"),
    ("S4", "Replace when the old Job is gone, or cannot be deleted: no error loop"),
    ("S5", "impossible schedules, everything excluded: reported at once, others unharmed"),
    ("S6", "one object that cannot be read: the others continue"),
    (
        "S7",
        "terminating namespace, missing rights, refused template: reported, retried with backoff, accounted for",
    ),
    ("S8", "long names, names with a common prefix: no collision"),
    ("P1", "a manual run obeys policy, history and retries"),
    ("P2", "an object of another kind with the same owner name is ignored"),
    ("P3", "a queued slot past its deadline or window is dropped with its reason"),
    (
        "P4",
        "retries stop at the limit, keep their backoff over restarts, do not outlive `runTimeout`",
    ),
    ("P5", "the controller writes no field of the spec, ever"),
    ("Z1", "a fixed time in the gap: by policy, once or never"),
    ("Z2", "in the overlap: once by default"),
    ("Z3", "wildcards over changes of the clock: no hole, no burst, no loop"),
    (
        "Z4",
        "next(t) > t, strictly monotone, for every zone, 1970 to 2100, against a brute-force scan",
    ),
    ("L1", "5,000 tasks on one minute"),
    ("L2", "every slot in exactly one counter"),
    ("L3", "the status is bounded, nothing is written when nothing changed"),
    ("L4", "1,000 broken tasks do not slow 1,000 good ones"),
    ("A1", "a Job with unexpected annotations stops the operator for all"),
    ("A2", "a Job in another namespace, with a far slot, stops somebody's task for good"),
    ("A3", "a task whose schedule takes a minute to parse"),
    ("A4", "tasks whose schedules take half a second in each reconcile"),
    ("A5", "templates that fill the memory before the operator is ready"),
    ("A6", "Jobs that fill the memory before the operator is ready"),
    ("A7", "connections that fill the memory or silence the probes"),
    ("A8", "a Job in one watched namespace makes the operator forget a task of another"),
    ("A9", "a thousand tasks that skip each second make others late"),
    (
        "A10",
        "foreign Jobs under names of runs count as runs, block tasks, get real Jobs deleted",
    ),
    ("A11", "a status that grows until it is never written again"),
    ("A12", "a forged status creates Jobs, or reaches other paths"),
    ("A13", "events of a failing task add up to a storm of requests"),
    ("A14", "one tenant's announcements silence another's"),
    ("A15", "Jobs of owners that never existed fill the memory"),
    ("A16", "escape sequences in what commands print"),
    ("A17", "line feeds in names and messages forge lines of the log"),
    ("A18", "a small document costs a command minutes"),
    ("F01", "a long name whose cut falls on a dot: no Job is ever possible"),
    ("F02", "`$(PUNCTUAL_SLOT)` in the author's own env stays literal"),
    (
        "F03",
        "one watched namespace is gone, and nobody's tasks run after the next restart",
    ),
    (
        "F04",
        "a webhook with a broken patch, or answers that repeat: the task says nothing",
    ),
    ("F05", "a webhook that needs 12 seconds: no Job is ever created"),
    ("F06", "`restartPolicy: OnFailure`: exit code and last words are lost"),
    ("F07", "a native sidecar's exit code is shown as the run's"),
    ("F08", "a namespace whose name is a number"),
    ("F09", "as a dependency with a condition, the chart refuses its values"),
    ("F10", "HTTPS_PROXY is set, and the command refuses to speak"),
    ("F11", "an operator newer than its CRD runs no slot and writes for ever"),
    ("F12", "etcd restored from a snapshot: tasks changed since are never written again"),
    ("F13", "the cluster's CA is rotated: the operator is deaf, alive and ready"),
    ("F14", "a pod that was rejected before it began disarms `pendingTimeout`"),
    ("F15", "GitOps tools show the release out of sync for ever"),
    ("F16", "evicted, preempted, node shut down: the ledger says exit 137"),
    ("F17", "kustomize: changing two lines silently breaks an overlay"),
    ("F18", "`check` reads another YAML than kubectl"),
    ("F19", "slots pile up behind one run, and all conditions are fine"),
    (
        "F20",
        "a node that does not answer after `activeDeadlineSeconds`: Forbid stands still",
    ),
    ("F21", "somebody takes the label off a running Job: a second one starts beside it"),
    ("F22", "no image for arm64"),
    ("F23", "release names with a dot or a leading digit"),
    ("F24", "`helm template` fails with the Helm that people have"),
    ("F25", "a task in the same release as the operator"),
    ("F26", "a template near 1.5 MiB: accepted, and then silence"),
    ("F27", "an older API server drops a field, and nobody notices"),
    ("F28", "a timeout takes exit code and last words away"),
    ("F29", "the wrong container is blamed, or none"),
    ("F30", "kept failures are as many alerts, and none names the task"),
    ("F31", "an Indexed Job with a long name: the retry is refused"),
    ("F32", "kubectl works, and the command says UnknownIssuer or Unauthorized"),
];

/// The folder of a test says what it runs against.
const PLACES: &[(&str, &str)] = &[
    ("src/plan", "plan"),
    ("src/schedule", "schedule"),
    ("src", "unit"),
    ("tests/it", "cluster"),
    ("tests/failover", "cluster"),
    ("tests/hostile/garbage", "unit"),
    ("tests/hostile", "cluster"),
    ("tests/server", "process"),
    ("tests/sim", "simulation"),
    ("tests/schedule", "schedule"),
    ("tests", "command"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(below)
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { rust_files(&path) } else { vec![path] }
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    files.sort();
    files
}

/// The tests whose doc comment or name begins with the id of a line, and what each runs against.
fn tests() -> BTreeMap<String, Vec<(String, &'static str)>> {
    let mut found: BTreeMap<String, Vec<(String, &'static str)>> = BTreeMap::new();
    for path in ["src", "tests"].iter().flat_map(|room| rust_files(&root().join(room))) {
        let shown = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let place = PLACES.iter().find(|(room, _)| shown.starts_with(room)).unwrap().1;
        let text = fs::read_to_string(&path).unwrap();
        let (mut is_test, mut said) = (false, Vec::new());
        for line in text.lines().map(str::trim) {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next()).unwrap_or_default();
            if is_test && line.contains("fn ") {
                said.extend(name.split('_').next().and_then(|id| line_id(&id.to_uppercase())));
                said.sort();
                said.dedup();
                for id in said.drain(..) {
                    found.entry(id).or_default().push((name.to_owned(), place));
                }
            }
            if let Some(comment) = line.strip_prefix("/// ") {
                let words = comment.split([' ', ',', ':']).filter(|word| !word.is_empty()).map_while(line_id);
                said.extend(words);
            } else if !line.starts_with('#') && !line.starts_with("//") {
                said.clear();
            }
            is_test = line.starts_with("#[test") || line.starts_with("#[tokio::test") || (is_test && line.starts_with("#["));
        }
    }
    found
}

/// `A1` to `Z99`.
fn line_id(word: &str) -> Option<String> {
    let number = word.strip_prefix(|c: char| "MDSPZLAF".contains(c))?;
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| word.to_owned())
}

fn table() -> String {
    let tests = tests();
    let mut text = String::from(
        "# Failures of other schedulers, and the tests that prevent them here\n\n\
         Each line is a failure that users of other schedulers experienced. *plan* tests run scenarios in memory, *simulation* tests random \
         ones, *schedule* tests compare with a brute-force scan, and *cluster* tests run on a real API server, etcd and controller manager.\n\n\
         Generated by `BLESS=1 cargo test --test acceptance`, which also checks that every line has a test.\n\n\
         | line | failure | tests |\n|---|---|---|\n",
    );
    for (id, failure) in LINES {
        let names: Vec<String> = tests
            .get(*id)
            .into_iter()
            .flatten()
            .map(|(name, place)| format!("`{name}` ({place})"))
            .collect();
        text.push_str(&format!("| {id} | {failure} | {} |\n", names.join("<br>")));
    }
    text
}

#[test]
fn every_line_of_the_acceptance_list_has_a_test() {
    let tests = tests();
    let without: Vec<&str> = LINES.iter().map(|(id, _)| *id).filter(|id| !tests.contains_key(*id)).collect();
    assert!(without.is_empty(), "no test covers {without:?}");
    let unknown: Vec<&String> = tests.keys().filter(|id| !LINES.iter().any(|(line, _)| line == id)).collect();
    assert!(unknown.is_empty(), "tests name lines that do not exist: {unknown:?}");
}

#[test]
fn the_table_is_up_to_date() {
    let path = root().join("tests/README.md");
    let table = table();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == table,
        "tests/README.md is out of date; renew it: BLESS=1 cargo test --test acceptance"
    );
}
