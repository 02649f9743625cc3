//! The only file that sends what a plan asks for.
//!
//! Requests become HTTP, and answers come back as values; what they mean for what is known stands in `state`. Nothing is decided here.

use super::context::{CREATE, DELETE, STATUS};
use super::dry_runs::Alike;
use super::field_manager::post_params;
use super::queue::Key;
use super::{Context, Error, observe, pods};
use crate::api::ScheduledTaskStatus;
use crate::plan::{Effect, Task};
use crate::state::{Execution, Failure, FoundJob, Notice, Progress, RawJob, RawTask, Record, Reply, Request as Wanted, Source, Step};
use kube::api::{DeleteParams, Preconditions};
use kube::core::Request;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

/// Carries out a plan, in its order. `term` is the term of leadership in which it was made.
///
/// # Errors
/// When a request was not answered, somebody else was first, or may have led since. Refusals are no errors: the next plan deals with them.
pub async fn perform(
    ctx: &Context,
    key: &Key,
    task: &Arc<Task>,
    effects: Vec<Effect>,
    may_defer: bool,
    term: u64,
) -> Result<Progress, Error> {
    let mut execution = Execution::new(effects, may_defer);
    let _starting = ctx.claims.starting(key);
    loop {
        if ctx.leadership.term() != term {
            return Err(Error::NotLeading);
        }
        let Some(step) = ctx.cache.update(key, ctx.clock.now(), |record, seal| execution.next(record, seal)) else {
            // The task is gone.
            return Ok(Progress::Done);
        };
        let request = match step {
            Step::Send(request) => request,
            Step::Finished(Progress::Failed(failure)) => return Err(failure.into()),
            Step::Finished(progress) => return Ok(progress),
        };
        if let Wanted::WriteStatus { status } = &request
            && let Some(message) = refused_before(ctx, key, status)
        {
            return Err(Error::Refused(message));
        }
        let creates = job_of(&request);
        let answer = match send(ctx, key, task, request).await {
            Ok(reply) => Ok(reply),
            Err(error) => Err(error.into_failure()?),
        };
        if let (Some(job), Ok(_)) = (creates, &answer) {
            ctx.claims.created(key, &job);
        }
        let now = ctx.clock.now();
        let notices = ctx
            .cache
            .update(key, ctx.clock.now(), |record, seal| execution.answered(answer, record, seal, now));
        for notice in notices.into_iter().flatten() {
            tell(ctx, key, task, notice);
        }
    }
}

/// Why this very status need not be sent: the API server has refused it a moment ago.
fn refused_before(ctx: &Context, key: &Key, status: &ScheduledTaskStatus) -> Option<String> {
    let now = ctx.clock.now();
    let refused = |record: &mut Record| record.writes.refused_status(status, now).map(str::to_owned);
    ctx.cache.update(key, now, |record, _| refused(record)).flatten()
}

/// Name of the Job that a request creates.
fn job_of(request: &Wanted) -> Option<String> {
    match request {
        Wanted::CreateJob { manifest, dry_run: false } => job_name(manifest).map(str::to_owned),
        _ => None,
    }
}

fn job_name(manifest: &Value) -> Option<&str> {
    manifest.pointer("/metadata/name")?.as_str()
}

async fn send(ctx: &Context, key: &Key, task: &Task, request: Wanted) -> Result<Reply, Error> {
    match request {
        Wanted::Commit { claims } => {
            ctx.claims.commit(key, claims).await?;
            Ok(Reply::Done)
        }
        Wanted::CreateJob { manifest, dry_run: true } => {
            let alike = job_name(&manifest).and_then(|name| Alike::of(task, name.len()));
            let request = create(ctx, task, &manifest, true);
            match alike {
                Some(alike) => ctx.dry_runs.ask(alike, request).await,
                None => request.await,
            }
        }
        Wanted::CreateJob { manifest, dry_run: false } => create(ctx, task, &manifest, false).await,
        Wanted::GetJob { name } => {
            let request = Request::new(observe::jobs_path(&task.namespace)).get(&name, &kube::api::GetParams::default());
            Ok(found(ctx.send("get job", request).await?, task))
        }
        Wanted::DeleteJob {
            name,
            uid,
            version,
            foreground,
        } => {
            let params = match foreground {
                true => DeleteParams::foreground(),
                false => DeleteParams::background(),
            };
            let params = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: Some(uid),
                    resource_version: Some(version),
                }),
                ..params
            };
            let request = Request::new(observe::jobs_path(&task.namespace)).delete(&name, &params);
            ctx.write::<Value>(DELETE, request).await.map(|_| Reply::Done)
        }
        Wanted::WriteStatus { status } => write_status(ctx, task, &status).await,
        Wanted::RefreshTask => observe::refresh(ctx, task).await.map(|()| Reply::Done),
        Wanted::ListPods { uid, state } => match observe::pods(ctx, task, &uid).await {
            Ok(listed) => Ok(pods::said(&state, &listed)),
            Err(Error::NotFound(_)) => Ok(pods::said(&state, &[])),
            Err(error) => Err(error),
        },
    }
}

async fn create(ctx: &Context, task: &Task, manifest: &Value, dry_run: bool) -> Result<Reply, Error> {
    let body = body(manifest)?;
    let bytes = body.len();
    let mut request = Request::new(observe::jobs_path(&task.namespace))
        .create(&post_params(dry_run), body)
        .map_err(|error| Error::Refused(error.to_string()))?;
    if dry_run {
        reject_unknown_fields(&mut request);
    }
    let request = Ok::<_, Infallible>(request);
    let answer = match dry_run {
        true => ctx.write(CREATE, request).await,
        false => ctx.write_committed(CREATE, request).await,
    };
    answer.map(|raw| found(raw, task)).map_err(|error| match error {
        Error::Refused(message) => Failure::Refused(message).of_create(bytes).into(),
        other => other,
    })
}

/// A field that this API server does not know would be dropped, and only a header would say so. A real creation stays lenient, as
/// kubectl's of a CronJob would have been by then.
fn reject_unknown_fields(request: &mut http::Request<Vec<u8>>) {
    let uri = format!("{}&fieldValidation=Strict", request.uri());
    if let Ok(uri) = uri.parse() {
        *request.uri_mut() = uri;
    }
}

fn found(raw: RawJob, task: &Task) -> Reply {
    Reply::Job(Box::new(FoundJob {
        is_owned: raw.claims(task),
        made_by: raw.made_by(),
        object: raw.into_object(),
    }))
}

/// Writes the status if the task is still as it was observed.
async fn write_status(ctx: &Context, task: &Task, status: &ScheduledTaskStatus) -> Result<Reply, Error> {
    let object = json!({
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
    let params = post_params(false);
    let request = Request::new(observe::tasks_path(&task.namespace)).replace_subresource("status", &task.name, &params, body(&object)?);
    let (before, term) = (ctx.timeline.now(), ctx.leadership.term());
    let written = ctx.write::<RawTask>(STATUS, request).await?;
    // A status that changes nothing keeps its version.
    let version = written
        .metadata
        .resource_version
        .clone()
        .filter(|version| *version != task.resource_version);
    if let Some(version) = version {
        ctx.timeline.check(before, &version);
    }
    let (version, text) = (
        written.metadata.resource_version.clone().unwrap_or_default(),
        written.status.clone(),
    );
    observe::take_task(ctx, written, Source::Get);
    // It was written as it was known: nobody else has led since.
    ctx.cache.set_read_in(&task.uid, term);
    // Usually it was decoded just now; the watch may have shown a newer one before this answer came.
    let key = Key::from(task.uid.as_str());
    let known = ctx
        .cache
        .update(&key, ctx.clock.now(), |record, _| record.status_of_version(&version));
    let kept = known.flatten().unwrap_or_else(|| Arc::new(RawTask::read_status(&text)));
    Ok(Reply::Written { version, kept })
}

fn body(object: &Value) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(object).map_err(|error| Error::Refused(error.to_string()))
}

fn tell(ctx: &Context, key: &Key, task: &Task, notice: Notice) {
    match notice {
        Notice::Announce(announcement) => ctx.announce(task, &announcement),
        Notice::Warn(reason, message) => {
            tracing::warn!(task = %task.key(), reason = %reason, "{message}");
            ctx.events.warn(task, reason, &message);
        }
        Notice::Log(message) => tracing::warn!(task = %task.key(), "{message}"),
        Notice::Started(late) => ctx.metrics.lateness.observe(late.as_secs_f64()),
        Notice::Deleted(job, reason) => tracing::info!(task = %task.key(), job, reason = %reason, "Job deleted"),
        Notice::StatusRefused => ctx
            .metrics
            .reconcile_errors
            .with_label_values(&[Error::Refused(String::new()).kind()])
            .inc(),
        Notice::SkipsWritten => ctx.skips_written(key),
        Notice::TaskGone => ctx.cache.remove_task(&task.uid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::api::PostParams;

    /// F27: an API server that is older than the CRD drops what it does not know, and says so in a header alone.
    #[test]
    fn a_dry_run_asks_for_unknown_fields_to_be_rejected() {
        let params = PostParams {
            dry_run: true,
            field_manager: None,
        };
        let mut request = Request::new(observe::jobs_path("n"))
            .create(&params, Vec::new())
            .expect("a request");
        reject_unknown_fields(&mut request);
        let query = request.uri().query().unwrap_or_default();
        assert!(query.split('&').any(|part| part == "fieldValidation=Strict"), "{query}");
        assert!(query.split('&').any(|part| part == "dryRun=All"), "{query}");
    }
}
