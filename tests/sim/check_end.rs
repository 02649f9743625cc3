//! The last word: everything is healed, the task suspended, its Jobs have come to their ends. Now the books must be closed.
//!
//! Takes the API server as it stands, gives what is still owed or does not add up with the Jobs that were made. Never waits.

use super::check::{Checker, Verdict};
use super::check_books::brief;
use super::clock::Ms;
use super::cluster::JobObject;
use crate::demand;
use punctual::api::Trigger;
use punctual::plan::Task;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Checker {
    pub fn at_the_end(&mut self, now: Ms, task: &Task, jobs: &BTreeMap<String, Arc<JobObject>>) {
        let verdict = self.books_are_closed(task, jobs);
        self.judge(now, verdict);
    }

    fn books_are_closed(&self, task: &Task, jobs: &BTreeMap<String, Arc<JobObject>>) -> Verdict {
        let status = &task.status;
        let ours: Vec<&str> = jobs
            .values()
            .filter(|job| !job.is_foreign(task) && job.goes_on())
            .map(|job| job.name.as_str())
            .collect();
        demand!(ours.is_empty(), "owed: Jobs {ours:?} still go on");
        demand!(
            status.active.is_empty() && status.queued.is_empty() && status.running == 0 && status.backfill.is_none(),
            "owed: nothing goes on, and the status says: {}",
            brief(status)
        );
        self.claims_are_carried_out()?;
        if self.loose {
            return Ok(());
        }
        let made = self.runs.len() as i64;
        // An operator may remember runs that a restored backup does not hold.
        let forgotten: BTreeSet<&String> = self.forgotten.values().map(|(run, _)| run).collect();
        let forgotten = forgotten.iter().filter(|run| !self.runs.contains_key(**run)).count() as i64;
        demand!(
            (made..=made + forgotten).contains(&status.started),
            "sum: {made} runs were made, {} were counted: {}",
            status.started,
            brief(status)
        );
        let retries: i64 = self.runs.values().map(|run| run.attempts.len() as i64 - 1).sum();
        let further = self.forgotten.len() as i64;
        demand!(
            (retries..=retries + further).contains(&status.retried),
            "sum: {retries} further attempts were made, {} counted",
            status.retried
        );
        let (mut certain, mut possible) = (0, 0);
        for (name, run) in &self.runs {
            let succeeded = run
                .attempts
                .values()
                .any(|job| job.ended.is_some_and(|(_, succeeded, _)| succeeded));
            let unseen = self.deleted_by_people.contains(name)
                || run
                    .attempts
                    .values()
                    .any(|job| job.deleting.is_some_and(|at| job.ended.is_some_and(|(end, ..)| at <= end)));
            possible += i64::from(succeeded);
            certain += i64::from(succeeded && !unseen);
        }
        demand!(
            (certain..=possible + forgotten).contains(&status.succeeded),
            "sum: {certain} to {possible} runs succeeded, {} were counted: {}",
            status.succeeded,
            brief(status)
        );
        let slots = self.runs.values().filter(|run| run.trigger == Trigger::Schedule);
        let until = status.accounted_until.as_ref().map_or(0, |until| until.0.as_second());
        demand!(
            slots.clone().all(|run| run.slot <= until),
            "sum: a slot was started, and the ledger has not reached it"
        );
        // Each slot has one outcome: those that were started, and those that were not, are all there are.
        let requested = status.requested;
        demand!(
            self.slots + requested == status.started + status.missed + status.skipped,
            "sum: {} slots and {requested} requests: {}",
            self.slots,
            brief(status)
        );
        Ok(())
    }
}
