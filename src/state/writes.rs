//! What is known of the operator's own writes to one task: refusals, creations without an answer, names that others took.
//!
//! Filled by the executor, read by the plan. Nothing of it is durable: a process that starts asks again.

use super::backoff::Backoff;
use crate::api::ScheduledTaskStatus;
use crate::plan::{Announcement, Conflict, DryRun, Reason, Refusals, Unwritten, WriteKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

/// A dry run that was refused is repeated after this time.
const DRY_RUN_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// So many names that others took are remembered.
const MOST_CONFLICTS: usize = 8;

/// What came of the writes of one task.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    unacknowledged: HashSet<String>,
    creates: Backoff,
    retries: Backoff,
    terminations: Backoff,
    prunes: Backoff,
    dry_run: DryRun,
    conflicts: Vec<Conflict>,
    warned: Option<(Reason, String)>,
    unwritten: Option<Unwritten>,
    /// The status that the API server refused last.
    refused_status: Option<(Box<ScheduledTaskStatus>, Backoff)>,
    /// A status as it came back, and as it was sent: the CRD does not know all of its fields.
    pruned: Option<(Arc<ScheduledTaskStatus>, Arc<ScheduledTaskStatus>)>,
    /// What was said to the last creations that were not carried out, and how often in a row.
    trouble: Option<(String, u32)>,
}

/// After so many creations in a row that were neither carried out nor refused, the task says so.
const LASTING: u32 = 3;

impl Writes {
    /// What is known again of a record that was at rest.
    #[must_use]
    pub fn again(dry_run: DryRun) -> Self {
        Self {
            dry_run,
            ..Self::default()
        }
    }

    /// Whether nothing is remembered but the answer to a dry run.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let backoffs = [&self.creates, &self.retries, &self.terminations, &self.prunes];
        let is_calm = backoffs.iter().all(|backoff| backoff.last.is_none()) && self.trouble.is_none() && self.warned.is_none();
        let is_calm = is_calm && self.refused_status.is_none();
        is_calm && self.unacknowledged.is_empty() && self.conflicts.is_empty() && self.unwritten.is_none() && self.pruned.is_none()
    }

    /// Names of Jobs whose creation was requested and not answered.
    #[must_use]
    pub fn unacknowledged(&self) -> Vec<String> {
        self.unacknowledged.iter().cloned().collect()
    }

    /// The last refusal of each kind.
    #[must_use]
    pub fn refusals(&self) -> Refusals {
        Refusals {
            create: self.creates.last.clone(),
            retry: self.retries.last.clone(),
            terminate: self.terminations.last.clone(),
            prune: self.prunes.last.clone(),
        }
    }

    /// The answer to the last dry run.
    #[must_use]
    pub fn dry_run(&self) -> DryRun {
        self.dry_run.clone()
    }

    /// Names that others took.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        self.conflicts.clone()
    }

    /// A status whose write was put off.
    #[must_use]
    pub fn unwritten(&self) -> Option<Unwritten> {
        self.unwritten.clone()
    }

    /// The template changed: what was said of the one before means nothing.
    pub fn forget_refused_creates(&mut self) {
        (self.dry_run, self.creates, self.retries) = (DryRun::NotAsked, Backoff::default(), Backoff::default());
        self.conflicts.clear();
    }

    /// The ledger that the status was made from is not the one that was read.
    pub fn drop_unwritten(&mut self) {
        self.unwritten = None;
    }

    /// What the API server said to a dry run: nothing against it, or why not. It is newer than what was said to a create.
    pub fn set_dry_run(&mut self, refusal: Option<String>, now: Timestamp) {
        self.creates = Backoff::default();
        self.conflicts.clear();
        self.dry_run = refusal.map_or(DryRun::Accepted, |message| DryRun::Refused {
            message,
            again_at: now + DRY_RUN_AGAIN,
        });
    }

    /// A write was refused. Returns whether that is news, and not the same answer as before.
    pub fn refuse(&mut self, kind: WriteKind, reason: Reason, message: &str, now: Timestamp) -> bool {
        self.backoff(kind).add(reason, message, now)
    }

    /// The status was refused. The same one is not sent again for a while.
    pub fn refuse_status(&mut self, status: ScheduledTaskStatus, message: &str, now: Timestamp) {
        let status = without_times(status);
        let known = self.refused_status.take().filter(|(known, _)| **known == status);
        let mut backoff = known.map(|(_, backoff)| backoff).unwrap_or_default();
        backoff.add(Reason::StatusRefused, message, now);
        self.refused_status = Some((Box::new(status), backoff));
    }

    /// A status was written.
    pub fn accept_status(&mut self) {
        self.refused_status = None;
    }

    /// Why this status need not be sent now: the API server has refused it.
    #[must_use]
    pub fn refused_status(&self, status: &ScheduledTaskStatus, now: Timestamp) -> Option<&str> {
        let (known, backoff) = self.refused_status.as_ref()?;
        let last = backoff.last.as_ref().filter(|last| now < last.retry_at)?;
        (**known == without_times(status.clone())).then_some(&last.message)
    }

    /// A refused write is not tried again before this time.
    pub fn wait_until(&mut self, kind: WriteKind, at: Timestamp) {
        self.backoff(kind).wait_until(at);
    }

    /// A write succeeded: whatever was refused of its kind before is forgotten.
    pub fn accept(&mut self, kind: WriteKind) {
        *self.backoff(kind) = Backoff::default();
        if matches!(kind, WriteKind::Create | WriteKind::Retry) {
            self.trouble = None;
        }
        if kind == WriteKind::Create {
            self.conflicts.clear();
            // Creations are lenient: one that succeeds has lost the fields that the API server does not know.
            if !self.dry_run.names_unknown_fields() {
                self.dry_run = DryRun::Accepted;
            }
        }
    }

    /// The creation of a Job is requested: until it is answered, the Job may exist or not.
    pub fn mark_in_flight(&mut self, job: &str) {
        self.unacknowledged.insert(job.to_owned());
    }

    /// A creation was neither carried out nor refused. Returns whether that lasts.
    pub fn note_trouble(&mut self, message: &str) -> bool {
        let in_a_row = self.trouble.take().map_or(0, |(_, in_a_row)| in_a_row) + 1;
        self.trouble = Some((message.to_owned(), in_a_row));
        in_a_row >= LASTING
    }

    /// What is said again and again to creations that are not carried out.
    #[must_use]
    pub fn lasting_trouble(&self) -> Option<String> {
        let trouble = self.trouble.as_ref().filter(|(_, in_a_row)| *in_a_row >= LASTING);
        trouble.map(|(message, _)| message.clone())
    }

    /// It is known whether that Job exists.
    pub fn resolve(&mut self, job: &str) {
        self.unacknowledged.remove(job);
    }

    /// A Job that is not this task's has the name of one that was to be made. Returns whether that is news.
    pub fn conflict(&mut self, job: &str, message: &str) -> bool {
        if self.conflicts.iter().any(|known| known.job == job) {
            return false;
        }
        if self.conflicts.len() >= MOST_CONFLICTS {
            self.conflicts.remove(0);
        }
        self.conflicts.push(Conflict {
            job: job.to_owned(),
            message: message.to_owned(),
        });
        true
    }

    /// A status was decided on that need not be written yet.
    pub fn put_off(&mut self, status: ScheduledTaskStatus, announcements: Vec<Announcement>) {
        self.unwritten = Some(Unwritten { status, announcements });
    }

    /// A status was written. `kept` is what came back of it: if fields are missing, the CRD is older than this operator.
    pub fn compare_written(&mut self, sent: ScheduledTaskStatus, kept: &Arc<ScheduledTaskStatus>) {
        let differs = (**kept != sent).then(|| as_written(sent));
        let pruned = differs.filter(|sent| **kept != *sent);
        self.pruned = pruned.map(|sent| (kept.clone(), Arc::new(sent)));
    }

    /// The status as it was sent, if this is what came back of it.
    #[must_use]
    pub fn undo_pruning(&self, kept: &ScheduledTaskStatus) -> Option<Arc<ScheduledTaskStatus>> {
        let (came_back, sent) = self.pruned.as_ref()?;
        (**came_back == *kept).then(|| sent.clone())
    }

    /// What came back of this status, if it was sent and fields were dropped.
    #[must_use]
    pub fn came_back(&self, sent: &ScheduledTaskStatus) -> Option<Arc<ScheduledTaskStatus>> {
        let (came_back, known) = self.pruned.as_ref()?;
        (**known == *sent).then(|| came_back.clone())
    }

    /// Whether the CRD dropped fields of the status that was written last.
    #[must_use]
    pub fn crd_is_outdated(&self) -> bool {
        self.pruned.is_some()
    }

    /// Whether this warning differs from the last one of its kind.
    pub fn is_new_warning(&mut self, reason: Reason, message: &str) -> bool {
        let said = Some((reason, message));
        let is_new = self.warned.as_ref().map(|(reason, message)| (*reason, message.as_str())) != said;
        self.warned = said.map(|(reason, message)| (reason, message.to_owned()));
        is_new
    }

    fn backoff(&mut self, kind: WriteKind) -> &mut Backoff {
        match kind {
            WriteKind::Create => &mut self.creates,
            WriteKind::Retry => &mut self.retries,
            WriteKind::Terminate => &mut self.terminations,
            WriteKind::Prune => &mut self.prunes,
        }
    }
}

/// What makes a status worth another attempt: not that time has passed.
/// The status as it is written: somebody else may have given a time a fraction of a second, which JSON of Kubernetes drops.
fn as_written(status: ScheduledTaskStatus) -> ScheduledTaskStatus {
    let written = serde_json::to_value(&status).and_then(serde_json::from_value);
    written.unwrap_or(status)
}

fn without_times(mut status: ScheduledTaskStatus) -> ScheduledTaskStatus {
    (status.schedule_since, status.accounted_until) = (None, None);
    status.next_runs.clear();
    for condition in &mut status.conditions {
        condition.last_transition_time.0 = Timestamp::UNIX_EPOCH;
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F27: an older API server drops a field of the Job, and says so in a strict dry run alone.
    #[test]
    fn a_job_that_was_created_says_nothing_about_unknown_fields() {
        let now = Timestamp::UNIX_EPOCH;
        let refused = |message: &str| {
            let mut writes = Writes::default();
            writes.set_dry_run(Some(message.to_owned()), now);
            writes.accept(WriteKind::Create);
            writes.dry_run() != DryRun::Accepted
        };
        assert!(refused(
            "Job cannot be handled as a Job: strict decoding error: unknown field \"spec.scheduling\""
        ));
        assert!(!refused("exceeded quota: jobs"), "there is room now");
    }

    #[test]
    fn a_fraction_of_a_second_that_is_not_written_was_not_dropped_by_a_crd() {
        let status = |until: &str| -> ScheduledTaskStatus {
            serde_json::from_value(serde_json::json!({"accountedUntil": until, "missed": 2})).expect("a status")
        };
        let mut writes = Writes::default();
        writes.compare_written(status("2026-11-23T09:00:18.123456789Z"), &Arc::new(status("2026-11-23T09:00:18Z")));
        assert!(!writes.crd_is_outdated());
        writes.compare_written(status("2026-11-23T09:00:18Z"), &Arc::new(status("2026-11-23T09:00:19Z")));
        assert!(writes.crd_is_outdated());
    }

    /// F26: each plan has a time of its own, and yet says the same.
    #[test]
    fn a_refused_status_is_not_sent_again_because_time_has_passed() {
        let at = |second: i64| Timestamp::from_second(1_798_797_660 + second).unwrap();
        let status = |second| ScheduledTaskStatus {
            schedule_since: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(second))),
            ..ScheduledTaskStatus::default()
        };
        let mut writes = Writes::default();
        assert_eq!(writes.refused_status(&status(0), at(0)), None);
        for second in [0, 1, 3, 7, 15] {
            assert_eq!(writes.refused_status(&status(second), at(second)), None, "after {second} s");
            writes.refuse_status(status(second), "too large", at(second));
            assert_eq!(writes.refused_status(&status(second), at(second)), Some("too large"));
        }
        assert_eq!(writes.refused_status(&status(30), at(30)), Some("too large"));
        let news = ScheduledTaskStatus { started: 1, ..status(30) };
        assert_eq!(writes.refused_status(&news, at(30)), None);
        writes.accept_status();
        assert_eq!(writes.refused_status(&status(30), at(30)), None);
    }
}
