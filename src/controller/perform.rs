//! The only file that writes to the cluster.
//!
//! Takes the effects of a plan, does them in order, tells the cache what came of it. Never decides: what a refusal means
//! for a slot is for the next plan.

use super::context::MERGE;
use super::queue::Key;
use super::{Context, Error, observe};
use crate::api::{self, ConcurrencyPolicy, ScheduledTaskStatus, Trigger};
use crate::plan::{Effect, Reason, Run, Spec, Task, Urgency};
use crate::state::{Concern, RawJob, RawTask, Record, Told};
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::core::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How far a list of effects was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There was nothing to do.
    Nothing,
    /// All of it is done: plan again.
    Done,
    /// The rest is a status write that may wait so long for others.
    Deferred(Duration),
}

/// Does what the plan says, in its order; the first failure ends it. `term` is the one in which it was planned.
///
/// # Errors
/// When a request was not answered, somebody else was first, or may have led since. Refusals are no errors: the next plan deals with them.
pub async fn perform(ctx: &Context, key: &Key, task: &Arc<Task>, effects: Vec<Effect>, merge: bool, term: u64) -> Result<Progress, Error> {
    let mut progress = Progress::Nothing;
    let mut clean_up_refused = false;
    for effect in effects {
        // What was written down is told, whoever leads by now.
        if ctx.leadership.term() != term && !matches!(effect, Effect::Announce(_)) {
            return Err(Error::NotLeading);
        }
        match effect {
            Effect::Delete { reason, .. } if reason.is_clean_up() && clean_up_refused => {}
            Effect::Write {
                urgency: Urgency::Merged, ..
            } if merge => return Ok(Progress::Deferred(MERGE)),
            Effect::Write {
                status,
                urgency: Urgency::Coalesced,
                announcements,
            } if merge => {
                ctx.cache.update(key, |record| record.put_off(*status, announcements));
                return Ok(Progress::Deferred(ctx.pause_of_skips(key, &task.namespace)));
            }
            Effect::Write {
                status,
                urgency,
                announcements,
            } => {
                if !write_status(ctx, task, &status).await? {
                    return Ok(Progress::Done);
                }
                if urgency == Urgency::Coalesced {
                    ctx.skips_written(key);
                }
                announcements.iter().for_each(|announcement| ctx.announce(task, announcement));
            }
            Effect::Create { run, job } => {
                if !create(ctx, key, task, &run, job).await? {
                    return Ok(Progress::Done);
                }
            }
            Effect::Delete { job, uid, version, reason } => {
                let deleted = delete(ctx, key, task, &job, (&uid, &version), reason).await?;
                // What cannot be cleaned up keeps no slot from starting.
                clean_up_refused |= !deleted;
                if !deleted && !reason.is_clean_up() {
                    return Ok(Progress::Done);
                }
            }
            Effect::Try { job } => dry_run(ctx, key, task, &job).await?,
            Effect::Find { job } => observe::find(ctx, key, task, &job).await?,
            Effect::Confirm { job, uid } => observe::confirm(ctx, key, task, &job, &uid).await?,
            Effect::Inspect { job, uid } => observe::inspect(ctx, key, task, &job, &uid).await?,
            Effect::Announce(announcement) => ctx.announce(task, &announcement),
        }
        progress = Progress::Done;
    }
    Ok(progress)
}

/// Makes the Job. Gives false if it was refused, or its name is somebody else's.
async fn create(ctx: &Context, key: &Key, task: &Task, run: &Run, mut job: Value) -> Result<bool, Error> {
    if let Some(annotations) = job.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        let mark = format!("{:016x}", ctx.cache.mark(&task.uid, &run.job));
        annotations.insert(api::MARK.into(), mark.into());
    }
    // Until an answer is certain, nobody may count on the Job being there, or not.
    ctx.cache.update(key, |record| record.doubt(&run.job));
    let is_there = match post(ctx, task, &job, false).await {
        Ok(raw) => {
            // What waits its turn in a queue is not late.
            let queues = |spec: &Arc<Spec>| spec.fields.concurrency_policy == ConcurrencyPolicy::Queue;
            if run.trigger == Trigger::Schedule && run.attempt == 1 && !task.spec.as_ref().is_ok_and(queues) {
                let lateness = ctx.clock.now().duration_since(run.due);
                ctx.metrics.lateness.observe(lateness.as_secs_f64().max(0.0));
            }
            let now = ctx.clock.now();
            ctx.cache.put_job(raw, Told::Made(now), now);
            true
        }
        // The name is the lock: is it our Job? A refusal, too, may come after a POST of ours whose answer was lost.
        Err(conflict @ Error::Conflict(_)) => match observe::job(ctx, task, &run.job).await? {
            Some(raw) => observe::recognise(ctx, key, task, &run.job, raw),
            // A quota that others use at the same time says so as well; or who had the name is gone: again, soon.
            None => return Err(conflict),
        },
        Err(Error::Refused(message) | Error::NotFound(message)) => match observe::job(ctx, task, &run.job).await? {
            Some(raw) => observe::recognise(ctx, key, task, &run.job, raw),
            None => {
                let message = format!("the API server refused Job {}: {message}", run.job);
                refuse(ctx, key, task, Concern::Start, Reason::JobRefused, &message);
                false
            }
        },
        Err(error) => return Err(error),
    };
    ctx.cache.update(key, |record| record.settle(&run.job));
    if is_there {
        ctx.cache.update(key, Record::accept_start);
    }
    Ok(is_there)
}

/// Tells the next plan, and people if it is news: an answer that is the same each time is told once.
fn refuse(ctx: &Context, key: &Key, task: &Task, concern: Concern, reason: Reason, message: &str) {
    let now = ctx.clock.now();
    // Of a task that is gone nothing is news.
    let news = ctx.cache.update(key, |record| record.refuse(concern, reason, message, now));
    if news == Some(true) {
        tracing::warn!(task = %task.key(), reason = %reason, "{message}");
        ctx.events.warn(task, reason, message);
    }
}

/// A warning that would be the same each time.
fn tell_once(ctx: &Context, task: &Task, reason: Reason, message: &str) {
    let key: Key = task.uid.as_str().into();
    if ctx.cache.update(&key, |record| record.is_new_warning(reason, message)) == Some(true) {
        tracing::warn!(task = %task.key(), reason = %reason, "{message}");
        ctx.events.warn(task, reason, message);
    }
}

/// Asks without making anything. A name that is taken says nothing against the template.
async fn dry_run(ctx: &Context, key: &Key, task: &Task, job: &Value) -> Result<(), Error> {
    tracing::debug!(task = %task.key(), "asking whether the API server would take the Job");
    let refusal = match post(ctx, task, job, true).await {
        Ok(_) | Err(Error::Conflict(_)) => None,
        Err(Error::Refused(message) | Error::NotFound(message)) => {
            let message = format!("the API server would refuse the Job: {message}");
            tracing::warn!(task = %task.key(), reason = %Reason::JobRefused, "{message}");
            ctx.events.warn(task, Reason::JobRefused, &message);
            Some(message)
        }
        Err(error) => return Err(error),
    };
    let now = ctx.clock.now();
    ctx.cache.update(key, |record| record.tried(refusal, now));
    Ok(())
}

async fn post(ctx: &Context, task: &Task, job: &Value, dry_run: bool) -> Result<RawJob, Error> {
    let params = PostParams {
        dry_run,
        field_manager: Some(super::FIELD_MANAGER.into()),
    };
    let body = serde_json::to_vec(job).map_err(|error| Error::Refused(error.to_string()))?;
    let request = Request::new(observe::jobs_path(&task.namespace)).create(&params, body);
    ctx.write("create", request).await
}

/// Deletes that very Job as it was seen (by UID and version). Gives false if the API server refused, or it is another by now.
async fn delete(ctx: &Context, key: &Key, task: &Task, job: &str, (uid, version): (&str, &str), reason: Reason) -> Result<bool, Error> {
    let preconditions = Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: Some(version.to_owned()),
    };
    // What has ended has no pods that run. What is ended goes when its pods are gone: until then it stands in the way.
    let params = if reason.is_clean_up() {
        DeleteParams::background()
    } else {
        DeleteParams::foreground()
    };
    let params = DeleteParams {
        preconditions: Some(preconditions),
        ..params
    };
    let request = Request::new(observe::jobs_path(&task.namespace)).delete(job, &params);
    let concern = if reason.is_clean_up() { Concern::CleanUp } else { Concern::Start };
    match ctx.write::<Value>("delete", request).await {
        Ok(_) | Err(Error::NotFound(_)) => {
            tracing::info!(task = %task.key(), job, reason = %reason, "Job deleted");
            let now = ctx.clock.now();
            ctx.cache.update(key, |record| {
                record.mark_deleting(uid, now);
                record.accept_delete(concern);
            });
            Ok(true)
        }
        // It has changed since, perhaps ended, or another has its name: look, and plan again.
        Err(Error::Conflict(_)) => {
            observe::confirm(ctx, key, task, job, uid).await?;
            Ok(false)
        }
        Err(Error::Refused(message)) => {
            let message = format!("the API server refused to delete Job {job}: {message}");
            refuse(ctx, key, task, concern, Reason::DeleteRefused, &message);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Writes the status if the task is still as it was observed: the compare-and-swap that makes a claim. Gives false if there is no
/// such task any more.
async fn write_status(ctx: &Context, task: &Task, status: &ScheduledTaskStatus) -> Result<bool, Error> {
    let body = json!({
        "apiVersion": format!("{}/{}", crate::api::GROUP, crate::api::VERSION),
        "kind": crate::api::KIND,
        "metadata": {
            "name": task.name,
            "namespace": task.namespace,
            "uid": task.uid,
            "resourceVersion": task.resource_version,
        },
        "status": status,
    });
    let params = PostParams {
        dry_run: false,
        field_manager: Some(super::FIELD_MANAGER.into()),
    };
    let body = serde_json::to_vec(&body).map_err(|error| Error::Refused(error.to_string()))?;
    let request = Request::new(observe::tasks_path(&task.namespace)).replace_subresource("status", &task.name, &params, body);
    let request = request.map_err(|error| Error::Refused(error.to_string()));
    match ctx.write::<RawTask>("status", request).await {
        Ok(raw) => {
            observe::take_task(ctx, raw);
            Ok(true)
        }
        Err(Error::NotFound(_)) => {
            ctx.cache.remove_task(&task.uid);
            Ok(false)
        }
        Err(error) => {
            match &error {
                Error::Conflict(_) => observe::refresh(ctx, task).await?,
                // It cannot be said in the status, so it is said beside it.
                Error::Refused(message) => {
                    let message = format!("the API server refused the status, so nothing is written down: {message}");
                    tell_once(ctx, task, Reason::StatusRefused, &message);
                }
                _ => {}
            }
            Err(error)
        }
    }
}
