//! `punctual.dev/backfill: "<from>/<until>"`: the slots of an interval of the past, run (again).
//!
//! ```text
//!   request ─► refused: no interval, not past, no slot, more than backfillLimit
//!      └► status.backfill { from ─────► until } ─► room ─► claim, oldest slot first ─► … ─► done
//! ```
//! Each slot is a run with trigger Backfill and its own interval; it starts when there is room, and replaces or skips nobody.
//! Another value, or none, stops what is in progress. Takes the request, gives claims. Never touches `accountedUntil`.

use super::claims::{Candidate, claim};
use super::ledger::whole_second;
use super::{Draft, Outcome, Reason, Spec, concurrency, due, job};
use crate::api::{BACKFILL, Backfill, Trigger};
use crate::schedule::{Schedule, interval};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// So many backfilled runs go on at once where `concurrencyPolicy` sets no limit: a backfill shall not flood a cluster.
const AT_ONCE: usize = 10;

/// Takes up a new request, stops one that was taken back, and starts slots while there is room.
pub fn backfill(draft: &mut Draft, spec: &Spec) {
    let request = draft.observed.task.requests.backfill.as_ref();
    if request != draft.ledger.status.last_handled_backfill.as_ref() {
        stop(draft);
        match request {
            Some(request) => take_up(draft, spec, request),
            None => draft.ledger.status.last_handled_backfill = None,
        }
        draft.ledger.urgent = true;
    }
    if let Some(schedule) = draft.schedule() {
        advance(draft, spec, schedule);
    }
}

/// The schedule was edited: what is left of the interval may name more slots than are allowed.
pub fn recount(draft: &mut Draft, spec: &Spec) {
    let status = &mut draft.ledger.status;
    let (Ok(schedule), Some(Backfill { from, until, .. })) = (&spec.schedule, &status.backfill) else {
        return;
    };
    let (slots, most) = (count(schedule, from.0, until.0), spec.fields.longest_backfill());
    if slots > most {
        status.backfill = None;
        let request = status.last_handled_backfill.clone().unwrap_or_default();
        let message = format!(
            "backfill {request:?} stopped: the schedule was edited, what is left names {slots} slots, and backfillLimit is {most}; ask again for a shorter interval, or raise the limit"
        );
        draft.ledger.refuse_request(BACKFILL, &request, draft.observed.now, message);
    }
}

fn stop(draft: &mut Draft) {
    let now = draft.now();
    if let Some(Backfill { remaining, .. }) = draft.ledger.status.backfill.take() {
        let message = format!("the backfill was stopped, {remaining} slots before its end");
        draft.ledger.say(Outcome::Handled, Reason::BackfillEnded, now, message);
    }
}

fn take_up(draft: &mut Draft, spec: &Spec, request: &str) {
    let now = draft.now();
    draft.ledger.status.last_handled_backfill = Some(request.to_owned());
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
            draft.ledger.status.backfill = Some(backfill);
            draft.ledger.say(Outcome::Handled, Reason::BackfillStarted, now, message);
        }
        Err(why) => {
            let message = format!("backfill {request:?} refused: {why}");
            draft.ledger.refuse_request(BACKFILL, request, now, message);
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
    let slots = count(schedule, from, until);
    let most = spec.fields.longest_backfill();
    if slots == 0 {
        return Err(format!("the schedule names no slot from {from} to {until}"));
    }
    if slots > most {
        return Err(format!(
            "it names {slots} slots, and backfillLimit is {most}; ask for a shorter interval, or raise the limit"
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
    schedule.count(due::before(from), due::before(until))
}

fn advance(draft: &mut Draft, spec: &Spec, schedule: &Schedule) {
    let task = &draft.observed.task;
    let Some(Backfill { from, until, .. }) = draft.ledger.status.backfill.take() else {
        return;
    };
    let (mut from, until) = (from.0, until.0);
    loop {
        let Some(slot) = schedule.next(due::before(from)).filter(|slot| *slot < until) else {
            let now = draft.now();
            draft.ledger.urgent = true;
            return draft.ledger.say(
                Outcome::Handled,
                Reason::BackfillEnded,
                now,
                "all slots of the backfill are started".into(),
            );
        };
        let filling = draft
            .ledger
            .status
            .active
            .iter()
            .filter(|run| run.trigger == Trigger::Backfill)
            .count();
        let room = concurrency::room(draft, spec).unwrap_or(AT_ONCE.saturating_sub(filling));
        if room == 0 {
            break;
        }
        let request = format!("{:?} {} {}", task.requests.backfill, slot.as_second(), draft.now().as_second());
        draft.ledger.status.requested += 1;
        claim(
            draft,
            Candidate {
                slot,
                trigger: Trigger::Backfill,
                job: job::requested_name(&task.name, job::BACKFILLED, &request),
            },
        );
        from = slot + SignedDuration::from_secs(1);
    }
    draft.ledger.status.backfill = Some(Backfill {
        from: Time(from),
        until: Time(until),
        remaining: i64::try_from(count(schedule, from, until)).unwrap_or(i64::MAX),
    });
}
