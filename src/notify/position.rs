//! How far a sink has been told of a task: the ledger's counters at that moment.
//!
//! Its text is short, for there is one for each task of which a sink was told, in one object of the cluster.

use super::message::What;
use crate::api::{ScheduledTaskStatus, condition};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The outcomes that are final: their counters number the slots of a ledger.
pub const FINAL: [What; 5] = [What::Succeeded, What::Failed, What::Cancelled, What::Missed, What::Skipped];
/// The conditions of which people are told when they become true.
pub const SIGNS: [(What, &str); 3] = [
    (What::Suspended, condition::SUSPENDED),
    (What::Overdue, condition::OVERDUE),
    (What::Stalled, condition::STALLED),
];

/// How far a sink has been told of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// How many slots had each final outcome, in the order of [`FINAL`].
    pub counts: [i64; 5],
    /// How many runs were started.
    pub started: i64,
    /// How many attempts were retries.
    pub retried: i64,
    /// The newest change of a condition of [`SIGNS`] that was told, in Unix seconds.
    pub signs_until: i64,
    /// Which of them changed in that second and were told: a bit each.
    pub signs: u8,
}

impl Position {
    /// Everything that the status says was told.
    #[must_use]
    pub fn at(status: &ScheduledTaskStatus) -> Self {
        let mut position = Self {
            counts: counts(status),
            started: status.started.max(0),
            retried: status.retried.max(0),
            ..Self::default()
        };
        for index in 0..SIGNS.len() {
            if let Some((_, since)) = sign(status, index) {
                position.take_sign(index, since.as_second());
            }
        }
        position
    }

    /// Everything that happened until `since` was told, as far as the status still shows what came later.
    #[must_use]
    pub fn before(status: &ScheduledTaskStatus, since: Timestamp) -> Self {
        let now = Self::at(status);
        let mut position = Self {
            signs_until: since.as_second(),
            signs: u8::MAX,
            ..now
        };
        for run in &status.recent_runs {
            let at = run.finished.as_ref().map_or(run.slot.0, |at| at.0.max(run.slot.0));
            if at > since
                && let Some(index) = FINAL.iter().position(|what| what.as_str() == run.outcome)
                && let Some(count) = position.counts.get_mut(index)
            {
                *count = count.saturating_sub(run.slots.max(0)).max(0);
            }
        }
        let is_later = |at: &Option<Time>| at.as_ref().is_some_and(|at| at.0 > since);
        let started = status.active.iter().filter(|run| is_later(&run.started)).count();
        position.started = (now.started - i64::try_from(started).unwrap_or(0)).max(0);
        position
    }

    /// How many slots have a final outcome.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.counts.iter().fold(0, |sum: i64, count| sum.saturating_add(*count))
    }

    /// Whether a ledger with this position comes before this one: somebody reset it, or restored a backup.
    #[must_use]
    pub fn is_behind(&self, told: &Self) -> bool {
        self.counts.iter().zip(told.counts).any(|(now, told)| *now < told)
    }

    /// A condition became true, and that is told.
    pub fn take_sign(&mut self, index: usize, second: i64) {
        if second > self.signs_until {
            (self.signs_until, self.signs) = (second, 0);
        }
        self.signs |= 1 << index;
    }

    /// Whether it was told that a condition became true in this second.
    #[must_use]
    pub fn has_sign(&self, index: usize, second: i64) -> bool {
        second < self.signs_until || second == self.signs_until && self.signs & (1 << index) != 0
    }

    /// Appends it to `bytes`.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        for number in self.counts.into_iter().chain([self.started, self.retried, self.signs_until]) {
            write_number(number, bytes);
        }
        bytes.push(self.signs);
    }

    /// Takes one from the front of `bytes`; nothing, if there is none.
    #[must_use]
    pub fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut position = Self::default();
        for count in &mut position.counts {
            *count = read_number(bytes)?;
        }
        position.started = read_number(bytes)?;
        position.retried = read_number(bytes)?;
        position.signs_until = read_number(bytes)?;
        let (signs, rest) = bytes.split_first()?;
        (position.signs, *bytes) = (*signs, rest);
        Some(position)
    }
}

/// How many slots had each final outcome. Whatever somebody wrote into a status, none is negative.
#[must_use]
pub fn counts(status: &ScheduledTaskStatus) -> [i64; 5] {
    [status.succeeded, status.failed, status.cancelled, status.missed, status.skipped].map(|count| count.max(0))
}

/// A condition of [`SIGNS`] that holds: what it says, and since when. Of suspensions only that which failures caused.
#[must_use]
pub fn sign(status: &ScheduledTaskStatus, index: usize) -> Option<(&Condition, Timestamp)> {
    let (what, name) = SIGNS.get(index)?;
    let condition = status.condition(name).filter(|condition| condition.status == "True")?;
    let concerns = *what != What::Suspended || condition.reason == "TooManyFailures";
    concerns.then_some((condition, condition.last_transition_time.0))
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_number(number: i64, bytes: &mut Vec<u8>) {
    let mut left = u64::try_from(number).unwrap_or(0);
    loop {
        let low = u8::try_from(left & 0x7f).unwrap_or(0);
        left >>= 7;
        bytes.push(if left == 0 { low } else { low | 0x80 });
        if left == 0 {
            return;
        }
    }
}

fn read_number(bytes: &mut &[u8]) -> Option<i64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return i64::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let position = Position {
            counts: [0, 127, 128, i64::MAX, 16_384],
            started: 5,
            retried: 0,
            signs_until: 1_800_000_000,
            signs: 5,
        };
        let mut bytes = Vec::new();
        position.write(&mut bytes);
        Position::default().write(&mut bytes);
        let mut left = &bytes[..];
        assert_eq!(Position::read(&mut left), Some(position));
        assert_eq!(Position::read(&mut left), Some(Position::default()));
        assert_eq!(Position::read(&mut left), None);
        for length in 0..9 {
            assert_eq!(Position::read(&mut &bytes[..length]), None, "{length}");
        }
        assert_eq!(Position::read(&mut &[0xff; 40][..]), None);
    }
}
