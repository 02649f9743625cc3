//! `punctual.dev/backfill: "<from>/<until>"`: the slots of an interval of the past, run (again).
//!
//! ```text
//!   request ─► refused: no interval, not past, no slot, more than backfillLimit
//!      └► status.backfill { from ─────► until } ─► capacity ─► claim, oldest slot first ─► … ─► done
//! ```
//! Each slot is a run with trigger Backfill and its own interval; it starts when there is capacity, and replaces or skips nobody.
//! Another value, or none, stops what is in progress. `accountedUntil` is never moved.

use crate::api::{BACKFILL, Backfill, Trigger};
use crate::plan::planner::Planner;
use crate::plan::run::Run;
use crate::plan::seconds::whole_second;
use crate::plan::{Outcome, Reason, Spec, names, slots};
use crate::schedule::{Schedule, interval};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// So many backfilled runs are active at once where `concurrencyPolicy` sets no limit: a backfill must not flood a cluster.
const AT_ONCE: usize = 10;

/// After an edit of the schedule or the limit, what is left of the interval may name more slots than are allowed.
pub fn stop_too_long(planner: &mut Planner) {
    let Some(spec) = planner.spec else { return };
    let status = &mut planner.ledger.status;
    let (Ok(schedule), Some(Backfill { from, until, .. })) = (&spec.schedule, &status.backfill) else {
        return;
    };
    let (left, most) = (count(schedule, from.0, until.0), spec.fields.longest_backfill());
    if left <= most {
        return;
    }
    status.backfill = None;
    let request = status.last_handled_backfill.clone().unwrap_or_default();
    let message = format!(
        "backfill {request:?} stopped: after an edit it names {left} more slots, and backfillLimit is {most}; request a shorter interval, or raise the limit"
    );
    planner.ledger.refuse_request(BACKFILL, &request, planner.observed.now, message);
}

/// Handles a new request, stops one that was withdrawn, and claims slots while there is capacity.
pub fn handle_backfill(planner: &mut Planner) {
    let Some(spec) = planner.spec else { return };
    let request = planner.observed.task.requests.backfill.as_ref();
    if request != planner.ledger.status.last_handled_backfill.as_ref() {
        stop(planner);
        match request {
            Some(request) => begin(planner, spec, request),
            None => planner.ledger.status.last_handled_backfill = None,
        }
        planner.ledger.urgent = true;
    }
    if let Some(schedule) = planner.schedule() {
        advance(planner, schedule);
    }
}

fn stop(planner: &mut Planner) {
    let now = planner.now();
    if let Some(Backfill { remaining, .. }) = planner.ledger.status.backfill.take() {
        let message = format!("backfill stopped with {remaining} slots left");
        planner.ledger.say(Outcome::Handled, Reason::BackfillEnded, now, message);
    }
}

fn begin(planner: &mut Planner, spec: &Spec, request: &str) {
    let now = planner.now();
    planner.ledger.status.last_handled_backfill = Some(request.to_owned());
    let read = match &spec.schedule {
        Ok(schedule) => read(spec, schedule, request, now),
        Err(error) => Err(format!("there is no slot to fill: {error}")),
    };
    match read {
        Ok(backfill) => {
            let message = format!(
                "backfilling {} slots from {} to {}",
                backfill.remaining, backfill.from.0, backfill.until.0
            );
            planner.ledger.status.backfill = Some(backfill);
            planner.ledger.say(Outcome::Handled, Reason::BackfillStarted, now, message);
        }
        Err(why) => {
            let message = format!("backfill {request:?} refused: {why}");
            planner.ledger.refuse_request(BACKFILL, request, now, message);
        }
    }
}

fn read(spec: &Spec, schedule: &Schedule, request: &str, now: Timestamp) -> Result<Backfill, String> {
    let (from, until) = interval(request, schedule.time_zone())?;
    if until > now {
        return Err(format!(
            "it ends at {until}, and only the past can be filled; end it at or before now"
        ));
    }
    let (slots, most) = (count(schedule, from, until), spec.fields.longest_backfill());
    if slots == 0 {
        return Err(format!("the schedule names no slot from {from} to {until}"));
    }
    if slots > most {
        return Err(format!(
            "it names {slots} slots, and backfillLimit is {most}; request a shorter interval, or raise the limit"
        ));
    }
    Ok(Backfill {
        from: Time(whole_second(from)),
        until: Time(whole_second(until)),
        remaining: i64::try_from(slots).unwrap_or(i64::MAX),
    })
}

/// Slots from `from` on and before `until`.
fn count(schedule: &Schedule, from: Timestamp, until: Timestamp) -> u64 {
    schedule.count(slots::before(from), slots::before(until))
}

fn advance(planner: &mut Planner, schedule: &Schedule) {
    let Some(Backfill { from, until, .. }) = planner.ledger.status.backfill.take() else {
        return;
    };
    let (mut from, until) = (from.0, until.0);
    while has_capacity(planner) {
        let Some(slot) = schedule.next(slots::before(from)).filter(|slot| *slot < until) else {
            let (now, message) = (planner.now(), "every slot of the backfill is started".to_owned());
            return planner.ledger.say(Outcome::Handled, Reason::BackfillEnded, now, message);
        };
        let run = run_of(planner, slot);
        planner.ledger.claim(run);
        from = slot + SignedDuration::from_secs(1);
    }
    planner.ledger.status.backfill = Some(Backfill {
        from: Time(from),
        until: Time(until),
        remaining: i64::try_from(count(schedule, from, until)).unwrap_or(i64::MAX),
    });
}

fn has_capacity(planner: &Planner) -> bool {
    let filling = planner.ledger.runs.iter().filter(|run| run.trigger == Trigger::Backfill).count();
    planner.capacity().unwrap_or(AT_ONCE.saturating_sub(filling)) > 0
}

fn run_of(planner: &Planner, slot: Timestamp) -> Run {
    let task = &planner.observed.task;
    let request = format!("{:?} {} {}", task.requests.backfill, slot.as_second(), planner.now().as_second());
    let job = names::requested_name(&task.name, names::BACKFILLED, &request);
    Run::new(slot, Trigger::Backfill, job)
}

#[cfg(test)]
mod scenarios;
