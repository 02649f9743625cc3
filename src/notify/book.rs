//! What a sink was told, as it stands in an object of the cluster: for whoever leads next.
//!
//! Tasks of which a sink was never told are not in it. Bytes go in and out; what is not understood is as if it had not been there, which
//! at worst tells something twice.

use super::position::Position;
use crate::schedule::hash;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// The first byte: the form of what follows.
const FORM: u8 = 1;

/// The positions of one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Since when it is told of anything. What happened before is not told.
    pub since: Timestamp,
    positions: HashMap<u64, Position>,
}

impl Book {
    /// The book of a sink that begins now.
    #[must_use]
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            positions: HashMap::new(),
        }
    }

    /// Reads what [`Book::write`] wrote.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (form, mut left) = bytes.split_first()?;
        let (since, rest) = left.split_first_chunk()?;
        let since = Timestamp::from_second(i64::from_be_bytes(*since)).ok().filter(|_| *form == FORM)?;
        left = rest;
        let mut positions = HashMap::new();
        while let Some((task, rest)) = left.split_first_chunk() {
            left = rest;
            let Some(position) = Position::read(&mut left) else { break };
            positions.insert(u64::from_be_bytes(*task), position);
        }
        Some(Self { since, positions })
    }

    /// The book in at most `room` bytes. What does not fit is left out: the next leader tells it again.
    #[must_use]
    pub fn write(&self, room: usize) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend(self.since.as_second().to_be_bytes());
        let mut all: Vec<(&u64, &Position)> = self.positions.iter().collect();
        all.sort_by_key(|(task, _)| **task);
        for (task, position) in all {
            let before = bytes.len();
            bytes.extend(task.to_be_bytes());
            position.write(&mut bytes);
            if bytes.len() > room {
                bytes.truncate(before);
                break;
            }
        }
        bytes
    }

    /// The position for the task with this UID, if the sink was told of it.
    #[must_use]
    pub fn position(&self, uid: &str) -> Option<Position> {
        self.positions.get(&hash(uid)).copied()
    }

    /// The sink was told.
    pub fn set(&mut self, uid: &str, position: Position) {
        self.positions.insert(hash(uid), position);
    }

    /// How many positions this page has no room for.
    #[must_use]
    pub fn left_out(&self, page: &[u8]) -> usize {
        self.positions.len() - Self::read(page).map_or(0, |written| written.positions.len())
    }

    /// Only tasks with these UIDs are left.
    pub fn retain<'a>(&mut self, uids: impl Iterator<Item = &'a str>) {
        let known: HashSet<u64> = uids.map(hash).collect();
        self.positions.retain(|task, _| known.contains(task));
    }

    /// The task is gone.
    pub fn remove(&mut self, uid: &str) {
        self.positions.remove(&hash(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        let mut book = Book::new(Timestamp::from_second(1_800_000_000).unwrap());
        for number in 0..50 {
            let counts = [number, 1, 2, 3, 4];
            book.set(
                &format!("uid-{number}"),
                Position {
                    counts,
                    ..Position::default()
                },
            );
        }
        book
    }

    #[test]
    fn a_book_is_read_as_it_was_written() {
        let book = book();
        assert_eq!(Book::read(&book.write(usize::MAX)), Some(book.clone()));
        assert_eq!(book.position("uid-7").map(|position| position.counts[0]), Some(7));
        assert_eq!(book.position("other"), None);
    }

    #[test]
    fn a_book_that_somebody_damaged_says_less_and_nothing_wrong() {
        let bytes = book().write(usize::MAX);
        for length in 0..bytes.len() {
            let read = Book::read(&bytes[..length]);
            assert_eq!(read.is_some(), length >= 9);
            assert!(read.is_none_or(|read| {
                read.positions
                    .iter()
                    .all(|(task, position)| book().positions.get(task) == Some(position))
            }));
        }
        assert_eq!(Book::read(&[9; 40]), None);
    }

    #[test]
    fn a_book_has_room_for_so_much_and_forgets_tasks_that_are_gone() {
        let mut book = book();
        let some = Book::read(&book.write(200)).unwrap();
        assert!(!some.positions.is_empty() && some.positions.len() < 50 && book.write(200).len() <= 200);
        assert_eq!(book.left_out(&book.write(200)), 50 - some.positions.len());
        assert_eq!(book.left_out(&book.write(usize::MAX)), 0);
        book.remove("uid-3");
        assert_eq!((book.positions.len(), book.position("uid-3")), (49, None));
        book.retain(["uid-3", "uid-4", "uid-5"].into_iter());
        assert_eq!((book.positions.len(), book.position("uid-4").is_some()), (2, true));
    }
}
