//! What the pods of a Job say, in the plan's types.
//!
//! Pods as they were listed go in; `Exit` and `Pods` come out. The rules are in `state::pods`; this file only translates, and never
//! asks for pods.

use crate::plan::{Exit, Pods};
use crate::state::pods::{JobState, RawPod, report};

/// How the container that decided ended. A Job whose end no program decided has no exit code, and none that could be shown.
pub fn exit(pods: &[RawPod]) -> Exit {
    let ended = JobState::Failed { reason: "", message: "" };
    let termination = report(ended, pods).exit;
    let known = termination.and_then(|termination| Some((termination.exit_code?, termination.sentence())));
    known.map_or(Exit::Unknown, |(code, sentence)| Exit::Known {
        code,
        message: Some(sentence),
    })
}

/// Whether any container of the Job's work has begun, and if not, what it waits for.
pub fn progress(pods: &[RawPod]) -> Pods {
    let report = report(JobState::Active, pods);
    if report.progress.began {
        return Pods::Began;
    }
    Pods::Waiting(report.summary().unwrap_or_else(|| "its pod does not say why".into()))
}
