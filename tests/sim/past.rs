//! What the API server held at an earlier time: for caches that are old, and for backups of etcd.
//!
//! The logs that feed the watches go in, the task and the Jobs of that time come out, each with the place in its log from which a
//! watch goes on. Never reaches back behind a restored backup: every cache was filled anew by then.

use super::clock::Ms;
use super::cluster::{Api, JobObject};
use punctual::plan::Task;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Api {
    /// The task at that time, or the oldest that a cache may hold.
    pub fn task_at(&self, when: Ms) -> (Arc<Task>, usize) {
        let first = self.restored.0;
        let news = self.task_log[first..].partition_point(|(at, _)| *at <= when).max(1);
        (self.task_log[first + news - 1].1.clone(), first + news)
    }

    /// The Jobs at that time, by name.
    pub fn jobs_at(&self, when: Ms) -> (BTreeMap<String, Arc<JobObject>>, usize) {
        let (first, base) = self.restored.1;
        let news = self.job_log[first..].partition_point(|(at, ..)| *at <= when).max(base);
        let mut jobs = BTreeMap::new();
        for (_, job, is_gone) in &self.job_log[first..first + news] {
            match is_gone {
                true => jobs.remove(&job.name),
                false => jobs.insert(job.name.clone(), job.clone()),
            };
        }
        (jobs, first + news)
    }
}
