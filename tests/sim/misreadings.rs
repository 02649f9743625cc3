//! Deliberate mistakes between execution and API server: requests that are worded wrongly, answers that are read wrongly.
//!
//! Each is one of the mutants; see `mutants`.

use super::cluster::Api;
use super::mutants::Mutant;
use super::replica::seal;
use punctual::api::{ATTEMPT, MARK, SLOT, TRIGGER, Trigger};
use punctual::plan::{JobObject, Task};
use punctual::state::{Answer, Failure, FoundJob, Reply, Request};
use serde_json::Value;

impl Mutant {
    /// Before a request is sent: it is not the one that was meant.
    pub fn bend_request(self, request: &mut Request, api: &Api) {
        if let (Self::MarksNothing, Request::CreateJob { manifest, .. }) = (self, &mut *request) {
            if let Some(annotations) = manifest["metadata"]["annotations"].as_object_mut() {
                annotations.remove(MARK);
            }
            return;
        }
        let Request::DeleteJob {
            name,
            uid,
            version,
            foreground,
        } = request
        else {
            return;
        };
        match self {
            Self::LeavesPodsBehind => *foreground = false,
            Self::DeletesWhateverItIsByNow => {
                if let Some(job) = api.jobs.get(name) {
                    (*uid, *version) = (job.uid.clone(), job.version.to_string());
                }
            }
            _ => {}
        }
    }

    /// Before an answer is taken in: it is read as another one.
    pub fn bend_answer(self, request: &Request, seen: &Task, answer: &mut Answer) {
        // A status that was not written is taken for one of which nothing was kept: it stands in memory alone.
        let done = || match request {
            Request::WriteStatus { .. } => Ok(Reply::Written {
                version: seen.resource_version.clone(),
                kept: seen.status.clone(),
            }),
            _ => Ok(Reply::Done),
        };
        let is_create = matches!(request, Request::CreateJob { dry_run: false, .. });
        let is_get = matches!(request, Request::GetJob { .. });
        let bent = match (self, &*answer) {
            (Self::TakesSilenceForSuccess, Err(Failure::Unanswered(_))) if !is_create && !is_get => done(),
            (Self::TakesConflictsForSuccess, Err(Failure::Conflict(_))) if !is_create => done(),
            (Self::TakesUnseenForGone, Ok(Reply::Job(_))) if is_get => not_found(),
            (Self::TakesTakenNamesForItsOwn, Ok(Reply::Job(found))) if is_get => {
                let mut found = found.clone();
                found.is_owned = true;
                found.object.mark = Some(seal().mark("task-1", &found.object.name));
                Ok(Reply::Job(found))
            }
            (Self::TakesRefusedStartsForMade, Err(Failure::Refused(_))) => match request {
                Request::CreateJob { manifest, dry_run: false } => Ok(Reply::Job(Box::new(imagined(manifest)))),
                _ => return,
            },
            _ => return,
        };
        *answer = bent;
    }
}

fn not_found() -> Answer {
    Err(Failure::NotFound("not found".into()))
}

/// A Job that was refused, as if it had been made.
fn imagined(manifest: &Value) -> FoundJob {
    let annotation = |key: &str| manifest["metadata"]["annotations"][key].as_str().unwrap_or_default();
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    let slot = annotation(SLOT).parse().expect("a slot");
    FoundJob {
        object: JobObject {
            name: name.to_owned(),
            uid: format!("imagined-{name}"),
            version: "1".into(),
            slot: Some(slot),
            trigger: Trigger::named(annotation(TRIGGER)).unwrap_or_default(),
            attempt: annotation(ATTEMPT).parse().unwrap_or(1),
            mark: None,
            created: slot,
            began: None,
            suspended: false,
            ready: false,
            deleting: None,
            failing: None,
            end: None,
        },
        is_owned: true,
        made_by: "nobody".into(),
    }
}
