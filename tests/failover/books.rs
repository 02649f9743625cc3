//! The books of one group: each slot, each Job, each write, from the API server's audit log, its watch and the last statuses.
//!
//! Takes what happened, gives figures and whatever is wrong. Never shares a line with the operator.

use crate::arena::TASKS;
use crate::effect::Effects;
use crate::fault::Kind;
use crate::harness::{Pace, Request, World, requests};
use crate::witness::Seen;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// From the process to the API server; what is received later was sent later.
const ON_THE_WAY: SignedDuration = SignedDuration::from_millis(50);

/// One change of leadership.
pub struct Change {
    pub kind: Kind,
    pub number: usize,
    /// Who led.
    pub old: String,
    /// The moment of the fault.
    pub at: Timestamp,
    /// When the process had ended that was asked to stop.
    pub left: Option<Timestamp>,
}

/// What a change cost.
pub struct Cost {
    pub kind: Kind,
    /// From the fault until the lease was another's.
    pub lease: SignedDuration,
    /// From the fault to the next leader's first Job or status.
    pub work: SignedDuration,
    /// Slots under Allow between the two, and how many of them have a Job.
    pub gap: (usize, usize),
    /// How late the latest of them was.
    pub lateness: SignedDuration,
}

#[derive(Default)]
pub struct Books {
    pub costs: Vec<Cost>,
    /// Faults that met a process that no longer led.
    pub unplanned: usize,
    pub slots: usize,
    pub started: usize,
    pub skipped: usize,
    pub superseded: usize,
    pub lost: usize,
    pub doubled: usize,
    pub overlapped: usize,
    /// Writes received when another had the lease, and those of them that changed something.
    pub usurped: usize,
    pub usurping: usize,
    /// Writes received after the own renew deadline, and after the own release, while nobody else had the lease.
    pub late_writes: usize,
    pub after_release: usize,
    pub notes: Vec<String>,
    pub writes: usize,
    pub wrong: Vec<String>,
}

impl Books {
    pub async fn close(world: &World, pace: Pace, changes: Vec<Change>, seen: &Seen) -> Books {
        let prefix = format!("{}-", world.namespace);
        let all = tokio::task::spawn_blocking(move || requests(crate::cluster(), &prefix))
            .await
            .unwrap();
        let mut books = Books::default();
        // When they were made, as far as somebody was told: for lateness only.
        let mut jobs: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for made in all
            .iter()
            .filter(|one| one.verb == "create" && one.resource == "jobs" && one.is_work() && one.is_done())
        {
            jobs.entry(made.name.clone()).or_default().push(made.answered);
        }
        for (policy, period) in TASKS {
            books.slots_of(world, policy, period, seen).await;
        }
        for (task, overlap) in seen.overlaps.iter().filter(|(task, _)| matches!(task.as_str(), "forbid" | "queue")) {
            books.overlapped += 1;
            books.wrong.push(format!("{}: overlap of {task}: {overlap}", world.namespace));
        }
        books.writes_out_of_turn(pace, &changes, &all, seen);
        for change in &changes {
            books.cost(world, change, &all, &jobs, seen);
        }
        books
    }

    /// Every slot from the beginning of the ledger to its end has a Job, or a reason in the ledger.
    async fn slots_of(&mut self, world: &World, policy: &str, period: i64, seen: &Seen) {
        let jobs = &seen.jobs;
        let task = policy.to_lowercase();
        let status = world.tasks().get(&task).await.expect("the task").status.expect("a status");
        let since = status.schedule_since.as_ref().expect("a beginning").0.as_second();
        let until = status.accounted_until.as_ref().expect("an end").0.as_second();
        let slots: Vec<i64> = (since + 1..=until).filter(|second| second % period == 0).collect();
        let made = |slot: &i64| jobs.get(&format!("{task}-{slot}")).map_or(0, BTreeSet::len);
        let without = slots.iter().filter(|slot| made(slot) == 0).count();
        let doubled: usize = slots.iter().map(|slot| made(slot).saturating_sub(1)).sum();
        let of_task = jobs.keys().filter(|name| name.starts_with(&format!("{task}-"))).count();
        // Under Replace the newest of several owed slots starts, and the others are superseded. Nobody else may miss one.
        let superseded = usize::try_from(status.missed).unwrap();
        // Claimed in the last second: its Job waits for another to be gone.
        let claimed = status.active.iter().filter(|run| run.uid.is_none()).count();
        let told = usize::try_from(status.skipped).unwrap() + status.queued.len() + claimed + superseded;
        let lost = without.saturating_sub(told);
        self.slots += slots.len();
        self.started += slots.len() - without;
        self.skipped += told - superseded;
        self.superseded += superseded;
        self.lost += lost;
        self.doubled += doubled;
        let mut wrong = |what: String| {
            self.wrong
                .push(format!("{}/{task}: {what}; {:?}", world.namespace, status.recent_runs))
        };
        if lost > 0 || (superseded > 0 && policy != "Replace") {
            let which: Vec<&i64> = slots.iter().filter(|slot| made(slot) == 0).collect();
            wrong(format!("{lost} slots lost, {superseded} missed, without a Job: {which:?}"));
        }
        if doubled > 0 {
            let which: Vec<&i64> = slots.iter().filter(|slot| made(slot) > 1).collect();
            wrong(format!("{doubled} slots doubled: {which:?}"));
        }
        if told > without || of_task != slots.len() - without || usize::try_from(status.started).unwrap() != of_task {
            wrong(format!(
                "{} slots, {of_task} Jobs, {without} slots without: the ledger says otherwise",
                slots.len()
            ));
        }
    }

    /// Who writes must hold the lease, by the last word about it, and should have renewed it within the deadline. A busy API
    /// server receives late what was sent, and given up, in time: only what changed something in another's turn is wrong.
    fn writes_out_of_turn(&mut self, pace: Pace, changes: &[Change], all: &[Request], seen: &Seen) {
        let effects = Effects::of(all, seen);
        let deadline = SignedDuration::try_from(pace.renew).unwrap() + ON_THE_WAY;
        let leases: Vec<&Request> = all
            .iter()
            .filter(|one| one.is_about_the_lease() && one.is_write() && one.is_done())
            .collect();
        let released = releases(changes, &leases);
        for write in all.iter().filter(|one| one.is_write() && !one.is_about_the_lease()) {
            self.writes += 1;
            let last = leases.iter().rfind(|lease| lease.answered < write.received);
            let (column, why) = match last {
                None => (&mut self.usurped, "before anybody had the lease".to_owned()),
                Some(lease) if lease.user != write.user => (&mut self.usurped, format!("after {} had taken the lease", lease.user)),
                Some(lease) if released.contains(&lease.received) => (&mut self.after_release, format!("released at {}", lease.received)),
                Some(lease) if write.received > lease.received + deadline => {
                    (&mut self.late_writes, format!("renewed at {}", lease.received))
                }
                Some(_) => continue,
            };
            *column += 1;
            let (user, verb, resource, code) = (&write.user, &write.verb, &write.resource, write.code);
            let about = format!(
                "{user} {verb} {resource} {} ({code}) received at {}: {why}",
                write.name, write.received
            );
            if last.is_none_or(|lease| lease.user != write.user) && effects.changed_something(write) {
                self.usurping += 1;
                self.wrong.push(about);
            } else {
                self.notes.push(about);
            }
        }
    }

    fn cost(&mut self, world: &World, change: &Change, all: &[Request], jobs: &BTreeMap<String, Vec<Timestamp>>, seen: &Seen) {
        let leases = || all.iter().filter(|one| one.is_about_the_lease() && one.is_write() && one.is_done());
        if leases()
            .rfind(|lease| lease.answered < change.at)
            .is_none_or(|lease| lease.user != change.old)
        {
            // It had lost the lease by itself, before anything befell it: no figure, and no less to be right.
            self.unplanned += 1;
            return;
        }
        let Some(taken) = leases().find(|lease| lease.received > change.at && lease.user != change.old) else {
            return self
                .wrong
                .push(format!("{}: nobody followed on change {}", world.namespace, change.number));
        };
        let Some(work) = all
            .iter()
            .find(|one| one.is_work() && one.user != change.old && one.received > taken.received)
        else {
            return self
                .wrong
                .push(format!("{}: no work after change {}", world.namespace, change.number));
        };
        let (from, until) = (change.at.as_second(), work.received.as_second());
        let gap: Vec<i64> = (from..=until).filter(|second| second % TASKS[0].1 == 0).collect();
        let made = |slot: &i64| jobs.get(&format!("allow-{slot}")).and_then(|made| made.first().copied());
        let late = |slot: &i64| Some(made(slot)?.duration_since(Timestamp::from_second(*slot).unwrap()));
        self.costs.push(Cost {
            kind: change.kind,
            lease: taken.answered.duration_since(change.at),
            work: work.received.duration_since(change.at),
            gap: (
                gap.len(),
                gap.iter().filter(|slot| seen.jobs.contains_key(&format!("allow-{slot}"))).count(),
            ),
            lateness: gap.iter().filter_map(late).max().unwrap_or_default(),
        });
    }
}

/// The last word of each process that was asked to stop.
fn releases(changes: &[Change], leases: &[&Request]) -> Vec<Timestamp> {
    let last_of = |change: &Change| {
        let left = change.left?;
        let words = leases.iter().filter(|lease| lease.user == change.old && lease.received < left);
        words.map(|lease| lease.received).max()
    };
    changes.iter().filter_map(last_of).collect()
}
