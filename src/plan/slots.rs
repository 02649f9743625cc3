//! Which slots are accounted for, which are due, and which were missed.
//!
//! From a schedule and the time that is not accounted for follow the slots to start and the ranges that were missed. That never costs
//! time in proportion to slots: counts come from the schedule, and at most `missedRunLimit` slots are listed.

use super::Reason;
use crate::api::{MissedRunPolicy, ScheduledTaskSpec, ScheduledTaskStatus};
use crate::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// A slot that starts later than this was missed and is being caught up; under `missedRunPolicy: None` it is not started.
/// Long enough for a change of leader (15 s lease) and an API server that restarts.
pub const ON_TIME: SignedDuration = SignedDuration::from_secs(60);

/// Every slot up to here has its outcome, or is older than the schedule. `MIN` where no ledger has begun.
#[must_use]
pub fn accounted_until(status: &ScheduledTaskStatus) -> Timestamp {
    let times = [&status.accounted_until, &status.schedule_since];
    times.into_iter().flatten().map(|at| at.0).max().unwrap_or(Timestamp::MIN)
}

/// Clocks are wrong by hours, and may be set back; a ledger that is further ahead is nobody's mistake of a clock.
const AHEAD: SignedDuration = SignedDuration::from_hours(32 * 24);

/// Whether a moment is so far ahead that no operator wrote it.
#[must_use]
pub fn is_far(at: Timestamp, now: Timestamp) -> bool {
    at > now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX)
}

/// Whether the slot has its outcome: then it is never started (again).
#[must_use]
pub fn is_accounted(status: &ScheduledTaskStatus, slot: Timestamp) -> bool {
    slot <= accounted_until(status)
}

/// Slots between `accountedUntil` and now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// To be started, oldest first.
    pub start: Vec<Timestamp>,
    /// Passed too long ago, oldest first. All of them are older than those to start.
    pub missed: Vec<SlotRange>,
}

/// Slots that follow each other and share one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRange {
    /// Why they are not started.
    pub reason: Reason,
    /// The oldest.
    pub first: Timestamp,
    /// The newest.
    pub last: Timestamp,
    /// How many.
    pub slots: u64,
}

impl SlotRange {
    /// A single slot.
    #[must_use]
    pub fn one(slot: Timestamp, reason: Reason) -> Self {
        Self {
            reason,
            first: slot,
            last: slot,
            slots: 1,
        }
    }
}

/// "slot 2026-11-23T15:00:00Z", or "59 slots from … to …".
impl fmt::Display for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slots {
            1 => write!(f, "slot {}", self.last),
            slots => write!(f, "{slots} slots from {} to {}", self.first, self.last),
        }
    }
}

/// Sorts the slots in `(accounted, now]` by `missedRunPolicy` and `startingDeadlineSeconds`.
///
/// The deadline rule is CronJob's: a slot may start while `slot + jitter + deadline >= now`.
#[must_use]
pub fn due(schedule: &Schedule, spec: &ScheduledTaskSpec, accounted: Timestamp, now: Timestamp) -> Due {
    // The newest slot may still wait for its jitter.
    let Some(latest) = schedule.latest(accounted, schedule.started_by(now)) else {
        return Due::default();
    };
    let (cutoff, too_old) = cutoff(spec, now);
    // Starts are whole seconds, so "older than the cutoff" is "up to a nanosecond before it".
    let dead_until = schedule.started_by(before(cutoff));
    let mut missed = Vec::new();
    let mut alive_after = accounted;
    if dead_until > accounted {
        missed.extend(range(schedule, accounted, dead_until, too_old));
        alive_after = dead_until;
    }
    if schedule.starts_at(latest) < cutoff {
        return Due { start: Vec::new(), missed };
    }
    let (keep, left_behind) = match spec.missed_run_policy {
        MissedRunPolicy::All => (spec.catch_up_limit().max(1), Reason::MissedRunLimitExceeded),
        MissedRunPolicy::Latest | MissedRunPolicy::None => (1, Reason::Superseded),
    };
    let mut start = vec![latest];
    let mut oldest = latest;
    while start.len() < keep
        && let Some(earlier) = schedule.latest(alive_after, before(oldest))
    {
        start.push(earlier);
        oldest = earlier;
    }
    start.reverse();
    missed.extend(range(schedule, alive_after, before(oldest), left_behind));
    Due { start, missed }
}

/// Whether a slot that nobody has started yet is too old to be started.
#[must_use]
pub fn is_too_late(schedule: &Schedule, spec: &ScheduledTaskSpec, slot: Timestamp, now: Timestamp) -> bool {
    spec.starting_deadline_seconds.is_some() && schedule.starts_at(slot) < cutoff(spec, now).0
}

/// The oldest moment at which a slot may still be started, and why an older one may not.
fn cutoff(spec: &ScheduledTaskSpec, now: Timestamp) -> (Timestamp, Reason) {
    let deadline = spec.starting_deadline_seconds.map(SignedDuration::from_secs);
    let (allowed, reason) = match (spec.missed_run_policy, deadline) {
        (MissedRunPolicy::None, Some(deadline)) if deadline <= ON_TIME => (deadline, Reason::StartingDeadlineExceeded),
        (MissedRunPolicy::None, _) => (ON_TIME, Reason::MissedRunPolicyNone),
        (_, Some(deadline)) => (deadline, Reason::StartingDeadlineExceeded),
        (_, None) => return (Timestamp::MIN, Reason::StartingDeadlineExceeded),
    };
    (now.checked_sub(allowed).unwrap_or(Timestamp::MIN), reason)
}

/// All slots in `(after, until]` as one range, if there are any.
pub fn range(schedule: &Schedule, after: Timestamp, until: Timestamp, reason: Reason) -> Option<SlotRange> {
    let last = schedule.latest(after, until)?;
    let first = schedule.next(after)?;
    let slots = if first == last { 1 } else { schedule.count(after, until) };
    Some(SlotRange {
        reason,
        first,
        last,
        slots,
    })
}

/// The last instant that is not yet `slot`.
pub fn before(slot: Timestamp) -> Timestamp {
    slot.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}
