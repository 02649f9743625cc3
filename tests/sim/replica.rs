//! One process of the operator: its memory, its timers, and the plan that it is carrying out.
//!
//! Plan, memory and execution are the operator's own; this file only sends the requests to the API server in memory, one at a time, so
//! that a process may die or be stopped between any two.

use super::check::Actor;
use super::clock::{Ms, SECOND};
use super::cluster::{Api, JobObject, Refusal};
use super::story::{Moment, Verb};
use super::versions::Dropped;
use jiff::Timestamp;
use punctual::plan::{Claim, Task, Urgency};
use punctual::state::{Answer, Execution, Failure, FoundJob, Record, Reply, Request, Seal, Writer};
use std::sync::Arc;

/// A process.
#[derive(Debug, Default)]
pub struct Replica {
    pub life: Life,
    pub leads: bool,
    pub memory: Record,
    /// Its writer of the claims log: none before it leads.
    pub log: Option<Writer>,
    pub work: Option<Work>,
    /// Woken while it works.
    pub again: bool,
    /// When it wants to look, by its own clock.
    pub wanted: Option<Timestamp>,
    /// Only the newest timer counts.
    pub timer: u64,
    pub merging: Option<Ms>,
    pub failures: u32,
    pub rounds: u32,
    /// It dies after so many more writes.
    pub dies_in: Option<(u32, Ms)>,
    /// It is stopped before its next effect of that kind.
    pub freezes: Option<(Moment, Ms)>,
    pub tasks: Feed,
    pub jobs: Feed,
    /// A process that is stopped and was deposed meanwhile.
    pub stale: bool,
    /// By how much the clock of its node is wrong.
    pub skew: Ms,
    /// It reads from a cache that is so old; whether single reads are, too.
    pub old_cache: Option<(Ms, bool)>,
    /// An operator of an older version does not know these fields of the status.
    pub drops: Dropped,
    /// The term in which it began to lead, and in which it last read the task.
    pub term: u64,
    pub read_in: u64,
    /// Since when it has decided by what it knows: what others wrote before, it knows from the status alone.
    pub leads_since: Ms,
    /// Counts its lives: what was meant for an earlier one is ignored.
    pub incarnation: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    #[default]
    Up,
    Down,
    Frozen,
}

/// One watch.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    pub cursor: usize,
    pub lag: Ms,
    pub dead: bool,
}

/// A plan that is being carried out.
#[derive(Debug)]
pub struct Work {
    pub seen: Arc<Task>,
    pub execution: Execution,
    /// The request that is sent next.
    pub next: Option<Request>,
    pub planned_at: Ms,
    pub wake_at: Option<Timestamp>,
}

/// How long a write waits that only repeats what a Job proves, and one that only says that slots were skipped.
pub fn pause(urgency: Urgency) -> Ms {
    match urgency {
        Urgency::Now | Urgency::Merge => SECOND,
        Urgency::Coalesce => 10 * SECOND,
    }
}

/// What all replicas mark their Jobs with, as by election.
pub fn seal() -> Seal {
    let mut seal = Seal::alone(b"");
    seal.share("the Lease's UID");
    seal
}

impl Replica {
    /// Everything that a dead process knew is gone.
    pub fn forget(&mut self) {
        let incarnation = self.incarnation + 1;
        let lags = (self.tasks.lag, self.jobs.lag, self.tasks.dead, self.jobs.dead);
        let (skew, old_cache, drops) = (self.skew, self.old_cache, self.drops);
        *self = Self {
            life: Life::Down,
            incarnation,
            timer: self.timer + 1,
            skew,
            old_cache,
            drops,
            ..Self::default()
        };
        (self.tasks.lag, self.jobs.lag, self.tasks.dead, self.jobs.dead) = lags;
    }

    /// The verb of a request.
    pub fn verb(request: &Request) -> Verb {
        match request {
            Request::Commit { .. } => Verb::Log,
            Request::CreateJob { .. } => Verb::Post,
            Request::WriteStatus { .. } => Verb::Put,
            Request::DeleteJob { .. } => Verb::Delete,
            Request::GetJob { .. } | Request::RefreshTask | Request::ListPods { .. } => Verb::Get,
        }
    }

    /// Sends a request of the replica at this place.
    pub fn send(&mut self, at: usize, api: &mut Api, work: &Work, request: Request, clock: Ms) -> Answer {
        let task = &work.seen;
        let actor = Actor {
            planned_at: work.planned_at,
            clock,
            generation: task.generation,
            stale: self.stale,
            drops: self.drops,
            process: (at, self.incarnation),
            leads_since: self.leads_since,
            reads_old: self.old_cache.is_some(),
        };
        api.served_at = self.old_cache.filter(|(_, gets)| *gets).map(|(by, _)| api.now - by);
        if let Request::Commit { claims } = request {
            return self.commit(&task.uid, claims, api, &actor);
        }
        match request {
            Request::Commit { .. } => unreachable!("answered above"),
            Request::CreateJob { manifest, dry_run } => api.post(&manifest, dry_run, &actor).map(|job| {
                self.created(&task.uid, &job.name, dry_run);
                found(&job, task)
            }),
            Request::GetJob { name } => api.get_job(&name).map(|job| found(&job, task)),
            Request::DeleteJob {
                name,
                uid,
                version,
                foreground,
            } => api.delete(&name, (&uid, &version), foreground, &actor).map(|()| Reply::Done),
            Request::WriteStatus { status } => api.put_status(task, *status, &actor).map(|task| {
                let task = self.version_of(task);
                self.memory.put_task(task.clone(), super::clock::at(clock));
                Reply::Written {
                    version: task.resource_version.clone(),
                    kept: task.status.clone(),
                }
            }),
            Request::RefreshTask => self.refresh(api, clock).map(|()| Reply::Done),
            Request::ListPods { uid, .. } => api.pods(&uid).map(|(exit, pods)| Reply::Pods {
                exit,
                pods,
                is_final: true,
            }),
        }
        .map_err(|refusal| match refusal {
            Refusal::NotFound => Failure::NotFound("not found".into()),
            Refusal::Conflict => Failure::Conflict("conflict".into()),
            Refusal::Refused(message) => Failure::Refused(message.into()),
            Refusal::Silence => Failure::Unanswered("no answer".into()),
        })
    }

    /// Writes claims. Whether they are in the log may stay unknown for now.
    fn commit(&mut self, task: &str, claims: Vec<Claim>, api: &mut Api, actor: &Actor) -> Answer {
        let Some(log) = &mut self.log else {
            return Err(Failure::Conflict("it does not lead".into()));
        };
        let ticket = log.commit(task, claims);
        pump(log, api, actor);
        let done = log.done().into_iter().find(|(known, _)| *known == ticket);
        let unknown = || Err(Failure::Unanswered("the log is not answered".into()));
        done.map_or_else(unknown, |(_, done)| done).map(|()| Reply::Done)
    }

    fn created(&mut self, task: &str, job: &str, dry_run: bool) {
        if let Some(log) = self.log.as_mut().filter(|_| !dry_run) {
            log.created(task, job);
        }
    }

    /// It begins to lead.
    pub fn opens_the_log(&mut self, at: usize) {
        let name = format!("replica-{at}-{}", self.incarnation);
        self.log.get_or_insert_with(|| Writer::new(&name)).open();
    }

    /// Whether it holds the log, as far as that can be had now.
    pub fn holds_the_log(&mut self, at: usize, api: &mut Api, clock: Ms) -> bool {
        let actor = Actor {
            planned_at: clock,
            clock,
            generation: api.task.generation,
            stale: self.stale,
            drops: self.drops,
            process: (at, self.incarnation),
            leads_since: self.leads_since,
            reads_old: self.old_cache.is_some(),
        };
        let Some(log) = &mut self.log else { return false };
        if log.is_closed() {
            // It leads, and the log says another name: that of a leader of the past, where etcd was restored.
            log.open();
        }
        if !log.is_open() {
            pump(log, api, &actor);
        }
        log.is_open()
    }

    /// Reads the task. Nothing else came meanwhile: an answer that is older than what is known is of a restored past.
    pub fn refresh(&mut self, api: &mut Api, clock: Ms) -> Result<(), Refusal> {
        api.served_at = self.old_cache.filter(|(_, gets)| *gets).map(|(by, _)| api.now - by);
        let task = api.get_task()?;
        self.memory.list_task(self.version_of(task), super::clock::at(clock));
        self.read_in = self.term;
        Ok(())
    }

    /// The task, as this version of the operator reads it.
    pub fn version_of(&self, mut task: Arc<Task>) -> Arc<Task> {
        if !self.drops.is_nothing() {
            let mut status = (*task.status).clone();
            self.drops.strip(&mut status);
            Arc::make_mut(&mut task).status = Arc::new(status);
        }
        task
    }
}

/// Sends what the writer asks for, a few requests at a time.
fn pump(log: &mut Writer, api: &mut Api, actor: &Actor) {
    for _ in 0..6 {
        let Some(request) = log.next_request(true) else { return };
        let answer = api.claims_log(&request, actor);
        log.answered(answer);
    }
}

fn found(job: &JobObject, task: &Task) -> Reply {
    Reply::Job(Box::new(FoundJob {
        object: job.seen(),
        is_owned: job.owner == task.uid,
        made_by: "somebody".into(),
    }))
}
