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
        Group::of(message).line()
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

/// Messages that say the same of a task.
struct Group<'a> {
    last: &'a Message,
    count: usize,
    slots: i64,
}

impl<'a> Group<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            last: message,
            count: 1,
            slots: message.slots,
        }
    }

    fn add(&mut self, message: &'a Message) {
        self.last = message;
        self.count += 1;
        self.slots = self.slots.saturating_add(message.slots);
    }

    fn line(&self) -> Line {
        let last = self.last;
        let reason = match last.reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        let head = format!("{}: {}{reason}", last.subject, self.happened());
        Line {
            head: printable(&head).into_owned(),
            words: printable(last.text.trim()).into_owned(),
            logs: last.log_command().map(|command| printable(&command).into_owned()),
            count: self.count,
        }
    }
}

impl Digest {
    /// A line each, if there are few messages; otherwise one for each task and outcome, and at most so many.
    #[must_use]
    pub fn of(messages: &[Message], most: usize) -> Self {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut known: HashMap<(&str, What), usize> = HashMap::new();
        for message in messages {
            let last = groups.len();
            let is_alone = messages.len() <= most;
            let number = if is_alone {
                last
            } else {
                *known.entry((&message.subject.uid, message.what)).or_insert(last)
            };
            match groups.get_mut(number) {
                Some(group) => group.add(message),
                None => groups.push(Group::of(message)),
            }
        }
        Self {
            hidden: groups.iter().skip(most).map(|group| group.count).sum(),
            lines: groups.iter().take(most).map(Group::line).collect(),
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

impl Group<'_> {
    /// What happened, after the name of the task.
    fn happened(&self) -> String {
        let (last, count) = (self.last, self.count);
        let slot = last.run.as_ref().map(|run| run.slot.0);
        let of_slot = slot.map_or_else(String::new, |slot| format!(" of {slot}"));
        let code = last.run.as_ref().and_then(|run| run.exit_code);
        let with_code = code.map_or_else(String::new, |code| format!(" with exit code {code}"));
        if count > 1 {
            let last_one = slot.map_or_else(String::new, |_| format!(", the last one{of_slot}"));
            match last.what {
                What::Started => return format!("{count} runs started{last_one}"),
                What::Retrying => return format!("{count} attempts failed and will be retried{last_one}{with_code}"),
                What::Succeeded => return format!("{count} runs succeeded{last_one}"),
                What::Failed => return format!("{count} runs failed{last_one}{with_code}"),
                What::Cancelled => return format!("{count} runs were cancelled{last_one}"),
                What::Recovered => return format!("recovered {count} times{last_one}"),
                _ => {}
            }
        }
        match last.what {
            What::Started => format!("run{of_slot} started"),
            What::Retrying => format!("an attempt of the run{of_slot} failed{with_code} and will be retried"),
            What::Succeeded => format!("run{of_slot} succeeded"),
            What::Failed => format!("run{of_slot} failed{with_code}"),
            What::Cancelled => format!("run{of_slot} was cancelled"),
            What::Recovered => format!("run{of_slot} succeeded after failures"),
            What::Missed => self.not_started("missed"),
            What::Skipped => self.not_started("skipped"),
            What::Suspended => "suspended after consecutive failures".into(),
            What::Overdue => "a slot is overdue".into(),
            What::Stalled => "the task cannot run until somebody fixes it".into(),
            What::Gap if self.slots == 0 => "outcomes may have been dropped before they were reported".into(),
            What::Gap if self.slots == 1 => "1 outcome was dropped before it was reported".into(),
            What::Gap => format!("{} outcomes were dropped before they were reported", self.slots),
        }
    }

    /// Slots. A single message may be about several.
    fn not_started(&self, became: &str) -> String {
        let slot = self.last.run.as_ref().map(|run| run.slot.0);
        match (self.slots, slot) {
            (..=1, Some(slot)) => format!("slot {slot} was {became}"),
            (..=1, None) => format!("a slot was {became}"),
            (slots, Some(slot)) => format!("{slots} slots were {became}, the last one {slot}"),
            (slots, None) => format!("{slots} slots were {became}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(what: What, task: &str, minute: i8) -> Message {
        let slot = format!("2026-11-26T02:{minute:02}:00Z");
        let run = json!({
            "slot": slot, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": what.as_str(), "reason": "JobFailed",
            "job": "report-1", "exitCode": 3,
        });
        Message {
            what,
            subject: Subject {
                namespace: "prod".into(),
                name: task.into(),
                uid: task.into(),
            },
            id: minute.to_string(),
            sequence: None,
            slots: 1,
            time: slot.parse().unwrap(),
            is_repeat: false,
            reason: "JobFailed".into(),
            text: "last words".into(),
            run: Some(serde_json::from_value(run).unwrap()),
            lost: Vec::new(),
        }
    }

    #[test]
    fn every_outcome_is_a_sentence() {
        let slot = "2026-11-26T02:00:00Z";
        for (what, happened) in [
            (What::Started, format!("run of {slot} started")),
            (
                What::Retrying,
                format!("an attempt of the run of {slot} failed with exit code 3 and will be retried"),
            ),
            (What::Succeeded, format!("run of {slot} succeeded")),
            (What::Failed, format!("run of {slot} failed with exit code 3")),
            (What::Cancelled, format!("run of {slot} was cancelled")),
            (What::Missed, format!("slot {slot} was missed")),
            (What::Skipped, format!("slot {slot} was skipped")),
            (What::Recovered, format!("run of {slot} succeeded after failures")),
            (What::Suspended, "suspended after consecutive failures".into()),
            (What::Overdue, "a slot is overdue".into()),
            (What::Stalled, "the task cannot run until somebody fixes it".into()),
            (What::Gap, "1 outcome was dropped before it was reported".into()),
        ] {
            let line = Line::of(&message(what, "report", 0));
            assert_eq!(line.sentence(), format!("prod/report: {happened} (JobFailed): last words"));
            let logs = (what != What::Gap).then_some("kubectl logs --namespace prod job/report-1");
            assert_eq!(line.logs.as_deref(), logs);
        }
        let mut bare = message(What::Missed, "report", 0);
        (bare.run, bare.slots, bare.text, bare.reason) = (None, 5, String::new(), String::new());
        assert_eq!(Line::of(&bare).sentence(), "prod/report: 5 slots were missed");
    }

    #[test]
    fn a_container_controls_no_line() {
        let mut evil = message(What::Failed, "report", 0);
        evil.text = "\nSubject: x\r\n\u{1b}[2J\u{202e}".into();
        evil.reason = "a\nb".into();
        let line = Line::of(&evil);
        assert_eq!(line.words, "Subject: x  \\u{1b}[2J\\u{202e}");
        assert!(line.head.ends_with("(a b)"));
    }

    #[test]
    fn many_messages_are_a_line_for_each_task_and_outcome() {
        let mut messages: Vec<Message> = (0..30).map(|minute| message(What::Failed, "a", minute)).collect();
        messages.extend((0..20).map(|minute| message(What::Missed, "a", minute)));
        messages.extend((0..10).map(|minute| message(What::Failed, "b", minute)));
        let digest = Digest::of(&messages, 2);
        let heads: Vec<&str> = digest.lines.iter().map(|line| line.head.as_str()).collect();
        let expected = [
            "prod/a: 30 runs failed, the last one of 2026-11-26T02:29:00Z with exit code 3 (JobFailed)",
            "prod/a: 20 slots were missed, the last one 2026-11-26T02:19:00Z (JobFailed)",
        ];
        assert_eq!(heads, expected);
        assert_eq!(digest.hidden, 10);
        let few = Digest::of(&messages[..2], 2);
        assert_eq!((few.lines.len(), few.hidden), (2, 0));
    }

    #[test]
    fn a_subject_names_the_task_or_counts() {
        let failed = |task| message(What::Failed, task, 0);
        for (messages, expected) in [
            (vec![failed("a")], "prod/a failed"),
            (vec![message(What::Overdue, "a", 0)], "prod/a is overdue"),
            (vec![failed("a"), failed("a")], "2 failures for prod/a"),
            (vec![failed("a"), failed("b"), failed("a")], "3 failures in 2 tasks"),
            (
                vec![failed("a"), message(What::Missed, "b", 0)],
                "1 failure and 1 other message in 2 tasks",
            ),
            (
                vec![message(What::Missed, "a", 0), message(What::Missed, "b", 0)],
                "2 messages in 2 tasks",
            ),
        ] {
            assert_eq!(subject(&messages), format!("[punctual] {expected}"));
        }
        let mut long = failed("a");
        long.subject.name = "\n".repeat(5000);
        let long = subject(&[long]);
        assert!(long.chars().count() <= MOST_OF_SUBJECT + 1 && !long.contains('\n'), "{long}");
    }
}
