//! How long a status may be.
//!
//! The API server and etcd take 1.5 MiB as one object, of which the spec may have a third. A status with more would never be
//! written again, and nothing could say so. So what is said of many runs is cut, and what is cut ends with an ellipsis; no run is
//! forgotten.

use super::text::cut;
use crate::api::ScheduledTaskStatus;

/// Beyond this many active runs the messages are cut: 1,000 may be active, and all of them are one object.
const MANY: usize = 50;
/// Characters of a message where there are many.
const FEW_WORDS: usize = 40;
/// Exit codes of a run where there are many: the newest.
const FEW_CODES: usize = 5;
/// Bytes of all messages in the history; beyond, the older ones say little.
const MOST_WORDS: usize = 128 * 1024;

/// Cuts what would make the status too long.
pub fn limit(status: &mut ScheduledTaskStatus) {
    if status.active.len() > MANY {
        for run in &mut status.active {
            run.message = run.message.take().map(|message| cut(&message, FEW_WORDS));
            let older = run.exit_codes.len().saturating_sub(FEW_CODES);
            run.exit_codes.drain(..older);
        }
    }
    let mut bytes = 0;
    for run in &mut status.recent_runs {
        bytes += run.message.as_ref().map_or(0, String::len);
        if bytes > MOST_WORDS {
            run.message = run.message.take().map(|message| cut(&message, FEW_WORDS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ActiveRun, KeptJob, RunRecord, Trigger};
    use crate::plan::Reason;
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn the_longest_status_is_taken_by_the_api_server() {
        let words = Some("\u{10ffff}".repeat(1024));
        let (job, uid) = ("j".repeat(63), "u".repeat(36));
        let run = |n: i64| ActiveRun {
            slot: at(n),
            trigger: Trigger::Backfill,
            attempt: 101,
            job: job.clone(),
            uid: Some(uid.clone()),
            started: Some(at(n)),
            retry_at: Some(at(n)),
            exit_codes: vec![Some(-1_000_000); 101],
            termination: Some(crate::api::Termination {
                reason: Reason::PendingTimeout.to_string(),
                since: at(n),
                message: Some("x".repeat(100)),
            }),
            message: words.clone(),
        };
        let record = |n: i64| RunRecord {
            slot: at(n),
            first_slot: Some(at(n)),
            slots: i64::MAX,
            trigger: Trigger::Backfill,
            attempts: 101,
            outcome: "Succeeded".into(),
            reason: Reason::StartingDeadlineExceeded.to_string(),
            job: Some(job.clone()),
            started: Some(at(n)),
            finished: Some(at(n)),
            exit_code: Some(-1_000_000),
            exit_codes: vec![Some(-1_000_000); 101],
            message: words.clone(),
        };
        let kept = |n: usize| KeptJob {
            job: job.clone(),
            uid: format!("{n:036}"),
            succeeded: false,
        };
        let mut status = ScheduledTaskStatus {
            active: (0..1000).map(run).collect(),
            recent_runs: (0..100).map(record).collect(),
            kept_jobs: (0..200).map(kept).collect(),
            recent_run_seconds: vec![i64::MAX; crate::plan::durations::MOST_DURATIONS],
            ..ScheduledTaskStatus::default()
        };
        limit(&mut status);
        let bytes = serde_json::to_vec(&status).unwrap().len();
        // etcd takes 1.5 MiB, of which the spec may have a third.
        assert!(bytes < 1024 * 1024, "{bytes}");
        assert_eq!(status.active.len(), 1000, "no run is forgotten");
    }
}
