//! The only file that reads from the cluster.
//!
//! Watches and, off the hot path, single reads fill the cache and wake the tasks that are touched. Nothing is written.

use super::cache::Put;
use super::error::with_causes;
use super::queue::Key;
use super::watch_backoff::{WatchBackoff, is_forbidden};
use super::{Context, Error};
use crate::api::{LABEL_TASK_UID, ScheduledTask};
use crate::plan::Task;
use crate::state::pods::RawPod;
use crate::state::{RawJob, RawTask, Source};
use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job as KubeJob;
use kube::api::ListParams;
use kube::core::{ObjectList, Request};
use kube::runtime::watcher as watch;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A watch that died silently is noticed after this many seconds at the latest.
const WATCH_SECONDS: u32 = 50;
/// Objects of a page, where the API server cannot stream a list: one object may have 3 MiB.
const PAGE: u32 = 50;
/// So many pods of a Job are looked at: anybody who may make pods can give them the label of one, and a megabyte each.
const PODS: u32 = 20;

/// Keeps the cache's tasks true for as long as the process lives. Says in `listed` when the first list is in.
pub async fn watch_tasks(ctx: Arc<Context>, namespace: Option<String>, listed: tokio::sync::watch::Sender<bool>) {
    let api = api::<RawTask>(&ctx, namespace.as_deref());
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    let mut seen = HashSet::new();
    follow(&ctx, "tasks", namespace.as_deref(), api, config, |event| match event {
        Event::Init => seen.clear(),
        Event::InitApply(raw) => {
            seen.extend(raw.metadata.uid.as_deref().map(Key::from));
            take_task(&ctx, raw, Source::List);
        }
        Event::Apply(raw) => take_task(&ctx, raw, Source::Watch),
        Event::InitDone => {
            ctx.cache.keep_tasks(namespace.as_deref(), &std::mem::take(&mut seen));
            listed.send_replace(true);
        }
        Event::Delete(raw) => {
            let uid = raw.metadata.uid.as_deref().unwrap_or_default();
            ctx.cache.remove_task(uid);
            ctx.forget(&uid.into());
        }
    })
    .await;
}

/// Takes in a task, and has it looked at if that is news.
pub fn take_task(ctx: &Context, raw: RawTask, source: Source) {
    let key = raw.metadata.uid.as_deref().map(Key::from);
    if let (Some(key), Some(namespace)) = (&key, &raw.metadata.namespace) {
        ctx.queue.belongs(key, namespace);
    }
    if let Some(version) = &raw.metadata.resource_version {
        ctx.timeline.saw(version);
    }
    match ctx.cache.put_task(raw, source, ctx.clock.now()) {
        Put::News(key) => ctx.wake(Some(key)),
        Put::Old => {}
        Put::Quarantined(key) => {
            ctx.quarantined(&key, "reading it");
            ctx.wake(Some(key));
        }
    }
    // Also what we wrote ourselves comes this way, when it is stored.
    if let Some(key) = key {
        ctx.told.mark(&key, &ctx.queue);
    }
}

/// Keeps the cache's Jobs true for as long as the process lives. Begins when the tasks are `listed`: whose a Job is can be said
/// of known tasks only.
pub async fn watch_jobs(ctx: Arc<Context>, namespace: Option<String>, mut listed: tokio::sync::watch::Receiver<bool>) {
    // The sender lives as long as the watch of tasks, that is: as long as this one.
    let _ = listed.wait_for(|listed| *listed).await;
    let api = api::<RawJob>(&ctx, namespace.as_deref());
    let config = watcher::Config::default().labels(LABEL_TASK_UID).timeout(WATCH_SECONDS);
    let (mut seen, mut first) = (HashSet::new(), true);
    follow(&ctx, "jobs", namespace.as_deref(), api, config, |event| match event {
        Event::Init => seen.clear(),
        Event::InitApply(raw) => {
            seen.extend(raw.metadata.uid.clone());
            ctx.wake(ctx.cache.put_job(raw, Source::List, ctx.clock.now()));
        }
        Event::Apply(raw) => ctx.wake(ctx.cache.put_job(raw, Source::Watch, ctx.clock.now())),
        Event::InitDone => {
            ctx.cache
                .keep_jobs(namespace.as_deref(), &std::mem::take(&mut seen), ctx.clock.now())
                .into_iter()
                .for_each(|key| ctx.wake(Some(key)));
            if std::mem::take(&mut first) {
                ctx.listed(namespace.as_deref());
            }
        }
        Event::Delete(raw) => {
            let (owner, of) = (raw.owner().map(|(uid, _)| uid.to_owned()), raw.metadata.namespace.clone());
            if let (Some(owner), Some(of), Some(uid)) = (owner, of, raw.metadata.uid.clone()) {
                // The last word of a Job may be its end: a Job that finished and was deleted at once ran all the same.
                ctx.cache.put_job(raw, Source::Watch, ctx.clock.now());
                ctx.wake(ctx.cache.leave_watch(&of, &owner, &uid, ctx.clock.now()));
            }
        }
    })
    .await;
}

/// Watches for ever. The first list is a stream of single objects, so that nobody's objects fill the memory at start; an API
/// server that cannot do that is asked for small pages. An object that brings `take` to a panic is passed over.
async fn follow<K>(ctx: &Context, what: &str, namespace: Option<&str>, api: Api<K>, config: watcher::Config, mut take: impl FnMut(Event<K>))
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let (mut streams, mut backoff) = (true, WatchBackoff::default());
    let mut restored = ctx.timeline.restored();
    let forbidden = ctx.metrics.watches_forbidden.with_label_values(&[what]);
    loop {
        let config = config.clone();
        let config = if streams {
            config.streaming_lists()
        } else {
            config.page_size(PAGE)
        };
        let mut stream = pin!(watch(api.clone(), config));
        loop {
            let event = tokio::select! {
                event = stream.next() => event,
                // A new list.
                _ = restored.changed() => None,
            };
            let Some(event) = event else { break };
            match event {
                Ok(event) => {
                    // A list of pages says that it begins before it has asked.
                    if !matches!(event, Event::Init) {
                        if backoff.is_refused() {
                            forbidden.dec();
                        }
                        backoff.succeeded();
                    }
                    let name = name_of(&event);
                    if catch_unwind(AssertUnwindSafe(|| take(event))).is_err() {
                        ctx.metrics.quarantined.with_label_values(&[what]).inc();
                        tracing::error!(
                            what,
                            object = name,
                            "an object was passed over: reading it failed by a defect of the operator"
                        );
                    }
                }
                Err(error) => {
                    ctx.metrics.watch_errors.with_label_values(&[what]).inc();
                    if streams && cannot_stream(&error) {
                        tracing::warn!(what, "watch interrupted: {error}");
                        streams = false;
                        break;
                    }
                    let was_refused = backoff.is_refused();
                    let pause = pause(ctx, what, namespace, &error, &mut backoff);
                    if backoff.is_refused() && !was_refused {
                        forbidden.inc();
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Says what went wrong, and how long the watch pauses. A namespace that must not be listed keeps no other waiting.
fn pause(ctx: &Context, what: &str, namespace: Option<&str>, error: &watcher::Error, backoff: &mut WatchBackoff) -> Duration {
    if !is_forbidden(error) {
        tracing::warn!(what, namespace, "watch interrupted: {}", with_causes(error));
        return backoff.failed();
    }
    let wait = backoff.forbidden();
    if backoff.is_refused() {
        ctx.synced.forbidden(namespace);
    }
    if ctx.synced.may_log(namespace, Instant::now()) {
        tracing::warn!(
            what,
            namespace,
            "forbidden to list or watch, retrying at least once a minute: {error}"
        );
    }
    wait
}

fn name_of<K: Resource>(event: &Event<K>) -> String {
    match event {
        Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
            format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
        }
        Event::Init | Event::InitDone => String::new(),
    }
}

/// Whether the API server says that it does not know `sendInitialEvents`.
fn cannot_stream(error: &watcher::Error) -> bool {
    let watcher::Error::WatchStartFailed(kube::Error::Api(status)) = error else {
        return false;
    };
    matches!(status.code, 400 | 422) && status.message.contains("sendInitialEvents")
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
    // Before the request: a process that begins to lead while it is on its way asks again.
    let term = ctx.leadership.term();
    let known = ctx.cache.version(&task.uid);
    let request = Request::new(tasks_path(&task.namespace)).get(&task.name, &kube::api::GetParams::default());
    match ctx.send::<RawTask>("get task", request).await {
        Ok(raw) if raw.metadata.uid.as_deref() == Some(&task.uid) => {
            // An answer that is older than what was known before it was asked for is of a restored past, and true all the same.
            let is_unchanged = ctx.cache.version(&task.uid) == known;
            if let (true, Some(before), Some(version)) = (is_unchanged, &known, &raw.metadata.resource_version) {
                ctx.timeline.check(before.parse().unwrap_or(0), version);
            }
            take_task(ctx, raw, if is_unchanged { Source::List } else { Source::Get });
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

/// The pods of a Job.
///
/// # Errors
/// When they cannot be read, or no answer comes.
pub async fn pods(ctx: &Context, task: &Task, uid: &str) -> Result<Vec<RawPod>, Error> {
    let params = ListParams::default()
        .labels(&format!("batch.kubernetes.io/controller-uid={uid}"))
        .limit(PODS);
    let request = Request::new(format!("/api/v1/namespaces/{}/pods", task.namespace)).list(&params);
    Ok(ctx.send::<ObjectList<RawPod>>("list pods", request).await?.items)
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
