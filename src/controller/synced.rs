//! Which of the watched namespaces are listed.
//!
//! First lists and refusals go in; whether the operator is ready, and whether a namespace's tasks may be reconciled, comes out. A
//! namespace that must not be listed keeps no other from running; its own tasks wait until its tasks and Jobs are listed. Sends no
//! request.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A refusal is logged this often.
const LOGGED_EVERY: Duration = Duration::from_secs(60);
/// Stands for all namespaces.
const ALL: &str = "";

/// The watched namespaces.
#[derive(Debug)]
pub struct Synced {
    namespaces: watch::Sender<BTreeMap<String, Namespace>>,
}

#[derive(Debug, Default)]
struct Namespace {
    state: State,
    /// When a refusal was last logged.
    logged: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No first list yet, and no refusal.
    #[default]
    Awaited,
    /// Its tasks or Jobs must not be listed.
    Forbidden,
    /// Its tasks and Jobs were listed.
    Listed,
}

impl Synced {
    /// These namespaces are watched; all of them, if there are none.
    #[must_use]
    pub fn new(namespaces: &[String]) -> Self {
        let all = [ALL.to_owned()];
        let names = if namespaces.is_empty() { &all } else { namespaces };
        let names = names.iter().map(|name| (name.clone(), Namespace::default()));
        Self {
            namespaces: watch::Sender::new(names.collect()),
        }
    }

    /// Resolves when the operator is ready.
    pub async fn wait(&self) {
        // The sender lives as long as this struct, so waiting cannot fail.
        let _ = self.namespaces.subscribe().wait_for(is_ready).await;
    }

    /// Whether every namespace that may be listed is listed, and there is one.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        is_ready(&self.namespaces.borrow())
    }

    /// Whether the tasks and Jobs of this namespace were listed.
    #[must_use]
    pub fn is_listed(&self, namespace: &str) -> bool {
        let known = self.namespaces.borrow();
        let known = known.get(namespace).or_else(|| known.get(ALL));
        known.is_some_and(|known| known.state == State::Listed)
    }

    /// Whether every watched namespace was listed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.namespaces.borrow().values().all(|known| known.state == State::Listed)
    }

    /// The first lists of a namespace (of all, if `None`) are in. Returns whether it was forbidden before.
    pub fn listed(&self, namespace: Option<&str>) -> bool {
        let mut was_forbidden = false;
        self.namespaces.send_modify(|known| {
            if let Some(known) = known.get_mut(namespace.unwrap_or(ALL)) {
                was_forbidden = known.state == State::Forbidden;
                known.state = State::Listed;
                known.logged = None;
            }
        });
        was_forbidden
    }

    /// A namespace must not be listed: nobody waits for it. One that was listed once stays so.
    pub fn forbidden(&self, namespace: Option<&str>) {
        self.namespaces.send_if_modified(|known| {
            let known = known.get_mut(namespace.unwrap_or(ALL));
            let awaited = known.filter(|known| known.state == State::Awaited);
            awaited.map(|known| known.state = State::Forbidden).is_some()
        });
    }

    /// Whether a refusal of this namespace is to be logged at `now`; if so, that is noted.
    pub fn may_log(&self, namespace: Option<&str>, now: Instant) -> bool {
        let mut may = false;
        self.namespaces.send_if_modified(|known| {
            if let Some(known) = known.get_mut(namespace.unwrap_or(ALL)) {
                may = known.logged.is_none_or(|last| now.duration_since(last) >= LOGGED_EVERY);
                known.logged = if may { Some(now) } else { known.logged };
            }
            false
        });
        may
    }
}

fn is_ready(namespaces: &BTreeMap<String, Namespace>) -> bool {
    let has = |state| namespaces.values().any(|known| known.state == state);
    has(State::Listed) && !has(State::Awaited)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teams() -> Synced {
        Synced::new(&["team-a".to_owned(), "team-b".to_owned()])
    }

    /// F03: a namespace that is gone is not the others' problem.
    #[test]
    fn a_forbidden_namespace_keeps_no_other_from_running() {
        let synced = teams();
        synced.listed(Some("team-a"));
        assert!(!synced.is_ready(), "team-b may still be listed");
        synced.forbidden(Some("team-b"));
        assert!(synced.is_ready() && synced.is_listed("team-a") && !synced.is_listed("team-b"));
        assert!(synced.listed(Some("team-b")), "it was forbidden");
        assert!(synced.is_listed("team-b"));
        synced.forbidden(Some("team-b"));
        assert!(synced.is_ready() && synced.is_listed("team-b"), "it was listed once");
    }

    #[test]
    fn an_operator_that_may_list_nothing_is_not_ready() {
        let synced = teams();
        synced.forbidden(Some("team-a"));
        synced.forbidden(Some("team-b"));
        assert!(!synced.is_ready());
        let everywhere = Synced::new(&[]);
        everywhere.forbidden(None);
        assert!(!everywhere.is_ready() && !everywhere.is_listed("team-a"));
        everywhere.listed(None);
        assert!(everywhere.is_ready() && everywhere.is_listed("team-a"));
    }

    #[test]
    fn a_refusal_is_logged_once_a_minute_for_each_namespace() {
        let (synced, start) = (teams(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(synced.may_log(Some("team-a"), at(0)));
        assert!(synced.may_log(Some("team-b"), at(1)));
        assert!(!synced.may_log(Some("team-a"), at(59)));
        assert!(synced.may_log(Some("team-a"), at(60)));
    }
}
