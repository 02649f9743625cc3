//! What people read of messages, in a chat, a mail or on a monitor.
//!
//! Messages go in; lines without control characters come out, and never more of them than asked for. What a container said is kept apart
//! from what Punctual says, for a sink to show it as such.

use super::message::{Message, Subject, What};
use crate::api::{printable, shortened};
use std::collections::HashMap;

/// A longer subject of a mail is cut.
const MOST_OF_SUBJECT: usize = 150;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What happened to which task.
    pub head: String,
    /// What a container or a condition says about it; may be empty.
    pub words: String,
    /// The command that shows the log.
    pub logs: Option<String>,
    /// Of how many messages it speaks.
    pub count: usize,
}

/// Several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The first ones.
    pub lines: Vec<Line>,
    /// How many messages have no line.
    pub hidden: usize,
}

impl Line {
    /// The line of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self::of_several(message, 1)
    }

    /// The line of several messages that say the same of a task; this is the last one.
    fn of_several(last: &Message, count: usize) -> Self {
        let head = format!("{}: {} ({})", last.subject, happened(last, count), last.reason);
        Self {
            head: printable(&head).into_owned(),
            words: printable(last.text.trim()).into_owned(),
            logs: last.log_command().map(|command| printable(&command).into_owned()),
            count,
        }
    }

    /// All in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.words.as_str() {
            "" => self.head.clone(),
            words => format!("{}: {words}", self.head),
        }
    }
}

impl Digest {
    /// A line each, if there are few messages; otherwise one for each task and outcome, and at most so many.
    #[must_use]
    pub fn of(messages: &[Message], most: usize) -> Self {
        let mut groups: Vec<(&Message, usize)> = Vec::new();
        if messages.len() <= most {
            groups.extend(messages.iter().map(|message| (message, 1)));
        } else {
            let mut known: HashMap<(&str, What), usize> = HashMap::new();
            for message in messages {
                let number = *known.entry((&message.subject.uid, message.what)).or_insert(groups.len());
                match groups.get_mut(number) {
                    Some((last, count)) => (*last, *count) = (message, *count + 1),
                    None => groups.push((message, 1)),
                }
            }
        }
        Self {
            hidden: groups.iter().skip(most).map(|(_, count)| count).sum(),
            lines: groups
                .iter()
                .take(most)
                .map(|(last, count)| Line::of_several(last, *count))
                .collect(),
        }
    }
}

/// The subject of a mail about messages.
#[must_use]
pub fn subject(messages: &[Message]) -> String {
    let failures = messages.iter().filter(|message| message.what == What::Failed).count();
    let mut tasks: Vec<&Subject> = messages.iter().map(|message| &message.subject).collect();
    tasks.sort_by_key(|subject| (&subject.namespace, &subject.name));
    tasks.dedup();
    let about = match tasks.as_slice() {
        [task] => format!("for {task}"),
        tasks => format!("in {} tasks", tasks.len()),
    };
    let text = match (messages, failures) {
        ([message], _) => format!("{} {}", message.subject, word(message.what)),
        (all, 0) => format!("{} messages {about}", all.len()),
        (all, failures) if failures == all.len() => format!("{failures} failures {about}"),
        (all, failures) => format!(
            "{} and {} {about}",
            number(failures, "failure"),
            number(all.len() - failures, "other message")
        ),
    };
    shortened(printable(&format!("[punctual] {text}")).into_owned(), MOST_OF_SUBJECT)
}

fn number(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// What became of a task, for a headline.
fn word(what: What) -> &'static str {
    match what {
        What::Started => "started",
        What::Retrying => "is being retried",
        What::Succeeded => "succeeded",
        What::Failed => "failed",
        What::Cancelled => "was cancelled",
        What::Missed => "missed a slot",
        What::Skipped => "skipped a slot",
        What::Recovered => "recovered",
        What::Suspended => "is suspended after failures",
        What::Overdue => "is overdue",
        What::Stalled => "needs attention",
        What::Gap => "has outcomes that were not reported",
    }
}

/// What happened, after the name of the task. Of several messages, this is the last one.
fn happened(last: &Message, count: usize) -> String {
    let slot = last.run.as_ref().map(|run| run.slot.0);
    let of_slot = slot.map_or_else(String::new, |slot| format!(" of {slot}"));
    let code = last.run.as_ref().and_then(|run| run.exit_code);
    let with_code = code.map_or_else(String::new, |code| format!(" with exit code {code}"));
    let (run, runs) = match slot {
        Some(_) => (format!("run{of_slot}"), format!("{count} runs")),
        None => ("a run".into(), format!("{count} runs")),
    };
    let subject = if count == 1 { run } else { runs };
    let last_of = if count == 1 {
        String::new()
    } else {
        format!(", the last one{of_slot}")
    };
    match last.what {
        What::Started => format!("{subject} started{last_of}"),
        What::Retrying if count == 1 => format!(
            "an attempt of the {} failed{with_code} and is retried",
            subject.trim_start_matches("a ")
        ),
        What::Retrying => format!("{count} attempts failed and are retried{last_of}{with_code}"),
        What::Succeeded => format!("{subject} succeeded{last_of}"),
        What::Failed => format!("{subject} failed{last_of}{with_code}"),
        What::Cancelled if count == 1 => format!("{subject} was cancelled"),
        What::Cancelled => format!("{subject} were cancelled{last_of}"),
        What::Missed => slots(last, count, "missed"),
        What::Skipped => slots(last, count, "skipped"),
        What::Recovered if count == 1 => format!("{subject} succeeded after failures"),
        What::Recovered => format!("recovered {count} times{last_of}"),
        What::Suspended => "suspended after consecutive failures".into(),
        What::Overdue => "a slot is overdue".into(),
        What::Stalled => "the task cannot run until somebody fixes it".into(),
        What::Gap if last.slots == 0 => "outcomes may have been dropped before they were reported".into(),
        What::Gap if last.slots == 1 => "1 outcome was dropped before it was reported".into(),
        What::Gap => format!("{} outcomes were dropped before they were reported", last.slots),
    }
}

/// Slots that were not started. A message may be about several.
fn slots(last: &Message, count: usize, became: &str) -> String {
    let slot = last.run.as_ref().map(|run| run.slot.0);
    match (count, last.slots, slot) {
        (1, 1, Some(slot)) => format!("slot {slot} was {became}"),
        (1, 1, None) => format!("a slot was {became}"),
        (1, several, Some(slot)) => format!("{several} slots were {became}, the last one {slot}"),
        (1, several, None) => format!("{several} slots were {became}"),
        (_, _, Some(slot)) => format!("slots were {became} {count} times, the last one {slot}"),
        (_, _, None) => format!("slots were {became} {count} times"),
    }
}
