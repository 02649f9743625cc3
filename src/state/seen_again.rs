//! What is known of a Job when it is seen again: a newer word completes an older one, and never loses what only the older one said.
//!
//! The Job as it was known and as it is seen go in, the Job as it is known from now on comes out. A new list alone takes back what was
//! known, for etcd may have been restored. Never decides whose a Job is.

use crate::plan::{Exit, Job};
use jiff::Timestamp;

/// From where a Job is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A new list of the watch: nobody knows how long the Job has existed.
    List,
    /// The watch, which may be late.
    Watch,
    /// A read of its own.
    Get,
    /// This process just created it, at that time by the operator's clock.
    Created(Timestamp),
}

/// What is known of a Job when it is seen again.
pub fn after(known: &Job, mut seen: Job, source: Source, is_missing: bool) -> Job {
    let object = &known.object;
    // Whose it is was settled when it was first seen: annotations can be changed.
    (seen.object.slot, seen.object.trigger, seen.object.attempt) = (object.slot, object.trigger, object.attempt);
    seen.object.mark = object.mark.or(seen.object.mark);
    seen.early = known.early;
    if !matches!(source, Source::Created(_)) {
        seen.object.created = object.created;
    }
    seen.confirmed |= known.confirmed;
    seen.failing_since = known.failing_since.or(seen.failing_since);
    // What the watch shows needs no reads.
    if seen.unwatched_since.is_some() && known.unwatched_since.is_none() && !is_missing {
        seen.unwatched_since = None;
    }
    // What a new list takes back did not happen: etcd was restored, and the Job goes on.
    let is_taken_back = object.end.is_some() && seen.object.end.is_none() || object.deleting.is_some() && seen.object.deleting.is_none();
    if source == Source::List && is_taken_back {
        return seen;
    }
    // Pods that said nothing while the Job was about to fail may say more when it has.
    let is_read_again = object.end.is_none() && seen.object.end.is_some() && known.exit == Exit::Unknown;
    if !is_read_again {
        (seen.exit, seen.exit_is_final) = (known.exit.clone(), known.exit_is_final);
    }
    // One that is resumed waits on until its controller begins with it, which may not even have said that it was suspended.
    seen.object.suspended |= object.suspended && seen.object.began.is_none() && seen.object.end.is_none();
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
