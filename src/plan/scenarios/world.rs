//! A cluster in memory with one task, and the operator's reconcile loop around `plan()`.
//!
//! The operator is the real one without its I/O: `Record` holds what is known, `Execution` carries out plans. `server` answers the
//! requests. Between two requests the operator may crash. No decision is made here.

use super::audit::{Audit, Verdict};
use crate::api::{ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use crate::plan::{Announcement, Claim, Effect, Exit, JobEnd, JobObject, Observed, Pods, Reason, Requests, Spec, Task, plan as decide};
use crate::state::{Execution, Failure, Notice, Progress, Record, Seal, Source, Step};
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

/// As many plans in a row as the controller carries out for one task.
const ROUNDS: usize = 16;

/// An object of kind Job in the namespace, whoever owns it.
#[derive(Clone, Debug)]
pub struct Object {
    pub job: JobObject,
    pub owner: String,
    /// The watch has not shown it yet.
    pub hidden: bool,
    /// How its pods ended.
    pub pods: Exit,
    /// What its pods wait for.
    pub waits: Pods,
}

/// Faults of the API server, or of the connection to it.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub refuses_creates: Option<String>,
    pub refuses_deletes: Option<String>,
    /// Jobs of further attempts are refused, as for the length of their names.
    pub refuses_retries: Option<String>,
    /// Creates are neither carried out nor refused.
    pub throttles_creates: Option<Failure>,
    /// The CRD is older than the operator: it drops `acceptedGeneration`, `retryAt`, and the jitter of `observedSchedule`.
    pub prunes_status: bool,
    /// The CRD has no status subresource.
    pub lacks_status: bool,
    /// Names of Jobs from which somebody took the label that the watch selects by.
    pub unlabelled: BTreeSet<String>,
    /// This many creates are carried out, but their responses are lost.
    pub loses_responses: usize,
    /// After a lost response every request fails.
    pub then_disconnects: bool,
    pub disconnected: bool,
    /// A Job whose response was lost is not shown by the watch.
    pub watch_lags: bool,
    /// A deleted Job stays for a while, with a deletion timestamp.
    pub deletions_linger: bool,
    /// This many status writes conflict with a write of somebody else.
    pub conflicts: usize,
    /// Another replica reconciles between our plan and our first effect.
    pub other_replica: bool,
    /// Another replica holds the claims log.
    pub is_deposed: bool,
}

/// One task, its Jobs, the time and the operator.
#[derive(Clone, Debug)]
pub struct World {
    pub now: Timestamp,
    pub task: Task,
    /// The last spec that could be read.
    pub written: ScheduledTaskSpec,
    /// Every Job of the namespace, by name.
    pub jobs: BTreeMap<String, Object>,
    pub faults: Faults,
    /// The claims log, as far as it is about this task.
    pub claims: Vec<Claim>,
    pub audit: Audit,
    /// Is the operator running?
    pub is_running: bool,
    /// Do coalesced writes wait, as in a busy operator?
    pub coalesces: bool,
    /// The operator crashes after this many more requests.
    pub crashes_in: Option<usize>,
    pub crashes: usize,
    /// The first rule that was violated; nothing happens after it.
    pub violation: Option<String>,
    /// Everything that was announced, in order.
    pub announced: Vec<Announcement>,
    /// Slots of all runs that the schedule started, in order.
    pub started: Vec<Timestamp>,
    /// First Jobs of requested runs.
    pub requested: Vec<String>,
    /// Slots and numbers of all retries.
    pub retried: Vec<(Timestamp, i32)>,
    /// Names of the Jobs that the operator deleted, and why.
    pub deleted: Vec<(String, Reason)>,
    /// How often the status was written.
    pub status_writes: usize,
    /// How many dry runs there were, and the manifest of the last Job.
    pub dry_runs: usize,
    pub manifest: Value,
    pub wake_at: Option<Timestamp>,
    /// What a paused process had observed.
    pub paused_process: Option<Observed>,
    /// What the operator knows; a crash loses it.
    pub record: Record,
    /// UIDs of Jobs whose deletion the watch has not shown yet.
    pub deletions: Vec<String>,
    /// A coalesced status write is pending.
    pub write_pending: bool,
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
            labels: BTreeMap::new(),
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
            claims: Vec::new(),
            audit: Audit::default(),
            is_running: true,
            coalesces: false,
            crashes_in: None,
            crashes: 0,
            violation: None,
            announced: Vec::new(),
            started: Vec::new(),
            requested: Vec::new(),
            retried: Vec::new(),
            deleted: Vec::new(),
            status_writes: 0,
            dry_runs: 0,
            manifest: Value::Null,
            wake_at: None,
            paused_process: None,
            record: Record::default(),
            deletions: Vec::new(),
            write_pending: false,
        }
    }

    pub fn status(&self) -> &ScheduledTaskStatus {
        &self.task.status
    }

    pub fn spec(&self) -> Option<&Spec> {
        self.task.spec.as_deref().ok()
    }

    /// The Jobs of the task that have neither ended nor been deleted, nor are about to fail.
    pub fn unfinished(&self) -> Vec<&JobObject> {
        let ours = self
            .jobs
            .values()
            .filter(|object| object.owner == self.task.uid)
            .map(|object| &object.job);
        ours.filter(|job| job.end.is_none() && job.deleting.is_none() && job.failing.is_none())
            .collect()
    }

    /// Observes, plans and acts until there is nothing to do: the controller's `reconcile`, called again after each error.
    pub fn reconcile(&mut self, may_merge: bool) {
        let (mut rounds, mut retries) = (0, 0);
        while self.is_running && self.violation.is_none() {
            let observed = self.observe();
            let plan = decide(&observed);
            self.wake_at = plan.wake_at;
            if plan.effects.is_empty() {
                self.write_pending = false;
                let verdict = self.audit.at_rest(self, &observed, &plan);
                return self.judge(verdict);
            }
            rounds += 1;
            if rounds > ROUNDS || retries > 20 {
                return self.judge(Err(format!("reconcile does not converge, at {}: {:?}", self.now, plan.effects)));
            }
            self.other_replica_reconciles();
            let progress = self.perform(&observed.task, plan.effects, may_merge);
            // It leads again, and has read the log.
            self.faults.is_deposed = false;
            match progress {
                Some(Progress::Done | Progress::Nothing) => {}
                Some(Progress::Deferred(_)) => return self.write_pending = true,
                Some(Progress::Failed(_)) if !self.faults.disconnected => (rounds, retries) = (0, retries + 1),
                Some(Progress::Failed(_)) | None => return,
            }
        }
    }

    /// Carries out a plan. Returns nothing if the operator crashes meanwhile.
    pub fn perform(&mut self, seen: &Task, effects: Vec<Effect>, may_merge: bool) -> Option<Progress> {
        let mut execution = Execution::new(effects, may_merge && self.coalesces);
        while self.violation.is_none() {
            let request = match execution.next(&mut self.record, &seal()) {
                Step::Send(request) => request,
                Step::Finished(progress) => return Some(progress),
            };
            let answer = self.answer(seen, request);
            if let Some(left) = self.crashes_in.as_mut() {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.crash();
                    return None;
                }
            }
            for notice in execution.answered(answer, &mut self.record, &seal(), self.now) {
                match notice {
                    Notice::Announce(announcement) => self.announced.push(announcement),
                    Notice::Deleted(job, reason) => self.deleted.push((job, reason)),
                    _ => {}
                }
            }
        }
        None
    }

    pub fn judge(&mut self, verdict: Verdict) {
        self.violation = self.violation.take().or(verdict.err());
    }

    /// Carries out a pending coalesced write.
    pub fn write_coalesced(&mut self) {
        if self.write_pending {
            self.reconcile(false);
        }
    }

    /// The operator crashes and loses what it knew.
    pub fn crash(&mut self) {
        (self.record, self.write_pending) = (Record::default(), false);
        self.deletions.clear();
        self.crashes += usize::from(self.is_running);
        // A new process lists everything first.
        self.jobs.values_mut().for_each(|object| object.hidden = false);
        self.is_running = false;
        self.crashes_in = None;
        self.wake_at = None;
    }

    /// What the operator observes, with its watches up to date.
    pub fn observe(&mut self) -> Observed {
        self.show();
        let observed = self.record.observe(self.now, &seal()).expect("the task exists");
        Observed {
            claims: self.claims.clone(),
            ..observed
        }
    }

    fn show(&mut self) {
        self.record.put_task(Arc::new(self.task.clone()), self.now);
        let unlabelled = &self.faults.unlabelled;
        let is_shown = |object: &&Object| object.owner == self.task.uid && !object.hidden && !unlabelled.contains(&object.job.name);
        let shown = self.jobs.values().filter(is_shown);
        for object in shown {
            self.record.put_job(object.job.clone(), Source::Watch, self.now);
        }
        for uid in std::mem::take(&mut self.deletions) {
            self.record.leave_watch(&uid, &seal(), self.now);
        }
    }

    /// Another replica reconciles now.
    pub fn other_replica_reconciles(&mut self) {
        if std::mem::take(&mut self.faults.other_replica) && !self.faults.watch_lags {
            let (ours, dies_in, deletions) = (std::mem::take(&mut self.record), self.crashes_in.take(), self.deletions.clone());
            self.reconcile(false);
            self.faults.is_deposed = true;
            (self.record, self.crashes_in) = (ours, dies_in);
            self.deletions.splice(0..0, deletions);
        }
    }

    /// A process that was paused after planning carries out its stale plan.
    pub fn execute_stale_plan(&mut self, before: &Observed) {
        let mut record = Record::default();
        record.put_task(before.task.clone(), before.now);
        let (ours, dies_in) = (std::mem::replace(&mut self.record, record), self.crashes_in.take());
        self.faults.is_deposed = true;
        self.perform(&before.task, decide(before).effects, false);
        self.faults.is_deposed = false;
        (self.record, self.crashes_in) = (ours, dies_in);
    }

    /// The Job is deleted; the watch of a running operator will show it.
    pub fn remove(&mut self, name: &str) {
        let Some(object) = self.jobs.remove(name) else { return };
        if self.is_running && object.owner == self.task.uid && !object.hidden {
            self.record.put_job(object.job.clone(), Source::Watch, self.now);
            self.deletions.push(object.job.uid);
        }
    }

    /// The Job of a slot ends.
    pub fn end(&mut self, slot: Timestamp, succeeded: bool, pods: Exit) {
        let at = self.now;
        let object = self.active_job(slot);
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

    /// The active Job of a slot.
    pub fn active_job(&mut self, slot: Timestamp) -> &mut Object {
        let uid = self.task.uid.clone();
        let of_slot = |object: &&mut Object| object.owner == uid && object.job.slot == Some(slot) && object.job.end.is_none();
        let found = self.jobs.values_mut().find(of_slot);
        found.unwrap_or_else(|| panic!("no active Job of slot {slot}"))
    }

    /// Somebody annotates the task.
    pub fn annotate(&mut self, change: impl FnOnce(&mut Requests)) {
        change(&mut self.task.requests);
        self.bump_resource_version();
    }

    /// The author applies another spec.
    pub fn edit(&mut self, change: impl FnOnce(&mut ScheduledTaskSpec)) {
        change(&mut self.written);
        self.task.spec = Ok(Arc::new(Spec::new(self.written.clone(), KEY)));
        self.task.generation += 1;
        self.bump_resource_version();
    }

    /// The author applies a spec that cannot be read.
    pub fn apply_unreadable_spec(&mut self) {
        self.task.spec = Err("spec cannot be read: jobTemplate: expected a map".into());
        self.task.generation += 1;
        self.bump_resource_version();
    }

    /// Somebody wrote the task: its resource version changes.
    pub fn bump_resource_version(&mut self) {
        let version: u64 = self.task.resource_version.parse().unwrap_or(0);
        self.task.resource_version = (version + 1).to_string();
    }

    pub fn new_job(&self) -> JobObject {
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
            failing: None,
            end: None,
        }
    }
}
