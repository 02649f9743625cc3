//! Scenarios of backfills. Pairs with other policies are in `plan/scenarios/pairs.rs`.

use crate::api::ConcurrencyPolicy::*;
use crate::plan::scenarios::story::given;

/// M2: 24 days of `@daily` are 20,000 slots of `@every 90s` (simulation, seed 7496).
#[test]
fn an_edit_does_not_turn_a_backfill_into_a_flood() {
    given("@daily")
        .policy(Forbid)
        .since("2026-11-22T12:00:00Z")
        .at("2026-11-22T13:00:00Z")
        .requests_backfill("2026-11-01T00:00:00Z/2026-11-22T00:00:00Z")
        .requested_runs(1)
        .then(|world| assert_eq!(world.status().backfill.as_ref().map(|backfill| backfill.remaining), Some(20)))
        .edited(|spec| spec.schedule = Some("@every 90s".into()))
        .announces("after an edit it names 20159 more slots, and backfillLimit is 100")
        .then(|world| {
            assert_eq!(world.status().backfill, None);
            let refused = world.status().last_refused_request.as_ref().expect("a refused request");
            assert_eq!(refused.annotation, "punctual.dev/backfill");
        })
        .succeeds("2026-11-01T00:00:00Z")
        .requested_runs(1);
}
