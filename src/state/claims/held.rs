//! The claims that a process knows: what the log says, and what became of each since.
//!
//! Claims, Jobs that exist and statuses go in; what a plan has to carry out, and what the next write keeps, come out.

use super::log::ClaimsLog;
use crate::api::ScheduledTaskStatus;
use crate::plan::Claim;
use std::collections::BTreeMap;
use std::sync::Arc;

/// etcd keeps every write until it is compacted, so the log stays small: claims whose Jobs exist are kept until the status says so, but
/// not more than these. The Jobs prove the others.
const MOST_CREATED: usize = 4;

/// Claims by task.
pub type ByTask = BTreeMap<Arc<str>, Vec<Claim>>;

#[derive(Clone, Debug)]
struct Held {
    claim: Claim,
    /// Its Job exists.
    is_created: bool,
    /// The status says what it says, or its task is gone.
    is_settled: bool,
}

/// The claims that are in the log.
#[derive(Clone, Debug, Default)]
pub struct HeldClaims {
    by_task: BTreeMap<Arc<str>, Vec<Held>>,
}

impl HeldClaims {
    /// What is to be carried out for a task with this status. What the status says as well is settled.
    pub fn of(&mut self, task: &str, status: &ScheduledTaskStatus) -> Vec<Claim> {
        let Some(held) = self.by_task.get_mut(task) else {
            return Vec::new();
        };
        held.iter_mut().for_each(|held| held.is_settled |= held.claim.is_settled(status));
        held.iter().filter(|held| !held.is_settled).map(|held| held.claim.clone()).collect()
    }

    /// Whether there is anything about a task.
    pub fn has(&self, task: &str) -> bool {
        self.by_task.get(task).is_some_and(|held| held.iter().any(|held| !held.is_settled))
    }

    /// Tasks that are named.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_task.keys()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().count()
    }

    /// The log that was read replaces them.
    pub fn clear(&mut self) {
        self.by_task.clear();
    }

    /// A claim is in the log.
    pub fn hold(&mut self, task: &Arc<str>, claim: Claim) {
        let held = self.by_task.entry(task.clone()).or_default();
        if held.iter().all(|known| known.claim.job != claim.job) {
            held.push(Held {
                claim,
                is_created: false,
                is_settled: false,
            });
        }
    }

    /// The task is gone.
    pub fn forget(&mut self, task: &str) {
        let held = self.by_task.get_mut(task).into_iter().flatten();
        held.for_each(|held| held.is_settled = true);
    }

    /// The Job of a claim exists.
    pub fn created(&mut self, task: &str, job: &str) {
        let held = self.by_task.get_mut(task).into_iter().flatten();
        held.filter(|held| held.claim.job == job).for_each(|held| held.is_created = true);
    }

    /// These are claimed again, and begin anew.
    pub fn drop_old(&mut self, task: &str, new: &[Claim]) {
        if let Some(held) = self.by_task.get_mut(task) {
            held.retain(|held| new.iter().all(|claim| claim.job != held.claim.job));
        }
    }

    /// The claims that stay in the log, and the bytes that they take.
    pub fn kept(&self) -> (ByTask, usize) {
        let created = self.all().filter(|(_, held)| held.is_created && !held.is_settled).count();
        let mut surplus = created.saturating_sub(MOST_CREATED);
        let (mut claims, mut bytes) = (ByTask::new(), 0);
        for (task, held) in self.all().filter(|(_, held)| !held.is_settled) {
            if held.is_created && surplus > 0 {
                surplus -= 1;
                continue;
            }
            bytes += ClaimsLog::length(task, &held.claim);
            claims.entry(task.clone()).or_default().push(held.claim.clone());
        }
        (claims, bytes)
    }

    /// The log says these and no others. Returns the tasks that have new ones.
    pub fn replace(&mut self, claims: ByTask) -> Vec<Arc<str>> {
        let mut before = std::mem::take(&mut self.by_task);
        let mut new = Vec::new();
        for (task, claims) in claims {
            let mut known = before.remove(&task).unwrap_or_default();
            for claim in claims {
                let at = known.iter().position(|held| held.claim.job == claim.job);
                match at.map(|at| known.swap_remove(at)) {
                    Some(held) => self.by_task.entry(task.clone()).or_default().push(held),
                    None => {
                        new.push(task.clone());
                        self.hold(&task, claim);
                    }
                }
            }
        }
        new
    }

    fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Held)> {
        self.by_task
            .iter()
            .flat_map(|(task, held)| held.iter().map(move |held| (task, held)))
    }
}
