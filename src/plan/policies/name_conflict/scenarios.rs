//! Scenarios of Job names that somebody else has taken.

use crate::api::ConcurrencyPolicy::*;
use crate::api::condition::READY;
use crate::plan::scenarios::story::given;

/// S8
#[test]
fn a_foreign_job_under_our_name_is_reported_never_adopted() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .foreign_job_takes_name_of("2026-11-23T09:00:00Z", "somebody-else")
            .at("2026-11-23T09:00:00Z")
            .starts_nothing()
            .has_condition(READY, "False NameConflict")
            .at("2026-11-23T10:01:00Z")
            .starts("2026-11-23T10:00:00Z")
            .has_condition(READY, "True Accepted")
            .counts("started 1, missed 1");
    }
}
