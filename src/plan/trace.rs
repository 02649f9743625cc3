//! The ids of the trace of a slot: the same whoever leads, and known before anything is sent.
//!
//! UID and slot go in, ids come out, as <https://www.w3.org/TR/trace-context/> has them. No state is needed, and no request.

use crate::schedule::hash;
use jiff::Timestamp;

/// One trace for each slot: a span for the slot, and below it one for waiting and one for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIds {
    /// Of the trace.
    pub trace: u128,
    /// Of the span of the slot, from its moment to the end of the run.
    pub slot: u64,
    /// Of the time from the slot to the first Job.
    pub wait: u64,
    /// Of the run: what a container does hangs below it.
    pub run: u64,
}

impl TraceIds {
    /// Those of a slot of the task with this UID.
    #[must_use]
    pub fn of(uid: &str, slot: Timestamp) -> Self {
        // No id may be 0.
        let id = |part: &str| hash(&format!("{uid}/{slot}/{part}")).max(1);
        Self {
            trace: u128::from(id("trace")) << 64 | u128::from(id("trace-2")),
            slot: id("slot"),
            wait: id("wait"),
            run: id("run"),
        }
    }

    /// The id of the trace, as logs and the header have it.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// For a program that goes on with the trace: its spans hang below the run.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{:032x}-{:016x}-01", self.trace, self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_task_and_slot_alone() {
        let (first, second): (Timestamp, Timestamp) = ("2026-11-26T02:00:00Z".parse().unwrap(), "2026-11-26T02:01:00Z".parse().unwrap());
        let ids = TraceIds::of("u1", first);
        assert_eq!(ids, TraceIds::of("u1", first));
        let others = [TraceIds::of("u1", second), TraceIds::of("u2", first)];
        assert!(others.iter().all(|other| other.trace != ids.trace && other.slot != ids.slot));
        assert!(ids.slot != ids.wait && ids.wait != ids.run && ids.run != ids.slot);
        let parent = ids.traceparent();
        assert_eq!(parent.split('-').map(str::len).collect::<Vec<_>>(), [2, 32, 16, 2], "{parent}");
        assert_eq!(parent.get(3..35), Some(&*ids.trace_id()));
    }
}
