//! How long runs take: the durations of the last runs that succeeded, and what is typical of them.
//!
//! The start and the end of a run go in, or the list of a status; whole seconds come out. The list is written by others as well, so
//! nothing here relies on its length or its values. Reads no clock.

use super::records::End;
use super::run::Run;
use super::seconds::whole_second;

/// Durations that a status keeps.
pub const MOST_DURATIONS: usize = 20;
/// With fewer durations, nothing is typical of them.
const FEWEST_DURATIONS: usize = 5;
/// No run takes longer than ten years, in seconds.
const LONGEST_RUN: i64 = 10 * 366 * 24 * 60 * 60;

/// How long a run took: from the creation of its first Job to the end of its last. Nothing if one of them is not known, or if no run
/// takes as long. An end before the start is a difference between two clocks.
#[must_use]
pub fn run_seconds(run: &Run, end: &End) -> Option<i64> {
    let (started, ended) = (run.started?, whole_second(end.at?));
    let seconds = ended.as_second().saturating_sub(started.as_second()).max(0);
    is_possible(seconds).then_some(seconds)
}

/// Adds the duration of a run that succeeded.
pub fn add_duration(durations: &mut Vec<i64>, seconds: i64) {
    durations.insert(0, seconds);
    durations.truncate(MOST_DURATIONS);
}

/// Removes what no operator writes.
pub fn remove_impossible(durations: &mut Vec<i64>) {
    durations.retain(|seconds| is_possible(*seconds));
    durations.truncate(MOST_DURATIONS);
}

/// The median of the durations, in seconds. Nothing, if there are too few.
#[must_use]
pub fn typical_run_seconds(durations: &[i64]) -> Option<i64> {
    let possible = durations.iter().copied().filter(|seconds| is_possible(*seconds));
    let mut known: Vec<i64> = possible.take(MOST_DURATIONS).collect();
    if known.len() < FEWEST_DURATIONS {
        return None;
    }
    known.sort_unstable();
    let upper = known.len() / 2;
    let lower = known.len().saturating_sub(1) / 2;
    Some(known.get(lower)?.midpoint(*known.get(upper)?))
}

fn is_possible(seconds: i64) -> bool {
    (0..=LONGEST_RUN).contains(&seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Trigger;
    use jiff::Timestamp;

    fn seconds(started: Option<&str>, ended: Option<&str>) -> Option<i64> {
        let time = |text: Option<&str>| text.map(|text| text.parse::<Timestamp>().unwrap());
        let mut run = Run::new(Timestamp::UNIX_EPOCH, Trigger::Schedule, "t-1".into());
        run.started = time(started);
        let end = End {
            at: time(ended),
            ..End::default()
        };
        run_seconds(&run, &end)
    }

    #[test]
    fn a_duration_needs_a_start_and_an_end() {
        let (start, end) = (Some("2026-11-23T09:00:00Z"), Some("2026-11-23T09:01:30.9Z"));
        assert_eq!(seconds(start, end), Some(90));
        assert_eq!((seconds(None, end), seconds(start, None)), (None, None));
        assert_eq!(seconds(start, Some("2026-11-23T08:59:58Z")), Some(0), "two clocks differ");
        assert_eq!(seconds(start, Some("9999-12-30T22:00:00Z")), None, "no run takes as long");
    }

    #[test]
    fn the_median_needs_five_durations() {
        for (durations, typical) in [
            (&[][..], None),
            (&[9, 9, 9, 9], None),
            (&[50, 10, 30, 20, 40], Some(30)),
            (&[1, 2, 3, 5, 1_000, 1_000], Some(4)),
            (&[0, 0, 0, 0, 0], Some(0)),
        ] {
            assert_eq!(typical_run_seconds(durations), typical, "{durations:?}");
        }
    }

    #[test]
    fn the_median_is_of_the_newest_possible_durations() {
        let mut durations = vec![7; MOST_DURATIONS];
        durations.extend([900; 1_000]);
        assert_eq!(typical_run_seconds(&durations), Some(7));
        assert_eq!(typical_run_seconds(&[-1, i64::MIN, i64::MAX, 5, 5, 5, 5]), None);
    }

    #[test]
    fn only_the_newest_durations_are_kept() {
        let mut durations = Vec::new();
        (0..30).for_each(|seconds| add_duration(&mut durations, seconds));
        assert_eq!(durations, (10..30).rev().collect::<Vec<i64>>());
    }

    #[test]
    fn impossible_durations_are_removed() {
        let mut durations = vec![-1, 3, i64::MAX, 0, LONGEST_RUN, LONGEST_RUN + 1];
        remove_impossible(&mut durations);
        assert_eq!(durations, [3, 0, LONGEST_RUN]);
        let mut many = vec![1; 10_000];
        remove_impossible(&mut many);
        assert_eq!(many, [1; MOST_DURATIONS]);
    }
}
