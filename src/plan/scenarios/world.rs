//! A cluster in memory with one task, and the operator's loop around `plan()`.
//!
//! The operator is the real one but for its shell: `Record` remembers, `Execution` carries plans out. Requests are answered by `server`.
//! Between two requests the operator may die. Nothing is decided here.

use super::audit::{Audit, Verdict};
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use crate::plan::{Announcement, Effect, Exit, JobEnd, JobObject, Observed, Pods, Reason, Requests, Spec, Task, plan as decide};
use crate::state::{Execution, Notice, Progress, Record, Seal, Source, Step};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
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
    pub job: JobObject,
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
    /// What the operator knows; it forgets that when it dies.
    pub record: Record,
    /// UIDs of Jobs whose deletion the watch has to show.
    pub deletions: Vec<String>,
    /// A status write waits for others.
    pub merging: bool,
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
            record: Record::default(),
            deletions: Vec::new(),
            merging: false,
        }
    }

    pub fn status(&self) -> &ScheduledTaskStatus {
        &self.task.status
    }

    pub fn spec(&self) -> Option<&Spec> {
        self.task.spec.as_deref().ok()
    }

    /// The Jobs of the task that have neither ended nor been deleted.
    pub fn unfinished(&self) -> Vec<&JobObject> {
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
                self.merging = false;
                let verdict = self.audit.at_rest(self, &observed, &plan);
                return self.judge(verdict);
            }
            rounds += 1;
            if rounds > ROUNDS || retries > 20 {
                return self.judge(Err(format!("it does not settle, at {}: {:?}", self.now, plan.effects)));
            }
            self.let_the_rival_act();
            match self.perform(&observed.task, plan.effects, may_merge) {
                Some(Progress::Done | Progress::Nothing) => {}
                Some(Progress::Deferred(_)) => return self.merging = true,
                Some(Progress::Failed(_)) if !self.faults.silent => (rounds, retries) = (0, retries + 1),
                Some(Progress::Failed(_)) | None => return,
            }
        }
    }

    /// Carries a plan out. Nothing comes back if the operator dies meanwhile.
    pub fn perform(&mut self, seen: &Task, effects: Vec<Effect>, may_merge: bool) -> Option<Progress> {
        let mut execution = Execution::new(effects, may_merge && self.merges_late);
        while self.broken.is_none() {
            let request = match execution.next(&mut self.record, &seal()) {
                Step::Send(request) => request,
                Step::Finished(progress) => return Some(progress),
            };
            let answer = self.answer(seen, request);
            if let Some(left) = self.dies_in.as_mut() {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.die();
                    return None;
                }
            }
            for notice in execution.answered(answer, &mut self.record, &seal(), self.now) {
                match notice {
                    Notice::Announce(announcement) => self.said.push(announcement),
                    Notice::Deleted(job, reason) => self.deleted.push((job, reason)),
                    _ => {}
                }
            }
        }
        None
    }

    pub fn judge(&mut self, verdict: Verdict) {
        self.broken = self.broken.take().or(verdict.err());
    }

    /// The second is over for which a merged write may wait.
    pub fn write_what_waits(&mut self) {
        if self.merging {
            self.settle(false);
        }
    }

    /// Everything that the operator knew is forgotten.
    pub fn die(&mut self) {
        (self.record, self.merging) = (Record::default(), false);
        self.deletions.clear();
        self.deaths += usize::from(self.awake);
        // Whoever starts anew lists everything first.
        self.jobs.values_mut().for_each(|object| object.hidden = false);
        self.awake = false;
        self.dies_in = None;
        self.wake_at = None;
    }

    /// What the operator knows, after its watches have shown it what they show.
    pub fn observe(&mut self) -> Observed {
        self.show();
        self.record.observe(self.now, &seal()).expect("the task exists")
    }

    fn show(&mut self) {
        self.record.put_task(Arc::new(self.task.clone()), self.now);
        let shown = self.jobs.values().filter(|object| object.owner == self.task.uid && !object.hidden);
        for object in shown {
            self.record.put_job(object.job.clone(), Source::Watch, self.now);
        }
        for uid in std::mem::take(&mut self.deletions) {
            self.record.remove_job(&uid, &seal(), self.now);
        }
    }

    /// Another replica does all of its work now.
    pub fn let_the_rival_act(&mut self) {
        if std::mem::take(&mut self.faults.rival) && !self.faults.watch_lags {
            let (ours, dies_in, deletions) = (std::mem::take(&mut self.record), self.dies_in.take(), self.deletions.clone());
            self.settle(false);
            (self.record, self.dies_in) = (ours, dies_in);
            self.deletions.splice(0..0, deletions);
        }
    }

    /// A process that was stopped between plan and action goes on with what it had in mind, however long ago that was.
    pub fn does_what_was_planned_before(&mut self, before: &Observed) {
        let mut record = Record::default();
        record.put_task(before.task.clone(), before.now);
        let (ours, dies_in) = (std::mem::replace(&mut self.record, record), self.dies_in.take());
        self.perform(&before.task, decide(before).effects, false);
        (self.record, self.dies_in) = (ours, dies_in);
    }

    /// The Job is no more; an operator that is awake is told by its watch.
    pub fn remove(&mut self, name: &str) {
        let Some(object) = self.jobs.remove(name) else { return };
        if self.awake && object.owner == self.task.uid && !object.hidden {
            self.record.put_job(object.job.clone(), Source::Watch, self.now);
            self.deletions.push(object.job.uid);
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
        change(&mut self.written);
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

    pub fn fresh_job(&self) -> JobObject {
        JobObject {
            name: String::new(),
            uid: String::new(),
            version: String::new(),
            slot: None,
            trigger: Trigger::Schedule,
            attempt: 1,
            mark: None,
            created: self.now,
            began: None,
            suspended: false,
            ready: false,
            deleting: None,
            end: None,
        }
    }
}
