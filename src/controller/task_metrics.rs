//! Collects what the metrics of tasks show, at the moment of a scrape.
//!
//! The cache goes in, samples come out, in the order of namespaces and names. The cache is locked for one task at a time, and packed
//! records are read outside of the lock. Nothing is kept between two scrapes.

use super::cache::Cache;
use super::entry::Named;
use crate::state::TaskSample;
use std::collections::HashMap;

/// The tasks that are shown.
#[derive(Debug, Default)]
pub struct Collected {
    pub samples: Vec<TaskSample>,
    /// Number of tasks above the limit.
    pub left_out: usize,
}

/// What is shown of at most `limit` tasks. Where there are more, the namespaces with most tasks give way.
pub fn collect(cache: &Cache, limit: usize) -> Collected {
    let mut tasks = cache.names();
    tasks.sort_unstable();
    let known = tasks.len();
    if known > limit {
        keep_fair_share(&mut tasks, limit);
    }
    let shown = tasks.iter().filter_map(|task| cache.shown(&task.key)?.sample());
    Collected {
        samples: shown.collect(),
        left_out: known.saturating_sub(tasks.len()),
    }
}

/// Keeps the first tasks of each namespace, as many of each as the limit allows: a tenant with many tasks leaves out its own.
fn keep_fair_share(tasks: &mut Vec<Named>, limit: usize) {
    let mut counts: HashMap<Box<str>, usize> = HashMap::new();
    for task in &*tasks {
        let count = counts.entry(task.namespace.clone()).or_default();
        *count = count.saturating_add(1);
    }
    let share = fair_share(&counts.into_values().collect::<Vec<_>>(), limit);
    let mut kept: HashMap<Box<str>, usize> = HashMap::new();
    tasks.retain(|task| {
        let kept = kept.entry(task.namespace.clone()).or_default();
        *kept = kept.saturating_add(1);
        *kept <= share
    });
}

/// The greatest share with which namespaces that have so many tasks stay within the limit.
fn fair_share(counts: &[usize], limit: usize) -> usize {
    let (mut fits, mut exceeds) = (0, limit.saturating_add(1));
    while exceeds.saturating_sub(fits) > 1 {
        let share = fits.midpoint(exceeds);
        match counts.iter().map(|count| *count.min(&share)).sum::<usize>() <= limit {
            true => fits = share,
            false => exceeds = share,
        }
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::queue::Key;
    use crate::state::{RawTask, Seal, Source};
    use jiff::Timestamp;
    use serde_json::json;

    fn put(cache: &Cache, namespace: &str, name: &str, version: &str, succeeded: i64) -> Key {
        let uid = format!("{namespace}/{name}");
        let metadata = json!({"name": name, "namespace": namespace, "uid": uid, "resourceVersion": version, "generation": 1});
        let spec = json!({"schedule": "0 3 * * *", "jobTemplate": {}});
        let raw: RawTask = serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": {"succeeded": succeeded}})).unwrap();
        cache.put_task(raw, Source::Watch, Timestamp::UNIX_EPOCH);
        uid.as_str().into()
    }

    fn shown(cache: &Cache, limit: usize) -> (Vec<String>, usize) {
        let collected = collect(cache, limit);
        let names = collected
            .samples
            .iter()
            .map(|it| format!("{}/{} {}", it.namespace, it.task, it.slots[1]));
        (names.collect(), collected.left_out)
    }

    fn cache() -> Cache {
        Cache::new(Seal::alone(b"key"))
    }

    #[test]
    fn a_task_appears_changes_and_disappears() {
        let cache = cache();
        assert_eq!(shown(&cache, 10), (vec![], 0));
        let key = put(&cache, "n", "t", "1", 1);
        assert_eq!(shown(&cache, 10).0, ["n/t 1"]);
        put(&cache, "n", "t", "2", 2);
        assert_eq!(shown(&cache, 10).0, ["n/t 2"]);
        cache.remove_task(&key);
        assert_eq!(shown(&cache, 10), (vec![], 0));
    }

    #[test]
    fn a_task_at_rest_is_shown_and_stays_at_rest() {
        let cache = cache();
        let key = put(&cache, "n", "t", "1", 5);
        cache.rest(&key);
        assert!(cache.rests(&key));
        assert_eq!(shown(&cache, 10).0, ["n/t 5"]);
        assert!(cache.rests(&key));
    }

    #[test]
    fn above_the_limit_large_namespaces_give_way() {
        let cache = cache();
        for name in ["a", "b", "c", "d", "e"] {
            put(&cache, "large", name, "1", 0);
        }
        put(&cache, "small", "z", "1", 0);
        assert_eq!(shown(&cache, 6).1, 0);
        assert_eq!(
            shown(&cache, 3),
            (vec!["large/a 0".into(), "large/b 0".into(), "small/z 0".into()], 3)
        );
        assert_eq!(shown(&cache, 0), (vec![], 6));
    }

    #[test]
    fn shares_stay_within_the_limit() {
        assert_eq!(fair_share(&[5, 1], 3), 2);
        assert_eq!(fair_share(&[5, 5], 5), 2);
        assert_eq!(fair_share(&[1, 1, 1], 2), 0);
        assert_eq!(fair_share(&[], 2), 2);
    }
}
