//! How many runs may be active at once.
//!
//! ```text
//!   policy    capacity          a run that finds none
//!   Allow     any, or limit     is skipped
//!   Forbid    1                 is skipped; slots that are caught up (missedRunPolicy All) wait
//!   Replace   1                 terminates the others, and starts when they are gone
//!   Queue     1, or limit       waits its turn, first in, first out
//! ```
//! A run is active from its claim to its end, waits between attempts included.

use super::ON_TIME;
use super::planner::Planner;
use super::run::{Phase, Run};
use crate::api::ConcurrencyPolicy;
use jiff::{SignedDuration, Timestamp};

/// More active runs are named by no ledger: as many as `maxConcurrentRuns` allows.
pub const MOST_ACTIVE: usize = 1000;
/// Beyond the grace period of its pods, a Job that is being deleted holds capacity for this long. After that its node does not answer,
/// and a task must not stand still for it.
pub const TERMINATION_SLACK: SignedDuration = SignedDuration::from_secs(30);
/// Grace period of pods while the spec cannot be read.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

impl Planner<'_> {
    /// How many more runs may be claimed; any number without a limit.
    pub fn capacity(&self) -> Option<usize> {
        let limit = self.spec?.fields.capacity()?;
        Some(limit.saturating_sub(self.ledger.runs.iter().filter(|run| self.is_active(run)).count()))
    }

    /// Whether no further run may be claimed.
    pub fn is_full(&self) -> bool {
        self.capacity() == Some(0)
    }

    /// How many claims may have their Jobs created: fewer than there are, while the runs that they replace are not gone.
    pub fn capacity_for_jobs(&self) -> usize {
        let started = |run: &&Run| run.phase != Phase::Claimed && self.is_active(run);
        let active = self.ledger.runs.iter().filter(started).count();
        let limit = self.spec.and_then(|spec| spec.fields.capacity());
        limit.map_or(usize::MAX, |limit| limit.saturating_sub(active))
    }

    /// Whether a run holds capacity: a claim, a Job that has not ended or is not seen just now, or a wait for the next attempt.
    pub fn is_active(&self, run: &Run) -> bool {
        let has_ended = self.job(run).is_some_and(|job| job.object.end.is_some());
        let is_late = self.termination_deadline(run).is_some_and(|deadline| deadline <= self.now());
        run.phase != Phase::Queued && !has_ended && !is_late
    }

    /// When a run whose Job is being deleted no longer holds capacity, whether its pods are gone or not.
    pub fn termination_deadline(&self, run: &Run) -> Option<Timestamp> {
        let deleting = self.job(run)?.object.deleting?;
        deleting.checked_add(self.grace() + TERMINATION_SLACK).ok()
    }

    /// Grace period of the pods.
    pub fn grace(&self) -> SignedDuration {
        self.spec.map_or(GRACE, |spec| spec.grace)
    }

    /// Whether slots have been skipped behind this run for so long that somebody should look at it.
    pub fn holds_up_slots(&self, run: &Run) -> bool {
        let skips = self
            .spec
            .is_some_and(|spec| spec.fields.concurrency_policy == ConcurrencyPolicy::Forbid);
        // A task that runs every second skips many slots behind each of its runs, and nobody needs to look.
        let is_long = run.started.is_some_and(|started| self.now().duration_since(started) > ON_TIME);
        let (Some(schedule), true) = (self.schedule(), skips && is_long && run.is_scheduled()) else {
            return false;
        };
        let third = schedule
            .next(run.slot)
            .and_then(|slot| schedule.next(slot))
            .and_then(|slot| schedule.next(slot));
        third.is_some_and(|third| third <= self.ledger.accounted_until())
    }

    /// The oldest active run.
    pub fn oldest_active(&self) -> Option<&Run> {
        self.ledger.runs.iter().filter(|run| self.is_active(run)).min_by_key(|run| run.slot)
    }
}
