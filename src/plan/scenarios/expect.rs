//! What a scenario expects: starts, counters, conditions, records of the history.
//!
//! A failed expectation panics with what was expected and the status. Nothing here changes the world, except that a coalesced status
//! write is carried out first.

use super::story::{Story, time};
use super::world::World;
use crate::api::{ActiveRun, RunRecord, ScheduledTaskStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Expectations.
impl Story {
    pub fn passes_audit(self) -> Self {
        if let Some(broken) = &self.world.violation {
            panic!("{broken}");
        }
        self
    }

    /// The next Job that was created is this slot's.
    pub fn starts(mut self, slot: &str) -> Self {
        let made = self.world.started.get(self.named);
        assert_eq!(
            made,
            Some(&time(slot)),
            "the Job made next, at {}: {}",
            self.world.now,
            brief(self.world.status())
        );
        self.named += 1;
        self
    }

    /// No Job was created beyond those that the scenario has named.
    pub fn starts_nothing(self) -> Self {
        let unnamed = &self.world.started[self.named..];
        assert!(unnamed.is_empty(), "created at {} unexpectedly: {unnamed:?}", self.world.now);
        self
    }

    /// This many Jobs were created since the last one that the scenario has named.
    pub fn starts_jobs(mut self, jobs: usize) -> Self {
        assert_eq!(self.world.started.len() - self.named, jobs, "Jobs made until {}", self.world.now);
        self.named += jobs;
        self
    }

    /// The counters that are not zero, such as `started 2, succeeded 1, missed 3`.
    pub fn counts(mut self, expected: &str) -> Self {
        self.world.write_coalesced();
        assert_eq!(
            counters(self.world.status()),
            expected,
            "at {}: {}",
            self.world.now,
            brief(self.world.status())
        );
        self.passes_audit()
    }

    /// The newest entry of the history, such as `Missed Superseded x3`.
    pub fn latest_record(mut self, expected: &str) -> Self {
        self.world.write_coalesced();
        let newest = self
            .world
            .status()
            .recent_runs
            .first()
            .map_or_else(String::new, |run| match run.slots {
                1 => format!("{} {}", run.outcome, run.reason),
                n => format!("{} {} x{n}", run.outcome, run.reason),
            });
        assert_eq!(newest, expected, "at {}: {}", self.world.now, brief(self.world.status()));
        self
    }

    /// A condition's status and reason, such as `False JobRefused`.
    pub fn has_condition(mut self, kind: &str, expected: &str) -> Self {
        self.world.write_coalesced();
        let condition = self
            .world
            .status()
            .condition(kind)
            .unwrap_or_else(|| panic!("{kind} was never written"));
        assert_eq!(
            format!("{} {}", condition.status, condition.reason),
            expected,
            "{kind} at {}: {}",
            self.world.now,
            condition.message
        );
        self
    }

    /// A condition is not there.
    pub fn has_no_condition(mut self, kind: &str) -> Self {
        self.world.write_coalesced();
        let condition = self.world.status().condition(kind);
        assert_eq!(condition, None, "{kind} at {}", self.world.now);
        self
    }

    /// The next retry is this attempt of this slot.
    pub fn retries(mut self, slot: &str, attempt: i32) -> Self {
        let made = self.world.retried.get(self.attempts);
        let expected = (time(slot), attempt);
        assert_eq!(made, Some(&expected), "at {}: {}", self.world.now, brief(self.world.status()));
        self.attempts += 1;
        self
    }

    /// This many requested runs were started.
    pub fn requested_runs(self, runs: usize) -> Self {
        assert_eq!(
            self.world.requested.len(),
            runs,
            "at {}: {}",
            self.world.now,
            brief(self.world.status())
        );
        self
    }

    /// The queued slots.
    pub fn queued(mut self, slots: &[&str]) -> Self {
        self.world.write_coalesced();
        let queued: Vec<Timestamp> = self.world.status().queued.iter().map(|run| run.slot.0).collect();
        let expected: Vec<Timestamp> = slots.iter().map(|slot| time(slot)).collect();
        assert_eq!(queued, expected, "queued at {}", self.world.now);
        self
    }

    /// An announcement contains these words.
    pub fn announces(self, words: &str) -> Self {
        let said: Vec<&str> = self.world.announced.iter().map(|said| said.message.as_str()).collect();
        assert!(said.iter().any(|said| said.contains(words)), "{words:?} is not in {said:#?}");
        self
    }

    /// The message of the newest entry of the history contains these words.
    pub fn with_message(mut self, words: &str) -> Self {
        self.world.write_coalesced();
        let newest = self
            .world
            .status()
            .recent_runs
            .first()
            .and_then(|run| run.message.clone())
            .unwrap_or_default();
        assert!(newest.contains(words), "{words:?} is not in {newest:?}");
        self
    }

    /// The slots of the runs that are active or claimed.
    pub fn active(mut self, slots: &[&str]) -> Self {
        self.world.write_coalesced();
        let active: Vec<Timestamp> = self.world.status().active.iter().map(|run| run.slot.0).collect();
        let expected: Vec<Timestamp> = slots.iter().map(|slot| time(slot)).collect();
        assert_eq!(active, expected, "active at {}", self.world.now);
        self
    }

    /// Anything else.
    pub fn then(mut self, check: impl FnOnce(&World)) -> Self {
        self.world.write_coalesced();
        check(&self.world);
        self.passes_audit()
    }
}

pub fn counters(status: &ScheduledTaskStatus) -> String {
    let all = [
        ("started", status.started),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("cancelled", status.cancelled),
        ("retried", status.retried),
        ("requested", status.requested),
        ("missed", status.missed),
        ("skipped", status.skipped),
    ];
    all.into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A short form of a status, for failure messages.
pub fn brief(status: &ScheduledTaskStatus) -> String {
    let at = |at: &Option<Time>| at.as_ref().map_or_else(|| "never".to_owned(), |at| at.0.to_string());
    let run = |run: &ActiveRun| {
        format!(
            "{} {} {}",
            run.job,
            run.uid.as_deref().unwrap_or("claimed"),
            run.termination.as_ref().map_or("", |termination| &termination.reason)
        )
    };
    let record = |run: &RunRecord| format!("{} x{} {} {}", run.slot.0, run.slots, run.outcome, run.reason);
    let active: Vec<String> = status.active.iter().map(run).collect();
    let recent: Vec<String> = status.recent_runs.iter().map(record).collect();
    let conditions: Vec<String> = status
        .conditions
        .iter()
        .map(|c| format!("{} {} {}", c.type_, c.status, c.reason))
        .collect();
    let (since, until) = (at(&status.schedule_since), at(&status.accounted_until));
    format!(
        "since {since}, accounted until {until}; {}\n  active {active:?}\n  recent {recent:?}\n  {conditions:?}",
        counters(status)
    )
}
