//! What a restored etcd and an old list leave of a record.

use super::*;
use crate::api::{ActiveRun, ScheduledTaskSpec, ScheduledTaskStatus, Trigger};
use crate::plan::JobEnd;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

const SLOT: &str = "2027-01-01T10:01:00Z";
const JOB: &str = "report-1798797660";

fn now() -> Timestamp {
    SLOT.parse().unwrap()
}

fn seal() -> Seal {
    let mut seal = Seal::alone(b"");
    seal.share("uid");
    seal
}

fn task(version: u64, names_the_job: bool) -> Arc<Task> {
    let spec = ScheduledTaskSpec::read(&json!({"schedule": "* * * * *", "jobTemplate": {"spec": {}}})).unwrap();
    let created = now() - jiff::SignedDuration::from_hours(1);
    let run = ActiveRun {
        slot: Time(now()),
        trigger: Trigger::Schedule,
        attempt: 1,
        job: JOB.into(),
        uid: Some("job".into()),
        started: Some(Time(now())),
        retry_at: None,
        exit_codes: Vec::new(),
        termination: None,
        message: None,
    };
    let until = now() - jiff::SignedDuration::from_mins(1);
    Arc::new(Task {
        resource_version: version.to_string(),
        status: Arc::new(ScheduledTaskStatus {
            schedule_since: Some(Time(created)),
            accounted_until: Some(Time(if names_the_job { now() } else { until })),
            active: if names_the_job { vec![run] } else { Vec::new() },
            ..ScheduledTaskStatus::default()
        }),
        ..Task::new("shop", "report", "task", created, spec)
    })
}

fn job(failed: bool) -> JobObject {
    JobObject {
        name: JOB.into(),
        uid: "job".into(),
        version: "1".into(),
        slot: Some(now()),
        trigger: Trigger::Schedule,
        attempt: 1,
        mark: Some(seal().mark("task", JOB)),
        created: now(),
        began: None,
        suspended: false,
        ready: false,
        deleting: None,
        failing: None,
        end: failed.then(|| JobEnd {
            succeeded: false,
            at: now(),
            reason: "BackoffLimitExceeded".into(),
            message: String::new(),
        }),
    }
}

fn seen(record: &Record) -> Option<(bool, bool)> {
    let observed = record.observe(now(), &seal()).unwrap();
    let job = observed.jobs.first()?;
    Some((job.object.end.is_some(), job.object.deleting.is_some()))
}

/// F12: the Job that had ended and was deleted goes on in the restored cluster.
#[test]
fn a_new_list_takes_back_an_end_and_a_deletion() {
    let mut record = Record::default();
    record.put_task(task(5, true), now());
    record.put_job(job(true), Source::Watch, now());
    record.mark_deleting("job", now());
    assert_eq!(seen(&record), Some((true, true)));
    record.put_job(job(false), Source::Watch, now());
    assert_eq!(seen(&record), Some((true, true)), "a watch may be late");
    record.put_job(job(false), Source::List, now());
    assert_eq!(seen(&record), Some((false, false)));
}

/// F12: runs of a future that did not happen are not tried again, all at once.
#[test]
fn a_ledger_that_went_back_forgets_how_unknown_runs_failed() {
    for (version, keeps_the_end) in [(4, false), (6, true)] {
        let mut record = Record::default();
        record.put_task(task(5, false), now());
        record.put_job(job(true), Source::Watch, now());
        record.keep_jobs(|_| false, &seal(), now());
        record.list_task(task(version, false), now());
        assert_eq!(
            seen(&record),
            Some((keeps_the_end, false)),
            "the slot was started, list of version {version}"
        );
    }
}

#[test]
fn what_the_pods_said_of_a_job_that_no_list_shows_is_not_lost() {
    let mut record = Record::default();
    record.put_task(task(5, false), now());
    record.put_job(job(true), Source::Watch, now());
    record.keep_jobs(|_| false, &seal(), now());
    record.set_pods("job", &Exit::Unknown, &Pods::Waiting(String::new()), true, now());
    let observed = record.observe(now(), &seal()).unwrap();
    assert_eq!(observed.jobs[0].exit, Exit::Unknown, "it would be asked again and again");
}

/// A Job that is resumed before its controller has said that it was suspended.
#[test]
fn a_resumed_job_waits_until_its_controller_begins_with_it() {
    let mut record = Record::default();
    record.put_task(task(5, true), now());
    let suspended = |record: &Record| record.observe(now(), &seal()).unwrap().jobs[0].object.suspended;
    let held = JobObject {
        suspended: true,
        ..job(false)
    };
    record.put_job(held, Source::Watch, now());
    record.put_job(job(false), Source::Watch, now());
    assert!(suspended(&record), "nobody has begun with it");
    let begun = JobObject {
        began: Some(now()),
        ..job(false)
    };
    record.put_job(begun, Source::Watch, now());
    assert!(!suspended(&record));
}

/// A status with these counters; an older CRD drops `acceptedGeneration`.
fn status(started: i64, accepted: Option<i64>) -> ScheduledTaskStatus {
    ScheduledTaskStatus {
        started,
        accepted_generation: accepted,
        ..ScheduledTaskStatus::clone(&task(1, false).status)
    }
}

/// The task that comes back, or that the watch shows.
fn version_with(version: u64, status: &ScheduledTaskStatus) -> Arc<Task> {
    Arc::new(Task {
        status: Arc::new(status.clone()),
        ..Task::clone(&task(version, false))
    })
}

fn known_status(record: &Record) -> ScheduledTaskStatus {
    ScheduledTaskStatus::clone(&record.task().unwrap().status)
}

#[test]
fn the_status_of_another_writer_is_not_taken_for_pruning() {
    let (ours, theirs) = (status(1, Some(1)), status(2, None));
    let mut record = Record::default();
    record.put_task(version_with(5, &ours), now());
    // Somebody else wrote between our answer and its comparison.
    record.put_task(version_with(6, &theirs), now());
    record.keep_written(ours.clone(), "5", &Arc::new(ours), now());
    assert!(!record.writes.crd_is_outdated());
    assert_eq!(known_status(&record), theirs, "what was written last is read");
}

#[test]
fn what_an_older_crd_dropped_survives_a_write_of_metadata() {
    let (sent, kept) = (status(1, Some(1)), status(1, None));
    let mut record = Record::default();
    record.put_task(version_with(5, &kept), now());
    // An annotation was set before the answer was compared: the status is the pruned one.
    record.put_task(version_with(6, &kept), now());
    record.keep_written(sent.clone(), "5", &Arc::new(kept), now());
    assert!(record.writes.crd_is_outdated());
    assert_eq!(known_status(&record), sent);
}

#[test]
fn two_statuses_that_come_back_alike_are_told_apart() {
    let (first, second, kept) = (status(1, Some(1)), status(1, Some(2)), status(1, None));
    let mut record = Record::default();
    record.put_task(version_with(5, &kept), now());
    record.keep_written(first, "5", &Arc::new(kept.clone()), now());
    // A write that changes nothing for the API server keeps the version.
    record.keep_written(second.clone(), "5", &Arc::new(kept.clone()), now());
    assert_eq!(known_status(&record), second);
    record.put_task(version_with(6, &kept), now());
    assert_eq!(known_status(&record), second, "the watch shows what came back");
}
