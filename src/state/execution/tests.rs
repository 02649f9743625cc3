//! A status that is not found: the task may be gone, or its CRD has no status subresource.

use super::*;
use crate::api::ScheduledTaskSpec;
use crate::plan::Task;
use serde_json::json;
use std::sync::Arc;

fn now() -> Timestamp {
    "2027-01-01T10:01:00Z".parse().unwrap()
}

fn not_found() -> Answer {
    Err(Failure::NotFound("the server could not find the requested resource".into()))
}

fn task(version: &str) -> Arc<Task> {
    let spec = ScheduledTaskSpec::read(&json!({"schedule": "* * * * *", "jobTemplate": {"spec": {}}})).unwrap();
    Arc::new(Task {
        resource_version: version.into(),
        ..Task::new("shop", "report", "task", now(), spec)
    })
}

fn record() -> Record {
    let mut record = Record::default();
    record.put_task(task("1"), now());
    record
}

fn status(started: i64) -> ScheduledTaskStatus {
    ScheduledTaskStatus {
        started,
        ..ScheduledTaskStatus::default()
    }
}

fn known(record: &Record) -> ScheduledTaskStatus {
    ScheduledTaskStatus::clone(&record.task().unwrap().status)
}

/// Writes a status that is not found, and takes in the answer to the read of the task.
fn write(record: &mut Record, started: i64, read: Answer) -> (Vec<Notice>, Progress) {
    let seal = Seal::alone(b"");
    let effect = Effect::WriteStatus {
        status: Box::new(status(started)),
        urgency: Urgency::Now,
        announcements: Vec::new(),
    };
    let mut execution = Execution::new(vec![effect], false);
    assert!(matches!(execution.next(record, &seal), Step::Send(Request::WriteStatus { .. })));
    assert_eq!(execution.answered(not_found(), record, &seal, now()), []);
    assert!(matches!(execution.next(record, &seal), Step::Send(Request::RefreshTask)));
    let notices = execution.answered(read, record, &seal, now());
    match execution.next(record, &seal) {
        Step::Finished(progress) => (notices, progress),
        Step::Send(request) => panic!("nothing is left to be sent: {request:?}"),
    }
}

#[test]
fn a_status_without_a_place_is_kept_in_memory() {
    let mut record = record();
    for (started, version) in [(1, "2"), (2, "3")] {
        let (_, progress) = write(&mut record, started, Ok(Reply::Done));
        assert_eq!((progress, known(&record)), (Progress::Done, status(started)));
        assert!(record.writes.crd_is_outdated());
        // The watch shows an edit of metadata, and the status is empty as ever.
        record.put_task(task(version), now());
        assert_eq!(known(&record), status(started));
    }
}

#[test]
fn a_status_without_a_place_is_warned_of_once() {
    let mut record = record();
    let (notices, _) = write(&mut record, 1, Ok(Reply::Done));
    let [Notice::StatusRefused, Notice::Warn(Reason::StatusRefused, message)] = &notices[..] else {
        panic!("{notices:?}")
    };
    assert!(message.contains("no status subresource"), "{message}");
    let (notices, _) = write(&mut record, 2, Ok(Reply::Done));
    assert_eq!(notices, [Notice::StatusRefused], "the same event is posted once");
}

#[test]
fn a_task_that_is_not_found_either_is_gone() {
    let (notices, progress) = write(&mut record(), 1, not_found());
    assert_eq!((notices, progress), (vec![Notice::TaskGone], Progress::Done));
}

#[test]
fn a_read_without_an_answer_leaves_open_whether_the_task_is_gone() {
    let mut record = record();
    let (notices, progress) = write(&mut record, 1, Err(Failure::Unanswered("no response".into())));
    assert_eq!(notices, []);
    assert!(matches!(progress, Progress::Failed(Failure::Unanswered(_))), "{progress:?}");
    assert_eq!(known(&record), status(0), "nothing was decided");
}
