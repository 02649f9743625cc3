//! What an answer changes in what is known of a task.

use super::answer::FoundJob;
use super::record::Record;
use super::request::Notice;
use super::seal::Seal;
use super::seen_again::Source;
use crate::plan::{Announcement, Reason, Start, WriteKind};
use jiff::Timestamp;

/// Which kind of write creates the Job of this attempt.
pub fn kind_of(start: &Start) -> WriteKind {
    match start.attempt {
        ..=1 => WriteKind::Create,
        _ => WriteKind::Retry,
    }
}

/// What is known while an answer is taken in.
pub struct Known<'a> {
    /// What is known of the task.
    pub record: &'a mut Record,
    /// What the operator marks Jobs with.
    pub seal: &'a Seal,
    /// The time.
    pub now: Timestamp,
}

impl Known<'_> {
    /// The answer to our own POST needs no further proof: a webhook may have removed the mark.
    pub fn take_created(&mut self, found: Box<FoundJob>) {
        let mut object = found.object;
        object.mark = self.record.task().map(|task| self.seal.mark(&task.uid, &object.name));
        self.record.put_job(object, Source::Created(self.now), self.now);
    }

    /// Takes in the Job that has the name of one of the task's, if it is the task's. If not, the name is taken.
    pub fn recognise(&mut self, found: Box<FoundJob>) -> Result<(), Vec<Notice>> {
        if found.is_owned && self.record.believes(&found.object, self.seal, self.now) {
            self.take_created(found);
            return Ok(());
        }
        let name = &found.object.name;
        let message = format!(
            "Job {name} exists and was not created by Punctual (but by {}): delete it, and avoid names of that form",
            found.made_by
        );
        let is_news = self.record.writes.conflict(name, &message);
        Err(if is_news { vec![Notice::Log(message)] } else { Vec::new() })
    }

    pub fn accept_create(&mut self, start: &Start, announcement: Option<Announcement>) -> Vec<Notice> {
        self.record.writes.resolve(&start.job);
        self.record.writes.accept(kind_of(start));
        announcement.into_iter().map(Notice::Announce).collect()
    }

    /// A warning of its own, unless it was the last one.
    pub fn warn_once(&mut self, reason: Reason, message: String) -> Vec<Notice> {
        match self.record.writes.is_new_warning(reason, &message) {
            true => vec![Notice::Warn(reason, message)],
            false => Vec::new(),
        }
    }

    /// The same answer as before is no news.
    pub fn refuse(&mut self, kind: WriteKind, reason: Reason, message: String) -> Vec<Notice> {
        match self.record.writes.refuse(kind, reason, &message, self.now) {
            true => vec![Notice::Warn(reason, message)],
            false => Vec::new(),
        }
    }
}
