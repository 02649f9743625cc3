//! Whether a task that is not ready waits or is stuck, as tools that follow kstatus (Helm, Flux, Argo CD) ask it.
//!
//! What keeps a task from being ready goes in; whether time alone can help comes out. Sets no condition.

use super::ConditionReason;

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing keeps it from its slots.
    Settled,
    /// Nothing new is known: as it stood before.
    Unchanged,
    /// Time helps: condition `Reconciling`.
    Waiting(ConditionReason, String),
    /// Only its author or an administrator of the cluster can help: condition `Stalled`.
    Stalled(ConditionReason, String),
}

/// Refusals that end without anybody's help, in the words of the API server, of quota, of admission, and of the operator itself.
const PASSING: [&str; 5] = [
    "exceeded quota",
    "failed quota",
    "failed calling webhook",
    "does not create Job",
    "Internal error occurred",
];

impl Standing {
    /// How a task stands whose Job or deletion was refused with this message.
    #[must_use]
    pub fn of_refusal(reason: ConditionReason, message: String) -> Self {
        let is_passing = PASSING.iter().any(|words| message.contains(words));
        let is_denied = message.contains("denied the request") || message.contains("denied request");
        match is_passing && !is_denied {
            true => Self::Waiting(reason, message),
            false => Self::Stalled(reason, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are those of `state::answer`'s table.
    #[test]
    fn only_refusals_that_pass_by_themselves_are_waited_for() {
        for (message, waits) in [
            (
                "the API server would refuse the Job: jobs.batch \"x\" is forbidden: exceeded quota: q, requested: count/jobs.batch=1",
                true,
            ),
            (
                "the API server would refuse the Job: Internal error occurred: failed calling webhook \"w\": connection refused",
                true,
            ),
            ("the API server does not create Job x-1: 503 no healthy upstream", true),
            (
                "the API server would refuse the Job: Job.batch \"x\" is invalid: spec.template.spec.containers[0].image: Required value",
                false,
            ),
            (
                "the API server would refuse the Job: admission webhook \"w\" denied the request: not on Fridays",
                false,
            ),
            (
                "the API server refused Job x-1: admission webhook \"w\" denied the request: exceeded quota of Fridays",
                false,
            ),
            (
                "the API server refused to delete Job x-1: jobs.batch \"x-1\" is forbidden: User \"u\" cannot delete",
                false,
            ),
        ] {
            let standing = Standing::of_refusal(ConditionReason::JobRefused, message.into());
            assert_eq!(matches!(standing, Standing::Waiting(..)), waits, "{message}");
        }
    }
}
