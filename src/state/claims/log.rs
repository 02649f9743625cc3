//! The text of the claims log: a header, and one line for each claim.
//!
//! ```text
//!   v1 1042 punctual-6d5f7c9b8-x2x4q
//!   0f0a9f3e-… 1795424400 S1 report-1795424400
//!   └ task UID └ slot     │└ attempt └ Job
//!                         └ S, M or B: schedule, manual, backfill
//! ```
//! Lines that cannot be read are counted and left out: they never cost the others.

use crate::api::Trigger;
use crate::plan::{Claim, is_plain_name};
use jiff::Timestamp;
use std::fmt::Write;

/// A version of the format that this operator reads.
const VERSION: &str = "v1";
/// A UID has 36 characters.
const LONGEST_UID: usize = 64;

/// What is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsLog {
    /// Who wrote it.
    pub holder: String,
    /// Counts the writes of all holders.
    pub sequence: u64,
    /// Task UIDs and their claims.
    pub claims: Vec<(String, Claim)>,
}

impl ClaimsLog {
    /// The text that is stored.
    #[must_use]
    pub fn encode(&self) -> String {
        let lines = self.claims.iter().map(|(task, claim)| (task.as_str(), claim));
        encode(self.sequence, &self.holder, lines)
    }

    /// Reads what is stored. Returns how many lines could not be read as well.
    #[must_use]
    pub fn decode(text: &str) -> (Self, usize) {
        let mut lines = text.lines();
        let header = lines.next().and_then(header);
        let mut damaged = usize::from(header.is_none());
        let (sequence, holder) = header.unwrap_or_default();
        let mut claims = Vec::new();
        for line in lines {
            match claim(line) {
                Some(claim) => claims.push(claim),
                None => damaged += 1,
            }
        }
        let log = Self { holder, sequence, claims };
        (log, damaged)
    }

    /// How many bytes the line of a claim takes.
    #[must_use]
    pub fn length(task: &str, claim: &Claim) -> usize {
        let mut text = String::new();
        line(&mut text, task, claim);
        text.len()
    }
}

/// The text of a log.
pub fn encode<'a>(sequence: u64, holder: &str, claims: impl Iterator<Item = (&'a str, &'a Claim)>) -> String {
    let mut text = format!("{VERSION} {sequence} {holder}\n");
    claims.for_each(|(task, claim)| line(&mut text, task, claim));
    text
}

fn line(text: &mut String, task: &str, claim: &Claim) {
    let trigger = match claim.trigger {
        Trigger::Schedule => 'S',
        Trigger::Manual => 'M',
        Trigger::Backfill => 'B',
    };
    // Writing into a String cannot fail.
    let _ = writeln!(text, "{task} {} {trigger}{} {}", claim.slot.as_second(), claim.attempt, claim.job);
}

fn header(line: &str) -> Option<(u64, String)> {
    let mut words = line.splitn(3, ' ');
    let is_known = words.next()? == VERSION;
    let sequence = words.next()?.parse().ok()?;
    let holder = words.next()?.to_owned();
    is_known.then_some((sequence, holder))
}

fn claim(line: &str) -> Option<(String, Claim)> {
    let mut words = line.split(' ');
    let task = words.next().filter(|uid| !uid.is_empty() && uid.len() <= LONGEST_UID)?;
    let slot = Timestamp::from_second(words.next()?.parse().ok()?).ok()?;
    let kind = words.next()?;
    let trigger = match kind.chars().next()? {
        'S' => Trigger::Schedule,
        'M' => Trigger::Manual,
        'B' => Trigger::Backfill,
        _ => return None,
    };
    let attempt = kind.get(1..)?.parse().ok().filter(|attempt| *attempt >= 1)?;
    let job = words.next().filter(|job| is_plain_name(job))?.to_owned();
    let claim = Claim {
        slot,
        trigger,
        attempt,
        job,
    };
    words.next().is_none().then(|| (task.to_owned(), claim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> ClaimsLog {
        let claim = |second, trigger, attempt, job: &str| Claim {
            slot: Timestamp::from_second(second).unwrap(),
            trigger,
            attempt,
            job: job.to_owned(),
        };
        ClaimsLog {
            holder: "punctual-0_a b".into(),
            sequence: 1042,
            claims: vec![
                ("u-1".into(), claim(1_795_424_400, Trigger::Schedule, 1, "report-1795424400")),
                ("u-1".into(), claim(1_795_424_400, Trigger::Schedule, 12, "report-1795424400-12")),
                ("u-2".into(), claim(-5, Trigger::Manual, 1, "a.b-m0123456ab")),
                ("u-3".into(), claim(0, Trigger::Backfill, 1, "c-b0123456ab")),
            ],
        }
    }

    #[test]
    fn a_log_is_read_as_it_was_written() {
        let log = example();
        assert_eq!(ClaimsLog::decode(&log.encode()), (log, 0));
        assert_eq!(ClaimsLog::decode(&ClaimsLog::default().encode()), (ClaimsLog::default(), 0));
    }

    #[test]
    fn a_damaged_line_costs_no_other() {
        let text = example().encode();
        let mut lines: Vec<&str> = text.lines().collect();
        lines[2] = "u-1 1795424400 S12";
        lines.extend(["u x S1 j", "u 1 X1 j", "u 1 S0 j", "u 1 S1 ../j", "u 1 S1 j more", "\u{0}"]);
        let (log, damaged) = ClaimsLog::decode(&lines.join("\n"));
        assert_eq!((log.claims.len(), log.sequence, damaged), (3, 1042, 7));
        for text in ["", "v2 1 x\n", "v1 x y\n", "v1\n"] {
            assert_eq!(ClaimsLog::decode(text), (ClaimsLog::default(), 1), "{text:?}");
        }
    }

    #[test]
    fn the_length_of_a_line_is_what_it_adds() {
        let log = example();
        let (task, claim) = &log.claims[0];
        let shorter = ClaimsLog {
            claims: log.claims[1..].to_vec(),
            ..log.clone()
        };
        assert_eq!(log.encode().len() - shorter.encode().len(), ClaimsLog::length(task, claim));
    }
}
