//! The claims log as an object of the API server: a ConfigMap that one process holds at a time.
//!
//! Claims of all workers go in, and each worker hears when its own are committed. What is written and read when is decided by
//! `state::Writer`; this file sends it.

use super::context::Context;
use super::error::Error;
use super::field_manager::FIELD_MANAGER;
use super::queue::Key;
use crate::api::ScheduledTaskStatus;
use crate::plan::Claim;
use crate::state::{Failure, LogAnswer, LogReply, LogRequest, Ticket, Writer, WriterNotice};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Resource;
use kube::api::{GetParams, ObjectMeta, PostParams};
use kube::core::Request;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// The key of the ConfigMap under which the text stands.
const TEXT: &str = "claims";
/// A request that failed is sent again after this, doubled each time, and at most [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// When opening the log is refused so often, nobody will grant the right: ten seconds.
const MOST_REFUSALS: u32 = 10;

/// Which object is the claims log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimsLogRef {
    /// Namespace of the ConfigMap.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The claims log.
#[derive(Debug)]
pub struct Claims {
    place: ClaimsLogRef,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    writer: Writer,
    waiting: HashMap<Ticket, oneshot::Sender<Result<(), Failure>>>,
}

/// While it lives, starts of the task are on their way.
#[derive(Debug)]
pub struct Starting<'a> {
    claims: &'a Claims,
    key: &'a Key,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.claims.lock().writer.released(self.key);
        self.claims.changed.notify_one();
    }
}

impl Claims {
    /// The log in this place, written under that name.
    #[must_use]
    pub fn new(place: ClaimsLogRef, holder: &str) -> Self {
        let inner = Inner {
            writer: Writer::new(holder),
            waiting: HashMap::new(),
        };
        Self {
            place,
            inner: Mutex::new(inner),
            changed: Notify::new(),
        }
    }

    /// This process begins to lead.
    pub fn open(&self) {
        self.lock().writer.open();
        self.changed.notify_one();
    }

    /// It no longer leads.
    pub fn close(&self) {
        self.lock().writer.close("this process no longer leads");
        self.changed.notify_one();
    }

    /// Whether starts can be committed.
    pub fn is_open(&self) -> bool {
        self.lock().writer.is_open()
    }

    /// What the log says of a task with this status.
    pub fn of(&self, key: &Key, status: &ScheduledTaskStatus) -> Vec<Claim> {
        self.lock().writer.of(key, status)
    }

    /// Whether it says anything of a task.
    pub fn has(&self, key: &Key) -> bool {
        self.lock().writer.has(key)
    }

    /// The task is gone.
    pub fn forget(&self, key: &Key) {
        self.lock().writer.forget(key);
    }

    /// The Job of a claim exists.
    pub fn created(&self, key: &Key, job: &str) {
        self.lock().writer.created(key, job);
        self.changed.notify_one();
    }

    /// Starts of the task may be on their way from now on.
    pub fn starting<'a>(&'a self, key: &'a Key) -> Starting<'a> {
        Starting { claims: self, key }
    }

    /// Writes claims of a task into the log, together with those of others.
    ///
    /// # Errors
    /// When they are not committed: another process holds the log, or the API server refuses it.
    pub async fn commit(&self, key: &Key, claims: Vec<Claim>) -> Result<(), Failure> {
        let (sender, committed) = oneshot::channel();
        {
            let mut inner = self.lock();
            let ticket = inner.writer.commit(key, claims);
            inner.waiting.insert(ticket, sender);
        }
        self.changed.notify_one();
        let lost = || Failure::Conflict("this process no longer holds the claims log".into());
        committed.await.unwrap_or_else(|_| Err(lost()))
    }

    fn tasks(&self) -> Vec<Key> {
        self.lock().writer.tasks().cloned().collect()
    }

    /// Tells those who wait what became of their claims.
    fn tell(&self) {
        let mut inner = self.lock();
        for (ticket, done) in inner.writer.done() {
            if let Some(sender) = inner.waiting.remove(&ticket) {
                // Who has gone need not know.
                let _ = sender.send(done);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what the writer asks for. Ends only if the log cannot be opened because the API server refuses it: with its words.
pub async fn run(ctx: Arc<Context>) -> String {
    let (mut failures, mut refusals) = (0, 0);
    loop {
        let request = ctx.claims.lock().writer.next_request();
        ctx.claims.tell();
        let Some(request) = request else {
            ctx.claims.changed.notified().await;
            continue;
        };
        let answer = send(&ctx, request).await;
        let pause = pause(&answer, &mut failures);
        let notices = ctx.claims.lock().writer.answered(answer);
        ctx.claims.tell();
        for notice in notices {
            if let WriterNotice::Refused(message) = &notice
                && !ctx.claims.is_open()
            {
                refusals += 1;
                if refusals >= MOST_REFUSALS {
                    return refused(&ctx.claims.place, message);
                }
            }
            say(&ctx, notice);
        }
        if ctx.claims.is_open() {
            refusals = 0;
        }
        tokio::time::sleep(pause).await;
    }
}

/// How long to wait before the next request.
fn pause(answer: &LogAnswer, failures: &mut u32) -> Duration {
    let asked = match answer {
        // Another write was first, or the object is not there: what that means is read at once.
        Ok(_) | Err(Failure::Conflict(_) | Failure::NotFound(_)) => {
            *failures = 0;
            return Duration::ZERO;
        }
        Err(Failure::Later { after, .. }) => Duration::try_from(*after).unwrap_or_default(),
        Err(Failure::Refused(_) | Failure::Unanswered(_)) => Duration::ZERO,
    };
    let wait = (FIRST_PAUSE * (1 << (*failures).min(6))).min(LONGEST_PAUSE);
    *failures += 1;
    wait.max(asked)
}

async fn send(ctx: &Context, request: LogRequest) -> LogAnswer {
    let place = &ctx.claims.place;
    let requests = Request::new(ConfigMap::url_path(&(), Some(&place.namespace)));
    let params = PostParams {
        dry_run: false,
        field_manager: Some(FIELD_MANAGER.into()),
    };
    let is_creation = matches!(request, LogRequest::Create { .. });
    let answer = match request {
        LogRequest::Read => ctx.send("get claims", requests.get(&place.name, &GetParams::default())).await,
        LogRequest::Create { text } => match body(place, None, text) {
            Ok(body) => ctx.write::<ConfigMap>("claims", requests.create(&params, body)).await,
            Err(error) => Err(error),
        },
        LogRequest::Replace { version, text } => {
            ctx.metrics.claims_log_bytes.inc_by(u64::try_from(text.len()).unwrap_or(0));
            match body(place, Some(version), text) {
                Ok(body) => ctx.write("claims", requests.replace(&place.name, &params, body)).await,
                Err(error) => Err(error),
            }
        }
    };
    let failure = match answer {
        Ok(object) => return Ok(reply(object)),
        // Its namespace does not exist.
        Err(Error::NotFound(message)) if is_creation => Error::Refused(message),
        Err(error) => error,
    };
    Err(failure.into_failure().unwrap_or_else(|ours| Failure::Unanswered(ours.to_string())))
}

fn body(place: &ClaimsLogRef, version: Option<String>, text: String) -> Result<Vec<u8>, Error> {
    let object = ConfigMap {
        metadata: ObjectMeta {
            name: Some(place.name.clone()),
            namespace: Some(place.namespace.clone()),
            resource_version: version,
            labels: Some(BTreeMap::from([("app.kubernetes.io/managed-by".into(), FIELD_MANAGER.into())])),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(TEXT.into(), text)])),
        ..ConfigMap::default()
    };
    serde_json::to_vec(&object).map_err(|error| Error::Refused(error.to_string()))
}

fn reply(object: ConfigMap) -> LogReply {
    LogReply {
        version: object.metadata.resource_version.unwrap_or_default(),
        text: object.data.and_then(|mut data| data.remove(TEXT)).unwrap_or_default(),
    }
}

fn say(ctx: &Arc<Context>, notice: WriterNotice) {
    let ClaimsLogRef { namespace, name } = &ctx.claims.place;
    match notice {
        WriterNotice::Opened(claims) => {
            tracing::info!(namespace, name, claims, "opened the claims log");
            // Nothing was started while it was not open. What it names is carried out, also of tasks that are gone: then it is dropped.
            ctx.wake_all();
            for key in ctx.claims.tasks() {
                ctx.wake(Some(key));
            }
        }
        WriterNotice::Gone => tracing::warn!(
            namespace,
            name,
            "the claims log was deleted or emptied by somebody: it is written again from memory"
        ),
        WriterNotice::Damaged(lines) => tracing::warn!(
            namespace,
            name,
            lines,
            "lines of the claims log cannot be read: somebody changed it; it is written again from memory"
        ),
        WriterNotice::Deposed(holder) => {
            tracing::warn!(namespace, name, holder, "another process holds the claims log");
            // Without an election this process leads all the same, and takes it back: two operators are a mistake of whoever started them.
            if ctx.leadership.holds() {
                ctx.claims.open();
            }
        }
        WriterNotice::Refused(message) => tracing::warn!(namespace, name, "the API server refuses the claims log: {message}"),
    }
}

fn refused(place: &ClaimsLogRef, message: &str) -> String {
    let ClaimsLogRef { namespace, name } = place;
    format!(
        "the claims log, ConfigMap {namespace}/{name}, cannot be used: {message}; create the namespace, and grant get and update on this ConfigMap and create on configmaps there, as the chart does"
    )
}
