//! The names of Jobs. A name is a function of task, slot and attempt, and it is the lock: the same attempt has the same name for ever.

use crate::api::Trigger;
use crate::schedule::hash;
use jiff::Timestamp;

/// A Job's name becomes a label of its pods, so 63 characters are all there is.
const LONGEST: usize = 63;
/// `-` and ten digits of seconds, `-` and up to three digits of attempt.
const SUFFIX: usize = 11 + 4;
/// A longer task name is cut and gets a hash; the cut form is one longer than any uncut one, so the two never meet.
const LONGEST_UNCUT: usize = LONGEST - SUFFIX - 1;

/// The letters in the names of runs that somebody asked for.
pub const MANUAL: char = 'm';
pub const BACKFILLED: char = 'b';

/// The name of the Job for an attempt at a slot: a function of task, slot and attempt.
///
/// Ten digits of Unix seconds make the end of a name readable from the right, so that `a-1` at 23 and `a` at 1-23 differ.
#[must_use]
pub fn job_name(task: &str, slot: Timestamp, attempt: i32) -> String {
    attempt_name(&run_name(task, slot), attempt)
}

/// The name of the Job for an attempt at a run.
#[must_use]
pub fn attempt_name(run: &str, attempt: i32) -> String {
    if attempt <= 1 { run.to_owned() } else { format!("{run}-{attempt}") }
}

/// The run that the Job of an attempt belongs to.
#[must_use]
pub fn run_of(job: &str, attempt: i32) -> &str {
    if attempt <= 1 {
        return job;
    }
    job.strip_suffix(&format!("-{attempt}")).unwrap_or(job)
}

/// The name of a run that no slot names: `kind` is one letter, `request` whatever tells it from others. As long as a slot's name,
/// and never equal to one, for a slot's has ten digits there.
#[must_use]
pub fn requested_name(task: &str, kind: char, request: &str) -> String {
    format!("{}-{kind}{:09x}", short(task), hash(request) & 0xf_ffff_ffff)
}

/// Whether a run that somebody asked for can have this name.
#[must_use]
pub fn is_requested_name(task: &str, trigger: Trigger, run: &str) -> bool {
    let kind = match trigger {
        Trigger::Schedule => return false,
        Trigger::Manual => MANUAL,
        Trigger::Backfill => BACKFILLED,
    };
    let hash = run
        .strip_prefix(&short(task))
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_prefix(kind));
    hash.is_some_and(|hash| hash.len() == 9 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

/// The name of a run, shared by its attempts.
#[must_use]
pub fn run_name(task: &str, slot: Timestamp) -> String {
    format!("{}-{:010}", short(task), slot.as_second())
}

fn short(task: &str) -> String {
    if task.len() <= LONGEST_UNCUT {
        return task.to_owned();
    }
    let hash = format!("{:012x}", hash(task) & 0xffff_ffff_ffff);
    let mut cut: String = task.chars().take(LONGEST_UNCUT - hash.len()).collect();
    // A name may be cut behind a dot, and no label of a DNS name ends with one or begins with a dash.
    let end = cut.trim_end_matches(['.', '-']).len();
    cut.replace_range(end.., &"x".repeat(cut.len() - end));
    format!("{cut}-{hash}")
}

/// Slots have four digits of a year, and Jobs' names ten digits of seconds.
const FIRST_SLOT: i64 = 0;
const LAST_SLOT: i64 = 253_402_300_799;
/// No policy allows more attempts at a run: `retryPolicy.limit` is at most 100.
const MOST_ATTEMPTS: i32 = 101;

/// Whether the API server could have given this name to a Job or a task: a DNS subdomain. Asked before a name becomes a part of
/// a request's path.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=253).contains(&name.len()) && name.bytes().all(is_plain) && !name.starts_with(['.', '-']) && !name.contains("..")
}

/// Whether name, slot, trigger and attempt of a Job agree with each other and with the name of a task.
#[must_use]
pub fn has_the_form(task: &str, name: &str, slot: Timestamp, trigger: Trigger, attempt: i32) -> bool {
    let is_possible = (FIRST_SLOT..=LAST_SLOT).contains(&slot.as_second()) && (1..=MOST_ATTEMPTS).contains(&attempt);
    is_possible
        && is_plain_name(task)
        && match trigger {
            Trigger::Schedule => name == job_name(task, slot, attempt),
            Trigger::Manual | Trigger::Backfill => is_requested_name(task, trigger, run_of(name, attempt)),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_of_any_length_fits_into_a_label_and_attempts_differ() {
        for length in [1, 46, 47, 48, 52, 63, 253] {
            let task = "x".repeat(length);
            for attempt in [1, 2, 999] {
                assert!(
                    job_name(&task, at("2026-11-23T15:00:00Z"), attempt).len() <= LONGEST,
                    "{length} {attempt}"
                );
            }
        }
        assert_eq!(job_name("backup", at("2026-11-23T15:00:00Z"), 1), "backup-1795446000");
        assert_eq!(job_name("backup", at("2026-11-23T15:00:00Z"), 2), "backup-1795446000-2");
    }

    /// S8
    #[test]
    fn tasks_with_a_common_beginning_never_share_a_name() {
        let long = "a".repeat(60);
        let mut tasks = vec![
            "a".into(),
            "a-1".into(),
            "a-1795446000".into(),
            "a-1795446000-1795446000".into(),
            long.clone(),
        ];
        tasks.extend((0..100).map(|n| format!("{long}-{n}")));
        tasks.extend((30..64).map(|n| "a".repeat(n)));
        tasks.push(short(&format!("{long}-1")));
        tasks.sort();
        tasks.dedup();
        let mut seen = HashSet::new();
        for task in &tasks {
            for slot in ["1970-01-01T00:00:23Z", "2026-11-23T15:00:00Z", "2026-11-23T15:01:00Z"] {
                for attempt in [1, 2, 23] {
                    assert!(seen.insert(job_name(task, at(slot), attempt)), "{task} {slot} {attempt}");
                }
            }
        }
    }

    /// F01: a long name whose cut falls on a dot.
    #[test]
    fn every_name_that_a_task_may_have_makes_valid_names_of_jobs() {
        for length in 1..=253_usize {
            for dot in (1..length.saturating_sub(1)).chain([usize::MAX]) {
                let letter = |at: usize| match at == dot || at > dot && (at - dot).is_multiple_of(63) && at + 1 < length {
                    true => '.',
                    false => 'a',
                };
                let task: String = (0..length).map(letter).collect();
                for job in [job_name(&task, at("2026-11-23T15:00:00Z"), 101), requested_name(&task, MANUAL, "x")] {
                    assert!(job.len() <= LONGEST && is_plain_name(&job), "{task}: {job}");
                    let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
                    assert!(job.split('.').all(is_label), "{task}: {job}");
                }
            }
        }
    }
}
