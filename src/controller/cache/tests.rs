//! What the cache makes of words that come late, twice, or not at all.

use super::*;
use crate::plan::{Exit, Pods};
use serde_json::json;

const SLOT: &str = "2027-01-01T10:01:00Z";
const JOB: &str = "t-1798797660";

fn cache() -> Cache {
    Cache::new(Seal::alone(b"key"))
}

fn now() -> Timestamp {
    SLOT.parse().unwrap()
}

fn task(version: u64, status: serde_json::Value) -> RawTask {
    let spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": {}}});
    let metadata = json!({"name": "t", "namespace": "n", "uid": "task", "resourceVersion": version.to_string(), "generation": 1});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
}

fn job(end: Option<&str>) -> RawJob {
    let owner = json!([{"apiVersion": "punctual.dev/v1alpha1", "kind": "ScheduledTask", "name": "t", "uid": "task", "controller": true}]);
    let metadata =
        json!({"name": JOB, "namespace": "n", "uid": "job", "annotations": {"punctual.dev/slot": SLOT}, "ownerReferences": owner});
    let conditions: Vec<_> = end.into_iter().map(|kind| json!({"type": kind, "status": "True"})).collect();
    serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap()
}

/// A read does not find the Job.
fn is_gone(cache: &Cache) {
    cache.update(&"task".into(), now(), |record, seal| record.remove_job("job", seal, now()));
}

fn observed(cache: &Cache) -> Observed {
    cache.observe(&"task".into(), SLOT.parse().unwrap()).unwrap()
}

/// D2
#[test]
fn a_job_that_ended_and_was_deleted_between_two_looks_is_remembered_with_its_end() {
    let cache = cache();
    cache.put_task(task(1, active()), Source::Watch, now());
    cache.put_job(job(None), Source::Watch, now());
    cache.put_job(job(Some("Complete")), Source::Watch, now());
    cache.leave_watch("n", "task", "job", now());
    is_gone(&cache);
    let known = observed(&cache);
    assert_eq!(known.gone, ["job"]);
    assert!(known.jobs[0].object.end.as_ref().is_some_and(|end| end.succeeded));
    // Once the end is written, it is forgotten.
    cache.put_task(task(2, json!({"accountedUntil": SLOT})), Source::Watch, now());
    assert_eq!((observed(&cache).jobs.len(), observed(&cache).gone.len()), (0, 0));
}

#[test]
fn an_older_word_never_undoes_a_newer_one() {
    let cache = cache();
    let key: Key = "task".into();
    assert_eq!(
        cache.put_task(task(10, json!({"started": 2})), Source::Watch, now()),
        Put::News(key.clone())
    );
    assert_eq!(cache.put_task(task(9, json!({"started": 1})), Source::Watch, now()), Put::Old);
    assert_eq!(observed(&cache).task.status.started, 2);
    cache.put_job(job(None), Source::Watch, now());
    cache.update(&key, now(), |record, _| record.mark_deleting("job", SLOT.parse().unwrap()));
    cache.put_job(job(None), Source::Watch, now());
    let is_deleting = observed(&cache).jobs[0].object.deleting.is_some();
    assert!(is_deleting, "we deleted it; the watch has not caught up");
    cache.leave_watch("n", "task", "job", now());
    is_gone(&cache);
    assert_eq!(cache.put_job(job(None), Source::Watch, now()), None, "gone is gone");
}

fn active() -> serde_json::Value {
    json!({"accountedUntil": SLOT, "active": [{"slot": SLOT, "trigger": "Schedule", "attempt": 1, "job": JOB, "uid": "job"}]})
}

/// D2
#[test]
fn a_job_that_a_new_list_does_not_show_is_not_gone_before_somebody_asked_and_keeps_its_end() {
    let cache = cache();
    let seen = || (observed(&cache).jobs.len(), observed(&cache).gone.len());
    cache.put_task(task(1, active()), Source::Watch, now());
    cache.put_job(job(Some("Complete")), Source::Watch, now());
    assert_eq!(cache.keep_jobs(None, &HashSet::new(), now()), ["task".into()]);
    assert_eq!(seen(), (0, 0), "somebody has to look");
    cache.leave_watch("n", "task", "job", now());
    is_gone(&cache);
    assert_eq!(seen(), (1, 1));
    assert!(observed(&cache).jobs[0].object.end.as_ref().is_some_and(|end| end.succeeded));

    cache.put_task(task(2, json!({"accountedUntil": SLOT})), Source::Watch, now());
    assert_eq!(seen(), (0, 0));
}

/// D2
#[test]
fn a_job_that_a_new_list_does_not_show_still_proves_that_its_slot_was_started() {
    let cache = cache();
    let seen = || (observed(&cache).jobs.len(), observed(&cache).gone.len());
    cache.put_task(task(1, json!({})), Source::Watch, now());
    cache.put_job(job(None), Source::Created(now()), now());
    cache.keep_jobs(None, &HashSet::new(), now());
    assert_eq!(seen(), (1, 0), "its slot would be started again");
    cache.put_task(task(2, active()), Source::Watch, now());
    assert_eq!(seen(), (0, 0), "now somebody has to look");
    cache.put_job(job(None), Source::Get, now());
    assert_eq!(seen(), (1, 0), "it was there");
}

#[test]
fn how_containers_ended_is_asked_when_the_job_has_ended() {
    let cache = cache();
    let key: Key = "task".into();
    cache.put_task(task(1, active()), Source::Watch, now());
    cache.put_job(job(None), Source::Watch, now());
    // The look of pendingTimeout, at a container that runs.
    cache.update(&key, now(), |record, _| {
        record.set_pods("job", &Exit::Unknown, &Pods::Began(None), true, SLOT.parse().unwrap())
    });
    cache.put_job(job(Some("Failed")), Source::Watch, now());
    let job = observed(&cache).jobs.remove(0);
    assert_eq!((job.exit, job.pods), (Exit::NotAsked, Pods::Began(None)));
    let code = Exit::Known {
        code: Some(3),
        message: None,
    };
    cache.update(&key, now(), |record, _| {
        record.set_pods("job", &code, &Pods::Began(None), true, SLOT.parse().unwrap())
    });
    assert_eq!(observed(&cache).jobs[0].exit, code);
}

/// F21: the watch reports a Job as deleted from which somebody took our label.
#[test]
fn a_job_that_leaves_the_watch_is_not_gone_before_a_read() {
    let cache = cache();
    let key: Key = "task".into();
    cache.put_task(task(1, active()), Source::Watch, now());
    cache.put_job(job(None), Source::Watch, now());
    cache.leave_watch("n", "task", "job", now());
    assert_eq!((observed(&cache).jobs.len(), observed(&cache).gone.len()), (0, 0));
    let read = job(None).into_object();
    cache.update(&key, now(), |record, _| record.put_job(read, Source::Get, now()));
    let job = observed(&cache).jobs.remove(0);
    assert_eq!(
        (job.object.uid.as_str(), job.unwatched_since),
        ("job", Some(now())),
        "it is read now and then"
    );
}

/// F12: where a backup of etcd was restored, versions go back, and what was deleted is there again.
#[test]
fn a_new_list_is_the_truth_whatever_its_versions() {
    let cache = cache();
    let key: Key = "task".into();
    cache.put_task(task(90, active()), Source::Watch, now());
    cache.put_job(job(None), Source::Watch, now());
    cache.set_read_in("task", 7);
    cache.update(&key, now(), |record, _| record.mark_deleting("job", now()));
    is_gone(&cache);
    assert_eq!(
        cache.put_task(task(50, active()), Source::Watch, now()),
        Put::Old,
        "a watch may be late"
    );
    assert_eq!(cache.put_task(task(50, active()), Source::List, now()), Put::News(key.clone()));
    assert_eq!(observed(&cache).task.resource_version, "50");
    assert_eq!(cache.read_in(&key), 0, "it is read before a Job is created by it");
    cache.put_job(job(None), Source::List, now());
    let seen = observed(&cache);
    assert_eq!((seen.jobs.len(), seen.gone.len()), (1, 0));
    assert_eq!(seen.jobs[0].object.deleting, None);
}
