//! Time passes: events in their order, processes that lead and follow, watches that tell them what changed.
//!
//! Takes a scenario, lives it to its end, gives the checker's verdict. Never decides for the operator: that is the real `plan()`.

use super::clock::Ms;
use super::cluster::{Api, JobObject};
use super::jobs::Chore;
use super::mutants::Mutant;
use super::random::Random;
use super::replica::{Life, Replica};
use super::restore::Snapshot;
use super::steps::Lasting;
use super::story::{Scenario, Stream};
use punctual::api::ScheduledTaskSpec;
use punctual::state::Source;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A life that was edited to be dense is healed early.
const MOST_SLOTS: i64 = 5000;
const MOST_JOBS: usize = 400;

/// So many events are more than any life has.
const MOST: u64 = 500_000;

/// Something that is to come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    Step(usize),
    Snapshot(usize),
    Over(usize),
    Chore(Chore),
    Deliver(usize, bool),
    Look(usize, u32),
    Timer(usize, u64),
    Act(usize, u32),
    Rise(usize, u32),
    Thaw(usize, u32),
    Elect,
    Tick,
    Heal,
    Suspend,
    Restart,
    End,
}

/// What was lived through.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub slots: i64,
    pub jobs: i64,
    pub plans: u64,
    pub writes: u64,
    pub faults: BTreeMap<&'static str, u64>,
}

pub struct World<'a> {
    pub scenario: &'a Scenario,
    pub api: Api,
    pub replicas: Vec<Replica>,
    pub agenda: BTreeMap<(Ms, u64), Event>,
    pub order: u64,
    pub random: Random,
    pub spec: Value,
    pub clock_offset: Ms,
    /// When nobody leads: from when somebody may.
    pub vacant_until: Ms,
    /// Counts changes of leader.
    pub term: u64,
    pub snapshots: BTreeMap<usize, Snapshot>,
    pub mutant: Option<Mutant>,
    /// The last check is near: what was still to come does not.
    pub healed: bool,
    pub mended: bool,
    pub mended_at: Ms,
    pub figures: Figures,
    pub fed: (usize, usize),
    pub writes_before_restart: u64,
    /// Weather events of the same kind that overlap end with the last.
    pub ends: BTreeMap<Lasting, usize>,
}

impl<'a> World<'a> {
    pub fn new(scenario: &'a Scenario, mutant: Option<Mutant>) -> Self {
        let fields = ScheduledTaskSpec::read(&scenario.spec).unwrap_or_else(|error| panic!("{error}: {}", scenario.spec));
        let mut world = Self {
            api: Api::new(scenario.seed, scenario.born, fields, scenario.temper.clone()),
            replicas: (0..scenario.replicas).map(|_| Replica::default()).collect(),
            agenda: BTreeMap::new(),
            order: 0,
            random: Random::named(scenario.seed, "life"),
            spec: scenario.spec.clone(),
            clock_offset: 0,
            vacant_until: 0,
            term: 0,
            snapshots: BTreeMap::new(),
            mutant,
            healed: false,
            mended: false,
            mended_at: 0,
            figures: Figures::default(),
            fed: (0, 0),
            writes_before_restart: 0,
            ends: BTreeMap::new(),
            scenario,
        };
        for (at, _) in scenario.steps.iter().enumerate() {
            world.later(scenario.born + scenario.steps[at].0, Event::Step(at));
        }
        world.plan_snapshots();
        for tick in 1..50 {
            world.later(scenario.born + scenario.lasts * tick / 50, Event::Tick);
        }
        world.later(scenario.born + scenario.lasts, Event::Heal);
        world.later(scenario.born + 700, Event::Elect);
        world
    }

    /// Lives to the end, or to the first rule that is broken.
    pub fn live(&mut self) {
        let mut events = 0;
        while let Some(((when, _), event)) = self.agenda.pop_first() {
            self.api.now = self.api.now.max(when);
            if event == Event::End {
                self.end();
                break;
            }
            self.happen(event);
            self.spread();
            events += 1;
            if !self.healed && (self.api.checker.slots > MOST_SLOTS || self.api.checker.uids.len() > MOST_JOBS) {
                self.later(self.api.now, Event::Heal);
                self.healed = true;
            }
            // A silent API server is asked every few seconds, for days.
            if events > MOST + (self.api.now - self.scenario.born) as u64 / 1000 {
                self.api
                    .checker
                    .judge(self.api.now, Err("quiet: a life that is too busy: somebody works in a loop".into()));
            }
            let calm = self.is_calm();
            let only_creates_fail = self.is_calm_but_for_creates();
            self.api
                .checker
                .look(self.api.now, calm, only_creates_fail, &self.api.task, &self.api.jobs);
            if self.api.checker.broken.is_some() {
                break;
            }
        }
        self.figures.slots = self.api.checker.slots;
        self.figures.jobs = self.api.checker.runs.values().map(|run| run.attempts.len() as i64).sum();
        self.figures.writes = self.api.checker.writes;
    }

    pub fn later(&mut self, when: Ms, event: Event) {
        self.order += 1;
        self.agenda.insert((when, self.order), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step(at) if !self.healed => self.step(at),
            Event::Snapshot(step) if !self.healed => self.take_snapshot(step),
            Event::Over(at) => self.over(at),
            Event::Chore(chore) => self.api.chore(&chore),
            Event::Deliver(replica, jobs) => self.deliver(replica, if jobs { Stream::Jobs } else { Stream::Tasks }),
            Event::Look(replica, life) if self.replicas[replica].incarnation == life => self.look(replica),
            Event::Timer(replica, timer) if self.replicas[replica].timer == timer => self.look(replica),
            Event::Act(replica, life) if self.replicas[replica].incarnation == life => self.act(replica),
            Event::Rise(replica, life) if self.replicas[replica].incarnation == life => self.rise(replica),
            Event::Thaw(replica, life) if self.replicas[replica].incarnation == life => self.thaw(replica),
            Event::Elect => self.elect(),
            Event::Heal if !self.mended => self.heal(),
            Event::Suspend => self.rest(),
            Event::Restart => self.restart(),
            _ => {}
        }
    }

    /// What the last event caused: chores of Jobs, news for the watches.
    fn spread(&mut self) {
        for (when, chore) in std::mem::take(&mut self.api.chores) {
            self.later(when, Event::Chore(chore));
        }
        let news = (self.api.task_log.len(), self.api.job_log.len());
        for replica in 0..self.replicas.len() {
            if news.0 > self.fed.0 {
                let lag = self.replicas[replica].tasks.lag + self.random.between(1, 20);
                self.later(self.api.now + lag, Event::Deliver(replica, false));
            }
            if news.1 > self.fed.1 {
                let lag = self.replicas[replica].jobs.lag + self.random.between(1, 20);
                self.later(self.api.now + lag, Event::Deliver(replica, true));
            }
        }
        self.fed = news;
    }

    pub fn is_calm(&self) -> bool {
        let weather = &self.api.weather;
        !weather.refuses_creates && weather.quota.is_none() && self.is_calm_but_for_creates()
    }

    /// Whether nothing is wrong but that creates may be refused, by a quota or by anybody.
    fn is_calm_but_for_creates(&self) -> bool {
        let weather = &self.api.weather;
        let fair = !(weather.silent || weather.refuses_deletes || weather.refuses_pods || weather.refuses_status);
        let leader = |replica: &Replica| replica.leads && replica.life == Life::Up && !replica.stale;
        let sees = |replica: &Replica| replica.tasks.lag + replica.jobs.lag == 0 && !replica.tasks.dead && !replica.jobs.dead;
        fair && !weather.holds_deletions
            && self.clock_offset == 0
            && self.api.foreign == 0
            && self.replicas.iter().any(|replica| leader(replica) && sees(replica))
    }

    /// By how much the clock of a replica is wrong.
    pub fn offset(&self, replica: usize) -> Ms {
        self.clock_offset + self.replicas[replica].skew
    }

    pub fn clock(&self, replica: usize) -> Ms {
        self.api.now + self.offset(replica)
    }

    /// Everything of a watch that has arrived by now.
    pub fn deliver(&mut self, at: usize, stream: Stream) {
        let clock = super::clock::at(self.clock(at));
        let (now, replica) = (self.api.now, &mut self.replicas[at]);
        if replica.life == Life::Down {
            return;
        }
        let mut news = false;
        match stream {
            Stream::Tasks if !replica.tasks.dead => {
                while let Some((when, task)) = self.api.task_log.get(replica.tasks.cursor)
                    && when + replica.tasks.lag <= now
                {
                    news |= replica.memory.put_task(replica.version_of(task.clone()), clock);
                    replica.tasks.cursor += 1;
                }
            }
            Stream::Jobs if !replica.jobs.dead => {
                while let Some((when, job, gone)) = self.api.job_log.get(replica.jobs.cursor)
                    && when + replica.jobs.lag <= now
                {
                    replica.jobs.cursor += 1;
                    if job.owner != self.api.task.uid || job.unlabelled {
                        continue;
                    }
                    replica.memory.put_job(job.seen(), Source::Watch, clock);
                    if job.end.is_some() && !*gone {
                        // What the cluster does costs a round of its own: a backup may bring back many Jobs that end at once.
                        replica.rounds = replica.rounds.saturating_sub(1);
                    }
                    if *gone {
                        replica.memory.leave_watch(&job.uid, &super::replica::seal(), clock);
                    }
                    news = true;
                }
            }
            _ => {}
        }
        if news {
            self.wake(at);
        }
    }

    /// A new list, as the API server has it now, or as its cache has it. Says nothing to those who watch what is there.
    pub fn list(&mut self, at: usize, stream: Stream) {
        let clock = super::clock::at(self.clock(at));
        let served_at = self.replicas[at].old_cache.map_or(Ms::MAX, |(by, _)| self.api.now - by);
        let believes_versions = self.mutant == Some(Mutant::BelievesVersionsOfLists);
        let replica = &mut self.replicas[at];
        match stream {
            Stream::Tasks => {
                let (mut task, cursor) = self.api.task_at(served_at);
                if served_at == Ms::MAX {
                    // What a CRD prunes is pruned without a new version.
                    task = self.api.task.clone();
                }
                replica.tasks.cursor = cursor;
                let task = replica.version_of(task);
                let is_news = match believes_versions {
                    true => replica.memory.put_task(task, clock),
                    false => replica.memory.list_task(task, clock),
                };
                // What a list says is read before a Job is created by it.
                replica.read_in = if is_news { 0 } else { replica.read_in };
            }
            Stream::Jobs => {
                let (old, cursor) = match served_at {
                    Ms::MAX => (None, self.api.job_log.len()),
                    when => {
                        let (jobs, cursor) = self.api.jobs_at(when);
                        (Some(jobs), cursor)
                    }
                };
                let takes_unlisted_for_gone = self.mutant == Some(Mutant::TakesUnlistedForGone);
                let jobs = old.as_ref().unwrap_or(&self.api.jobs);
                replica.jobs.cursor = cursor;
                let is_listed = |job: &&Arc<JobObject>| job.owner == self.api.task.uid && !job.unlabelled;
                let ours = jobs.values().filter(is_listed);
                let listed: BTreeSet<String> = ours.clone().map(|job| job.uid.clone()).collect();
                for job in ours {
                    replica.memory.put_job(job.seen(), Source::List, clock);
                }
                if takes_unlisted_for_gone && let Some(known) = replica.memory.observe(clock, &super::replica::seal()) {
                    for job in known.jobs.iter().filter(|job| !listed.contains(&job.object.uid)) {
                        replica.memory.remove_job(&job.object.uid, &super::replica::seal(), clock);
                    }
                }
                replica.memory.keep_jobs(|uid| listed.contains(uid), &super::replica::seal(), clock);
            }
        }
        self.wake(at);
    }
}
