//! What a step of the story does to the world, and what is over when its time has passed.
//!
//! Takes steps, changes weather, people's wishes and processes. What the documents name as a window is left alone here: the header of
//! `sim.rs` lists it.

use super::calendar::Calendar;
use super::clock::{MINUTE, Ms, SECOND, at, show};
use super::cluster::{JobObject, NAME};
use super::generate::merge;
use super::jobs::Fate;
use super::mutants::Mutant;
use super::process::LEASE;
use super::replica::Life;
use super::story::{Forgery, Kind, Step, Stream};
use super::versions::Dropped;
use super::world::{Event, World};
use jiff::Timestamp;
use punctual::api::{ScheduledTaskSpec, Trigger};
use punctual::plan::JobEnd;
use serde_json::Value;
use std::sync::Arc;

impl World<'_> {
    pub fn step(&mut self, at: usize) {
        let step = self.scenario.steps[at].1.clone();
        let now = self.api.now;
        self.api.checker.note(now, || format!("--- {step}"));
        self.api.checker.disturbed();
        if let Some(fault) = step.fault() {
            *self.figures.faults.entry(fault).or_default() += 1;
        }
        let leader = self.replicas.iter().position(|replica| replica.leads && replica.life == Life::Up);
        let replicas = self.replicas.len();
        match &step {
            Step::Edit(patch) => self.edit(patch),
            Step::RunNow(value) => self.api.write(|task| task.requests.run_now = Some(value.clone())),
            Step::Resume(value) => self.api.write(|task| task.requests.resume = Some(value.clone())),
            Step::Backfill { ago, long } => self.backfill(*ago, *long),
            Step::TakeBack => self.api.write(|task| task.requests = Default::default()),
            Step::DamageLog(how) => self.api.damage_claims(*how),
            Step::DeleteJob(which) => self.delete_job(*which),
            Step::Unlabel(which) => self.unlabel(*which),
            Step::DeleteStatus => self.delete_status(),
            Step::Touch => self.api.write(|_| {}),
            Step::Squat { .. } => self.squat(None),
            Step::Forge { forgery, .. } => self.squat(Some(*forgery)),
            Step::Preempt { for_ } => self.api.preempt(*for_),
            Step::Temper(temper) => self.api.temper = temper.clone(),
            Step::Crash { replica, after: 0, down } if self.replicas[replica % replicas].life == Life::Up => {
                self.die(replica % replicas, *down)
            }
            Step::Crash { replica, after, down } => self.replicas[replica % replicas].dies_in = Some((*after, *down)),
            Step::CrashAll { down } => (0..replicas).for_each(|at| self.die(at, *down)),
            Step::Freeze { before, for_ } => {
                if let Some(leader) = leader {
                    self.replicas[leader].freezes = Some((*before, *for_));
                }
            }
            Step::Depose => {
                if let Some(leader) = leader {
                    self.leave(leader);
                    self.vacant_until = now + self.random.between(0, 2000);
                    self.later(self.vacant_until, Event::Elect);
                }
            }
            Step::LoseAnswers(verb, n) => *self.api.weather.loses.entry(*verb as u8).or_default() += n,
            Step::DropRequests(verb, n) => *self.api.weather.drops.entry(*verb as u8).or_default() += n,
            Step::Silence { .. } => self.api.weather.silent = true,
            Step::RefuseCreates { .. } => self.api.weather.refuses_creates = true,
            Step::RefuseDeletes { .. } => self.api.weather.refuses_deletes = true,
            Step::RefusePods { .. } => self.api.weather.refuses_pods = true,
            Step::RefuseStatus { .. } => self.api.weather.refuses_status = true,
            Step::Quota { jobs, .. } => self.api.weather.quota = Some(*jobs),
            Step::HoldDeletions { .. } => self.api.weather.holds_deletions = true,
            Step::Lag { replica, stream, by, .. } => self.feed(replica % replicas, *stream).lag = *by,
            Step::WatchDies { replica, stream, .. } => self.feed(replica % replicas, *stream).dead = true,
            Step::Clock { by, .. } => {
                self.api.checker.skewed = true;
                self.set_clock(*by);
            }
            Step::Restore { is_bumped, .. } => self.restore(at, *is_bumped),
            Step::OldCache {
                replica, by, lists, gets, ..
            } => self.read_from_old_cache(replica % replicas, (*by, *gets), *lists),
            Step::OldCrd { drops, .. } => self.api.prune(*drops),
            Step::Skew { replica, by, .. } => self.set_skew(replica % replicas, *by),
            Step::OldOperator { replica, drops, .. } => {
                let mistake = self.mutant == Some(Mutant::DropsHandledRequests);
                let more = if mistake { Dropped::HANDLED_REQUESTS } else { Dropped::NOTHING };
                self.replicas[replica % replicas].drops = drops.and(more);
                self.die(replica % replicas, SECOND);
            }
        }
        if let Some((lasts, kind)) = lasts(&step) {
            self.ends.insert(kind, at);
            self.later(now + lasts, Event::Over(at));
        }
    }

    /// The time of a fault has passed, unless a newer one of its kind goes on.
    pub fn over(&mut self, at: usize) {
        let step = self.scenario.steps[at].1.clone();
        let Some((lasts, kind)) = lasts(&step) else { return };
        if self.ends.get(&kind) != Some(&at) {
            return;
        }
        self.ends.remove(&kind);
        let now = self.api.now;
        self.api.checker.note(now, || format!("--- over: {step}"));
        self.api.checker.disturbed();
        let (weather, replicas) = (&mut self.api.weather, self.replicas.len());
        match step {
            Step::Silence { .. } => {
                weather.silent = false;
                // Who could not renew for so long leads no more.
                if lasts > LEASE && self.random.chance(500) {
                    let leader = self.replicas.iter().position(|replica| replica.leads && replica.life == Life::Up);
                    leader.into_iter().for_each(|leader| self.leave(leader));
                    self.vacant_until = now;
                }
                self.later(now, Event::Elect);
            }
            Step::RefuseCreates { .. } => weather.refuses_creates = false,
            Step::RefuseDeletes { .. } => weather.refuses_deletes = false,
            Step::RefusePods { .. } => weather.refuses_pods = false,
            Step::RefuseStatus { .. } => weather.refuses_status = false,
            Step::Quota { .. } => weather.quota = None,
            Step::HoldDeletions { .. } => weather.holds_deletions = false,
            Step::Squat { .. } | Step::Forge { .. } => {
                let squatters = self.api.jobs.values().filter(|job| job.is_foreign(&self.api.task));
                let squatters: Vec<String> = squatters.map(|job| job.name.clone()).collect();
                squatters.iter().for_each(|name| self.api.remove(name));
            }
            Step::Lag { replica, stream, .. } => {
                self.feed(replica % replicas, stream).lag = 0;
                self.deliver(replica % replicas, stream);
            }
            Step::WatchDies { replica, stream, .. } => self.revive(replica % replicas, stream),
            Step::Clock { .. } => self.set_clock(0),
            Step::OldCache { replica, .. } => self.read_from_new_cache(replica % replicas),
            Step::OldCrd { .. } => weather.prunes = Dropped::NOTHING,
            Step::Skew { replica, .. } => self.set_skew(replica % replicas, 0),
            Step::OldOperator { replica, .. } => {
                self.replicas[replica % replicas].drops = Dropped::NOTHING;
                self.die(replica % replicas, SECOND);
            }
            _ => {}
        }
    }

    pub fn feed(&mut self, replica: usize, stream: Stream) -> &mut super::replica::Feed {
        match stream {
            Stream::Tasks => &mut self.replicas[replica].tasks,
            Stream::Jobs => &mut self.replicas[replica].jobs,
        }
    }

    /// A watch that was dead lists anew; one that was late catches up.
    pub fn revive(&mut self, replica: usize, stream: Stream) {
        let was_dead = std::mem::take(&mut self.feed(replica, stream).dead);
        match self.replicas[replica].life {
            Life::Down => {}
            _ if was_dead => self.list(replica, stream),
            _ => self.deliver(replica, stream),
        }
    }

    pub fn set_clock(&mut self, offset: Ms) {
        let by = offset - std::mem::replace(&mut self.clock_offset, offset);
        self.api.checker.clock_set = (self.api.now, by.abs());
        for replica in 0..self.replicas.len() {
            self.clock_was_set(replica, by);
        }
    }

    /// The clock of one node.
    pub fn set_skew(&mut self, replica: usize, skew: Ms) {
        let by = skew - std::mem::replace(&mut self.replicas[replica].skew, skew);
        self.api.checker.clocks_differ(skew);
        self.clock_was_set(replica, by);
    }

    fn clock_was_set(&mut self, replica: usize, by: Ms) {
        if self.replicas[replica].life == Life::Up && self.replicas[replica].leads {
            let now = at(self.clock(replica));
            let wanted = &mut self.replicas[replica].wanted;
            *wanted = wanted.map(|wanted| if by < -SECOND { wanted.min(now) } else { wanted });
            self.arm(replica);
        }
    }

    /// The connection goes to another API server: its watches are late, and a new list is old.
    fn read_from_old_cache(&mut self, at: usize, cache: (Ms, bool), lists: bool) {
        let replica = &mut self.replicas[at];
        replica.old_cache = Some(cache);
        (replica.tasks.lag, replica.jobs.lag) = (cache.0, cache.0);
        for stream in [Stream::Tasks, Stream::Jobs] {
            if lists && self.replicas[at].life != Life::Down && !self.feed(at, stream).dead {
                self.list(at, stream);
            }
        }
    }

    fn read_from_new_cache(&mut self, at: usize) {
        let replica = &mut self.replicas[at];
        replica.old_cache = None;
        (replica.tasks.lag, replica.jobs.lag) = (0, 0);
        self.deliver(at, Stream::Tasks);
        self.deliver(at, Stream::Jobs);
    }

    /// Not to a schedule that names no moment at all: other tests say what becomes of it.
    pub fn edit(&mut self, patch: &Value) {
        let mut spec = self.spec.clone();
        merge(&mut spec, patch.clone());
        // A life that is being made shorter may ask for what admission refuses.
        let Ok(fields) = ScheduledTaskSpec::read(&spec) else { return };
        if Calendar::of(&fields.observed_schedule()).next(self.scenario.born / 1000).is_some() {
            self.spec = spec;
            self.api.edit(fields);
        }
    }

    fn backfill(&mut self, ago: Ms, long: Ms) {
        let until = self.api.now - ago;
        let second = |ms: Ms| at(ms.div_euclid(1000) * 1000).to_string();
        let value = format!("{}/{}", second(until - long), second(until));
        self.api.write(|task| task.requests.backfill = Some(value));
    }

    /// A Job of the task, but not one whose start is not written down yet: it alone proves it (docs/decisions/02).
    fn proven_job(&self, which: usize) -> Option<Arc<JobObject>> {
        let status = self.api.task.status.clone();
        let until = status.accounted_until.as_ref().map(|until| until.0);
        let proven = |job: &&Arc<JobObject>| {
            let claimed = status.active.iter().any(|run| run.job == job.name && run.uid.is_none());
            job.owner == "task-1" && !job.forged && !claimed && (job.trigger != Trigger::Schedule || job.slot <= until)
        };
        let jobs: Vec<Arc<JobObject>> = self.api.jobs.values().filter(proven).cloned().collect();
        jobs.get(which % jobs.len().max(1)).cloned()
    }

    fn delete_job(&mut self, which: usize) {
        let Some(job) = self.proven_job(which) else { return };
        let now = self.api.now;
        self.api.checker.note(now, || format!("somebody deletes Job {}", job.name));
        self.api.checker.people_delete(&job);
        self.api.end_of_life(&job, false);
    }

    /// The watch shows it as deleted, and nothing of it after that.
    fn unlabel(&mut self, which: usize) {
        let Some(job) = self.proven_job(which).filter(|job| !job.unlabelled) else {
            return;
        };
        let now = self.api.now;
        self.api.checker.note(now, || format!("Job {} loses its label", job.name));
        self.api.job_log.push((now, job.clone(), true));
        self.api.change(&job.name, |job, _| job.unlabelled = true);
    }

    /// Not while the task is so young that its first slots are owed from its creation.
    fn delete_status(&mut self) {
        if self.api.now > self.scenario.born + 6 * MINUTE {
            self.api.checker.loose = true;
            self.api.write(|task| task.status = Arc::default());
        }
    }

    /// Somebody makes a Job that has the name of the next slot's.
    /// Somebody makes a Job under the name of one of the task's; a forged one claims to be the task's, too.
    fn squat(&mut self, forgery: Option<Forgery>) {
        let spec = self.api.checker.spec(self.api.task.generation);
        let calendar = self.api.checker.calendar(&spec.observed_schedule());
        let now = self.api.now;
        let second = now.div_euclid(1000);
        let kind = forgery.map_or(Kind::Next, |forgery| forgery.kind);
        let slot = match kind {
            Kind::Next | Kind::Retry | Kind::Manual => calendar.next(second),
            Kind::Past => calendar.slots(second - 86_400, second).pop(),
            Kind::FarAhead => calendar.next(second + 400 * 86_400),
        };
        let Some(slot) = slot else { return };
        let (trigger, attempt, name) = match kind {
            Kind::Retry => (Trigger::Schedule, 7, format!("{NAME}-{slot:010}-7")),
            Kind::Manual => (Trigger::Manual, 1, format!("{NAME}-m{:09x}", slot & 0xf_ffff_ffff)),
            _ => (Trigger::Schedule, 1, format!("{NAME}-{slot:010}")),
        };
        if self.api.jobs.contains_key(&name) {
            return;
        }
        self.api
            .checker
            .note(now, || format!("somebody makes {name}, at {}, {forgery:?}", show(now)));
        let forged = forgery.is_some();
        let instant = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let end = forgery.and_then(|forgery| forgery.ended).map(|succeeded| JobEnd {
            succeeded,
            at: instant(second),
            reason: "Forged".into(),
            message: String::new(),
        });
        self.api.insert(JobObject {
            version: 0,
            uid: format!("other-{name}-{now}"),
            owner: if forged { self.api.task.uid.clone() } else { "somebody".into() },
            run: name.clone(),
            slot: forged.then(|| instant(slot)),
            trigger,
            attempt,
            mark: forgery.and_then(|forgery| forgery.marked.then_some(4711)),
            forged,
            unlabelled: false,
            made: now,
            began: None,
            suspended: false,
            said_suspended: false,
            resumed: now,
            ready: false,
            deleting: None,
            end,
            code: None,
            fate: Fate::of(0, &name, &self.scenario.temper),
            epoch: 0,
            name,
        });
    }
}

/// What lasts, and of which replica and stream.
pub type Lasting = (&'static str, (usize, bool));

fn lasts(step: &Step) -> Option<(Ms, Lasting)> {
    let for_ = match step {
        Step::Silence { for_ }
        | Step::RefuseCreates { for_ }
        | Step::RefuseDeletes { for_ }
        | Step::RefusePods { for_ }
        | Step::RefuseStatus { for_ }
        | Step::Quota { for_, .. }
        | Step::HoldDeletions { for_ }
        | Step::Squat { for_ }
        | Step::Forge { for_, .. }
        | Step::Lag { for_, .. }
        | Step::WatchDies { for_, .. }
        | Step::OldCache { for_, .. }
        | Step::OldCrd { for_, .. }
        | Step::Skew { for_, .. }
        | Step::OldOperator { for_, .. }
        | Step::Clock { for_, .. } => *for_,
        _ => return None,
    };
    // Each replica has its own.
    let replica = match step {
        Step::Lag { replica, stream, .. } | Step::WatchDies { replica, stream, .. } => (*replica, *stream == Stream::Jobs),
        Step::OldCache { replica, .. } | Step::Skew { replica, .. } | Step::OldOperator { replica, .. } => (*replica, false),
        _ => (0, false),
    };
    let kind = match step {
        Step::Clock { .. } => "clock",
        Step::Lag { .. } => "lag",
        Step::WatchDies { .. } => "death",
        Step::OldCache { .. } => "cache",
        Step::Skew { .. } => "skew",
        step => step.fault().unwrap_or_default(),
    };
    Some((for_, (kind, replica)))
}
