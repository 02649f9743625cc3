//! A claim: the decision to start one attempt, durable in the claims log before its Job is created.
//!
//! A claim holds what it takes to create the Job under the same name again. It is settled when the status says what it says.

use super::slots;
use crate::api::{ScheduledTaskStatus, Trigger};
use jiff::Timestamp;

/// The decision to start one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The slot; of a manual run, when it was requested.
    pub slot: Timestamp,
    /// What asked for the run.
    pub trigger: Trigger,
    /// From 1.
    pub attempt: i32,
    /// Name of the Job.
    pub job: String,
}

impl Claim {
    /// Whether the ledger does not know the slot yet. Runs that were requested or queued, and further attempts, are in it before they
    /// are claimed.
    #[must_use]
    pub fn is_owed(&self, status: &ScheduledTaskStatus) -> bool {
        self.trigger == Trigger::Schedule && self.attempt == 1 && !slots::is_accounted(status, self.slot)
    }

    /// Whether this status says that the Job was created, or will not be: then the claim may go.
    #[must_use]
    pub fn is_settled(&self, status: &ScheduledTaskStatus) -> bool {
        let waits = status.active.iter().any(|run| run.uid.is_none() && run.job == self.job);
        !waits && !self.is_owed(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_settled_when_the_status_says_what_became_of_it() {
        let slot = "2026-11-23T09:00:00Z";
        let claim = |job: &str, attempt, trigger| Claim {
            slot: slot.parse().unwrap(),
            trigger,
            attempt,
            job: job.into(),
        };
        let first = claim("a-1", 1, Trigger::Schedule);
        let active = |job: &str, uid: Option<&str>| json!({"slot": slot, "trigger": "Schedule", "attempt": 1, "job": job, "uid": uid});
        for (claim, status, is_settled) in [
            (&first, json!({}), false),
            (&first, json!({"accountedUntil": "2026-11-23T08:59:59Z"}), false),
            (&first, json!({"accountedUntil": slot}), true),
            (&first, json!({"accountedUntil": slot, "active": [active("a-1", None)]}), false),
            (&first, json!({"accountedUntil": slot, "active": [active("a-1", Some("7"))]}), true),
            (
                &claim("a-1-2", 2, Trigger::Schedule),
                json!({"active": [active("a-1-2", None)]}),
                false,
            ),
            (&claim("a-1-2", 2, Trigger::Schedule), json!({"accountedUntil": slot}), true),
            (&claim("a-m1", 1, Trigger::Manual), json!({"active": [active("a-m1", None)]}), false),
            (&claim("a-m1", 1, Trigger::Manual), json!({}), true),
        ] {
            let read: ScheduledTaskStatus = serde_json::from_value(status.clone()).unwrap();
            assert_eq!(claim.is_settled(&read), is_settled, "{claim:?} by {status}");
        }
    }
}
