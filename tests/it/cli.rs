//! The commands that speak to a cluster, as the process that people run, against a real API server.

use crate::harness::{World, cluster};
use punctual::api::ScheduledTaskStatus;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Far from any slot: what runs was asked for.
const NOW: &str = "2027-01-01T10:00:30Z";
const RARE: &str = "0 0 1 1 *";

pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a program with these arguments.
pub async fn run(program: PathBuf, args: Vec<String>, path: Option<PathBuf>) -> Said {
    let ended = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null());
        if let Some(path) = path {
            command.env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap_or_default()));
        }
        command.output().expect("the binary starts")
    });
    let output = ended.await.expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Said {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

pub fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// `punctual` in the namespace of the test.
pub async fn punctual(world: &World, args: &[&str]) -> Said {
    let kubeconfig = cluster().kubeconfig().display().to_string();
    let target = ["-n", &world.namespace, "--kubeconfig", &kubeconfig];
    run(env!("CARGO_BIN_EXE_punctual").into(), owned(&[args, &target].concat()), None).await
}

/// The kubeconfig of the cluster with other fields in its only user and context.
fn kubeconfig(dir: &Path, user: Value, context: Value) -> PathBuf {
    let text = std::fs::read_to_string(cluster().kubeconfig()).expect("a kubeconfig");
    let mut config: Value = serde_yaml::from_str(&text).expect("YAML");
    for (place, more) in [("/users/0/user", user), ("/contexts/0/context", context)] {
        let fields = config.pointer_mut(place).and_then(Value::as_object_mut).expect("it has one");
        fields.extend(more.as_object().expect("fields").clone());
    }
    let path = dir.join("kubeconfig");
    std::fs::write(&path, config.to_string()).expect("written");
    path
}

/// The Job of the manual run that goes on.
async fn manual_job(world: &World, task: &str) -> String {
    let goes_on = |status: &ScheduledTaskStatus| status.active.iter().any(|run| run.uid.is_some());
    let status = world.status(task, "its run to go on", goes_on).await;
    status.active[0].job.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn run_now_waits_for_the_end_of_the_run() {
    let world = World::new("cli-run-now").await;
    world.task("manual", json!({"schedule": RARE, "concurrencyPolicy": "Forbid"})).await;
    let operator = world.operator(NOW).await;
    world.settled("manual").await;

    let (said, ()) = tokio::join!(punctual(&world, &["run-now", "manual", "--wait", "--timeout", "2m"]), async {
        let job = manual_job(&world, "manual").await;
        // While it goes on, another is refused.
        let refused = punctual(&world, &["run-now", "stask/manual", "--wait", "--timeout", "2m"]).await;
        assert_eq!(refused.code, Some(1));
        assert_eq!(refused.out, "scheduledtask.punctual.dev/manual run requested\n");
        assert!(
            refused
                .err
                .starts_with("error: scheduledtask.punctual.dev/manual: run refused: PreviousRunActive: ")
                && refused
                    .err
                    .contains(&format!("Job {job} is still running, and concurrencyPolicy is Forbid")),
            "{}",
            refused.err
        );
        world.end_job(&job, 0, "").await;
    });
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0], "scheduledtask.punctual.dev/manual run requested");
    assert!(
        lines[1].starts_with("scheduledtask.punctual.dev/manual run succeeded after "),
        "{}",
        said.out
    );

    operator.set("2027-01-01T10:00:40Z");
    let (said, ()) = tokio::join!(punctual(&world, &["run-now", "manual", "--wait", "--timeout", "2m"]), async {
        world.end_job(&manual_job(&world, "manual").await, 3, "disk full").await;
    });
    assert_eq!(said.code, Some(1));
    assert!(
        said.err
            .starts_with("error: scheduledtask.punctual.dev/manual: run failed: JobFailed: exit code 3: disk full (Job manual-m"),
        "{}",
        said.err
    );
    operator.stop().await;

    // Nobody takes it in.
    let said = punctual(&world, &["run-now", "manual", "--wait", "--timeout", "1s"]).await;
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            Some(1),
            "error: scheduledtask.punctual.dev/manual: timed out waiting for the run: no Punctual operator has processed this request: is one running and watching this namespace?\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_ends_a_suspension_by_failures() {
    let world = World::new("cli-resume").await;
    world.task("fragile", json!({"schedule": RARE, "suspendAfterFailures": 1})).await;
    let operator = world.operator(NOW).await;
    world.settled("fragile").await;
    punctual(&world, &["run-now", "fragile"]).await;
    world.end_job(&manual_job(&world, "fragile").await, 1, "").await;
    let truth = |status: &ScheduledTaskStatus| status.condition("Suspended").map(|known| known.status.clone());
    world
        .status("fragile", "to be suspended", |status| truth(status).as_deref() == Some("True"))
        .await;
    let listed = punctual(&world, &["list"]).await;
    assert!(listed.out.contains("Suspended(TooManyFailures)   Failed"), "{}", listed.out);

    let said = punctual(&world, &["resume", "fragile"]).await;
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (Some(0), "scheduledtask.punctual.dev/fragile resume requested\n", "")
    );
    world
        .status("fragile", "to go on", |status| truth(status).as_deref() == Some("False"))
        .await;
    let said = punctual(&world, &["resume", "fragile"]).await;
    assert_eq!(
        (said.code, said.err.as_str()),
        (Some(0), "warning: fragile: not suspended: there is nothing to resume\n")
    );
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backfill_requests_slots_in_the_past() {
    let world = World::new("cli-backfill").await;
    world.task("daily", json!({"schedule": "0 3 * * *", "maxConcurrentRuns": 1})).await;
    let early = punctual(&world, &["backfill", "daily", "2026-01-01/2026-01-03"]).await;
    assert_eq!(early.code, Some(1));
    assert!(
        early
            .err
            .starts_with("error: daily: no Punctual operator has processed this task yet"),
        "{}",
        early.err
    );
    let operator = world.operator(NOW).await;
    world.settled("daily").await;
    let said = punctual(&world, &["backfill", "daily", "2026-01-01/2026-01-03"]).await;
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (
            Some(0),
            "scheduledtask.punctual.dev/daily backfill requested: 2 slots from 2026-01-01T00:00:00Z to 2026-01-03T00:00:00Z\n",
            ""
        )
    );
    let first = manual_job(&world, "daily").await;
    let again = punctual(&world, &["backfill", "daily", "2026-01-01/2026-01-03"]).await;
    assert_eq!(
        (again.code, again.err.as_str()),
        (Some(1), "error: daily: this backfill is already in progress\n")
    );
    let drawn = punctual(&world, &["history", "daily"]).await;
    assert!(
        drawn.out.contains("  backfill in progress: 1 slots from ") && drawn.out.contains("2026-01-01T03:00:00Z  Backfill  Running "),
        "{}",
        drawn.out
    );
    world.end_job(&first, 0, "").await;
    world
        .status("daily", "the second slot", |status| {
            status.active.iter().any(|run| run.uid.is_some() && run.job != first)
        })
        .await;
    world.end_job(&manual_job(&world, "daily").await, 0, "").await;
    world
        .status("daily", "the end of the backfill", |status| {
            status.backfill.is_none() && status.succeeded == 2
        })
        .await;
    // The same again is another request, once it is done.
    let said = punctual(&world, &["backfill", "daily", "2026-01-01/2026-01-03"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    world.status("daily", "to begin again", |status| status.requested > 2).await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_and_history_print_tables_or_objects() {
    let world = World::new("cli-list").await;
    let nothing = punctual(&world, &["list"]).await;
    assert_eq!(
        (nothing.code, nothing.out.as_str(), nothing.err),
        (Some(0), "", format!("No resources found in {} namespace.\n", world.namespace))
    );
    world.task("a-good", json!({"schedule": RARE, "timeZone": "Europe/Paris"})).await;
    world.task("b-wrong", json!({"schedule": "0 0 31 2 *"})).await;
    world.task("c-paused", json!({"schedule": RARE, "suspend": true})).await;
    let operator = world.operator(NOW).await;
    for name in ["a-good", "b-wrong", "c-paused"] {
        world.settled(name).await;
    }
    punctual(&world, &["run-now", "a-good"]).await;
    world.end_job(&manual_job(&world, "a-good").await, 0, "").await;
    world.status("a-good", "its end", |status| status.succeeded == 1).await;

    let listed = punctual(&world, &["list"]).await;
    let words: Vec<Vec<&str>> = listed
        .out
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|word| !word.is_empty()).collect())
        .collect();
    assert_eq!(
        words[0],
        ["NAME", "SCHEDULE", "ZONE", "STATE", "LAST RESULT", "LAST RUN", "NEXT RUN", "JOB"]
    );
    assert_eq!(words[1][..5], ["a-good", RARE, "Europe/Paris", "Ready", "Succeeded"]);
    assert_eq!(
        words[2],
        [
            "b-wrong",
            "0 0 31 2 *",
            "UTC",
            "NotReady(NeverRuns)",
            "<none>",
            "<none>",
            "<none>",
            "<none>"
        ]
    );
    assert_eq!(words[3][..6], ["c-paused", RARE, "UTC", "Suspended", "<none>", "<none>"]);
    let names = punctual(&world, &["list", "stask/a-good", "b-wrong", "-o", "name"]).await;
    assert_eq!(names.out, "scheduledtask.punctual.dev/a-good\nscheduledtask.punctual.dev/b-wrong\n");
    let some = punctual(&world, &["list", "a-good", "gone"]).await;
    assert_eq!((some.code, some.out.lines().count()), (Some(1), 2), "{}", some.out);
    assert!(some.err.contains("\"gone\" not found"), "{}", some.err);
    let mut get = cluster().kubectl();
    let table = get.args(["get", "stask", "-n", &world.namespace]).output().expect("kubectl runs");
    let table = String::from_utf8(table.stdout).expect("UTF-8");
    let columns = |line: usize| -> Vec<String> {
        let line = table.lines().nth(line).unwrap_or_default();
        line.split("   ")
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    assert_eq!(
        columns(0)[..6],
        ["NAME", "SCHEDULE", "ZONE", "READY", "SUSPENDED", "ACTIVE"],
        "{table}"
    );
    // A manual run fills LAST RUN, too: the operator's clock is ahead of kubectl's.
    assert_eq!(columns(1)[3..8], ["True", "False", "0", "<invalid>", "Succeeded"], "{table}");
    assert_eq!(columns(2)[3], "False", "{table}");
    let everywhere = punctual(&world, &["list", "-A", "-o", "wide"]).await;
    assert!(
        everywhere.out.starts_with("NAMESPACE ") && everywhere.out.contains(&world.namespace),
        "{}",
        everywhere.out
    );

    let list: Value = serde_json::from_str(&punctual(&world, &["list", "-o", "json"]).await.out).expect("JSON");
    assert_eq!((&list["kind"], list["items"].as_array().map(Vec::len)), (&json!("List"), Some(3)));
    assert_eq!(list["items"][0]["kind"], "ScheduledTask");
    assert_eq!(list["items"][0]["metadata"].get("managedFields"), None);

    let drawn = punctual(&world, &["history", "scheduledtask.punctual.dev/a-good"]).await;
    assert_eq!((drawn.code, drawn.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = drawn.out.lines().collect();
    assert!(
        lines[0].starts_with("a-good: 0 0 1 1 * in Europe/Paris, Ready, next run in "),
        "{}",
        lines[0]
    );
    assert!(lines[3].starts_with("2027-01-01T10:00:30Z  Manual   Succeeded  █"), "{}", lines[3]);
    assert!(!drawn.out.contains('\x1b'), "no terminal, no colour");
    let object: Value = serde_yaml::from_str(&punctual(&world, &["history", "a-good", "-o", "yaml"]).await.out).expect("YAML");
    assert_eq!(object["status"]["recentRuns"][0]["outcome"], "Succeeded");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_worded_as_in_kubectl() {
    let world = World::new("cli-errors").await;
    world.task("there", json!({"schedule": RARE})).await;
    const NOT_FOUND: &str = "Error from server (NotFound): scheduledtasks.punctual.dev \"gone\" not found\n";
    for args in [
        &["history", "gone"][..],
        &["run-now", "gone"],
        &["resume", "gone"],
        &["suspend", "gone"],
        &["logs", "gone"],
        &["backfill", "gone", "2026-01-01/2026-01-02"],
    ] {
        let said = punctual(&world, args).await;
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            (Some(1), "", NOT_FOUND),
            "{args:?}"
        );
    }
    let said = punctual(&world, &["run-now", "gone", "there"]).await;
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (Some(1), "scheduledtask.punctual.dev/there run requested\n", NOT_FOUND)
    );
    let object: Value = serde_json::from_str(&punctual(&world, &["run-now", "there", "-o", "json"]).await.out).expect("JSON");
    assert!(object["metadata"]["annotations"]["punctual.dev/run-now"].is_string());

    let dir = tempfile::tempdir().expect("a directory");
    let nobody = kubeconfig(dir.path(), json!({"as": "nobody"}), json!({"namespace": world.namespace}));
    let nobody = nobody.display().to_string();
    let said = run(
        env!("CARGO_BIN_EXE_punctual").into(),
        owned(&["list", "--kubeconfig", &nobody]),
        None,
    )
    .await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(
        said.err
            .starts_with("Error from server (Forbidden): scheduledtasks.punctual.dev is forbidden: User \"nobody\" cannot list resource")
            && said.err.contains(&format!("in the namespace \"{}\"", world.namespace)),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_runs_and_completes_the_plugin() {
    let world = World::new("cli-plugin").await;
    world.task("there", json!({"schedule": RARE})).await;
    let dir = tempfile::tempdir().expect("a directory");
    let bin = env!("CARGO_BIN_EXE_punctual");
    for name in ["kubectl-punctual", "kubectl_complete-punctual"] {
        std::os::unix::fs::symlink(bin, dir.path().join(name)).expect("a link");
    }
    let kubeconfig = kubeconfig(dir.path(), json!({}), json!({"namespace": world.namespace}))
        .display()
        .to_string();
    let kubectl: PathBuf = cluster().kubectl().get_program().into();
    let path = Some(dir.path().to_owned());
    let said = run(
        kubectl.clone(),
        owned(&["punctual", "list", "--kubeconfig", &kubeconfig]),
        path.clone(),
    )
    .await;
    assert_eq!(said.code, Some(0));
    assert!(
        said.err.starts_with("warning: there: no operator has processed this task: "),
        "{}",
        said.err
    );
    assert!(said.out.contains("\nthere   0 0 1 1 *   UTC    NotProcessed"), "{}", said.out);
    let said = run(kubectl.clone(), owned(&["punctual", "history"]), path.clone()).await;
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("Usage: kubectl punctual history"), "{}", said.err);
    let said = run(kubectl, owned(&["__complete", "punctual", "run"]), path).await;
    assert!(said.out.starts_with("run-now\tRun tasks now"), "{} {}", said.out, said.err);
}
