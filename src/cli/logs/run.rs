//! Finds the Job of a run in the ledger of its task.

use crate::cli::task::Task;
use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;

/// The name of a Job.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The ledger names it.
    InLedger(String),
    /// It was named by the user, and the ledger does not know it: an earlier attempt, or a run that left the history.
    Named(String),
}

/// A run with a Job.
struct Run<'a> {
    slot: Timestamp,
    started: Option<Timestamp>,
    job: &'a str,
}

/// The Job of the run with this slot or Job, or of the newest run.
///
/// # Errors
/// When there is no such run, or it has no Job.
pub fn job(task: &Task, wanted: Option<&str>) -> Result<Found> {
    let runs = runs(task);
    let Some(wanted) = wanted else {
        let newest = runs.iter().max_by_key(|run| (run.started, run.slot));
        let newest = newest.ok_or_else(|| anyhow!("{} has no run with a Job yet", task.name))?;
        return Ok(Found::InLedger(newest.job.to_owned()));
    };
    let wanted = wanted.strip_prefix("job/").unwrap_or(wanted);
    if let Ok(slot) = wanted.parse::<Timestamp>() {
        let found = runs.iter().filter(|run| run.slot == slot).max_by_key(|run| run.started);
        return match found {
            Some(run) => Ok(Found::InLedger(run.job.to_owned())),
            None => Err(no_run(task, slot)),
        };
    }
    if runs.iter().any(|run| run.job == wanted) {
        return Ok(Found::InLedger(wanted.to_owned()));
    }
    if !wanted.starts_with(|first: char| first.is_ascii_alphanumeric()) || wanted.contains(['/', ' ', ':']) {
        bail!(
            "invalid run {wanted:?}: use a slot or a Job as in punctual history {}, for example 2026-11-23T01:30:00Z",
            task.name
        );
    }
    Ok(Found::Named(wanted.to_owned()))
}

/// Why a slot has no Job.
fn no_run(task: &Task, slot: Timestamp) -> anyhow::Error {
    let status = task.status.as_ref();
    let mut records = status.into_iter().flat_map(|status| &status.recent_runs);
    let of_slot = records.find(|run| run.first_slot.as_ref().unwrap_or(&run.slot).0 <= slot && slot <= run.slot.0);
    match of_slot {
        Some(run) => anyhow!("slot {slot} has no Job: {} ({})", run.outcome, run.reason),
        None => anyhow!("no run of slot {slot} in the last runs: see punctual history {}", task.name),
    }
}

fn runs(task: &Task) -> Vec<Run<'_>> {
    let Some(status) = &task.status else { return Vec::new() };
    let active = status.active.iter().filter(|run| run.uid.is_some()).map(|run| Run {
        slot: run.slot.0,
        started: run.started.as_ref().map(|started| started.0),
        job: &run.job,
    });
    let recent = status.recent_runs.iter().filter_map(|run| {
        Some(Run {
            slot: run.slot.0,
            started: run.started.as_ref().map(|started| started.0),
            job: run.job.as_deref()?,
        })
    });
    active.chain(recent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::task;
    use serde_json::{Value, json};

    fn record(slot: &str, more: Value) -> Value {
        let mut record =
            json!({"slot": slot, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": "Failed", "reason": "JobFailed"});
        for (name, value) in more.as_object().unwrap() {
            record[name.as_str()] = value.clone();
        }
        record
    }

    fn nightly() -> Task {
        let status = json!({
            "active": [
                {"slot": "2026-11-24T01:00:00Z", "trigger": "Schedule", "attempt": 1, "job": "nightly-5"},
                {"slot": "2026-11-24T00:30:00Z", "trigger": "Schedule", "attempt": 2, "job": "nightly-4-2", "uid": "u", "started": "2026-11-24T00:30:01Z"},
            ],
            "recentRuns": [
                record("2026-11-23T01:30:00Z", json!({"job": "nightly-3-3", "started": "2026-11-23T01:30:01Z"})),
                record("2026-11-22T01:30:00Z", json!({"outcome": "Skipped", "reason": "Suspended", "firstSlot": "2026-11-20T01:30:00Z"})),
            ],
        });
        task("nightly", json!({}), status)
    }

    #[test]
    fn a_run_is_named_by_its_slot_or_a_job() {
        for (wanted, found) in [
            (None, Found::InLedger("nightly-4-2".into())),
            (Some("2026-11-23T01:30:00Z"), Found::InLedger("nightly-3-3".into())),
            (Some("2026-11-23T02:30:00+01:00"), Found::InLedger("nightly-3-3".into())),
            (Some("nightly-3-3"), Found::InLedger("nightly-3-3".into())),
            (Some("job/nightly-3-3"), Found::InLedger("nightly-3-3".into())),
            (Some("nightly-3-2"), Found::Named("nightly-3-2".into())),
        ] {
            assert_eq!(job(&nightly(), wanted).unwrap(), found, "{wanted:?}");
        }
    }

    #[test]
    fn a_run_without_a_job_says_why() {
        let error = |task: &Task, wanted| job(task, wanted).unwrap_err().to_string();
        let empty = task("new", json!({}), json!(null));
        assert_eq!(error(&empty, None), "new has no run with a Job yet");
        assert_eq!(
            error(&nightly(), Some("2026-11-21T01:30:00Z")),
            "slot 2026-11-21T01:30:00Z has no Job: Skipped (Suspended)"
        );
        assert_eq!(
            error(&nightly(), Some("2026-10-21T01:30:00Z")),
            "no run of slot 2026-10-21T01:30:00Z in the last runs: see punctual history nightly"
        );
        assert!(error(&nightly(), Some("yesterday 03:00")).starts_with("invalid run \"yesterday 03:00\": use a slot or a Job"));
    }
}
