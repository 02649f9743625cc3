//! What the pods of a Job say, in the plan's types.
//!
//! Pods as they were listed go in, an answer comes out. The rules are in `state::pods`; this file only translates.

use crate::plan::{Exit, JobState, Pods};
use crate::state::Reply;
use crate::state::pods::{self, RawPod, report};

/// What these pods say of a Job that stands so.
pub fn said(state: &JobState, listed: &[RawPod]) -> Reply {
    let state = match state {
        JobState::Active => pods::JobState::Active,
        JobState::Failed { reason, message } => pods::JobState::Failed { reason, message },
        JobState::Terminating => pods::JobState::Terminating,
    };
    let report = report(state, listed);
    let exit = report.exit.as_ref().map_or(Exit::Unknown, |termination| Exit::Known {
        code: termination.exit_code,
        message: Some(termination.sentence()),
    });
    let summary = report.summary();
    Reply::Pods {
        exit,
        pods: match report.progress.began {
            true => Pods::Began(summary),
            false => Pods::Waiting(summary.unwrap_or_else(|| "its pod does not say why".into())),
        },
        is_final: report.is_complete,
    }
}
