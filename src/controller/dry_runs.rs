//! Dry runs of Jobs that are alike, asked once: a thousand tasks that are applied at once often have one template.
//!
//! A dry run and what it depends on go in; whether the API server would accept the Job comes out. Only "accepted" is shared, among those
//! who ask at the same time or within a moment: who is refused hears why by its own request, for somebody may have mended it just now.

use super::error::Error;
use crate::api::{JobTemplate, RunContext};
use crate::plan::Task;
use crate::state::Reply;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// For how long an accepted dry run answers for others.
const SHARED: Duration = Duration::from_secs(2);

/// What the answer to a dry run depends on: Jobs of one namespace and template, which names the ServiceAccount, differ in their names,
/// owners and slots alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alike {
    namespace: String,
    template: JobTemplate,
    run_context: RunContext,
    /// The API server may refuse a name for its length.
    name_length: usize,
}

impl Alike {
    /// The dry run of a Job with a name of that length. `None`, if the spec cannot be used.
    pub fn of(task: &Task, name_length: usize) -> Option<Self> {
        let spec = task.spec.as_deref().ok()?;
        Some(Self {
            namespace: task.namespace.clone(),
            template: spec.fields.job_template.clone(),
            run_context: spec.fields.run_context,
            name_length,
        })
    }
}

#[derive(Debug)]
enum Known {
    /// Somebody asks; `Some(true)` when it is accepted.
    Asking(watch::Receiver<Option<bool>>),
    Accepted(Instant),
}

enum Role {
    Knows,
    Waits(watch::Receiver<Option<bool>>),
    Asks(watch::Sender<Option<bool>>),
}

/// The dry runs that are on their way, and those that were accepted a moment ago.
#[derive(Debug, Default)]
pub struct DryRuns {
    known: Mutex<HashMap<Alike, Known>>,
}

impl DryRuns {
    /// Sends a dry run, or takes the answer to one that is alike.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn ask(&self, alike: Alike, request: impl Future<Output = Result<Reply, Error>>) -> Result<Reply, Error> {
        match self.role(&alike) {
            Role::Knows => return Ok(Reply::Done),
            Role::Waits(mut answer) => {
                let answered = answer.wait_for(Option::is_some).await;
                if answered.is_ok_and(|accepted| *accepted == Some(true)) {
                    return Ok(Reply::Done);
                }
            }
            Role::Asks(tell) => {
                let answer = request.await;
                let is_accepted = answer.is_ok();
                match is_accepted {
                    true => self.lock().insert(alike, Known::Accepted(Instant::now())),
                    false => self.lock().remove(&alike),
                };
                tell.send_replace(Some(is_accepted));
                return answer;
            }
        }
        request.await
    }

    fn role(&self, alike: &Alike) -> Role {
        let mut known = self.lock();
        known.retain(|_, known| match known {
            // Whoever asked may have gone without an answer.
            Known::Asking(answer) => answer.has_changed().is_ok(),
            Known::Accepted(at) => at.elapsed() < SHARED,
        });
        match known.get(alike) {
            Some(Known::Accepted(_)) => Role::Knows,
            Some(Known::Asking(answer)) => Role::Waits(answer.clone()),
            None => {
                let (tell, answer) = watch::channel(None);
                known.insert(alike.clone(), Known::Asking(answer));
                Role::Asks(tell)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Alike, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn alike(namespace: &str, name_length: usize) -> Alike {
        Alike {
            namespace: namespace.into(),
            template: JobTemplate::default(),
            run_context: RunContext::Env,
            name_length,
        }
    }

    /// Asks for all of them at once; each request counts, and takes until all have begun.
    async fn ask_all(all: Vec<Alike>, is_accepted: bool) -> (usize, usize) {
        let (dry_runs, sent) = (DryRuns::default(), AtomicUsize::new(0));
        let answers = all.into_iter().map(|alike| {
            dry_runs.ask(alike, async {
                sent.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                match is_accepted {
                    true => Ok(Reply::Done),
                    false => Err(Error::Refused("no".into())),
                }
            })
        });
        let accepted = join_all(answers).await.iter().filter(|answer| answer.is_ok()).count();
        (sent.load(Ordering::Relaxed), accepted)
    }

    #[tokio::test]
    async fn what_is_alike_and_accepted_is_asked_once() {
        let thousand = (0..1000).map(|_| alike("a", 20)).collect();
        assert_eq!(ask_all(thousand, true).await, (1, 1000));
        let others = vec![alike("a", 20), alike("b", 20), alike("a", 63), alike("a", 20)];
        assert_eq!(ask_all(others, true).await, (3, 4), "by namespace and length of the name");
    }

    #[tokio::test]
    async fn each_that_is_refused_hears_why_by_its_own_request() {
        let three = (0..3).map(|_| alike("a", 20)).collect();
        assert_eq!(ask_all(three, false).await, (3, 0));
    }

    #[tokio::test]
    async fn whoever_goes_without_an_answer_leaves_nobody_waiting() {
        let dry_runs = DryRuns::default();
        let gone = dry_runs.ask(alike("a", 20), std::future::pending());
        assert!(futures::poll!(Box::pin(gone)).is_pending());
        let answer = dry_runs.ask(alike("a", 20), async { Ok(Reply::Done) }).await;
        assert!(answer.is_ok());
    }
}
