//! Creates that the API server carried out but whose responses never arrived: no slot runs twice, none is lost.
//!
//! Each task has unacknowledged creates, which a plan looks up before it counts, drops or starts anything.

use super::story::given;
use crate::api::ConcurrencyPolicy::*;

/// D7
#[test]
fn a_create_whose_response_is_lost_makes_exactly_one_job() {
    for policy in [Allow, Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .since("2026-11-23T08:00:00Z")
            .loses_next_response()
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .starts_nothing()
            .disconnects_after_next_create()
            .succeeds("2026-11-23T09:00:00Z")
            .at("2026-11-23T10:00:00Z")
            .starts("2026-11-23T10:00:00Z")
            .at("2026-11-23T10:20:00Z")
            .reconnects()
            .starts_nothing()
            .watch_catches_up()
            .active(&["2026-11-23T10:00:00Z"])
            .counts("started 2, succeeded 1");
    }
}

/// D7: A claim that is dropped without looking up its Job is counted twice when the Job appears.
#[test]
fn a_deadline_drops_no_unacknowledged_claim_before_its_lookup() {
    for policy in [Forbid, Replace] {
        given("0 * * * *")
            .policy(policy)
            .deadline(60)
            .since("2026-11-23T08:00:00Z")
            .disconnects_after_next_create()
            .at("2026-11-23T09:00:00Z")
            .starts("2026-11-23T09:00:00Z")
            .at("2026-11-23T09:05:00Z")
            .reconnects()
            .watch_catches_up()
            .counts("started 1");
    }
}

/// D7
#[test]
fn suspension_skips_no_unacknowledged_claim_before_its_lookup() {
    given("0 * * * *")
        .policy(Forbid)
        .since("2026-11-23T08:00:00Z")
        .disconnects_after_next_create()
        .at("2026-11-23T09:00:00Z")
        .starts("2026-11-23T09:00:00Z")
        .edited(|spec| spec.suspend = true)
        .reconnects()
        .watch_catches_up()
        .counts("started 1");
}

/// D7: If the claim were dropped, the next slot would start beside a Job that nobody has looked up.
#[test]
fn a_lost_response_never_leads_to_overlap_under_forbid() {
    given("*/5 * * * *")
        .policy(Forbid)
        .deadline(60)
        .since("2026-11-23T08:00:00Z")
        .disconnects_after_next_create()
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .reconnects()
        .watch_catches_up()
        .starts_nothing()
        .counts("started 1, skipped 1");
}

/// D7: Allow has no claims: a slot whose Job already exists must not be missed for a newer one and then started.
#[test]
fn a_lost_response_under_allow_is_counted_once() {
    given("*/5 * * * *")
        .since("2026-11-23T08:00:00Z")
        .disconnects_after_next_create()
        .at("2026-11-23T08:05:00Z")
        .starts("2026-11-23T08:05:00Z")
        .at("2026-11-23T08:10:00Z")
        .reconnects()
        .starts("2026-11-23T08:10:00Z")
        .watch_catches_up()
        .counts("started 2");
}
