//! A CRD without the status subresource: nothing can be recorded, and slots start exactly once as long as the process lives.

use super::story::given;
use crate::api::ConcurrencyPolicy;

#[test]
fn slots_start_once_where_no_status_can_be_written() {
    for policy in [ConcurrencyPolicy::Allow, ConcurrencyPolicy::Forbid] {
        let story = given("0 * * * *")
            .policy(policy)
            .with_world(|world| world.faults.lacks_status = true)
            .since("2026-11-23T08:00:00Z")
            // Long after the task was created: a ledger that begins now would owe nothing.
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:30:00Z")
            .succeeds("2026-11-23T09:00:00Z")
            .job_deleted("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:59:59Z")
            .at("2026-11-23T10:00:00Z")
            .starts("2026-11-23T10:00:00Z")
            .at("2026-11-23T10:30:00Z")
            .then(|world| assert_eq!(world.status_writes, 0));
        // Somebody applies the CRD of the operator: what is known is recorded with the next change.
        let mut story = story;
        (story.world.faults.lacks_status, story.world.audit.loose) = (false, true);
        story
            .succeeds("2026-11-23T10:00:00Z")
            .counts("started 2, succeeded 2")
            .has_condition("Ready", "True Accepted");
    }
}
