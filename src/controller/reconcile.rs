//! One reconciliation of one task: observe, plan, perform, until there is nothing left to do.
//!
//! The key of a task whose time has come goes in; the time of the next reconciliation comes out. Nothing is decided here.

use super::context::MERGE;
use super::observe::refresh;
use super::perform::perform;
use super::queue::Key;
use super::{Context, Error};
use crate::plan::{Urgency, plan};
use crate::state::Progress;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A plan that is carried out is followed by an empty one; a task that never settles must not keep its worker.
const ROUNDS: usize = 16;

/// Observes, plans and performs until there is nothing to do.
///
/// # Errors
/// When a request was not answered, or somebody else was first: reconcile again soon.
pub async fn reconcile(ctx: &Arc<Context>, key: &Key) -> Result<Option<Timestamp>, Error> {
    for _ in 0..ROUNDS {
        let term = ctx.leadership.term();
        let Some(mut observed) = ctx.cache.observe(key, ctx.clock.now()) else {
            ctx.forget(key);
            return Ok(None);
        };
        observed.claims = ctx.claims.of(key, &observed.task.status);
        observed.traces = ctx.traces;
        // A defect that one task meets is that task's.
        let Ok(plan) = catch_unwind(AssertUnwindSafe(|| plan(&observed))) else {
            ctx.quarantine(key, &observed.task)?;
            continue;
        };
        if !ctx.leadership.holds() || !ctx.claims.is_open() {
            // A standby knows what it would do, and does nothing: nor does a leader that has not opened the claims log.
            return Ok(plan.wake_at);
        }
        if plan.creates_jobs() && !ctx.is_fresh(key) {
            refresh(ctx, &observed.task).await?;
            continue;
        }
        let merge = ctx.may_merge(key);
        match perform(ctx, key, &observed.task, plan.effects, merge, term).await? {
            Progress::Nothing => return Ok(plan.wake_at),
            Progress::Done => {}
            Progress::Deferred(urgency) => {
                let wait = match urgency {
                    Urgency::Coalesce => ctx.pause_of_skips(key, &observed.task.namespace),
                    Urgency::Now | Urgency::Merge => MERGE,
                };
                ctx.merge_later(key, wait);
                return Ok(plan.wake_at);
            }
            Progress::Failed(failure) => return Err(failure.into()),
        }
    }
    Err(Error::Unsettled(ROUNDS))
}
