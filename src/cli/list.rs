//! `punctual list`: prints the tasks of a namespace, or of all, as a table; `-o json|yaml` prints the objects, `-o name` their names.
//!
//! On a terminal no line is longer than the terminal is wide.

use super::cluster::{self, Cluster, Target};
use super::duration;
use super::manifest;
use super::output::{self, Format};
use super::table::{self, Cell, Column, Style};
use super::task::{NOT_PROCESSED, Task};
use crate::clock::Clock;
use anyhow::Result;
use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Names of tasks. Default: all
    #[arg(value_name = "NAME", conflicts_with_all = ["selector", "all_namespaces"])]
    names: Vec<String>,
    /// List the tasks of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Selector (label query) to filter on, for example app=shop
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// After listing, print each task that changes
    #[arg(short, long)]
    watch: bool,
    /// Output format; wide adds the counters
    #[arg(short, long, value_enum)]
    output: Option<Output>,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Json,
    Yaml,
    Wide,
    Name,
}

/// The columns; a narrow terminal loses the highest rank first.
const COLUMNS: [Column; 9] = [
    Column::fixed("NAMESPACE").cut_to(12),
    Column::fixed("NAME").cut_to(20),
    Column::ranked("SCHEDULE", 1).cut_to(12),
    Column::ranked("ZONE", 5),
    Column::fixed("STATE"),
    Column::fixed("LAST RESULT"),
    Column::ranked("LAST RUN", 4),
    Column::ranked("NEXT RUN", 2),
    Column::ranked("JOB", 3),
];
const COUNTERS: [&str; 7] = ["ACTIVE", "STARTED", "SUCCEEDED", "FAILED", "CANCELLED", "MISSED", "SKIPPED"];

pub fn run(args: &Args) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let (objects, failed) = objects(args, &cluster).await?;
        let listed = objects.iter().map(version).collect();
        print(args, objects, &cluster.namespace, failed)?;
        if args.watch && !failed {
            watch(args, &cluster, listed).await?;
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

/// The tasks that were asked for, and whether one of them could not be read.
async fn objects(args: &Args, cluster: &Cluster) -> Result<(Vec<Value>, bool)> {
    if args.names.is_empty() {
        return Ok((cluster.list(args.all_namespaces, args.selector.as_deref()).await?, false));
    }
    let (mut objects, mut failed) = (Vec::new(), false);
    for name in &args.names {
        match cluster.task(cluster::bare_name(name)).await {
            Ok(object) => objects.push(object),
            Err(error) => {
                failed = true;
                cluster::print_error(&error);
            }
        }
    }
    Ok((objects, failed))
}

fn print(args: &Args, objects: Vec<Value>, namespace: &str, failed: bool) -> Result<()> {
    let format = match args.output {
        Some(Output::Json) => Some(Format::Json),
        Some(Output::Yaml) => Some(Format::Yaml),
        Some(Output::Wide | Output::Name) | None => None,
    };
    if let Some(format) = format {
        return output::print(&output::format(&output::list(objects), format)?);
    }
    if args.output == Some(Output::Name) {
        let names = objects.into_iter().map(|object| cluster::full_name(&Task::of(object).name) + "\n");
        return output::print(&names.collect::<String>());
    }
    if objects.is_empty() {
        match args.all_namespaces {
            _ if failed => {}
            true => output::print_error("No resources found"),
            false => output::print_error(&format!("No resources found in {namespace} namespace.")),
        }
        return Ok(());
    }
    let tasks: Vec<Task> = objects.into_iter().map(Task::of).collect();
    let now = Clock::System.now();
    output::print(&lines(
        &tasks,
        args.all_namespaces,
        args.output == Some(Output::Wide),
        terminal_width(),
        now,
    ))?;
    hints(&tasks, now).iter().for_each(|hint| output::print_error(hint));
    Ok(())
}

fn terminal_width() -> Option<usize> {
    let size = terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal());
    size.map(|(width, _)| width.0.into())
}

/// The key of a task, and the version of its object.
fn version(object: &Value) -> (String, String) {
    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    (manifest::key(object), version.unwrap_or_default().to_owned())
}

/// Prints each task that changes after it was listed, without the header, as kubectl does.
async fn watch(args: &Args, cluster: &Cluster, mut shown: HashMap<String, String>) -> Result<()> {
    let mut config = watcher::Config::default();
    config.label_selector.clone_from(&args.selector);
    if let [name] = args.names.as_slice() {
        config = config.fields(&format!("metadata.name={}", cluster::bare_name(name)));
    }
    let changes = watcher(cluster.tasks_of(args.all_namespaces), config);
    let mut changes = changes.default_backoff().applied_objects().boxed();
    while let Some(change) = changes.next().await {
        let object = match change {
            Ok(object) => cluster::as_kubectl_shows(object)?,
            Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) => return Err(cluster.error(error)),
            // The watcher restarts by itself.
            Err(_) => continue,
        };
        let task = Task::of(object.clone());
        if !args.names.is_empty() && !args.names.iter().any(|name| cluster::bare_name(name) == task.name) {
            continue;
        }
        let (key, version) = version(&object);
        if shown.insert(key, version.clone()) == Some(version) {
            continue;
        }
        match args.output {
            Some(Output::Json) => output::print(&output::format(&object, Format::Json)?)?,
            Some(Output::Yaml) => output::print(&format!("---\n{}", output::format(&object, Format::Yaml)?))?,
            Some(Output::Name) => output::print(&format!("{}\n", cluster::full_name(&task.name)))?,
            Some(Output::Wide) | None => {
                let wide = args.output == Some(Output::Wide);
                let text = lines(&[task], args.all_namespaces, wide, terminal_width(), Clock::System.now());
                output::print(&text.lines().skip(1).map(|line| line.to_owned() + "\n").collect::<String>())?;
            }
        }
    }
    Ok(())
}

/// What to check if no operator works on the tasks.
fn hints(tasks: &[Task], now: Timestamp) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    let ignored: Vec<&str> = tasks
        .iter()
        .filter(|task| !task.is_processed())
        .map(|task| task.name.as_str())
        .collect();
    if !ignored.is_empty() {
        hints.push(format!("warning: {}: {NOT_PROCESSED}", few(&ignored)));
    }
    let late: Vec<&str> = tasks
        .iter()
        .filter(|task| task.ignored_start(now).is_some())
        .map(|task| task.name.as_str())
        .collect();
    if !late.is_empty() {
        hints.push(format!(
            "warning: {}: the announced start has passed and no operator has started a run: check that Punctual is running",
            few(&late)
        ));
    }
    hints
}

/// Some of the names, and how many there are beside.
fn few(names: &[&str]) -> String {
    const MOST: usize = 3;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The table.
fn lines(tasks: &[Task], namespaces: bool, wide: bool, width: Option<usize>, now: Timestamp) -> String {
    let mut columns = COLUMNS.to_vec();
    if wide {
        columns.extend(COUNTERS.map(|head| Column::ranked(head, 6)));
    }
    let skipped = usize::from(!namespaces);
    let rows = tasks.iter().map(|task| row(task, wide, now).split_off(skipped));
    let style = Style {
        gap: 3,
        width,
        colour: false,
    };
    table::format(&columns.split_off(skipped), rows.collect(), style)
}

fn row(task: &Task, wide: bool, now: Timestamp) -> Vec<Cell> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "<none>".into());
    let when = |at: Option<Timestamp>| or_none(at.map(|at| duration::from_now(at, now)));
    let mut row: Vec<Cell> = vec![
        task.namespace.clone().into(),
        task.name.clone().into(),
        or_none(Some(output::one_line(&task.schedule())).filter(|text| !text.is_empty())).into(),
        or_none(Some(task.zone().to_owned()).filter(|text| !text.is_empty())).into(),
        task.state(now).into(),
        or_none(task.last_result().map(str::to_owned)).into(),
        when(task.last_run()).into(),
        when(task.next_run(now)).into(),
        or_none(task.last_job().map(str::to_owned)).into(),
    ];
    if wide {
        let status = task.status.clone().unwrap_or_default();
        let counters = [
            status.running,
            status.started,
            status.succeeded,
            status.failed,
            status.cancelled,
            status.missed,
            status.skipped,
        ];
        row.extend(counters.iter().map(|counter| Cell::from(counter.to_string())));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};
    use serde_json::json;

    fn tasks() -> Vec<Task> {
        let run = |outcome: &str, started: &str| json!({"slot": started, "slots": 1, "trigger": "Schedule", "attempts": 1, "job": "nightly-1", "outcome": outcome, "reason": "x", "started": started});
        vec![
            task(
                "nightly",
                json!({}),
                json!({
                    "conditions": [condition("Ready", "True", "Accepted"), condition("Healthy", "False", "JobFailed")],
                    "lastScheduleTime": "2026-11-23T01:30:00Z", "recentRuns": [run("Failed", "2026-11-23T01:30:02Z")],
                    "running": 0, "started": 12, "succeeded": 10, "failed": 2, "cancelled": 0, "missed": 1, "skipped": 40,
                }),
            ),
            task(
                "often",
                json!({"schedule": null, "schedules": ["*/5 * * * *", "17 3 * * *"], "timeZone": "UTC"}),
                json!({
                    "conditions": [condition("Ready", "True", "Accepted")],
                    "active": [{"slot": "2026-11-23T11:55:00Z", "trigger": "Schedule", "attempt": 1, "job": "often-1", "uid": "u", "started": "2026-11-23T11:55:01Z"}],
                    "running": 1, "started": 1,
                }),
            ),
            task(
                "wrong",
                json!({"schedule": "@often", "timeZone": "Mars/Base", "suspend": "maybe"}),
                json!(null),
            ),
        ]
    }

    #[test]
    fn a_line_has_the_state_the_runs_and_the_job() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(
            lines(&tasks(), false, false, None, now),
            "\
NAME      SCHEDULE                   ZONE           STATE          LAST RESULT   LAST RUN    NEXT RUN   JOB
nightly   30 2 * * *                 Europe/Paris   Failing        Failed        10h ago     in 13h     nightly-1
often     */5 * * * * | 17 3 * * *   UTC            Ready          <none>        4m59s ago   in 5m      often-1
wrong     @often                     Mars/Base      NotProcessed   <none>        <none>      <none>     <none>
"
        );
    }

    #[test]
    fn wide_adds_the_counters_and_all_namespaces_the_namespace() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let text = lines(&tasks()[..1], true, true, None, now);
        assert_eq!(
            text,
            "\
NAMESPACE   NAME      SCHEDULE     ZONE           STATE     LAST RESULT   LAST RUN   NEXT RUN   JOB         ACTIVE   STARTED   SUCCEEDED   FAILED   CANCELLED   MISSED   SKIPPED
team        nightly   30 2 * * *   Europe/Paris   Failing   Failed        10h ago    in 13h     nightly-1   0        12        10          2        0           1        40
"
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(
            lines(&tasks(), false, true, Some(80), now),
            "\
NAME      SCHEDULE             STATE          LAST RESULT   NEXT RUN   JOB
nightly   30 2 * * *           Failing        Failed        in 13h     nightly-1
often     */5 * * * * | 17…    Ready          <none>        in 5m      often-1
wrong     @often               NotProcessed   <none>        <none>     <none>
"
        );
        for width in 10..200 {
            let text = lines(&tasks(), true, true, Some(width), now);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
        }
    }

    #[test]
    fn tasks_without_an_operator_have_a_hint() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(hints(&tasks(), now), [format!("warning: wrong: {NOT_PROCESSED}")]);
        let late = task(
            "late",
            json!({}),
            json!({"conditions": [condition("Ready", "True", "Accepted")], "nextRuns": ["2026-11-23T11:00:00Z"]}),
        );
        let hints = hints(&[late], now);
        assert!(hints[0].starts_with("warning: late: the announced start has passed"), "{hints:?}");
        assert_eq!(few(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
