//! The Job controller, the kubelet and a queueing system: what Jobs do once they are made.
//!
//! Takes chores whose time has come, changes Jobs. What a Job will do follows from seed and name alone, so that a life does not
//! change when another event is left out. Never talks to the operator but through the watches.

use super::clock::{MINUTE, Ms, SECOND, whole};
use super::cluster::{Api, JobObject};
use super::random::Random;
use super::story::Temper;
use punctual::plan::JobEnd;
use std::sync::Arc;

/// What will become of a Job.
#[derive(Clone, Debug)]
pub struct Fate {
    /// Suspended at admission by a queueing system, for so long.
    pub queued: Option<Ms>,
    pub begins_in: Ms,
    /// None: its image does not exist.
    pub ready_in: Option<Ms>,
    pub works: Ms,
    pub code: Option<i32>,
    pub for_good: bool,
    /// How long its pods take to stop.
    pub dies_in: Ms,
    /// Its work may end while it is being deleted.
    pub ends_while_deleted: bool,
}

/// Something that is to happen to a Job, by UID; the number is the epoch in which it may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chore {
    Begin(String, u32),
    Ready(String, u32),
    End(String, u32),
    Resume(String, u32),
    Vanish(String),
}

impl Fate {
    pub fn of(seed: u64, name: &str, temper: &Temper) -> Self {
        let mut random = Random::named(seed, name);
        let work = (temper.work / 4).max(1);
        let fails = random.chance(temper.fails);
        let slow = random.chance(temper.slow_to_die);
        Self {
            queued: random.chance(temper.queued).then(|| random.span(SECOND, 10 * MINUTE)),
            begins_in: random.between(10, 1500),
            ready_in: (!random.chance(temper.never_ready)).then(|| random.span(200, 8 * SECOND)),
            works: random.between(work, temper.work * 2),
            code: fails.then(|| random.between(1, 3) as i32),
            for_good: fails && random.chance(temper.fails_for_good),
            dies_in: if slow {
                random.span(MINUTE, 20 * MINUTE)
            } else {
                random.between(100, 29 * SECOND)
            },
            ends_while_deleted: random.chance(300),
        }
    }
}

impl Api {
    /// Takes in a Job that was posted.
    pub fn admit(&mut self, mut job: JobObject) -> Arc<JobObject> {
        job.suspended = job.fate.queued.is_some();
        job.said_suspended = job.suspended;
        let (uid, fate) = (job.uid.clone(), job.fate.clone());
        let chore = match fate.queued {
            Some(wait) => (self.now + wait, Chore::Resume(uid, 0)),
            None => (self.now + fate.begins_in, Chore::Begin(uid, 0)),
        };
        self.chores.push(chore);
        self.insert(job)
    }

    pub fn chore(&mut self, chore: &Chore) {
        let (Chore::Begin(uid, _) | Chore::Ready(uid, _) | Chore::End(uid, _) | Chore::Resume(uid, _) | Chore::Vanish(uid)) = chore;
        let Some(job) = self.of_uid(uid).cloned() else { return };
        let in_time = |epoch: &u32| job.epoch == *epoch && job.end.is_none();
        let deleted = job.deleting.is_some();
        let fate = &job.fate;
        match chore {
            Chore::Resume(uid, epoch) if in_time(epoch) && !deleted => {
                self.change(&job.name, |job, now| (job.suspended, job.resumed) = (false, now));
                self.chores.push((self.now + fate.begins_in, Chore::Begin(uid.clone(), *epoch)));
            }
            Chore::Begin(uid, epoch) if in_time(epoch) && !deleted => {
                self.change(&job.name, |job, now| (job.began, job.said_suspended) = (Some(whole(now)), false));
                if let Some(ready_in) = fate.ready_in {
                    self.chores.push((self.now + ready_in, Chore::Ready(uid.clone(), *epoch)));
                }
            }
            Chore::Ready(uid, epoch) if in_time(epoch) && !deleted => {
                self.change(&job.name, |job, _| job.ready = true);
                self.chores.push((self.now + fate.works, Chore::End(uid.clone(), *epoch)));
            }
            Chore::End(_, epoch) if in_time(epoch) && (!deleted || fate.ends_while_deleted) => {
                self.checker.job_ended(self.now, &job);
                self.change(&job.name, |job, now| {
                    job.code = job.fate.code;
                    let reason = match (job.fate.code, job.fate.for_good) {
                        (None, _) => "CompletionsReached",
                        (_, true) => "PodFailurePolicy",
                        _ => "BackoffLimitExceeded",
                    };
                    job.end = Some(JobEnd {
                        succeeded: job.fate.code.is_none(),
                        at: whole(now),
                        reason: reason.into(),
                        message: "so it was".into(),
                    });
                });
            }
            Chore::Vanish(uid) if self.weather.holds_deletions => {
                self.chores.push((self.now + 5 * SECOND, Chore::Vanish(uid.clone())));
            }
            Chore::Vanish(_) if deleted => self.remove(&job.name),
            _ => {}
        }
    }

    /// A queueing system takes the room back: Jobs that go on are suspended, and resumed later.
    pub fn preempt(&mut self, wait: Ms) {
        for job in self.going_on() {
            if job.deleting.is_none() && !job.suspended {
                self.change(&job.name, |job, _| {
                    (job.suspended, job.said_suspended, job.ready, job.began) = (true, true, false, None);
                    job.epoch += 1;
                });
                self.chores.push((self.now + wait, Chore::Resume(job.uid.clone(), job.epoch + 1)));
            }
        }
    }

    /// Nodes are mended, images pushed, room made: whatever waits goes on.
    pub fn mend(&mut self) {
        for job in self.going_on() {
            let uid = job.uid.clone();
            if job.deleting.is_some() {
                self.chores.push((self.now + SECOND, Chore::Vanish(uid)));
            } else if job.suspended {
                self.chores.push((self.now + SECOND, Chore::Resume(uid, job.epoch)));
            } else if job.fate.ready_in.is_none() && !job.ready {
                self.chores.push((self.now + SECOND, Chore::Ready(uid, job.epoch)));
            }
        }
    }

    /// The task's Jobs that have not ended.
    pub fn going_on(&self) -> Vec<Arc<JobObject>> {
        let ours = self.jobs.values().filter(|job| !job.is_foreign(&self.task));
        ours.filter(|job| job.goes_on()).cloned().collect()
    }
}
