//! A plan being carried out: effects become requests, and answers become what is known.
//!
//! ```text
//!   effects ─► next() ─► Request ─► (the shell sends it) ─► Answer ─► answered() ─► Record, notices
//! ```
//! The controller, the scenarios and the simulation drive the same code and differ only in who answers. Nothing is decided here: what a
//! refusal means for a slot is for the next plan.

use super::answer::{Answer, Failure, Reply};
use super::knowledge::{Known, kind_of};
use super::record::Record;
use super::request::{Notice, Progress, Request, Step};
use super::seal::Seal;
use super::seen_again::Source;
use crate::api;
use crate::api::ScheduledTaskStatus;
use crate::plan::{Announcement, Effect, Exit, Pods, Reason, Start, Urgency, WriteKind, is_plain_name};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;

/// What is said of a task whose status is not found.
const NO_STATUS: &str = "the CRD has no status subresource, so nothing is recorded: apply the CRD of the operator's version; until then slots are accounted for in memory, and a restart of the operator loses what happened to them";

/// What the request in flight is for.
#[derive(Debug)]
enum Purpose {
    Commit,
    Create(Start, Option<Announcement>),
    /// Who has the name of a Job whose creation was refused (with these words) or met a conflict?
    LookUpTaken(Start, Option<Announcement>, Option<String>),
    DryRun,
    LookUpCreate(String),
    Delete {
        job: String,
        uid: String,
        reason: Reason,
        kind: WriteKind,
    },
    /// Is a Job gone? Of one that was to be deleted, the kind of deletion.
    VerifyDeleted(String, Option<WriteKind>),
    ListPods {
        job: String,
        uid: String,
    },
    WriteStatus(Urgency, Vec<Announcement>, Box<ScheduledTaskStatus>),
    /// Is the task gone, or only its status not to be found?
    LookUpTask(Vec<Announcement>, Box<ScheduledTaskStatus>),
    Refresh(Failure),
}

/// A plan being carried out.
#[derive(Debug)]
pub struct Execution {
    effects: VecDeque<Effect>,
    may_defer: bool,
    follow_up: Option<(Request, Purpose)>,
    in_flight: Option<Purpose>,
    prune_refused: bool,
    has_acted: bool,
    finished: Option<Progress>,
}

impl Execution {
    /// Begins. `may_defer` says whether status writes may wait for others.
    #[must_use]
    pub fn new(effects: Vec<Effect>, may_defer: bool) -> Self {
        Self {
            effects: effects.into(),
            may_defer,
            follow_up: None,
            in_flight: None,
            prune_refused: false,
            has_acted: false,
            finished: None,
        }
    }

    /// The next request. Its answer goes to [`answered`](Self::answered) before this is called again.
    pub fn next(&mut self, record: &mut Record, seal: &Seal) -> Step {
        while self.finished.is_none() {
            let next = match self.follow_up.take() {
                Some(follow_up) => Some(follow_up),
                None => match self.effects.pop_front() {
                    Some(effect) => self.request(effect, record, seal),
                    None => break,
                },
            };
            if let Some((request, purpose)) = next {
                self.has_acted = true;
                self.in_flight = Some(purpose);
                return Step::Send(request);
            }
        }
        let done = if self.has_acted { Progress::Done } else { Progress::Nothing };
        Step::Finished(self.finished.take().unwrap_or(done))
    }

    fn request(&mut self, effect: Effect, record: &mut Record, seal: &Seal) -> Option<(Request, Purpose)> {
        Some(match effect {
            Effect::Prune { .. } if self.prune_refused => return None,
            Effect::Prune { job, uid, version, reason } => delete(job, uid, version, reason, WriteKind::Prune),
            Effect::Terminate { job, uid, version, reason } => delete(job, uid, version, reason, WriteKind::Terminate),
            Effect::WriteStatus {
                status,
                urgency,
                announcements,
            } => {
                if self.may_defer && urgency != Urgency::Now {
                    if urgency == Urgency::Coalesce {
                        record.writes.put_off(*status, announcements);
                    }
                    self.finished = Some(Progress::Deferred(urgency));
                    return None;
                }
                let purpose = Purpose::WriteStatus(urgency, announcements, status.clone());
                (Request::WriteStatus { status }, purpose)
            }
            Effect::Commit { claims } => (Request::Commit { claims }, Purpose::Commit),
            Effect::Create {
                start,
                mut manifest,
                announcement,
            } => {
                let mark = record.task().map_or(0, |task| seal.mark(&task.uid, &start.job));
                if let Some(annotations) = manifest.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                    annotations.insert(api::MARK.into(), format!("{mark:016x}").into());
                }
                // Until it is answered, nobody may count on the Job being there, or not.
                record.writes.mark_in_flight(&start.job);
                let request = Request::CreateJob { manifest, dry_run: false };
                (request, Purpose::Create(start, announcement))
            }
            Effect::DryRunCreate { manifest } => (Request::CreateJob { manifest, dry_run: true }, Purpose::DryRun),
            Effect::LookUpCreate { job } => (Request::GetJob { name: job.clone() }, Purpose::LookUpCreate(job)),
            // Others may write the names in a status: what is no name never becomes part of a path.
            Effect::VerifyDeleted { job, .. } if !is_plain_name(&job) => return None,
            Effect::VerifyDeleted { job, uid } => (Request::GetJob { name: job }, Purpose::VerifyDeleted(uid, None)),
            Effect::ListPods { job, uid, state } => (Request::ListPods { uid: uid.clone(), state }, Purpose::ListPods { job, uid }),
        })
    }

    /// Takes in the answer to the request in flight. Returns what people should know of it.
    pub fn answered(&mut self, answer: Answer, record: &mut Record, seal: &Seal, now: Timestamp) -> Vec<Notice> {
        let Some(purpose) = self.in_flight.take() else { return Vec::new() };
        let mut known = Known { record, seal, now };
        match purpose {
            Purpose::Commit => answer.err().map_or_else(Vec::new, |failure| self.fail(failure)),
            Purpose::Create(start, announcement) => self.created(answer, start, announcement, &mut known),
            Purpose::LookUpTaken(start, announcement, refusal) => self.looked_up(answer, start, announcement, refusal, &mut known),
            Purpose::DryRun => self.dry_run(answer, &mut known),
            Purpose::LookUpCreate(job) => {
                match answer {
                    Ok(Reply::Job(found)) => drop(known.recognise(found)),
                    Ok(_) | Err(Failure::NotFound(_)) => {}
                    Err(failure) => return self.fail(failure),
                }
                known.record.writes.resolve(&job);
                // Again and again it does not exist: people should know why.
                match known.record.writes.lasting_trouble() {
                    Some(trouble) if !known.record.has_job_named(&job) => {
                        let message = format!("the API server does not create Job {job}: {trouble}");
                        known.refuse(WriteKind::Create, Reason::JobRefused, message)
                    }
                    _ => Vec::new(),
                }
            }
            Purpose::Delete { job, uid, reason, kind } => self.deleted(answer, job, uid, reason, kind, &mut known),
            Purpose::VerifyDeleted(uid, kind) => self.verified(answer, &uid, kind, &mut known),
            Purpose::ListPods { job, uid } => self.listed(answer, &job, &uid, &mut known),
            Purpose::WriteStatus(urgency, announcements, sent) => self.written(answer, urgency, announcements, sent, &mut known),
            Purpose::LookUpTask(announcements, sent) => self.task_looked_up(answer, announcements, *sent, &mut known),
            Purpose::Refresh(conflict) => self.fail(answer.err().unwrap_or(conflict)),
        }
    }

    fn created(&mut self, answer: Answer, start: Start, announcement: Option<Announcement>, known: &mut Known) -> Vec<Notice> {
        let refusal = match answer {
            Ok(Reply::Job(found)) => {
                known.take_created(found);
                let late = known.now.duration_since(start.due).max(SignedDuration::ZERO);
                let mut notices = known.accept_create(&start, announcement);
                notices.extend(start.is_timed.then_some(Notice::Started(late)));
                return notices;
            }
            Ok(_) => return self.fail(Failure::Unanswered("an answer without a Job".into())),
            Err(failure @ Failure::Unanswered(_)) => {
                known.record.writes.note_trouble(&failure.to_string());
                return self.fail(failure);
            }
            Err(Failure::Later { message, after }) => {
                let failure = Failure::Later { message, after };
                known.record.writes.resolve(&start.job);
                let is_lasting = known.record.writes.note_trouble(&failure.to_string());
                if !is_lasting {
                    return self.fail(failure);
                }
                self.finished = Some(Progress::Done);
                let message = format!("the API server does not create Job {}: {failure}", start.job);
                let notices = known.refuse(kind_of(&start), Reason::JobRefused, message);
                known.record.writes.wait_until(kind_of(&start), known.now + after);
                return notices;
            }
            // The name is the lock: is it our Job?
            Err(Failure::Conflict(_)) => None,
            // A refusal, too, may come after a POST of ours whose answer was lost.
            Err(Failure::Refused(message) | Failure::NotFound(message)) => Some(message),
        };
        let request = Request::GetJob { name: start.job.clone() };
        self.follow_up = Some((request, Purpose::LookUpTaken(start, announcement, refusal)));
        Vec::new()
    }

    fn looked_up(
        &mut self,
        answer: Answer,
        start: Start,
        announcement: Option<Announcement>,
        refusal: Option<String>,
        known: &mut Known,
    ) -> Vec<Notice> {
        match (answer, refusal) {
            (Ok(Reply::Job(found)), _) => match known.recognise(found) {
                Ok(()) => known.accept_create(&start, announcement),
                Err(notices) => {
                    known.record.writes.resolve(&start.job);
                    self.finished = Some(Progress::Done);
                    notices
                }
            },
            (Err(Failure::NotFound(_)), Some(message)) => {
                known.record.writes.resolve(&start.job);
                // What is refused for its own name says nothing about others.
                self.finished = (start.attempt <= 1).then_some(Progress::Done);
                let message = format!("the API server refused Job {}: {message}", start.job);
                known.refuse(kind_of(&start), Reason::JobRefused, message)
            }
            // A quota that others use at the same time conflicts as well; or the Job that had the name is gone: again, soon.
            (Err(Failure::NotFound(_)), None) => self.fail(Failure::Conflict(format!("Job {}", start.job))),
            (Err(failure), _) => self.fail(failure),
            (Ok(_), _) => self.fail(Failure::Unanswered("an answer without a Job".into())),
        }
    }

    fn dry_run(&mut self, answer: Answer, known: &mut Known) -> Vec<Notice> {
        match answer {
            // A name that is taken says nothing against the template.
            Ok(_) | Err(Failure::Conflict(_)) => {
                known.record.writes.set_dry_run(None, known.now);
                Vec::new()
            }
            Err(Failure::Refused(message) | Failure::NotFound(message)) => {
                let message = format!("the API server would refuse the Job: {message}");
                known.record.writes.set_dry_run(Some(message.clone()), known.now);
                vec![Notice::Warn(Reason::JobRefused, message)]
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn deleted(&mut self, answer: Answer, job: String, uid: String, reason: Reason, kind: WriteKind, known: &mut Known) -> Vec<Notice> {
        match answer {
            Ok(_) | Err(Failure::NotFound(_)) => {
                known.record.mark_deleting(&uid, known.now);
                known.record.writes.accept(kind);
                vec![Notice::Deleted(job, reason)]
            }
            // It has changed since, perhaps ended, or another Job has its name: look, and plan again.
            Err(Failure::Conflict(_)) => {
                self.follow_up = Some((Request::GetJob { name: job }, Purpose::VerifyDeleted(uid, Some(kind))));
                Vec::new()
            }
            Err(Failure::Refused(message)) => {
                self.prune_refused |= kind == WriteKind::Prune;
                let message = format!("the API server refused to delete Job {job}: {message}");
                known.refuse(kind, Reason::DeleteRefused, message)
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn verified(&mut self, answer: Answer, uid: &str, kind: Option<WriteKind>, known: &mut Known) -> Vec<Notice> {
        match answer {
            Ok(Reply::Job(found)) if found.object.uid == uid && found.is_owned => {
                known.record.put_job(found.object, Source::Get, known.now);
            }
            Ok(_) | Err(Failure::NotFound(_)) => {
                known.record.remove_job(uid, known.seal, known.now);
            }
            Err(failure) => return self.fail(failure),
        }
        match kind {
            Some(WriteKind::Prune) => self.prune_refused = true,
            Some(_) => self.finished = Some(Progress::Done),
            None => {}
        }
        Vec::new()
    }

    fn listed(&mut self, answer: Answer, job: &str, uid: &str, known: &mut Known) -> Vec<Notice> {
        match answer {
            Ok(Reply::Pods { exit, pods, is_final }) => {
                known.record.set_pods(uid, &exit, &pods, is_final, known.now);
                Vec::new()
            }
            Ok(_) => Vec::new(),
            Err(Failure::Refused(message) | Failure::NotFound(message)) => {
                let why = format!("the pods of Job {job} cannot be read: {message}");
                known
                    .record
                    .set_pods(uid, &Exit::Unknown, &Pods::Waiting(why.clone()), true, known.now);
                vec![Notice::Log(why)]
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn written(
        &mut self,
        answer: Answer,
        urgency: Urgency,
        announcements: Vec<Announcement>,
        sent: Box<ScheduledTaskStatus>,
        known: &mut Known,
    ) -> Vec<Notice> {
        match answer {
            Ok(Reply::Written { version, kept }) => {
                known.record.writes.accept_status();
                known.record.keep_written(*sent, &version, &kept, known.now);
                let skips = (urgency == Urgency::Coalesce).then_some(Notice::SkipsWritten);
                announcements.into_iter().map(Notice::Announce).chain(skips).collect()
            }
            Ok(_) => self.fail(Failure::Unanswered("an answer without a status".into())),
            // The task is gone, or its CRD has no status: a read of the task tells.
            Err(Failure::NotFound(_)) => {
                self.follow_up = Some((Request::RefreshTask, Purpose::LookUpTask(announcements, sent)));
                Vec::new()
            }
            Err(conflict @ Failure::Conflict(_)) => {
                self.follow_up = Some((Request::RefreshTask, Purpose::Refresh(conflict)));
                Vec::new()
            }
            Err(Failure::Refused(message)) => {
                known.record.writes.refuse_status(*sent, &message, known.now);
                let warning = format!("the API server refused the status, so nothing is recorded: {message}");
                self.fail(Failure::Refused(message));
                known.warn_once(Reason::StatusRefused, warning)
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn task_looked_up(
        &mut self,
        answer: Answer,
        announcements: Vec<Announcement>,
        sent: ScheduledTaskStatus,
        known: &mut Known,
    ) -> Vec<Notice> {
        match answer {
            // Only what exists is read: all of its status is dropped, as an older CRD drops some of it.
            Ok(_) => {
                known.record.keep_unwritable(sent, known.now);
                let warning = known.warn_once(Reason::StatusRefused, NO_STATUS.into());
                let announced = announcements.into_iter().map(Notice::Announce);
                [Notice::StatusRefused].into_iter().chain(warning).chain(announced).collect()
            }
            Err(Failure::NotFound(_)) => {
                self.finished = Some(Progress::Done);
                vec![Notice::TaskGone]
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: Failure) -> Vec<Notice> {
        self.finished = Some(Progress::Failed(failure));
        Vec::new()
    }
}

fn delete(job: String, uid: String, version: String, reason: Reason, kind: WriteKind) -> (Request, Purpose) {
    let request = Request::DeleteJob {
        name: job.clone(),
        uid: uid.clone(),
        version,
        // What has ended has no pods that run.
        foreground: kind == WriteKind::Terminate,
    };
    (request, Purpose::Delete { job, uid, reason, kind })
}

#[cfg(test)]
mod tests;
