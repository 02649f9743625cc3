//! etcd is restored from a snapshot: objects go back in time, and whoever knows their future learns of it from a new list.
//!
//! A snapshot of the API server goes in when it is taken, and takes the place of what is there when it is restored. UIDs are never used
//! again; revisions are bumped (`etcdutl snapshot restore --bump-revision --mark-compacted`), or repeat. The checker's books go back
//! with the objects; what was made since is remembered as forgotten by the API server, for operators may remember it, too.

use super::clock::{MINUTE, Ms, SECOND};
use super::cluster::{Api, JobObject};
use super::jobs::Chore;
use super::process::LEASE;
use super::replica::Life;
use super::story::{Step, Stream};
use super::world::{Event, World};
use serde_json::Value;
use std::sync::Arc;

/// What a snapshot of etcd holds, with the checker's books of that time.
#[derive(Debug)]
pub struct Snapshot {
    api: Api,
    spec: Value,
}

/// More than any life has.
const BUMP: u64 = 1_000_000_000;

impl World<'_> {
    /// Snapshots are taken when nobody knows yet that they will be needed.
    pub fn plan_snapshots(&mut self) {
        for at in 0..self.scenario.steps.len() {
            let (when, Step::Restore { ago, .. }) = &self.scenario.steps[at] else {
                continue;
            };
            self.later(self.scenario.born + (when - ago).max(1), Event::Snapshot(at));
        }
    }

    pub fn take_snapshot(&mut self, step: usize) {
        let snapshot = Snapshot {
            api: self.api.snapshot(),
            spec: self.spec.clone(),
        };
        self.snapshots.insert(step, snapshot);
    }

    pub fn restore(&mut self, step: usize, is_bumped: bool) {
        let Some(snapshot) = self.snapshots.remove(&step) else { return };
        self.spec = snapshot.spec;
        self.api.restore(snapshot.api, is_bumped);
        for at in 0..self.replicas.len() {
            self.reconnect(at, is_bumped);
        }
        self.fed = (self.api.task_log.len(), self.api.job_log.len());
        // The lease went back as well: whoever led may find that it is somebody else's.
        if self.random.chance(500) {
            let leader = self.replicas.iter().position(|replica| replica.leads && replica.life == Life::Up);
            leader.into_iter().for_each(|leader| self.leave(leader));
            self.vacant_until = self.api.now + LEASE;
        }
        self.later(self.api.now.max(self.vacant_until), Event::Elect);
    }

    /// Each request that is on its way is lost, and each watch answers 410.
    fn reconnect(&mut self, at: usize, is_bumped: bool) {
        match self.replicas[at].life {
            Life::Down => return,
            // A revision that repeats fences nobody, as etcd's documentation says.
            Life::Frozen if !is_bumped => self.die(at, SECOND),
            Life::Frozen => {
                let replica = &mut self.replicas[at];
                replica.stale |= std::mem::take(&mut replica.leads);
            }
            Life::Up => {
                if self.replicas[at].work.is_some() {
                    self.failed(at);
                }
            }
        }
        let mut streams = [Stream::Tasks, Stream::Jobs];
        if self.random.chance(500) {
            streams.reverse();
        }
        for stream in streams {
            if self.replicas[at].life != Life::Down && !self.feed(at, stream).dead {
                self.list(at, stream);
            }
        }
    }
}

impl Api {
    fn snapshot(&self) -> Self {
        let mut checker = self.checker.clone();
        checker.log = None;
        Self {
            temper: self.temper.clone(),
            task: self.task.clone(),
            jobs: self.jobs.clone(),
            claims: self.claims.clone(),
            names: self.names.clone(),
            checker,
            task_log: Vec::new(),
            job_log: Vec::new(),
            weather: self.weather.clone(),
            chores: Vec::new(),
            ..*self
        }
    }

    fn restore(&mut self, snapshot: Self, is_bumped: bool) {
        let spec = snapshot.checker.spec(snapshot.task.generation);
        self.checker.restore(self.now, snapshot.checker, &snapshot.task, spec);
        self.version = if is_bumped { self.version + BUMP } else { snapshot.version };
        self.task = snapshot.task;
        self.claims = snapshot.claims;
        // Squatters go when their time is over, and it may be over.
        let foreign = |job: &JobObject| job.is_foreign(&self.task);
        self.jobs = snapshot.jobs.into_iter().filter(|(_, job)| !foreign(job)).collect();
        self.names = self.jobs.values().map(|job| (job.uid.clone(), job.name.clone())).collect();
        self.foreign = 0;
        self.restored = (self.task_log.len(), (self.job_log.len(), self.jobs.len()));
        self.task_log.push((self.now, self.task.clone()));
        let names: Vec<String> = self.jobs.keys().cloned().collect();
        names.iter().for_each(|name| self.resume_life(name));
    }

    /// What a Job was about to do, it does again.
    fn resume_life(&mut self, name: &str) {
        let Some(job) = self.jobs.get_mut(name) else { return };
        let job = Arc::make_mut(job);
        job.epoch += 1;
        let (uid, epoch, fate) = (job.uid.clone(), job.epoch, &job.fate);
        let next = if job.deleting.is_some() {
            Some((fate.dies_in, Chore::Vanish(uid)))
        } else if job.end.is_some() {
            None
        } else if job.suspended {
            Some((fate.queued.unwrap_or(MINUTE), Chore::Resume(uid, epoch)))
        } else if job.began.is_none() {
            Some((fate.begins_in, Chore::Begin(uid, epoch)))
        } else if !job.ready {
            fate.ready_in.map(|wait| (wait, Chore::Ready(uid, epoch)))
        } else {
            Some((fate.works, Chore::End(uid, epoch)))
        };
        let job = Arc::new(job.clone());
        self.job_log.push((self.now, job, false));
        self.chores.extend(next.map(|(wait, chore): (Ms, Chore)| (self.now + wait, chore)));
    }
}
