//! The API server of the scenarios: it answers requests from memory, and injects the faults that a scenario asks for.
//!
//! It keeps resource versions, reports `AlreadyExists` and conflicts, refuses requests and loses responses. The audit checks each write.

use super::world::{Object, World, seal};
use crate::api::{self, ScheduledTaskStatus, Trigger};
use crate::plan::{Exit, JobObject, Pods, Task};
use crate::state::{Answer, Failure, FoundJob, Reply, Request};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

const SILENCE: Failure = Failure::Unanswered(String::new());

impl World {
    /// Answers a request of an operator that saw this task.
    pub fn answer(&mut self, seen: &Task, request: Request) -> Answer {
        if self.faults.disconnected {
            return Err(SILENCE);
        }
        match request {
            Request::Commit { .. } if self.faults.is_deposed => Err(Failure::Conflict("another process holds the claims log".into())),
            Request::Commit { claims } => {
                self.claims.extend(claims);
                Ok(Reply::Done)
            }
            Request::WriteStatus { status } => self.write(seen, *status),
            Request::RefreshTask => {
                self.record.put_task(Arc::new(self.task.clone()), self.now);
                Ok(Reply::Done)
            }
            Request::CreateJob { dry_run: true, .. } => {
                self.dry_runs += 1;
                let refusal = self.faults.refuses_creates.clone();
                refusal.map_or(Ok(Reply::Done), |message| Err(Failure::Refused(message)))
            }
            Request::CreateJob { manifest, .. } => self.create(manifest),
            Request::GetJob { name } => match self.jobs.get_mut(&name) {
                Some(object) => {
                    object.hidden &= object.owner != self.task.uid;
                    Ok(found(object, &self.task))
                }
                None => Err(Failure::NotFound(name)),
            },
            Request::DeleteJob { name, uid, foreground, .. } => self.delete(&name, &uid, foreground),
            Request::ListPods { uid, .. } => {
                let object = self.jobs.values().find(|object| object.job.uid == uid);
                let pods = object.map_or((Exit::Unknown, Pods::Began(None)), |object| {
                    (object.pods.clone(), object.waits.clone())
                });
                Ok(Reply::Pods {
                    exit: pods.0,
                    pods: pods.1,
                    is_final: true,
                })
            }
        }
    }

    fn write(&mut self, seen: &Task, status: ScheduledTaskStatus) -> Answer {
        if self.faults.lacks_status {
            return Err(Failure::NotFound("the server could not find the requested resource".into()));
        }
        if self.faults.conflicts > 0 {
            self.faults.conflicts -= 1;
            self.bump_resource_version();
        }
        if seen.resource_version != self.task.resource_version {
            return Err(Failure::Conflict("the object has been modified".into()));
        }
        // The API server stores JSON: the status must survive the round trip.
        let kept: ScheduledTaskStatus = serde_json::from_value(json!(status)).expect("a status reads back");
        assert_eq!(kept, status, "a status reads back as it was written");
        let mut kept = kept;
        if self.faults.prunes_status {
            kept.observed_schedule.iter_mut().for_each(|schedule| schedule.jitter = None);
            kept.active.iter_mut().for_each(|run| run.retry_at = None);
            kept.accepted_generation = None;
        }
        let before = std::mem::replace(&mut self.task.status, Arc::new(kept));
        self.claims.retain(|claim| !claim.is_settled(&self.task.status));
        self.bump_resource_version();
        self.status_writes += 1;
        let limit = self.spec().map(|spec| usize::try_from(spec.fields.run_history_limit).unwrap_or(0));
        let verdict = self.audit.written(self.now, &before, &self.task.status, limit);
        self.judge(verdict);
        self.record.put_task(Arc::new(self.task.clone()), self.now);
        Ok(Reply::Written {
            version: self.task.resource_version.clone(),
            kept: self.task.status.clone(),
        })
    }

    fn create(&mut self, manifest: Value) -> Answer {
        let (metadata, annotations) = (&manifest["metadata"], &manifest["metadata"]["annotations"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = text(&metadata["name"]);
        let slot: Timestamp = text(&annotations[api::SLOT]).parse().expect("a slot");
        if self.jobs.contains_key(&name) {
            return Err(Failure::Conflict(format!("jobs \"{name}\" already exists")));
        }
        let is_retry = text(&annotations[api::ATTEMPT]) != "1";
        let refuses = &self.faults.refuses_creates;
        if let Some(message) = refuses.clone().or(self.faults.refuses_retries.clone().filter(|_| is_retry)) {
            return Err(Failure::Refused(message));
        }
        if let Some(failure) = self.faults.throttles_creates.clone() {
            return Err(failure);
        }
        let trigger = Trigger::named(&text(&annotations[api::TRIGGER])).expect("a trigger");
        let attempt: i32 = text(&annotations[api::ATTEMPT]).parse().expect("a number");
        let job = JobObject {
            name: name.clone(),
            slot: Some(slot),
            mark: u64::from_str_radix(&text(&annotations[api::MARK]), 16).ok(),
            trigger,
            attempt,
            ..self.new_job()
        };
        assert_eq!(job.mark, Some(seal().mark(&self.task.uid, &name)), "the manifest carries the mark");
        let verdict = self.audit.creates(self, &job);
        self.judge(verdict);
        match (trigger, attempt) {
            (Trigger::Schedule, 1) => self.started.push(slot),
            (_, 1) => self.requested.push(name.clone()),
            _ => self.retried.push((slot, attempt)),
        }
        let lost = self.faults.loses_responses > 0;
        let object = Object {
            job: JobObject {
                uid: format!("job-{}", self.started.len() + self.requested.len() + self.retried.len()),
                ..job
            },
            owner: text(&metadata["ownerReferences"][0]["uid"]),
            hidden: lost && self.faults.watch_lags,
            pods: Exit::Unknown,
            waits: Pods::Began(None),
        };
        let answer = found(&object, &self.task);
        self.jobs.insert(name, object);
        self.manifest = manifest;
        if lost {
            self.faults.loses_responses -= 1;
            self.faults.disconnected |= self.faults.then_disconnects;
            return Err(SILENCE);
        }
        Ok(answer)
    }

    fn delete(&mut self, name: &str, uid: &str, foreground: bool) -> Answer {
        if let Some(message) = self.faults.refuses_deletes.clone() {
            return Err(Failure::Refused(message));
        }
        if self.jobs.get(name).is_some_and(|object| object.job.uid == uid) {
            let verdict = self.audit.deletes(self, &self.jobs[name], foreground);
            self.judge(verdict);
            if self.faults.deletions_linger {
                self.jobs.get_mut(name).expect("found above").job.deleting = Some(self.now);
            } else {
                self.remove(name);
            }
        }
        Ok(Reply::Done)
    }
}

fn found(object: &Object, task: &Task) -> Reply {
    Reply::Job(Box::new(FoundJob {
        object: object.job.clone(),
        is_owned: object.owner == task.uid,
        made_by: "somebody".into(),
    }))
}
