//! `concurrencyPolicy: Queue`: runs wait for capacity, first in, first out.

use crate::api::ConcurrencyPolicy;
use crate::plan::planner::Planner;
use crate::plan::run::{Phase, Run};
use crate::plan::{Outcome, Reason};

/// Claims the first in line while there is capacity: who waits comes before who asks now.
pub fn claim_first(planner: &mut Planner) {
    while !planner.is_full()
        && let Some(at) = planner.ledger.runs.iter().position(|run| run.phase == Phase::Queued)
    {
        planner.ledger.claim_queued(at);
    }
}

/// Claims a candidate if there is capacity, puts it at the end of the queue if there is a place, and skips it otherwise.
pub fn enqueue(planner: &mut Planner) {
    let Some(spec) = planner
        .spec
        .filter(|spec| spec.fields.concurrency_policy == ConcurrencyPolicy::Queue)
    else {
        return;
    };
    for run in std::mem::take(&mut planner.candidates) {
        let waiting = planner.ledger.runs.iter().filter(|run| run.phase == Phase::Queued).count();
        if !planner.is_full() {
            planner.ledger.claim(run);
        } else if waiting >= spec.fields.longest_queue() {
            let message = format!(
                "{} not started: {waiting} runs are queued, and queueLimit allows no more",
                run.shown()
            );
            planner.ledger.refuse(&run, Outcome::Skipped, Reason::QueueFull, &message);
        } else {
            let message = queued(&run, waiting);
            planner.ledger.enqueue(run, message);
        }
    }
}

fn queued(run: &Run, waiting: usize) -> String {
    let others = if waiting == 1 { "other" } else { "others" };
    format!("{} is queued behind {waiting} {others}", run.shown())
}
