//! The API server in memory: one task, the Jobs of its namespace, and what goes wrong with requests.
//!
//! Takes requests, gives answers, writes each change into the logs that watches read, and tells the checker. Knows resource
//! versions, UIDs, `AlreadyExists`, preconditions, foreground deletion, quota, refusals, lost answers. Never decides what to ask.

use super::check::{Actor, Checker};
use super::clock::{Ms, SECOND, whole};
use super::jobs::{Chore, Fate};
use super::story::{Temper, Verb};
use super::switches::THE_CONDITION_TELLS;
use super::versions::Dropped;
use jiff::Timestamp;
use punctual::api::{self, ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use punctual::plan::{Exit, JobEnd, JobObject as Seen, Pods, Spec, Task};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const NAMESPACE: &str = "shop";
pub const NAME: &str = "report";

/// A Job as the API server keeps it, and what its pods will do.
#[derive(Clone, Debug)]
pub struct JobObject {
    pub name: String,
    pub uid: String,
    pub version: u64,
    pub owner: String,
    /// The name that all attempts of the run share, from the annotation.
    pub run: String,
    pub slot: Option<Timestamp>,
    pub trigger: Trigger,
    pub attempt: i32,
    /// What the operator wrote on it, or somebody else.
    pub mark: Option<u64>,
    /// Somebody else made it, and wrote that it is the task's.
    pub forged: bool,
    /// Somebody took the label off by which the watch selects it.
    pub unlabelled: bool,
    pub made: Ms,
    pub began: Option<Timestamp>,
    pub suspended: bool,
    /// The Job controller has said that it is suspended, and has not taken it back.
    pub said_suspended: bool,
    /// When it was last resumed, or made.
    pub resumed: Ms,
    pub ready: bool,
    pub deleting: Option<Ms>,
    pub end: Option<JobEnd>,
    pub code: Option<i32>,
    pub fate: Fate,
    /// How often it was suspended and resumed: what was to happen before does not.
    pub epoch: u32,
}

/// What is wrong with the API server, or the way to it.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    pub silent: bool,
    pub refuses_creates: bool,
    pub refuses_deletes: bool,
    pub refuses_pods: bool,
    pub refuses_status: bool,
    pub quota: Option<usize>,
    pub holds_deletions: bool,
    /// The CRD does not know these fields of the status.
    pub prunes: Dropped,
    /// So many answers are lost; so many requests never arrive.
    pub loses: BTreeMap<u8, u32>,
    pub drops: BTreeMap<u8, u32>,
}

/// What a request comes to.
pub type Answer<T> = Result<T, Refusal>;

/// Why a request was not carried out, or is not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    Conflict,
    Refused(&'static str),
    Silence,
}

#[derive(Debug)]
pub struct Api {
    pub now: Ms,
    pub seed: u64,
    pub temper: Temper,
    pub version: u64,
    pub uids: u64,
    pub task: Arc<Task>,
    pub jobs: BTreeMap<String, Arc<JobObject>>,
    /// Names by UID.
    pub names: BTreeMap<String, String>,
    /// Jobs of somebody else.
    pub foreign: usize,
    pub task_log: Vec<(Ms, Arc<Task>)>,
    pub job_log: Vec<(Ms, Arc<JobObject>, bool)>,
    /// Where the logs begin anew, because a backup was restored: of tasks, and of Jobs with the number of those that were restored.
    pub restored: (usize, (usize, usize)),
    /// Whoever asks is answered from a cache of this time.
    pub served_at: Option<Ms>,
    pub weather: Weather,
    /// Version and text of the claims log, if it exists.
    pub claims: Option<(u64, String)>,
    pub chores: Vec<(Ms, Chore)>,
    pub checker: Checker,
}

impl Api {
    pub fn new(seed: u64, born: Ms, fields: ScheduledTaskSpec, temper: Temper) -> Self {
        let checker = Checker::new(born, Arc::new(fields.clone()));
        let task = Arc::new(Task::new(NAMESPACE, NAME, "task-1", whole(born), fields));
        Self {
            now: born,
            seed,
            temper,
            version: 1,
            uids: 0,
            task_log: vec![(born, task.clone())],
            task,
            jobs: BTreeMap::new(),
            names: BTreeMap::new(),
            foreign: 0,
            job_log: Vec::new(),
            restored: (0, (0, 0)),
            served_at: None,
            weather: Weather::default(),
            claims: None,
            chores: Vec::new(),
            checker,
        }
    }

    /// Whether a request arrives, and whether its answer does.
    pub fn way(&mut self, verb: Verb) -> (bool, bool) {
        let meets = |some: &mut BTreeMap<u8, u32>| {
            let left = some.entry(verb as u8).or_default();
            let meets = *left > 0;
            *left = left.saturating_sub(1);
            meets
        };
        if self.weather.silent || meets(&mut self.weather.drops) {
            return (false, false);
        }
        (true, !meets(&mut self.weather.loses))
    }

    pub fn post(&mut self, manifest: &Value, dry_run: bool, actor: &Actor) -> Answer<Arc<JobObject>> {
        let (arrives, answered) = self.way(Verb::Post);
        let job = self.read(manifest);
        if !arrives {
            if !dry_run {
                self.never_arrives(&job.name);
            }
            return Err(Refusal::Silence);
        }
        let answer = if self.jobs.contains_key(&job.name) {
            Err(Refusal::Conflict)
        } else if self.weather.refuses_creates {
            Err(Refusal::Refused("forbidden"))
        } else if self.weather.quota.is_some_and(|most| self.jobs.len() >= most) {
            Err(Refusal::Refused("exceeded quota"))
        } else if dry_run {
            Ok(Arc::new(job))
        } else {
            self.checker.job_made(self.now, &job, actor, &self.task, &self.jobs);
            self.uids += 1;
            Ok(self.admit(job))
        };
        if let (Err(_), false) = (&answer, dry_run) {
            self.refuse(manifest["metadata"]["name"].as_str().unwrap_or_default());
        } else if !dry_run {
            self.checker.never_arrived = 0;
        }
        if answered { answer } else { Err(Refusal::Silence) }
    }

    fn read(&self, manifest: &Value) -> JobObject {
        let metadata = &manifest["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let annotation = |name: &str| text(&metadata["annotations"][name]);
        let name = text(&metadata["name"]);
        JobObject {
            uid: format!("job-{}", self.uids + 1),
            version: 0,
            owner: text(&metadata["ownerReferences"][0]["uid"]),
            run: annotation(api::RUN),
            slot: annotation(api::SLOT).parse().ok(),
            trigger: Trigger::named(&annotation(api::TRIGGER)).unwrap_or_default(),
            attempt: annotation(api::ATTEMPT).parse().unwrap_or(1),
            mark: u64::from_str_radix(&annotation(api::MARK), 16).ok(),
            forged: false,
            unlabelled: false,
            made: self.now,
            began: None,
            suspended: false,
            said_suspended: false,
            resumed: self.now,
            ready: false,
            deleting: None,
            end: None,
            code: None,
            fate: Fate::of(self.seed, &name, &self.temper),
            epoch: 0,
            name,
        }
    }

    pub fn get_job(&mut self, name: &str) -> Answer<Arc<JobObject>> {
        match self.way(Verb::Get) {
            (true, true) => {
                // What a cache lacks it asks for.
                let old = self.served_at.and_then(|when| self.jobs_at(when).0.remove(name));
                old.or_else(|| self.jobs.get(name).cloned()).ok_or(Refusal::NotFound)
            }
            _ => Err(Refusal::Silence),
        }
    }

    pub fn get_task(&mut self) -> Answer<Arc<Task>> {
        match self.way(Verb::Get) {
            (true, true) => Ok(self.served_at.map_or_else(|| self.task.clone(), |when| self.task_at(when).0)),
            _ => Err(Refusal::Silence),
        }
    }

    /// What the pods of a Job say.
    pub fn pods(&mut self, uid: &str) -> Answer<(Exit, Pods)> {
        match self.way(Verb::Get) {
            (true, true) if self.weather.refuses_pods => Err(Refusal::Refused("forbidden")),
            (true, true) => Ok(match self.of_uid(uid) {
                Some(job) => (
                    job.code.map_or(Exit::Unknown, |code| Exit::Known {
                        code: Some(code),
                        message: None,
                    }),
                    if job.ready {
                        Pods::Began(None)
                    } else {
                        Pods::Waiting("ImagePullBackOff".into())
                    },
                ),
                None => (Exit::Unknown, Pods::Waiting("no pod was made".into())),
            }),
            _ => Err(Refusal::Silence),
        }
    }

    pub fn delete(&mut self, name: &str, (uid, version): (&str, &str), foreground: bool, actor: &Actor) -> Answer<()> {
        let (arrives, answered) = self.way(Verb::Delete);
        if !arrives {
            return Err(Refusal::Silence);
        }
        let answer = match self.jobs.get(name).cloned() {
            None => Err(Refusal::NotFound),
            Some(job) if job.uid != uid || job.version.to_string() != version => Err(Refusal::Conflict),
            Some(_) if self.weather.refuses_deletes => Err(Refusal::Refused("deletions are forbidden")),
            Some(job) => {
                self.checker.job_deleted(self.now, &job, foreground, actor, &self.task);
                self.end_of_life(&job, foreground);
                Ok(())
            }
        };
        if answered { answer } else { Err(Refusal::Silence) }
    }

    /// A deletion was asked for: the Job goes now, or when its pods are gone.
    pub fn end_of_life(&mut self, job: &JobObject, foreground: bool) {
        let running = job.end.is_none() && job.ready && !job.suspended;
        if !foreground && !self.weather.holds_deletions {
            return self.remove(&job.name);
        }
        if job.deleting.is_some() {
            return;
        }
        let wait = if running { job.fate.dies_in } else { SECOND / 5 };
        self.change(&job.name, |job, now| job.deleting = Some(now));
        self.chores.push((self.now + wait, Chore::Vanish(job.uid.clone())));
    }

    pub fn put_status(&mut self, seen: &Task, mut status: ScheduledTaskStatus, actor: &Actor) -> Answer<Arc<Task>> {
        let (arrives, answered) = self.way(Verb::Put);
        if !arrives {
            return Err(Refusal::Silence);
        }
        let answer = if self.weather.refuses_status {
            Err(Refusal::Refused("status is forbidden"))
        } else if seen.resource_version != self.task.resource_version {
            Err(Refusal::Conflict)
        } else {
            let sent = status.clone();
            self.weather.prunes.and(actor.drops).strip(&mut status);
            self.checker
                .fields_dropped(self.weather.prunes.and(actor.drops), sent != status, actor);
            self.checker.status_written(self.now, &self.task, &status, actor, &self.jobs);
            self.store(|task| task.status = Arc::new(status));
            Ok(self.task.clone())
        };
        if !answered {
            // Whoever does not know what became of it writes it again.
            self.checker.void_writes.remove(&actor.process);
            self.checker.wrote_since = None;
            return Err(Refusal::Silence);
        }
        answer
    }

    /// Somebody else than the operator writes the task.
    pub fn write(&mut self, change: impl FnOnce(&mut Task)) {
        self.checker.fields_lost(self.now, self.weather.prunes);
        self.store(change);
    }

    /// A new version of the task, and the watches are told.
    fn store(&mut self, change: impl FnOnce(&mut Task)) {
        let mut task = Task::clone(&self.task);
        change(&mut task);
        self.weather.prunes.strip(Arc::make_mut(&mut task.status));
        self.version += 1;
        task.resource_version = self.version.to_string();
        self.task = Arc::new(task);
        self.task_log.push((self.now, self.task.clone()));
    }

    /// The CRD is an older one: what it does not know is not served any more.
    pub fn prune(&mut self, fields: Dropped) {
        self.weather.prunes = fields;
        self.checker.fields_lost(self.now, fields);
        // What a process wrote before is gone from the status, and it has not seen that.
        self.checker.wrote_since = None;
        let mut task = Task::clone(&self.task);
        fields.strip(Arc::make_mut(&mut task.status));
        self.task = Arc::new(task);
    }

    /// People apply another spec.
    pub fn edit(&mut self, fields: ScheduledTaskSpec) {
        self.checker
            .spec_applied(self.now, self.task.generation + 1, Arc::new(fields.clone()));
        self.write(|task| {
            task.generation += 1;
            task.spec = Ok(Arc::new(Spec::new(fields, &task.key())));
        });
    }

    pub fn of_uid(&self, uid: &str) -> Option<&Arc<JobObject>> {
        self.jobs.get(self.names.get(uid)?)
    }

    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut JobObject, Ms)) {
        let Some(job) = self.jobs.get_mut(name) else { return };
        let changed = Arc::make_mut(job);
        self.version += 1;
        changed.version = self.version;
        change(changed, self.now);
        self.job_log.push((self.now, job.clone(), false));
    }

    pub fn insert(&mut self, mut job: JobObject) -> Arc<JobObject> {
        self.version += 1;
        job.version = self.version;
        let job = Arc::new(job);
        self.names.insert(job.uid.clone(), job.name.clone());
        self.foreign += usize::from(job.is_foreign(&self.task));
        self.jobs.insert(job.name.clone(), job.clone());
        self.job_log.push((self.now, job.clone(), false));
        job
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(job) = self.jobs.remove(name) {
            self.names.remove(&job.uid);
            self.foreign -= usize::from(job.is_foreign(&self.task));
            self.checker.job_gone(self.now, &job);
            self.job_log.push((self.now, job, true));
        }
    }
}

impl JobObject {
    /// As the operator reads it.
    pub fn seen(&self) -> Seen {
        Seen {
            name: self.name.clone(),
            uid: self.uid.clone(),
            version: self.version.to_string(),
            slot: self.slot,
            mark: self.mark,
            trigger: self.trigger,
            attempt: self.attempt,
            created: whole(self.made),
            began: self.began,
            suspended: self.suspended || THE_CONDITION_TELLS && self.said_suspended,
            ready: self.ready,
            deleting: self.deleting.map(whole),
            failing: None,
            end: self.end.clone(),
        }
    }

    /// Whether the operator did not make it.
    pub fn is_foreign(&self, task: &Task) -> bool {
        self.forged || self.owner != task.uid
    }

    pub fn goes_on(&self) -> bool {
        self.end.is_none()
    }
}

/// A moment in whole seconds, as a number.
pub fn second(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(1000)
}
