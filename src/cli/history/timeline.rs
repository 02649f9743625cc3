//! Formats the timeline of a task: queued runs, active runs and the outcomes of recent slots.
//!
//! ```text
//!   SLOT                  TRIGGER   OUTCOME    TIMELINE        TOOK   START  …
//!   2026-11-24T01:30:00Z  Schedule  Running    █████▶          4m     +1s
//!   2026-11-23T01:30:00Z  Schedule  Succeeded  ██████████████  12m    +1s
//!   2026-11-22T01:30:00Z  Schedule  Skipped    · ×12
//! ```
//! The length of a bar is the duration of its run relative to the longest one. Where the lines are too long for the terminal, bars get
//! shorter, the least useful columns are dropped, and Job and message follow on a line of their own.

use crate::api::{ActiveRun, QueuedRun, RunRecord, Trigger, shortened};
use crate::cli::table::{self, Cell, Column, Style};
use crate::cli::task::{NOT_PROCESSED, Task};
use crate::cli::{duration, output};
use jiff::{SignedDuration, Timestamp};

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    /// The maximum length of a line.
    pub width: Option<usize>,
    pub colour: bool,
}

/// Length of the longest bar where there is enough space.
const MAX_BAR: usize = 16;
/// The same on a narrow terminal.
const SHORT_BAR: usize = 8;

/// The columns; a narrow terminal loses the highest rank first.
const COLUMNS: [Column; 11] = [
    Column::fixed("SLOT"),
    Column::ranked("TRIGGER", 3),
    Column::fixed("OUTCOME"),
    Column::ranked("TIMELINE", 1),
    Column::ranked("TOOK", 2),
    Column::ranked("START", 4),
    Column::ranked("ATTEMPTS", 5),
    Column::fixed("EXIT"),
    Column::fixed("REASON").cut_to(12),
    Column::fixed("JOB"),
    Column::fixed("MESSAGE"),
];

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const MAGENTA: u8 = 35;
const CYAN: u8 = 36;

/// A line of the timeline.
struct Line {
    slot: Timestamp,
    trigger: Trigger,
    outcome: String,
    /// How long the run took, if it was started.
    took: Option<SignedDuration>,
    is_active: bool,
    /// What is shown instead of a bar.
    mark: String,
    late: Option<SignedDuration>,
    attempts: i32,
    exit: String,
    reason: String,
    /// The Job, unless it does not exist yet.
    job: Option<String>,
    message: String,
}

/// The whole timeline.
pub fn format(task: &Task, now: Timestamp, canvas: Canvas) -> String {
    let mut text = headline(task, now);
    let status = task.status.clone().unwrap_or_default();
    let mut lines: Vec<Line> = status.queued.iter().rev().map(queued).collect();
    lines.extend(status.active.iter().rev().map(|run| active(run, now)));
    lines.extend(status.recent_runs.iter().map(recorded));
    if lines.is_empty() {
        return text + "\nno runs yet\n";
    }
    let longest = lines.iter().filter_map(|line| line.took).max().unwrap_or_default();
    text.push('\n');
    text + &table(&lines, longest, canvas)
}

/// One line for each run, or two where one is too long.
fn table(lines: &[Line], longest: SignedDuration, canvas: Canvas) -> String {
    let style = Style {
        gap: 2,
        width: canvas.width,
        colour: canvas.colour,
    };
    let rows = |bar: usize| -> Vec<Vec<Cell>> { lines.iter().map(|line| line.cells(longest, bar)).collect() };
    let (kept, widths) = table::fit(&COLUMNS, &rows(MAX_BAR), Style { width: None, ..style });
    let whole = widths.iter().sum::<usize>() + (kept.len() - 1) * style.gap;
    let Some(width) = canvas.width.filter(|width| whole > *width) else {
        return table::format(&COLUMNS, rows(MAX_BAR), style);
    };
    let short = COLUMNS.split_at(COLUMNS.len() - 2).0;
    let cells = rows(SHORT_BAR).into_iter().map(|mut row| {
        row.truncate(short.len());
        row
    });
    let text = table::format(short, cells.collect(), style);
    let mut shown = text.lines();
    let mut text = shown.next().map_or_else(String::new, |head| format!("{head}\n"));
    for (line, shown) in lines.iter().zip(shown) {
        text.push_str(&format!("{shown}\n"));
        let job = line.job.as_ref().map(|job| format!("job/{job}"));
        let details = [job, Some(line.message.clone()).filter(|message| !message.is_empty())];
        let details = output::one_line(&details.into_iter().flatten().collect::<Vec<_>>().join(": "));
        if !details.is_empty() {
            text.push_str(&format!("{}\n", shortened(format!("    {details}"), width.saturating_sub(1))));
        }
    }
    text
}

fn headline(task: &Task, now: Timestamp) -> String {
    let next = task.next_run(now).map_or_else(
        || "no next run".to_owned(),
        |next| format!("next run {} ({next})", duration::from_now(next, now)),
    );
    let state = task.state(now);
    let head = format!("{}: {} in {}, {state}, {next}", task.name, task.schedule(), task.zone());
    let mut text = output::one_line(&head) + "\n";
    if !task.is_processed() {
        text.push_str(&format!("  {NOT_PROCESSED}\n"));
    }
    if let Some((_, message)) = task.not_ready().or_else(|| task.suspended()) {
        text.push_str(&format!("  {}\n", output::one_line(message)));
    }
    if let Some(refused) = task.status.as_ref().and_then(|status| status.last_refused_request.as_ref())
        // A later request has replaced it otherwise.
        && task.annotation(&refused.annotation) == Some(&refused.value)
    {
        let ago = duration::from_now(refused.at.0, now);
        text.push_str(&format!("  refused {ago}: {}\n", output::one_line(&refused.message)));
    }
    if let Some(backfill) = task.status.as_ref().and_then(|status| status.backfill.as_ref()) {
        let remaining = backfill.remaining;
        text.push_str(&format!(
            "  backfill in progress: {remaining} slots from {} to {} remain\n",
            backfill.from.0, backfill.until.0
        ));
    }
    text
}

fn queued(run: &QueuedRun) -> Line {
    Line {
        slot: run.slot.0,
        trigger: run.trigger,
        outcome: "Queued".into(),
        took: None,
        is_active: true,
        mark: "…".into(),
        late: None,
        attempts: 0,
        exit: String::new(),
        reason: String::new(),
        job: None,
        message: String::new(),
    }
}

fn active(run: &ActiveRun, now: Timestamp) -> Line {
    let outcome = match run {
        ActiveRun { termination: Some(_), .. } => "Terminating",
        ActiveRun { retry_at: Some(_), .. } => "Retrying",
        ActiveRun { started: None, .. } => "Starting",
        _ => "Running",
    };
    let retry = run.retry_at.as_ref();
    let retry = retry.map(|at| format!("attempt {} {}", run.attempt, duration::from_now(at.0, now)));
    let termination = run.termination.as_ref();
    let message = termination
        .and_then(|termination| termination.message.clone())
        .or_else(|| run.message.clone());
    Line {
        slot: run.slot.0,
        trigger: run.trigger,
        outcome: outcome.into(),
        took: run.started.as_ref().map(|started| now.duration_since(started.0)),
        is_active: true,
        mark: "…".into(),
        late: late(run.trigger, run.slot.0, run.started.as_ref().map(|started| started.0)),
        attempts: run.attempt - i32::from(run.uid.is_none()),
        exit: exit_codes(&run.exit_codes, None),
        reason: termination.map_or_else(String::new, |termination| termination.reason.clone()),
        job: run.uid.as_ref().map(|_| run.job.clone()),
        message: [retry, message].into_iter().flatten().collect::<Vec<_>>().join(": "),
    }
}

fn recorded(run: &RunRecord) -> Line {
    let started = run.started.as_ref().map(|started| started.0);
    let finished = run.finished.as_ref().map(|finished| finished.0);
    let since = run.first_slot.as_ref().map(|first| format!("since {}", first.0));
    Line {
        slot: run.slot.0,
        trigger: run.trigger,
        outcome: run.outcome.clone(),
        took: started.zip(finished).map(|(started, finished)| finished.duration_since(started)),
        is_active: false,
        mark: match run.slots {
            ..2 => "·".into(),
            slots => format!("· ×{slots}"),
        },
        late: late(run.trigger, run.slot.0, started),
        attempts: run.attempts,
        exit: exit_codes(&run.exit_codes, run.exit_code),
        reason: run.reason.clone(),
        job: run.job.clone(),
        message: [since, run.message.clone()].into_iter().flatten().collect::<Vec<_>>().join(": "),
    }
}

/// How late the run started; a backfilled slot is in the past anyway.
fn late(trigger: Trigger, slot: Timestamp, started: Option<Timestamp>) -> Option<SignedDuration> {
    started
        .filter(|_| trigger != Trigger::Backfill)
        .map(|started| started.duration_since(slot))
}

/// The exit codes of all attempts, or that of the last one.
fn exit_codes(all: &[Option<i32>], last: Option<i32>) -> String {
    if all.is_empty() {
        return last.map_or_else(String::new, |code| code.to_string());
    }
    let shown = all.iter().map(|code| code.map_or_else(|| "?".to_owned(), |code| code.to_string()));
    shown.collect::<Vec<_>>().join(",")
}

impl Line {
    fn cells(&self, longest: SignedDuration, bar: usize) -> Vec<Cell> {
        let colour = match self.outcome.as_str() {
            "Succeeded" => GREEN,
            "Failed" => RED,
            "Missed" => MAGENTA,
            "Cancelled" | "Skipped" => YELLOW,
            _ => CYAN,
        };
        let text = |text: &str| Cell::from(output::one_line(text));
        let took = self.took.map_or_else(String::new, duration::age);
        let late = self.late.map_or_else(String::new, |late| format!("+{}", duration::age(late)));
        let attempts = if self.attempts > 0 {
            self.attempts.to_string()
        } else {
            String::new()
        };
        vec![
            self.slot.to_string().into(),
            self.trigger.as_str().into(),
            Cell::coloured(output::one_line(&self.outcome), colour),
            Cell::coloured(self.bar(longest, bar), colour),
            took.into(),
            late.into(),
            attempts.into(),
            self.exit.clone().into(),
            text(&self.reason),
            text(self.job.as_deref().unwrap_or_default()),
            text(&self.message),
        ]
    }

    fn bar(&self, longest: SignedDuration, max: usize) -> String {
        let Some(took) = self.took else { return self.mark.clone() };
        let (took, longest) = (took.as_secs_f64().max(0.0), longest.as_secs_f64().max(1.0));
        let share = (took / longest).min(1.0);
        // At least one cell: it has run.
        let cells = (1..max).take_while(|cells| share * max as f64 > *cells as f64).count() + 1;
        match self.is_active {
            true => "█".repeat(cells - 1) + "▶",
            false => "█".repeat(cells),
        }
    }
}

#[cfg(test)]
mod tests;
