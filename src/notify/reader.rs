//! One sink's reading of the ledgers: what it gets next, and how far it has come.
//!
//! Tasks and acknowledgements go in, deliveries come out. Sends nothing.

use super::book::Book;
use super::config::{Config, Wanted};
use super::message::{Message, Subject};
use super::news::news;
use super::position::{FINAL, Position};
use crate::api::ScheduledTaskStatus;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// What is known of a task.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its names.
    pub subject: &'a Subject,
    /// When it was created.
    pub created: Timestamp,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// Its status, as it is stored.
    pub status: &'a ScheduledTaskStatus,
}

/// The messages of a delivery about one task: where each of them leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    subject: Subject,
    positions: Vec<Position>,
    end: Position,
}

impl Part {
    /// The task.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// How far a sink has read.
#[derive(Debug)]
pub struct Reader {
    sink: String,
    /// Tasks of which it was told.
    book: Book,
    /// Tasks of which it need not know what happened: where it has looked until.
    passed: HashMap<String, Position>,
    /// It was told of something that no written book says yet.
    is_ahead: bool,
    /// It has passed over news of a task that is in the book: worth a write at a stop only.
    has_passed: bool,
}

impl Reader {
    /// A sink that has read so far.
    #[must_use]
    pub fn new(sink: &str, book: Book) -> Self {
        Self {
            sink: sink.into(),
            book,
            passed: HashMap::new(),
            is_ahead: false,
            has_passed: false,
        }
    }

    /// A sink that begins now. That is to be written down before anything else: what comes later is news, whoever leads then.
    #[must_use]
    pub fn begin(sink: &str, now: Timestamp) -> Self {
        Self {
            is_ahead: true,
            ..Self::new(sink, Book::new(now))
        }
    }

    /// What the sink gets to know of the task now, if anything: it is added to `delivery`, and the part says what it is.
    pub fn look(&mut self, task: View<'_>, config: &Config, now: Timestamp, delivery: &mut Vec<Message>) -> Option<Part> {
        let wanted = config.wanted(&self.sink, task.labels);
        let uid = &task.subject.uid;
        let told = self.passed.get(uid).copied().or_else(|| self.book.position(uid));
        let told = told.unwrap_or_else(|| self.first(task, &wanted));
        let news = news(task.subject, task.status, &told, now);
        let (fresh, end) = (news.messages.into_iter(), news.end);
        let (messages, positions): (Vec<_>, Vec<_>) = fresh.filter(|(message, _)| wanted.takes(message)).unzip();
        if messages.is_empty() {
            if end != told {
                self.has_passed |= self.book.position(uid).is_some();
                self.passed.insert(uid.clone(), end);
            }
            return None;
        }
        delivery.extend(messages);
        // What the history drops before this arrives is a gap from here.
        if self.book.position(uid).is_none() {
            self.book.set(uid, told);
            self.is_ahead = true;
        }
        Some(Part {
            subject: task.subject.clone(),
            positions,
            end,
        })
    }

    /// Where to begin with a task of which it was never told: with what happened since the sink is there. Had it been told of one of the
    /// outcomes that it wants, the book would say so; so all that are counted of these are news, shown or not.
    fn first(&self, task: View<'_>, wanted: &Wanted<'_>) -> Position {
        let mut position = Position::before(task.status, self.book.since);
        if task.created >= self.book.since {
            for (count, what) in position.counts.iter_mut().zip(FINAL) {
                *count = if wanted.names(what, task.subject) { 0 } else { *count };
            }
        }
        position
    }

    /// The first so many messages of these parts were acknowledged. Says which tasks have to be looked at again.
    pub fn settle(&mut self, parts: Vec<Part>, delivered: usize) -> Vec<Subject> {
        let mut left = delivered;
        let mut again = Vec::new();
        for part in parts {
            let count = part.positions.len();
            let position = match left {
                0 => None,
                left if left >= count => Some(part.end),
                // Messages that lead to the same position are told together, or again.
                left => {
                    let (told, rest) = part.positions.split_at(left);
                    told.iter().rev().find(|position| rest.first() != Some(position)).copied()
                }
            };
            if let Some(position) = position {
                self.book.set(&part.subject.uid, position);
                self.passed.remove(&part.subject.uid);
                self.is_ahead = true;
            }
            if left < count {
                again.push(part.subject);
            }
            left = left.saturating_sub(count);
        }
        again
    }

    /// What it passed over is written down as well: from now on it may be told of things that it did not want to know before.
    pub fn pin(&mut self) {
        self.is_ahead |= !self.passed.is_empty();
        for (uid, position) in self.passed.drain() {
            self.book.set(&uid, position);
        }
    }

    /// Only tasks with these UIDs are there.
    pub fn retain<'a>(&mut self, uids: impl Iterator<Item = &'a str>) {
        self.book.retain(uids);
    }

    /// How many tasks this page has no room for.
    #[must_use]
    pub fn left_out(&self, page: &[u8]) -> usize {
        self.book.left_out(page)
    }

    /// The task is gone.
    pub fn forget(&mut self, uid: &str) {
        self.passed.remove(uid);
        self.book.remove(uid);
    }

    /// Whether it was told of something that was not written down.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.is_ahead
    }

    /// Whether it has read on beyond what was written down, told or not.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.is_ahead || self.has_passed
    }

    /// The book, to be written down, in at most `room` bytes.
    pub fn write(&mut self, room: usize) -> Vec<u8> {
        (self.is_ahead, self.has_passed) = (false, false);
        for (uid, position) in &self.passed {
            if self.book.position(uid).is_some() {
                self.book.set(uid, *position);
            }
        }
        self.book.write(room)
    }

    /// What was written down did not arrive.
    pub fn not_written(&mut self) {
        self.is_ahead = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::{Ledger, at, outcome, subject};
    use super::super::message::What;
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// What arrived, by id: outcomes by their numbers, and how many a gap stands for.
    type Received = HashMap<String, Message>;

    fn config(text: &str) -> Config {
        let config = Config::read(&format!(
            "sinks: [{{name: events, http: {{url: 'http://127.0.0.1'}}}}]\nroutes: [{text}]"
        ));
        assert_eq!(config.wrong, []);
        config
    }

    fn look(reader: &mut Reader, ledger: &Ledger, config: &Config) -> Option<(Part, Vec<Message>)> {
        let (subject, labels) = (subject(), BTreeMap::new());
        let view = View {
            subject: &subject,
            created: at(0),
            labels: &labels,
            status: &ledger.status,
        };
        let mut delivery = Vec::new();
        let part = reader.look(view, config, at(ledger.minute), &mut delivery)?;
        Some((part, delivery))
    }

    fn deliver(reader: &mut Reader, (part, messages): (Part, Vec<Message>), count: usize, received: &mut Received) {
        let arrived = messages.into_iter().take(count);
        received.extend(arrived.map(|message| (message.id.clone(), message)));
        reader.settle(vec![part], count);
    }

    #[test]
    fn what_nobody_wants_is_passed_over_and_needs_no_page() {
        let config = config("{sinks: [events], outcomes: [Failed]}");
        let mut reader = Reader::begin("events", at(0));
        assert!(reader.is_ahead());
        reader.write(usize::MAX);
        let mut ledger = Ledger {
            limit: 2,
            ..Ledger::default()
        };
        for _ in 0..5 {
            ledger.add(What::Succeeded);
            assert_eq!(look(&mut reader, &ledger, &config), None);
        }
        assert!(!reader.is_ahead());
        // Whoever leads next takes what was cut off for what it was: nothing that anybody wants.
        let page = reader.write(usize::MAX);
        let mut next = Reader::new("events", Book::read(&page).unwrap());
        assert_eq!(look(&mut next, &ledger, &config), None);
        ledger.add(What::Failed);
        let (part, messages) = look(&mut next, &ledger, &config).unwrap();
        assert_eq!(next.settle(vec![part.clone()], 0), [subject()]);
        assert_eq!(look(&mut next, &ledger, &config), Some((part.clone(), messages)));
        assert_eq!(next.settle(vec![part], 1), []);
        assert!(next.is_ahead());
        assert_eq!(look(&mut next, &ledger, &config), None);
    }

    #[test]
    fn a_wider_route_tells_nothing_of_the_past_after_a_restart_either() {
        let failures = config("{sinks: [events], outcomes: [Failed]}");
        let mut reader = Reader::begin("events", at(0));
        let mut ledger = Ledger {
            limit: 1,
            ..Ledger::default()
        };
        for _ in 0..3 {
            ledger.add(What::Succeeded);
            assert_eq!(look(&mut reader, &ledger, &failures), None);
        }
        reader.pin();
        assert!(reader.is_ahead());
        let page = reader.write(usize::MAX);
        let mut next = Reader::new("events", Book::read(&page).unwrap());
        let all = config("{sinks: [events], outcomes: ['*'], repeat: each}");
        assert_eq!(look(&mut next, &ledger, &all), None);
        ledger.add(What::Succeeded);
        let (_, messages) = look(&mut next, &ledger, &all).unwrap();
        assert_eq!(messages.iter().map(|message| message.what).collect::<Vec<_>>(), [What::Succeeded]);
    }

    #[test]
    fn a_recovery_that_did_not_arrive_is_told_again_with_its_success() {
        let config = config("{sinks: [events], outcomes: ['*'], repeat: each}");
        let mut reader = Reader::begin("events", at(0));
        let mut ledger = Ledger {
            limit: 9,
            ..Ledger::default()
        };
        ledger.add(What::Failed);
        ledger.add(What::Succeeded);
        let whats = |messages: &[Message]| messages.iter().map(|message| message.what).collect::<Vec<_>>();
        let (part, messages) = look(&mut reader, &ledger, &config).unwrap();
        assert_eq!(whats(&messages), [What::Failed, What::Succeeded, What::Recovered]);
        reader.settle(vec![part], 2);
        let (_, messages) = look(&mut reader, &ledger, &config).unwrap();
        assert_eq!(whats(&messages), [What::Succeeded, What::Recovered]);
    }

    #[test]
    fn what_an_old_task_loses_while_the_receiver_is_away_is_a_gap() {
        let config = config("{sinks: [events], outcomes: [Failed, Gap], repeat: each}");
        // The task was there before the sink.
        let mut reader = Reader::begin("events", at(1));
        let mut ledger = Ledger {
            limit: 2,
            ..Ledger::default()
        };
        ledger.add(What::Failed);
        assert_eq!(look(&mut reader, &ledger, &config), None, "of before");
        for round in 0..5 {
            ledger.add(What::Failed);
            let (part, _) = look(&mut reader, &ledger, &config).unwrap();
            reader.settle(vec![part], 0);
            if round == 2 {
                reader = Reader::new("events", Book::read(&reader.write(usize::MAX)).unwrap());
            }
        }
        let (_, messages) = look(&mut reader, &ledger, &config).unwrap();
        let told: Vec<(What, i64)> = messages.iter().map(|message| (message.what, message.slots)).collect();
        assert_eq!(told, [(What::Gap, 3), (What::Failed, 1), (What::Failed, 1)]);
    }

    #[test]
    fn a_gap_is_told_to_who_wanted_what_was_lost() {
        let config = config("{sinks: [events], outcomes: [Failed, Gap]}");
        let mut reader = Reader::begin("events", at(0));
        reader.write(usize::MAX);
        let mut ledger = Ledger::default();
        ledger.add(What::Succeeded);
        assert_eq!(look(&mut reader, &ledger, &config), None);
        ledger.add(What::Failed);
        let (_, messages) = look(&mut reader, &ledger, &config).unwrap();
        assert_eq!((messages[0].what, messages[0].lost.as_slice()), (What::Gap, &[What::Failed][..]));
    }

    proptest! {
        /// Whatever is delivered, lost, written down or forgotten by a crash: each outcome that the sink wants arrives, or is counted in a gap.
        #[test]
        fn each_outcome_arrives_or_is_counted(
            limit in 0_usize..6,
            all in any::<bool>(),
            steps in prop::collection::vec((prop::collection::vec(outcome(), 0..9), any::<bool>(), any::<bool>(), 0_usize..12), 1..14),
        ) {
            let wants = if all { "'*'" } else { "Failed, Gap" };
            let config = config(&format!("{{sinks: [events], outcomes: [{wants}], repeat: each}}"));
            let mut ledger = Ledger { limit, ..Ledger::default() };
            let mut page = Book::new(at(0)).write(usize::MAX);
            let mut reader = Reader::new("events", Book::read(&page).unwrap());
            let mut received = Received::new();
            for (step, is_written, crashes, count) in steps {
                step.iter().for_each(|outcome| ledger.add(*outcome));
                if let Some(part) = look(&mut reader, &ledger, &config) {
                    deliver(&mut reader, part, count, &mut received);
                }
                if is_written {
                    page = reader.write(usize::MAX);
                }
                if crashes {
                    reader = Reader::new("events", Book::read(&page).unwrap());
                }
            }
            if let Some(part) = look(&mut reader, &ledger, &config) {
                deliver(&mut reader, part, usize::MAX, &mut received);
            }
            prop_assert_eq!(look(&mut reader, &ledger, &config), None);
            // After dropping duplicates. What is told again in other groups is known by its numbers.
            let mut numbers = std::collections::HashSet::new();
            let mut lost = 0;
            for message in received.values() {
                match message.what {
                    What::Gap if all => numbers.extend(message.sequence.unwrap() - message.slots + 1..=message.sequence.unwrap()),
                    What::Gap => lost += message.slots,
                    What::Failed => { numbers.insert(message.sequence.unwrap()); }
                    _ => numbers.extend(message.sequence.into_iter().flat_map(|last| last - message.slots + 1..=last)),
                }
            }
            let told = i64::try_from(numbers.len()).unwrap();
            if all {
                prop_assert_eq!(told, Position::at(&ledger.status).total());
            } else {
                prop_assert!(told + lost >= ledger.status.failed, "{} of {}", told + lost, ledger.status.failed);
            }
        }
    }
}
