//! A cluster in memory with one task, and the operator's loop around `plan()`.
//!
//! Takes the plan's effects and does what an API server, a watch and `perform` would: resource versions, `AlreadyExists`,
//! refusals, lost answers, conflicts, death between two effects. Never decides anything itself.

use super::audit::{Audit, Verdict};
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use crate::plan::{
    Announcement, Conflict, Exit, Job, JobEnd, Observed, Pods, Reason, Refusal, Requests, Spec, Task, Trial, Unwritten, plan as decide,
};
use crate::state::{Seal, believes};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The task's key.
pub const KEY: &str = "shop/report";
/// The mark of all processes of the operator, as by election.
pub fn seal() -> Seal {
    let mut seal = Seal::alone(b"");
    seal.share("the Lease's UID");
    seal
}

/// As many as the controller grants a task in one go.
const ROUNDS: usize = 16;

/// An object of kind Job in the namespace, whoever owns it.
#[derive(Clone, Debug)]
pub struct Object {
    pub job: Job,
    pub owner: String,
    /// The watch has not shown it yet.
    pub hidden: bool,
    /// What its pods would say of its end.
    pub pods: Exit,
    /// What they would say while it goes on.
    pub waits: Pods,
}

/// What the API server, or the way to it, does wrong.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub refuses_creates: Option<String>,
    pub refuses_deletes: Option<String>,
    /// So many POSTs are carried out, but their answers never come.
    pub loses_answers: usize,
    /// After a lost answer nothing is answered any more.
    pub then_silent: bool,
    pub silent: bool,
    /// A Job whose answer was lost is not shown by the watch.
    pub watch_lags: bool,
    /// A deleted Job stays for a while, with a deletion timestamp.
    pub deletions_linger: bool,
    /// So many status writes find that somebody else wrote the task.
    pub conflicts: usize,
    /// Another replica does all of its work between our plan and our first effect.
    pub rival: bool,
}

/// What the operator forgets when it dies.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub refusal: Option<Refusal>,
    pub refusals: u32,
    pub clean_up_refusal: Option<Refusal>,
    pub clean_up_refusals: u32,
    pub unsure: BTreeSet<String>,
    pub trial: Trial,
    pub gone: BTreeMap<String, Job>,
    pub exits: BTreeMap<String, Exit>,
    pub merging: bool,
    pub conflicts: Vec<Conflict>,
    pub unwritten: Option<Unwritten>,
}

/// How far a list of effects came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Done,
    Refused,
    Deferred,
    Unanswered,
    Dead,
}

/// One task, its Jobs, the time and the operator.
#[derive(Clone, Debug)]
pub struct World {
    pub now: Timestamp,
    pub task: Task,
    /// What the author wrote last that could be read.
    pub written: ScheduledTaskSpec,
    /// Every Job of the namespace, by name.
    pub jobs: BTreeMap<String, Object>,
    pub faults: Faults,
    pub audit: Audit,
    /// Is the operator running?
    pub awake: bool,
    /// Do merged writes wait, as they do in a busy operator?
    pub merges_late: bool,
    /// After so many more effects the operator dies.
    pub dies_in: Option<usize>,
    pub deaths: usize,
    /// The first rule that was broken: after it the world stands still.
    pub broken: Option<String>,
    /// Everything that was announced, in order.
    pub said: Vec<Announcement>,
    /// Slots of all runs that the schedule started, in order.
    pub made: Vec<Timestamp>,
    /// First Jobs of the runs that somebody asked for.
    pub asked: Vec<String>,
    /// Slots and numbers of all further attempts.
    pub retried: Vec<(Timestamp, i32)>,
    /// Names of the Jobs that the operator deleted, and why.
    pub deleted: Vec<(String, Reason)>,
    /// How often the status was written.
    pub writes: usize,
    /// How many manifests were asked about, and the last one that was made.
    pub tried: usize,
    pub manifest: Value,
    pub wake_at: Option<Timestamp>,
    /// What a process that was stopped had seen.
    pub stopped: Option<Observed>,
    pub memory: Memory,
}

impl World {
    pub fn new(fields: ScheduledTaskSpec, created: Timestamp) -> Self {
        let task = Task {
            namespace: "shop".into(),
            name: "report".into(),
            uid: "task-1".into(),
            generation: 1,
            resource_version: "1".into(),
            created,
            deleting: false,
            requests: Requests::default(),
            spec: Ok(Arc::new(Spec::new(fields.clone(), KEY))),
            status: Arc::default(),
            damage: None,
        };
        Self {
            now: created,
            task,
            written: fields,
            jobs: BTreeMap::new(),
            faults: Faults::default(),
            audit: Audit::default(),
            awake: true,
            merges_late: false,
            dies_in: None,
            deaths: 0,
            broken: None,
            said: Vec::new(),
            made: Vec::new(),
            asked: Vec::new(),
            retried: Vec::new(),
            deleted: Vec::new(),
            writes: 0,
            tried: 0,
            manifest: Value::Null,
            wake_at: None,
            stopped: None,
            memory: Memory::default(),
        }
    }

    pub fn status(&self) -> &ScheduledTaskStatus {
        &self.task.status
    }

    pub fn spec(&self) -> Option<&Spec> {
        self.task.spec.as_deref().ok()
    }

    /// The Jobs of the task that have neither ended nor been deleted.
    pub fn unfinished(&self) -> Vec<&Job> {
        let ours = self
            .jobs
            .values()
            .filter(|object| object.owner == self.task.uid)
            .map(|object| &object.job);
        ours.filter(|job| job.end.is_none() && job.deleting.is_none()).collect()
    }

    /// Observes, plans and acts until there is nothing to do: the controller's `reconcile`, called again after each error.
    pub fn settle(&mut self, may_merge: bool) {
        let (mut rounds, mut retries) = (0, 0);
        while self.awake && self.broken.is_none() {
            let observed = self.observe();
            let plan = decide(&observed);
            self.wake_at = plan.wake_at;
            if plan.effects.is_empty() {
                self.memory.merging = false;
                let verdict = self.audit.at_rest(self, &observed, &plan);
                return self.judge(verdict);
            }
            rounds += 1;
            if rounds > ROUNDS || retries > 20 {
                return self.judge(Err(format!("it does not settle, at {}: {:?}", self.now, plan.effects)));
            }
            self.let_the_rival_act();
            match self.perform(&observed.task, plan.effects, may_merge) {
                Progress::Done | Progress::Refused => {}
                Progress::Deferred => return self.memory.merging = true,
                Progress::Unanswered if !self.faults.silent => (rounds, retries) = (0, retries + 1),
                Progress::Unanswered | Progress::Dead => return,
            }
        }
    }

    pub fn judge(&mut self, verdict: Verdict) {
        self.broken = self.broken.take().or(verdict.err());
    }

    /// The second is over for which a merged write may wait.
    pub fn write_what_waits(&mut self) {
        if self.memory.merging {
            self.settle(false);
        }
    }

    /// Everything that the operator knew is forgotten.
    pub fn die(&mut self) {
        self.memory = Memory::default();
        self.deaths += usize::from(self.awake);
        // Whoever starts anew lists everything first.
        self.jobs.values_mut().for_each(|object| object.hidden = false);
        self.awake = false;
        self.dies_in = None;
        self.wake_at = None;
    }

    pub fn observe(&self) -> Observed {
        let status = self.status();
        let shown = self
            .jobs
            .values()
            .filter(|object| object.owner == self.task.uid && !object.hidden)
            .map(|object| object.job.clone());
        // Gone, but the books do not yet say what became of it.
        let needed = |job: &&Job| {
            job.slot
                .is_some_and(|slot| status.accounted_until.as_ref().is_none_or(|until| until.0 < slot))
                || status
                    .active
                    .iter()
                    .any(|run| run.job == job.name && run.uid.as_ref().is_none_or(|uid| *uid == job.uid))
        };
        let mut jobs: Vec<Job> = shown.chain(self.memory.gone.values().filter(needed).cloned()).collect();
        let seal = seal();
        jobs.retain(|job| believes(&self.task, job, &seal, self.now));
        for job in &mut jobs {
            job.exit = self.memory.exits.get(&job.uid).cloned().unwrap_or_default();
        }
        Observed {
            now: self.now,
            task: Arc::new(self.task.clone()),
            jobs,
            gone: self.memory.gone.keys().cloned().collect(),
            unsure: self.memory.unsure.iter().cloned().collect(),
            refusal: self.memory.refusal.clone(),
            clean_up_refusal: self.memory.clean_up_refusal.clone(),
            trial: self.memory.trial.clone(),
            conflicts: self.memory.conflicts.clone(),
            unwritten: self.memory.unwritten.clone().filter(|unwritten| unwritten.is_past(self.now)),
        }
    }

    /// A process that was stopped between plan and deed goes on with what it had in mind, however long ago that was.
    pub fn does_what_was_planned_before(&mut self, before: &Observed) {
        let (memory, dies_in) = (std::mem::take(&mut self.memory), self.dies_in.take());
        self.perform(&before.task, decide(before).effects, false);
        (self.memory, self.dies_in) = (memory, dies_in);
    }

    /// The Job is no more; an operator that is awake is told by its watch.
    pub fn remove(&mut self, name: &str) {
        let Some(object) = self.jobs.remove(name) else { return };
        if self.awake && object.owner == self.task.uid && !object.hidden {
            self.memory.gone.insert(
                object.job.uid.clone(),
                Job {
                    deleting: Some(self.now),
                    ..object.job
                },
            );
        }
    }

    /// The Job of a slot ends.
    pub fn end(&mut self, slot: Timestamp, succeeded: bool, pods: Exit) {
        let at = self.now;
        let object = self.going_on(slot);
        let (reason, message) = if succeeded {
            ("CompletionsReached", "done")
        } else {
            ("BackoffLimitExceeded", "the pod failed")
        };
        object.job.end = Some(JobEnd {
            succeeded,
            at,
            reason: reason.into(),
            message: message.into(),
        });
        object.pods = pods;
    }

    /// The Job of a slot that has not ended.
    pub fn going_on(&mut self, slot: Timestamp) -> &mut Object {
        let uid = self.task.uid.clone();
        let of_slot = |object: &&mut Object| object.owner == uid && object.job.slot == Some(slot) && object.job.end.is_none();
        let found = self.jobs.values_mut().find(of_slot);
        found.unwrap_or_else(|| panic!("no Job of slot {slot} goes on"))
    }

    /// Somebody annotates the task.
    pub fn ask(&mut self, change: impl FnOnce(&mut Requests)) {
        change(&mut self.task.requests);
        self.touch();
    }

    /// The author applies another spec.
    pub fn edit(&mut self, change: impl FnOnce(&mut ScheduledTaskSpec)) {
        let known = self.written.clone();
        change(&mut self.written);
        if self.task.spec.is_err() || known.job_template != self.written.job_template {
            (self.memory.refusal, self.memory.refusals, self.memory.trial) = (None, 0, Trial::NotAsked);
        }
        self.task.spec = Ok(Arc::new(Spec::new(self.written.clone(), KEY)));
        self.task.generation += 1;
        self.touch();
    }

    /// The author applies what cannot be read.
    pub fn garble(&mut self) {
        self.task.spec = Err("spec cannot be read: jobTemplate: expected a map".into());
        self.task.generation += 1;
        self.touch();
    }

    /// Somebody wrote the task.
    pub fn touch(&mut self) {
        let version: u64 = self.task.resource_version.parse().unwrap_or(0);
        self.task.resource_version = (version + 1).to_string();
    }

    pub fn fresh_job(&self) -> Job {
        Job {
            name: String::new(),
            uid: String::new(),
            version: String::new(),
            confirmed: false,
            slot: None,
            mark: None,
            early: false,
            trigger: Trigger::Schedule,
            attempt: 1,
            created: self.now,
            began: None,
            suspended: false,
            ready: false,
            pods: Pods::NotAsked,
            looked: None,
            deleting: None,
            end: None,
            exit: Exit::NotAsked,
        }
    }
}
