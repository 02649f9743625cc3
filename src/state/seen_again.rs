//! What is known of a Job when it is seen again: the new word, and what an older one said that the new one cannot take back.
//!
//! Two states of one Job go in, one comes out. Which of two words is newer is settled before.

use crate::plan::{Exit, Job};

/// What is known of a Job when it is seen again.
#[must_use]
pub fn seen_again(known: &Job, mut seen: Job, is_created: bool, is_missing: bool) -> Job {
    let object = &known.object;
    // Whose it is was settled when it was first seen: annotations can be changed.
    (seen.object.slot, seen.object.trigger, seen.object.attempt) = (object.slot, object.trigger, object.attempt);
    seen.object.mark = object.mark.or(seen.object.mark);
    seen.early = known.early;
    if !is_created {
        seen.object.created = object.created;
    }
    seen.confirmed |= known.confirmed;
    seen.failing_since = known.failing_since.or(seen.failing_since);
    // What the watch shows needs no reads.
    if seen.unwatched_since.is_some() && known.unwatched_since.is_none() && !is_missing {
        seen.unwatched_since = None;
    }
    // Pods that said nothing while the Job was about to fail may say more when it has.
    let is_read_again = object.end.is_none() && seen.object.end.is_some() && known.exit == Exit::Unknown;
    if !is_read_again {
        (seen.exit, seen.exit_is_final) = (known.exit.clone(), known.exit_is_final);
    }
    // One that waits for its turn (again) is to be read anew.
    if !seen.object.suspended {
        seen.object.ready |= object.ready;
        (seen.pods, seen.looked) = (known.pods.clone(), known.looked);
    }
    // The answer to our own POST may come after the watch has shown the end.
    seen.object.end = seen.object.end.or_else(|| object.end.clone());
    seen.object.deleting = object.deleting.or(seen.object.deleting);
    seen
}
