//! The only file that reads from the cluster.
//!
//! Takes watches and, off the hot path, single reads; fills the cache and wakes the tasks that are touched. Never writes.

use super::objects::{RawJob, RawTask};
use super::queue::Key;
use super::record::Told;
use super::{Context, Error, pods};
use crate::api::{LABEL_TASK_UID, ScheduledTask};
use crate::plan::{Exit, Pods, Task};
use futures::{Stream, StreamExt};
use k8s_openapi::api::batch::v1::Job as KubeJob;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::core::{ObjectList, Request};
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A watch that died silently is noticed after this many seconds at the latest.
const WATCH_SECONDS: u32 = 50;

/// Keeps the cache's tasks true for as long as the process lives.
pub async fn watch_tasks(ctx: Arc<Context>, namespace: Option<String>) {
    let stream = watch(
        api::<RawTask>(&ctx, namespace.as_deref()),
        watcher::Config::default().timeout(WATCH_SECONDS),
    )
    .backoff(Patience::default());
    let (mut listed, mut first) = (HashSet::new(), true);
    follow(&ctx, "tasks", stream, |event| match event {
        Event::Init => listed.clear(),
        Event::InitApply(raw) => {
            listed.extend(raw.metadata.uid.as_deref().map(Key::from));
            ctx.wake(ctx.cache.put_task(raw));
        }
        Event::Apply(raw) => ctx.wake(ctx.cache.put_task(raw)),
        Event::InitDone => {
            ctx.cache.keep_tasks(namespace.as_deref(), &std::mem::take(&mut listed));
            if std::mem::take(&mut first) {
                ctx.synced.one();
            }
        }
        Event::Delete(raw) => ctx.cache.remove_task(raw.metadata.uid.as_deref().unwrap_or_default()),
    })
    .await;
}

/// Keeps the cache's Jobs true for as long as the process lives.
pub async fn watch_jobs(ctx: Arc<Context>, namespace: Option<String>) {
    let config = watcher::Config::default().labels(LABEL_TASK_UID).timeout(WATCH_SECONDS);
    let stream = watch(api::<RawJob>(&ctx, namespace.as_deref()), config).backoff(Patience::default());
    let (mut listed, mut first) = (HashSet::new(), true);
    follow(&ctx, "jobs", stream, |event| match event {
        Event::Init => listed.clear(),
        Event::InitApply(raw) => {
            listed.extend(raw.metadata.uid.clone());
            ctx.wake(ctx.cache.put_job(raw, Told::ByWatch));
        }
        Event::Apply(raw) => ctx.wake(ctx.cache.put_job(raw, Told::ByWatch)),
        Event::InitDone => {
            ctx.cache
                .keep_jobs(namespace.as_deref(), &std::mem::take(&mut listed))
                .into_iter()
                .for_each(|key| ctx.wake(Some(key)));
            if std::mem::take(&mut first) {
                ctx.synced.one();
            }
        }
        Event::Delete(raw) => {
            let owner = raw.owner().map(str::to_owned);
            if let (Some(owner), Some(uid)) = (owner, raw.metadata.uid.clone()) {
                // The last word of a Job may be its end: a Job that finished and was deleted at once ran all the same.
                ctx.cache.put_job(raw, Told::ByWatch);
                ctx.wake(ctx.cache.remove_job(&owner, &uid));
            }
        }
    })
    .await;
}

async fn follow<K>(ctx: &Context, what: &str, stream: impl Stream<Item = watcher::Result<Event<K>>>, mut take: impl FnMut(Event<K>)) {
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => take(event),
            Err(error) => {
                ctx.metrics.watch_errors.with_label_values(&[what]).inc();
                tracing::warn!(what, "watch interrupted: {error}");
            }
        }
    }
}

/// Between attempts at a watch: at most five seconds, so that an API server that comes back is met within ten.
#[derive(Default)]
struct Patience {
    attempts: u32,
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = Duration::from_millis(100 << self.attempts.min(6)).min(Duration::from_secs(5));
        self.attempts += 1;
        Some(wait)
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        self.attempts = 0;
    }
}

fn api<K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>>(ctx: &Context, namespace: Option<&str>) -> Api<K> {
    match namespace {
        Some(namespace) => Api::namespaced(ctx.client.clone(), namespace),
        None => Api::all(ctx.client.clone()),
    }
}

/// The task as the API server has it now: after somebody else wrote it, or led.
///
/// # Errors
/// When no answer comes.
pub async fn refresh(ctx: &Context, task: &Task) -> Result<(), Error> {
    // Before the request: whoever begins to lead while it is on its way asks again.
    let term = ctx.leadership.term();
    let request = Request::new(tasks_path(&task.namespace)).get(&task.name, &kube::api::GetParams::default());
    match ctx.send::<RawTask>("get task", request).await {
        Ok(raw) if raw.metadata.uid.as_deref() == Some(&task.uid) => {
            ctx.cache.put_task(raw);
            ctx.cache.set_read_in(&task.uid, term);
            Ok(())
        }
        Ok(_) | Err(Error::NotFound(_)) => {
            ctx.cache.remove_task(&task.uid);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The Job of that name, if there is one.
///
/// # Errors
/// When no answer comes.
pub async fn job(ctx: &Context, task: &Task, name: &str) -> Result<Option<RawJob>, Error> {
    let request = Request::new(jobs_path(&task.namespace)).get(name, &kube::api::GetParams::default());
    match ctx.send::<RawJob>("get job", request).await {
        Ok(raw) => Ok(Some(raw)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Is a Job there whose creation was not answered?
///
/// # Errors
/// When no answer comes.
pub async fn find(ctx: &Context, key: &Key, task: &Task, name: &str) -> Result<(), Error> {
    if let Some(raw) = job(ctx, task, name).await?.filter(|raw| raw.owner() == Some(&task.uid)) {
        ctx.cache.put_job(raw, Told::Made(ctx.clock.now()));
    }
    ctx.cache.update(key, |record| record.settle(name));
    Ok(())
}

/// Is a Job gone that the watch does not show?
///
/// # Errors
/// When no answer comes.
pub async fn confirm(ctx: &Context, key: &Key, task: &Task, name: &str, uid: &str) -> Result<(), Error> {
    match job(ctx, task, name).await? {
        Some(raw) if raw.metadata.uid.as_deref() == Some(uid) && raw.owner() == Some(&task.uid) => {
            ctx.cache.put_job(raw, Told::ByRead);
        }
        _ => {
            ctx.cache.remove_job(key, uid);
        }
    }
    Ok(())
}

/// What the pods of a Job say.
///
/// # Errors
/// When no answer comes. Pods that may not be read are pods that say nothing.
pub async fn inspect(ctx: &Context, key: &Key, task: &Task, job: &str, uid: &str) -> Result<(), Error> {
    let params = ListParams::default().labels(&format!("batch.kubernetes.io/controller-uid={uid}"));
    let request = Request::new(format!("/api/v1/namespaces/{}/pods", task.namespace)).list(&params);
    let (exit, pods) = match ctx.send::<ObjectList<Pod>>("list pods", request).await {
        Ok(list) => (pods::exit(&list.items), pods::progress(&list.items)),
        Err(Error::Refused(message)) => {
            tracing::warn!(task = %task.key(), job, "the pods of a Job cannot be read: {message}");
            (Exit::Unknown, Pods::Waiting(format!("its pods cannot be read: {message}")))
        }
        Err(Error::NotFound(_)) => (Exit::Unknown, pods::progress(&[])),
        Err(error) => return Err(error),
    };
    let now = ctx.clock.now();
    ctx.cache.update(key, |record| record.set_pods(uid, &exit, &pods, now));
    Ok(())
}

/// Where the Jobs of a namespace live.
#[must_use]
pub fn jobs_path(namespace: &str) -> String {
    KubeJob::url_path(&(), Some(namespace))
}

/// Where the tasks of a namespace live.
#[must_use]
pub fn tasks_path(namespace: &str) -> String {
    ScheduledTask::url_path(&(), Some(namespace))
}
