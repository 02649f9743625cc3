//! `punctual.dev/reset-ledger`: the ledger begins anew, from now.
//!
//! For a ledger that says what is wrong but possible, or after a test. Any new value is one request. Counters, history, queue,
//! backfill, watermark and `accountedUntil` are forgotten, and the message says what they were; runs that go on stay, for their
//! Jobs do, and so do the finished Jobs that are kept and the requests that were dealt with. Never touches a Job.

use super::{Draft, Outcome, Reason, ledger};
use crate::api::{ScheduledTaskStatus, Trigger};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Deals with a reset request.
pub fn reset(draft: &mut Draft) {
    let request = &draft.observed.task.requests.reset_ledger;
    let Some(request) = request.as_ref().filter(|_| draft.spec.is_some()) else {
        return;
    };
    if draft.ledger.status.last_handled_reset_ledger.as_ref() == Some(request) {
        return;
    }
    let now = ledger::whole_second(draft.now());
    let known = std::mem::take(&mut draft.ledger.status);
    let message = format!("ledger reset, from now on: forgotten are {}", forgotten(&known));
    let mut active = known.active;
    // What has no Job would be made without a slot in the books.
    active.retain(|run| run.started.is_some());
    let running = i64::try_from(active.len()).unwrap_or(i64::MAX);
    draft.ledger.status = ScheduledTaskStatus {
        observed_generation: known.observed_generation,
        observed_schedule: known.observed_schedule,
        schedule_since: Some(Time(now)),
        accounted_until: Some(Time(now)),
        started: running,
        running,
        requested: active
            .iter()
            .filter(|run| run.trigger != Trigger::Schedule)
            .count()
            .try_into()
            .unwrap_or(0),
        active,
        kept_jobs: known.kept_jobs,
        last_handled_run_now: known.last_handled_run_now,
        last_handled_resume: known.last_handled_resume,
        last_handled_backfill: known.last_handled_backfill,
        last_handled_reset_ledger: Some(request.clone()),
        conditions: known.conditions,
        ..ScheduledTaskStatus::default()
    };
    draft.claim = true;
    draft.ledger.say(Outcome::Handled, Reason::LedgerReset, now, message);
}

fn forgotten(status: &ScheduledTaskStatus) -> String {
    let at = |time: &Option<Time>| time.as_ref().map_or("none".to_owned(), |at| at.0.to_string());
    let claims = status.active.iter().filter(|run| run.started.is_none()).count();
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
        "{}, {} entries of history, {claims} claimed and {} queued runs, accountedUntil {}, watermark {}",
        counters.join(", "),
        status.recent_runs.len(),
        status.queued.len(),
        at(&status.accounted_until),
        at(&status.last_successful_slot),
    )
}
