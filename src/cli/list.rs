//! `punctual list`: prints the tasks of a namespace, or of all, as a table; `-o json|yaml` prints the objects.

use super::cluster::{self, Target};
use super::duration;
use super::output::{self, Format};
use super::table::{self, Cell, Style};
use super::task::Task;
use crate::clock::Clock;
use anyhow::Result;
use jiff::Timestamp;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// List the tasks of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Selector (label query) to filter on, for example app=shop
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Output format; wide adds the counters
    #[arg(short, long, value_enum)]
    output: Option<Output>,
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Json,
    Yaml,
    Wide,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let (objects, namespace) = cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let objects = cluster.list(args.all_namespaces, args.selector.as_deref()).await?;
        Ok((objects, cluster.namespace))
    })?;
    let format = match args.output {
        Some(Output::Json) => Some(Format::Json),
        Some(Output::Yaml) => Some(Format::Yaml),
        Some(Output::Wide) | None => None,
    };
    if let Some(format) = format {
        output::print(&output::format(&output::list(objects), format)?)?;
    } else if objects.is_empty() && args.all_namespaces {
        output::print_error("No resources found");
    } else if objects.is_empty() {
        output::print_error(&format!("No resources found in {namespace} namespace."));
    } else {
        let tasks: Vec<Task> = objects.into_iter().map(Task::of).collect();
        let wide = args.output == Some(Output::Wide);
        output::print(&lines(&tasks, args.all_namespaces, wide, Clock::System.now()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The table.
fn lines(tasks: &[Task], namespaces: bool, wide: bool, now: Timestamp) -> String {
    let mut head = vec![
        "NAMESPACE",
        "NAME",
        "SCHEDULE",
        "ZONE",
        "STATE",
        "LAST RESULT",
        "LAST RUN",
        "NEXT RUN",
    ];
    if wide {
        head.extend(["ACTIVE", "STARTED", "SUCCEEDED", "FAILED", "CANCELLED", "MISSED", "SKIPPED"]);
    }
    let skipped = usize::from(!namespaces);
    let rows = tasks.iter().map(|task| row(task, wide, now).split_off(skipped));
    let style = Style {
        gap: 3,
        width: None,
        colour: false,
    };
    table::format(&head.split_off(skipped), rows.collect(), style)
}

fn row(task: &Task, wide: bool, now: Timestamp) -> Vec<Cell> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "<none>".into());
    let when = |at: Option<Timestamp>| or_none(at.map(|at| duration::from_now(at, now)));
    let mut row: Vec<Cell> = vec![
        task.namespace.clone().into(),
        task.name.clone().into(),
        or_none(Some(output::one_line(&task.schedule())).filter(|text| !text.is_empty())).into(),
        or_none(Some(task.zone().to_owned()).filter(|text| !text.is_empty())).into(),
        task.state().into(),
        or_none(task.last_result().map(str::to_owned)).into(),
        when(task.last_run()).into(),
        when(task.next_run(now)).into(),
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
        let run = |outcome: &str, started: &str| json!({"slot": started, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": outcome, "reason": "x", "started": started});
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
                    "active": [{"slot": "2026-11-23T11:55:00Z", "trigger": "Schedule", "attempt": 1, "job": "often-1", "started": "2026-11-23T11:55:01Z"}],
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
    fn a_line_has_the_state_and_the_last_and_next_run() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(
            lines(&tasks(), false, false, now),
            "\
NAME      SCHEDULE                   ZONE           STATE     LAST RESULT   LAST RUN    NEXT RUN
nightly   30 2 * * *                 Europe/Paris   Failing   Failed        10h ago     in 13h
often     */5 * * * * | 17 3 * * *   UTC            Ready     <none>        4m59s ago   in 5m
wrong     @often                     Mars/Base      Pending   <none>        <none>      <none>
"
        );
    }

    #[test]
    fn wide_adds_the_counters_and_all_namespaces_the_namespace() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let text = lines(&tasks()[..1], true, true, now);
        assert_eq!(
            text,
            "\
NAMESPACE   NAME      SCHEDULE     ZONE           STATE     LAST RESULT   LAST RUN   NEXT RUN   ACTIVE   STARTED   SUCCEEDED   FAILED   CANCELLED   MISSED   SKIPPED
team        nightly   30 2 * * *   Europe/Paris   Failing   Failed        10h ago    in 13h     0        12        10          2        0           1        40
"
        );
    }
}
