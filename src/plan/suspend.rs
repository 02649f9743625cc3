//! When a task pauses: by its author (`suspend`), or by runs that failed in a row (`suspendAfterFailures`).
//!
//! The second is never written into the spec, which belongs to the author: it follows from `consecutiveFailures`, less those that
//! a resume request (`punctual.dev/resume`) has forgiven. Takes the draft, gives whether it pauses. Never starts anything.

use super::{Draft, Outcome, Reason};
use crate::api::RESUME;

/// Why no slot starts, if none does.
pub fn paused(draft: &Draft) -> Option<Reason> {
    if draft.spec.is_some_and(|spec| spec.fields.suspend) {
        return Some(Reason::Suspended);
    }
    too_many_failures(draft).then_some(Reason::TooManyFailures)
}

fn too_many_failures(draft: &Draft) -> bool {
    let limit = draft.spec.and_then(|spec| spec.fields.suspend_after_failures);
    let status = &draft.ledger.status;
    limit.is_some_and(|limit| status.consecutive_failures - status.forgiven_failures >= i64::from(limit))
}

/// Deals with a resume request.
pub fn resume(draft: &mut Draft) {
    let Some(request) = &draft.observed.task.requests.resume else {
        return;
    };
    if draft.spec.is_none() || draft.ledger.status.last_handled_resume.as_ref() == Some(request) {
        return;
    }
    let failures = draft.ledger.status.consecutive_failures;
    let now = draft.now();
    draft.ledger.status.last_handled_resume = Some(request.clone());
    let refused = match paused(draft) {
        Some(Reason::TooManyFailures) => {
            draft.ledger.status.forgiven_failures = failures;
            let message = format!("resumed: {failures} failed runs in a row are forgiven");
            return draft.ledger.say(Outcome::Handled, Reason::Resumed, now, message);
        }
        Some(_) => "not resumed: spec.suspend is true, and the spec is its author's; set it to false",
        None => "nothing to resume: the task is not suspended",
    };
    draft.ledger.refuse_request(RESUME, request, now, refused.into());
}
