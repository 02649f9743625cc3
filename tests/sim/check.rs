//! The checker: what the API server holds, and every request that was made of it, judged by the rules of the ledger.
//!
//! Takes each change as it happens, keeps its own history, gives the first rule that was broken. Shares no code with the planner:
//! slots come from `calendar`, runs from the annotations of Jobs, sums from the statuses that were written.

use super::calendar::Calendar;
use super::clock::{Ms, show};
use super::cluster::{JobObject, second};
use super::versions::Dropped;
use punctual::api::{ObservedSchedule, ScheduledTaskSpec, Trigger};
use punctual::plan::{Claim, Task};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who asks: what a request log would say of the client.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// The client's clock when it decided, and now.
    pub planned_at: Ms,
    pub clock: Ms,
    /// The generation of the spec that it had seen.
    pub generation: i64,
    /// It was stopped between decision and request.
    pub stale: bool,
    /// The fields of the status that its version does not know.
    pub drops: Dropped,
    /// Replica and incarnation.
    pub process: (usize, u32),
    /// Since when it leads.
    pub leads_since: Ms,
    /// Its lists and watches are of an old cache.
    pub reads_old: bool,
}

/// What became of a Job.
#[derive(Clone, Debug)]
pub struct JobFacts {
    pub uid: String,
    pub made: Ms,
    /// When, and whether it succeeded, and whether that is final.
    pub ended: Option<(Ms, bool, bool)>,
    pub deleting: Option<Ms>,
    pub gone: Option<Ms>,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    pub trigger: Trigger,
    pub slot: i64,
    pub attempts: BTreeMap<i32, JobFacts>,
}

#[derive(Clone, Debug)]
pub struct Checker {
    /// The first rule that was broken, with the time.
    pub broken: Option<(Ms, String)>,
    /// With their generations, which repeat when a backup is restored.
    pub specs: Vec<(Ms, i64, Arc<ScheduledTaskSpec>)>,
    calendars: Vec<(ObservedSchedule, Arc<Calendar>)>,
    pub runs: BTreeMap<String, RunFacts>,
    /// Run and attempt of each Job, by UID.
    pub uids: BTreeMap<String, (String, i32)>,
    pub started: BTreeMap<i64, String>,
    /// Slots that were skipped or missed, one by one, as far as `recentRuns` names them.
    pub not_started: BTreeMap<i64, String>,
    /// Claims that were ever in the log, by Job, with the generation of the spec that they were made by.
    pub committed: BTreeMap<String, (i64, Claim)>,
    /// Jobs that the API server refused at some time, or whose names were taken.
    pub refused: BTreeSet<String>,
    /// Since when the ledger accounts for slots.
    pub began: i64,
    /// How many POSTs in a row never arrived.
    pub never_arrived: u32,
    /// Somebody changed the log: what it held may be lost.
    pub log_was_damaged: bool,
    /// Slots that the ledger has passed.
    pub slots: i64,
    /// The status was taken away: sums cannot be known from outside.
    pub loose: bool,
    /// When the clock was last set, and by how much: patience that is measured by it is shorter by that.
    pub clock_set: (Ms, Ms),
    /// A clock was wrong at some time.
    pub skewed: bool,
    /// How far the clocks of replicas were ahead and behind at most: a promise by one clock is that much weaker by another.
    pub ahead: Ms,
    pub behind: Ms,
    /// Fields of the status that an older CRD or operator dropped at some time.
    pub dropped: Dropped,
    /// When the status last lost the times of retries without that the operator could have noticed what was dropped.
    pub retry_at_lost: Ms,
    /// Whether the status that was written last lost fields to the CRD, and the leader who wrote it.
    pub pruned_for: Option<(usize, u32)>,
    /// The process that wrote the last statuses, and since when.
    pub wrote_since: Option<((usize, u32), Ms)>,
    /// Who wrote a status since the last one that said something new, of which nothing was kept.
    pub void_writes: BTreeSet<(usize, u32)>,
    /// Jobs that a restored backup does not hold, by UID, with run and slot. Operators may remember them.
    pub forgotten: BTreeMap<String, (String, i64)>,
    /// So many forgotten slots that are none of the schedule does the status that is written pass.
    pub odd: i64,
    pub writes: u64,
    pub last_write: Ms,
    pub deleted_by_people: BTreeSet<String>,
    pub backfilled: BTreeSet<(String, i64)>,
    pub calm_since: Option<Ms>,
    /// Since when nothing keeps the operator from terminating Jobs.
    pub terminates_since: Option<Ms>,
    /// Whether Jobs go on, and when they last did.
    pub busy: bool,
    pub going_on: i64,
    pub last_look: Ms,
    pub last_busy: Ms,
    pub next_slot: Option<(i64, i64, Option<i64>)>,
    /// The log of the API server, if somebody wants to read it.
    pub log: Option<Vec<String>>,
}

/// The rule that was broken, and how.
pub type Verdict = Result<(), String>;

/// Demands a rule.
#[macro_export]
macro_rules! demand {
    ($rule:expr, $($broken:tt)+) => {
        if !$rule {
            return Err(format!($($broken)+));
        }
    };
}

impl Checker {
    pub fn new(born: Ms, fields: Arc<ScheduledTaskSpec>) -> Self {
        Self {
            broken: None,
            specs: vec![(born, 1, fields)],
            calendars: Vec::new(),
            runs: BTreeMap::new(),
            uids: BTreeMap::new(),
            started: BTreeMap::new(),
            not_started: BTreeMap::new(),
            committed: BTreeMap::new(),
            refused: BTreeSet::new(),
            began: 0,
            never_arrived: 0,
            log_was_damaged: false,
            slots: 0,
            loose: false,
            clock_set: (born, 0),
            skewed: false,
            ahead: 0,
            behind: 0,
            dropped: Dropped::NOTHING,
            retry_at_lost: 0,
            pruned_for: None,
            wrote_since: None,
            void_writes: BTreeSet::new(),
            forgotten: BTreeMap::new(),
            odd: 0,
            writes: 0,
            last_write: born,
            deleted_by_people: BTreeSet::new(),
            backfilled: BTreeSet::new(),
            calm_since: None,
            terminates_since: None,
            busy: false,
            going_on: 0,
            last_look: born,
            last_busy: born,
            next_slot: None,
            log: None,
        }
    }

    pub fn judge(&mut self, now: Ms, verdict: Verdict) {
        if let Err(why) = verdict {
            self.note(now, || format!("*** {why}"));
            self.broken.get_or_insert((now, why));
        }
    }

    pub fn note(&mut self, now: Ms, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("  {}  {}", show(now), line()));
        }
    }

    pub fn calendar(&mut self, of: &ObservedSchedule) -> Arc<Calendar> {
        if let Some((_, known)) = self.calendars.iter().find(|(said, _)| said == of) {
            return known.clone();
        }
        let calendar = Arc::new(Calendar::of(of));
        self.calendars.push((of.clone(), calendar.clone()));
        calendar
    }

    /// The spec of a generation.
    pub fn spec(&self, generation: i64) -> Arc<ScheduledTaskSpec> {
        let of = self.specs.iter().rfind(|(_, known, _)| *known == generation);
        of.unwrap_or(&self.specs[0]).2.clone()
    }

    /// The specs that stood at any time since then.
    pub fn specs_since(&self, since: Ms) -> impl Iterator<Item = &ScheduledTaskSpec> {
        let first = self.specs.iter().rposition(|(from, ..)| *from <= since).unwrap_or(0);
        self.specs[first..].iter().map(|(.., fields)| &**fields)
    }

    pub fn spec_applied(&mut self, now: Ms, generation: i64, fields: Arc<ScheduledTaskSpec>) {
        self.specs.push((now, generation, fields));
        self.void_writes.clear();
        self.disturbed();
    }

    pub fn disturbed(&mut self) {
        (self.calm_since, self.terminates_since) = (None, None);
    }

    pub fn job_ended(&mut self, now: Ms, job: &JobObject) {
        self.note(now, || {
            format!("Job {} ends, code {:?}, for good {}", job.name, job.fate.code, job.fate.for_good)
        });
        if let Some(facts) = self.facts(job) {
            facts.ended = Some((now, job.fate.code.is_none(), job.fate.for_good));
            self.going_on -= 1;
        }
    }

    pub fn job_gone(&mut self, now: Ms, job: &JobObject) {
        self.note(now, || format!("Job {} is gone", job.name));
        if job.forged {
            return;
        }
        if let Some(facts) = self.facts(job) {
            facts.gone = Some(now);
            let went_on = facts.ended.is_none();
            self.going_on -= i64::from(went_on);
        }
    }

    /// The clock of a replica is wrong.
    pub fn clocks_differ(&mut self, by: Ms) {
        (self.ahead, self.behind) = (self.ahead.max(by), self.behind.max(-by));
    }

    /// By so much the clocks of two replicas differ at most.
    pub fn spread(&self) -> Ms {
        self.ahead + self.behind
    }

    /// Fields of a status were dropped, and whether there were any.
    pub fn fields_dropped(&mut self, fields: Dropped, is_less: bool, actor: &Actor) {
        self.dropped = self.dropped.and(fields);
        self.pruned_for = (is_less && actor.drops.is_nothing()).then_some(actor.process);
    }

    /// What is stored lost these fields, and no answer to a write of the operator showed it.
    pub fn fields_lost(&mut self, now: Ms, fields: Dropped) {
        if fields.contains(Dropped::RETRY_AT) {
            self.retry_at_lost = now;
        }
    }

    /// A backup was restored: the books go back with the objects. What was made since is forgotten.
    pub fn restore(&mut self, now: Ms, books: Self, task: &Task, spec: Arc<ScheduledTaskSpec>) {
        let known = std::mem::replace(self, books);
        self.note(now, || "the books go back".into());
        let lost = known.uids.iter().filter(|(uid, _)| !self.uids.contains_key(*uid));
        let lost = lost.map(|(uid, (run, _))| (uid.clone(), (run.clone(), known.runs[run].slot)));
        self.forgotten = known.forgotten.into_iter().chain(lost).collect();
        (self.specs, self.calendars) = (known.specs, known.calendars);
        self.spec_applied(now, task.generation, spec);
        // A status that had not begun begins from now; until then it is as if it had been deleted.
        self.loose |= task.status.schedule_since.is_none();
        (self.broken, self.log) = (known.broken, known.log);
        (self.clock_set, self.skewed, self.ahead, self.behind) = (known.clock_set, known.skewed, known.ahead, known.behind);
        (self.writes, self.last_write, self.last_look) = (known.writes, known.last_write, known.last_look);
        (self.dropped, self.pruned_for, self.last_busy, self.next_slot) = (known.dropped, None, now, None);
        (self.wrote_since, self.retry_at_lost) = (None, known.retry_at_lost);
        // The log is one of the past: it does not name all that was decided.
        (self.committed, self.log_was_damaged, self.refused) = (known.committed, true, known.refused);
    }

    pub fn people_delete(&mut self, job: &JobObject) {
        self.deleted_by_people.insert(job.run.clone());
    }

    pub fn of_uid(&self, uid: &str) -> Option<&JobFacts> {
        let (run, attempt) = self.uids.get(uid)?;
        self.runs.get(run)?.attempts.get(attempt)
    }

    fn facts(&mut self, job: &JobObject) -> Option<&mut JobFacts> {
        let facts = self.runs.get_mut(&job.run)?.attempts.get_mut(&job.attempt)?;
        Some(facts).filter(|facts| facts.uid == job.uid)
    }

    pub fn set_facts(&mut self, now: Ms, job: &JobObject) {
        let run = self.runs.entry(job.run.clone()).or_insert_with(|| RunFacts {
            trigger: job.trigger,
            slot: job.slot.map_or(0, second),
            attempts: BTreeMap::new(),
        });
        self.going_on += 1;
        self.uids.insert(job.uid.clone(), (job.run.clone(), job.attempt));
        run.attempts.insert(
            job.attempt,
            JobFacts {
                uid: job.uid.clone(),
                made: now,
                ended: None,
                deleting: None,
                gone: None,
            },
        );
        if job.trigger == Trigger::Schedule {
            self.started.entry(job.slot.map_or(0, second)).or_insert_with(|| job.run.clone());
        }
    }

    pub fn set_deleting(&mut self, now: Ms, job: &JobObject) {
        if let Some(facts) = self.facts(job) {
            facts.deleting.get_or_insert(now);
        }
    }
}
