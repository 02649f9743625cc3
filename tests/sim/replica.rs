//! One process of the operator: its memory, its timers, and the plan that it is carrying out.
//!
//! Takes effects one at a time, asks the API server, gives how far it came: the loop of `src/controller/{reconcile,perform}.rs`.
//! Never decides: that is the real `plan()`; nor remembers: that is the real `Record`.

use super::check::Actor;
use super::clock::{Ms, SECOND, at};
use super::cluster::{Answer, Api, JobObject};
use super::story::{Moment, Verb};
use jiff::Timestamp;
use punctual::api;
use punctual::plan::{Effect, Exit, Pods, Reason, Run, Task, Urgency};
use punctual::state::{Concern, Record, Seal, Told};
use std::collections::VecDeque;
use std::sync::Arc;

/// A process.
#[derive(Debug, Default)]
pub struct Replica {
    pub life: Life,
    pub leads: bool,
    pub memory: Record,
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
    pub effects: VecDeque<Effect>,
    pub planned_at: Ms,
    pub may_merge: bool,
    pub clean_up_refused: bool,
    pub wake_at: Option<Timestamp>,
}

/// How long a write waits that only repeats what a Job proves, and one that only says that slots were skipped.
const MERGE: Ms = SECOND;
const COALESCE: Ms = 10 * SECOND;

/// What one effect came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    GoOn,
    PlanAgain,
    Deferred(Ms),
    Failed,
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
        *self = Self {
            life: Life::Down,
            incarnation,
            timer: self.timer + 1,
            ..Self::default()
        };
        (self.tasks.lag, self.jobs.lag, self.tasks.dead, self.jobs.dead) = lags;
    }

    /// The verb of an effect, if it is a request.
    pub fn verb(effect: &Effect) -> Option<Verb> {
        Some(match effect {
            Effect::Create { .. } | Effect::Try { .. } => Verb::Post,
            Effect::Write { .. } => Verb::Put,
            Effect::Delete { .. } => Verb::Delete,
            Effect::Find { .. } | Effect::Confirm { .. } | Effect::Inspect { .. } => Verb::Get,
            Effect::Announce(_) => return None,
        })
    }

    pub fn perform(&mut self, api: &mut Api, work: &mut Work, effect: Effect, clock: Ms) -> Progress {
        let actor = Actor {
            planned_at: work.planned_at,
            clock,
            generation: work.seen.generation,
            stale: self.stale,
        };
        match effect {
            Effect::Announce(_) => Progress::GoOn,
            Effect::Delete { reason, .. } if reason.is_clean_up() && work.clean_up_refused => Progress::GoOn,
            Effect::Write {
                urgency: Urgency::Merged, ..
            } if work.may_merge => Progress::Deferred(MERGE),
            Effect::Write {
                status,
                urgency: Urgency::Coalesced,
                announcements,
            } if work.may_merge => {
                self.memory.put_off(*status, announcements);
                Progress::Deferred(COALESCE)
            }
            Effect::Write { status, .. } => match api.put_status(&work.seen, *status, &actor) {
                Answer::Ok(task) => {
                    self.memory.put_task(task, at(clock));
                    Progress::GoOn
                }
                Answer::Conflict => {
                    if let Answer::Ok(task) = api.get_task() {
                        self.memory.put_task(task, at(clock));
                    }
                    Progress::Failed
                }
                _ => Progress::Failed,
            },
            Effect::Create { run, job } => self.create(api, &work.seen, &run, &job, &actor),
            Effect::Delete { job, uid, version, reason } => self.delete(api, work, &job, (&uid, &version), reason, &actor),
            Effect::Try { job } => match api.post(&job, true, &actor) {
                Answer::Ok(_) | Answer::Conflict => {
                    self.memory.tried(None, at(clock));
                    Progress::GoOn
                }
                Answer::Refused(message) => {
                    self.memory.tried(Some(message.into()), at(clock));
                    Progress::GoOn
                }
                _ => Progress::Failed,
            },
            Effect::Find { job } => match api.get_job(&job) {
                Answer::Nothing => Progress::Failed,
                answer => {
                    if let Answer::Ok(object) = answer {
                        self.recognise(&object, &work.seen, clock);
                    }
                    self.memory.settle(&job);
                    Progress::GoOn
                }
            },
            Effect::Confirm { job, uid } => self.confirm(api, &job, &uid, &work.seen, clock),
            Effect::Inspect { uid, .. } => match api.pods(&uid) {
                Answer::Ok((exit, pods)) => {
                    self.memory.set_pods(&uid, &exit, &pods, at(clock));
                    Progress::GoOn
                }
                Answer::Refused(why) => {
                    let pods = Pods::Waiting(format!("its pods cannot be read: {why}"));
                    self.memory.set_pods(&uid, &Exit::Unknown, &pods, at(clock));
                    Progress::GoOn
                }
                _ => Progress::Failed,
            },
        }
    }

    fn create(&mut self, api: &mut Api, task: &Task, run: &Run, manifest: &serde_json::Value, actor: &Actor) -> Progress {
        let mut manifest = manifest.clone();
        let mark = seal().mark(&task.uid, &run.job);
        manifest["metadata"]["annotations"][api::MARK] = format!("{mark:016x}").into();
        self.memory.doubt(&run.job);
        match api.post(&manifest, false, actor) {
            Answer::Ok(object) => {
                self.memory.put_job(object.seen(), Told::Made(at(actor.clock)), at(actor.clock));
            }
            Answer::Nothing => return Progress::Failed,
            refusal => match (api.get_job(&run.job), refusal) {
                (Answer::Nothing, _) => return Progress::Failed,
                (Answer::Ok(object), _) if self.recognise(&object, task, actor.clock) => {}
                (Answer::Ok(_), _) => {
                    self.memory.settle(&run.job);
                    return Progress::PlanAgain;
                }
                (_, Answer::Refused(message)) => {
                    self.memory.settle(&run.job);
                    self.memory.refuse(Concern::Start, Reason::JobRefused, message, at(actor.clock));
                    return Progress::PlanAgain;
                }
                // Who had the name is gone.
                _ => return Progress::Failed,
            },
        }
        self.memory.settle(&run.job);
        self.memory.accept_start();
        Progress::GoOn
    }

    /// Whether the Job is the task's; if it is not, its name is taken.
    fn recognise(&mut self, object: &JobObject, task: &Task, clock: Ms) -> bool {
        let job = object.seen();
        if object.owner == task.uid && self.memory.believes(&job, &seal(), at(clock)) {
            self.memory.put_job(job, Told::Made(at(clock)), at(clock));
            return true;
        }
        self.memory.conflict(&object.name, "the name is taken");
        false
    }

    fn confirm(&mut self, api: &mut Api, job: &str, uid: &str, task: &Task, clock: Ms) -> Progress {
        match api.get_job(job) {
            Answer::Nothing => return Progress::Failed,
            Answer::Ok(object) if object.uid == uid && object.owner == task.uid => {
                self.memory.put_job(object.seen(), Told::ByRead, at(clock));
            }
            _ => {
                self.memory.remove_job(uid, &seal(), at(clock));
            }
        }
        Progress::GoOn
    }

    fn delete(
        &mut self,
        api: &mut Api,
        work: &mut Work,
        job: &str,
        (uid, version): (&str, &str),
        reason: Reason,
        actor: &Actor,
    ) -> Progress {
        let clean_up = reason.is_clean_up();
        let concern = if clean_up { Concern::CleanUp } else { Concern::Start };
        match api.delete(job, (uid, version), !clean_up, actor) {
            Answer::Ok(()) | Answer::NotFound => {
                self.memory.mark_deleting(uid, at(actor.clock));
                self.memory.accept_delete(concern);
                Progress::GoOn
            }
            Answer::Conflict => match self.confirm(api, job, uid, &work.seen, actor.clock) {
                Progress::GoOn if clean_up => {
                    work.clean_up_refused = true;
                    Progress::GoOn
                }
                Progress::GoOn => Progress::PlanAgain,
                other => other,
            },
            Answer::Refused(message) if clean_up => {
                self.memory.refuse(concern, Reason::DeleteRefused, message, at(actor.clock));
                work.clean_up_refused = true;
                Progress::GoOn
            }
            Answer::Refused(message) => {
                self.memory.refuse(concern, Reason::DeleteRefused, message, at(actor.clock));
                Progress::PlanAgain
            }
            Answer::Nothing => Progress::Failed,
        }
    }
}
