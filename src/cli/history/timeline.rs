//! Formats the timeline of a task: queued runs, active runs and the outcomes of recent slots.
//!
//! ```text
//!   SLOT                  TRIGGER   OUTCOME    TIMELINE        TOOK   START  …
//!   2026-11-24T01:30:00Z  Schedule  Running    █████▶          4m     +1s
//!   2026-11-23T01:30:00Z  Schedule  Succeeded  ██████████████  12m    +1s
//!   2026-11-22T01:30:00Z  Schedule  Skipped    · ×12
//! ```
//! The length of a bar is the duration of its run relative to the longest one.

use crate::api::{ActiveRun, QueuedRun, RunRecord, Trigger};
use crate::cli::table::{self, Cell, Style};
use crate::cli::task::Task;
use crate::cli::{duration, output};
use jiff::{SignedDuration, Timestamp};

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    /// The maximum length of a line.
    pub width: Option<usize>,
    pub colour: bool,
}

/// Length of the longest bar.
const MAX_BAR: usize = 16;

const HEAD: [&str; 10] = [
    "SLOT", "TRIGGER", "OUTCOME", "TIMELINE", "TOOK", "START", "ATTEMPTS", "EXIT", "REASON", "MESSAGE",
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
    let rows = lines.iter().map(|line| line.cells(longest)).collect();
    let style = Style {
        gap: 2,
        width: canvas.width,
        colour: canvas.colour,
    };
    text.push('\n');
    text + &table::format(&HEAD, rows, style)
}

fn headline(task: &Task, now: Timestamp) -> String {
    let next = task.next_run(now).map_or_else(
        || "no next run".to_owned(),
        |next| format!("next run {} ({next})", duration::from_now(next, now)),
    );
    let head = format!("{}: {} in {}, {}, {next}", task.name, task.schedule(), task.zone(), task.state());
    let mut text = output::one_line(&head) + "\n";
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
    fn cells(&self, longest: SignedDuration) -> Vec<Cell> {
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
            Cell::coloured(self.bar(longest), colour),
            took.into(),
            late.into(),
            attempts.into(),
            self.exit.clone().into(),
            text(&self.reason),
            text(&self.message),
        ]
    }

    fn bar(&self, longest: SignedDuration) -> String {
        let Some(took) = self.took else { return self.mark.clone() };
        let (took, longest) = (took.as_secs_f64().max(0.0), longest.as_secs_f64().max(1.0));
        let share = (took / longest).min(1.0);
        // At least one cell: it has run.
        let cells = (1..MAX_BAR).take_while(|cells| share * MAX_BAR as f64 > *cells as f64).count() + 1;
        match self.is_active {
            true => "█".repeat(cells - 1) + "▶",
            false => "█".repeat(cells),
        }
    }
}

#[cfg(test)]
mod tests;
