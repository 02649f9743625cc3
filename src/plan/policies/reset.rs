//! `punctual.dev/reset-ledger`: the ledger begins anew, from now.
//!
//! For a ledger that is wrong in a way that is possible, or after a test. Any new value is one request. Counters, history, queue,
//! backfill, watermark and `accountedUntil` are dropped, and the message says what they were; active runs stay, for their Jobs do, and
//! so do the finished Jobs that are kept and the requests that were handled. No Job is touched.

use crate::plan::accounting::Ledger;
use crate::plan::planner::Planner;
use crate::plan::run::Phase;
use crate::plan::{Outcome, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Handles a reset request.
pub fn handle_reset(planner: &mut Planner) {
    let request = planner.observed.task.requests.reset_ledger.as_ref();
    let Some(request) = request.filter(|_| planner.spec.is_some()) else {
        return;
    };
    if planner.ledger.status.last_handled_reset_ledger.as_ref() == Some(request) {
        return;
    }
    let now = planner.now();
    let message = format!("ledger reset: dropped {}", contents(&planner.ledger));
    planner.ledger.reset(now);
    planner.ledger.status.last_handled_reset_ledger = Some(request.clone());
    planner.ledger.say(Outcome::Handled, Reason::LedgerReset, now, message);
}

fn contents(ledger: &Ledger) -> String {
    let status = &ledger.status;
    let at = |time: &Option<Time>| time.as_ref().map_or("none".to_owned(), |at| at.0.to_string());
    let in_phase = |phase: &Phase| ledger.runs.iter().filter(|run| run.phase == *phase).count();
    let counters = [
        ("started", status.started),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("cancelled", status.cancelled),
        ("missed", status.missed),
        ("skipped", status.skipped),
    ];
    let counters: Vec<String> = counters.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!(
        "{}, {} entries of history, {} claimed and {} queued runs, accountedUntil {}, watermark {}",
        counters.join(", "),
        status.recent_runs.len(),
        in_phase(&Phase::Claimed),
        in_phase(&Phase::Queued),
        at(&status.accounted_until),
        at(&status.last_successful_slot),
    )
}
