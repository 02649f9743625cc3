//! The rows of `punctual list`: tasks in, aligned lines out.
//!
//! Lines that are added later, by a watch, are aligned with those before them. On a terminal no line is longer than the terminal is wide.

use super::args::Args;
use crate::cli::duration;
use crate::cli::output;
use crate::cli::table::{Cell, Column, Style, Table};
use crate::cli::task::Task;
use jiff::Timestamp;
use std::io::IsTerminal;

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

/// The table of tasks: with their namespaces, with their counters.
pub fn table(namespaces: bool, wide: bool) -> Table {
    let mut columns = COLUMNS.to_vec();
    if wide {
        columns.extend(COUNTERS.map(|head| Column::ranked(head, 6)));
    }
    Table::new(columns.split_off(usize::from(!namespaces)))
}

/// The next lines of the table, as wide as the terminal.
pub fn for_terminal(table: &mut Table, args: &Args, tasks: &[Task], now: Timestamp) -> String {
    lines(table, tasks, args.all_namespaces, args.is_wide(), terminal_width(), now)
}

fn terminal_width() -> Option<usize> {
    let size = terminal_size::terminal_size().filter(|_| std::io::stdout().is_terminal());
    size.map(|(width, _)| width.0.into())
}

/// The next lines of the table; the first have the header.
fn lines(table: &mut Table, tasks: &[Task], namespaces: bool, wide: bool, width: Option<usize>, now: Timestamp) -> String {
    let rows = tasks.iter().map(|task| row(task, wide, now).split_off(usize::from(!namespaces)));
    let style = Style {
        gap: 3,
        width,
        colour: false,
    };
    table.add(rows.collect(), style)
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
pub mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};
    use serde_json::json;

    pub fn tasks() -> Vec<Task> {
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

    fn table_of(tasks: &[Task], namespaces: bool, wide: bool, width: Option<usize>, now: Timestamp) -> String {
        lines(&mut table(namespaces, wide), tasks, namespaces, wide, width, now)
    }

    #[test]
    fn a_line_has_the_state_the_runs_and_the_job() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(
            table_of(&tasks(), false, false, None, now),
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
        let text = table_of(&tasks()[..1], true, true, None, now);
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
            table_of(&tasks(), false, true, Some(80), now),
            "\
NAME      SCHEDULE             STATE          LAST RESULT   NEXT RUN   JOB
nightly   30 2 * * *           Failing        Failed        in 13h     nightly-1
often     */5 * * * * | 17…    Ready          <none>        in 5m      often-1
wrong     @often               NotProcessed   <none>        <none>     <none>
"
        );
        for width in 10..200 {
            let text = table_of(&tasks(), true, true, Some(width), now);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
        }
    }

    #[test]
    fn lines_of_a_watch_are_aligned_with_the_table() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut table = table(false, false);
        let [nightly, often, wrong] = <[Task; 3]>::try_from(tasks()).ok().unwrap();
        let parts = [vec![nightly], vec![wrong], vec![often]];
        let text = parts.map(|tasks| lines(&mut table, &tasks, false, false, None, now));
        assert_eq!(
            text.concat(),
            "\
NAME      SCHEDULE     ZONE           STATE     LAST RESULT   LAST RUN   NEXT RUN   JOB
nightly   30 2 * * *   Europe/Paris   Failing   Failed        10h ago    in 13h     nightly-1
wrong     @often       Mars/Base      NotProcessed   <none>        <none>     <none>     <none>
often     */5 * * * * | 17 3 * * *   UTC            Ready          <none>        4m59s ago   in 5m      often-1
"
        );
    }
}
