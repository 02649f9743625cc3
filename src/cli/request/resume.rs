//! `punctual resume`: requests the end of a suspension by failures, and with `--spec` sets `spec.suspend` to false.
//!
//! Says which of the two suspensions is lifted and which remains.

use super::annotate::{Changed, change_each, new_value, patch};
use crate::api::RESUME;
use crate::cli::argument;
use crate::cli::cluster::{self, Cluster, Target};
use crate::cli::output::Format;
use crate::cli::task::Task;
use anyhow::Result;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Resume {
    /// Names of the tasks
    #[arg(value_name = "NAME", value_parser = argument::task_name, required = true)]
    names: Vec<String>,
    /// Also set spec.suspend to false
    #[arg(long)]
    spec: bool,
    /// Print the objects
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    pub target: Target,
}

/// Requests the end of a suspension by failures.
pub fn resume(args: &Resume) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        change_each(&args.names, args.output, async |name| resume_one(&cluster, name, args.spec).await).await
    })
}

async fn resume_one(cluster: &Cluster, name: &str, spec: bool) -> Result<Changed> {
    let before = Task::of(cluster.task(name).await?);
    let annotations = json!({RESUME: new_value()});
    let change = match (spec && is_suspended_by_author(&before), before.is_suspended_by_failures()) {
        // There is nothing that the operator could be asked to lift.
        (true, false) => json!({"spec": {"suspend": false}}),
        (true, true) => json!({"metadata": {"annotations": annotations}, "spec": {"suspend": false}}),
        (false, _) => json!({"metadata": {"annotations": annotations}}),
    };
    let object = patch(cluster, name, change).await?;
    let Lifted { done, left } = lifted(&before, spec);
    Ok(Changed {
        object,
        done: done.to_owned(),
        warning: left,
    })
}

/// What a request lifts, and what it does not.
#[derive(Debug, PartialEq, Eq)]
struct Lifted {
    done: &'static str,
    left: Option<String>,
}

fn is_suspended_by_author(task: &Task) -> bool {
    task.fields.as_ref().is_some_and(|fields| fields.suspend)
}

/// As far as the task shows before the request.
fn lifted(task: &Task, spec: bool) -> Lifted {
    let by_failures = task.is_suspended_by_failures();
    let by_author = is_suspended_by_author(task);
    let done = match (by_failures, by_author && spec) {
        (true, true) => "resumed: spec.suspend is false, and the end of the suspension by failures is requested",
        (false, true) => "resumed: spec.suspend is false",
        (_, false) => "resume requested",
    };
    let left = if by_author && !spec {
        let name = &task.name;
        Some(format!(
            "still suspended, because spec.suspend is true: to end that, too: punctual resume {name} --spec"
        ))
    } else if !by_failures && !by_author && task.status.is_some() {
        Some("not suspended: there is nothing to resume".to_owned())
    } else {
        None
    };
    Lifted { done, left }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};

    #[test]
    fn resume_says_what_it_lifts_and_what_remains() {
        let failures = json!({"consecutiveFailures": 3, "conditions": [condition("Suspended", "True", "TooManyFailures")]});
        let running = json!({"conditions": [condition("Suspended", "False", "NotSuspended")]});
        let remains = Some("still suspended, because spec.suspend is true: to end that, too: punctual resume x --spec");
        for (suspend, status, spec, done, left) in [
            (false, &failures, false, "resume requested", None),
            (false, &json!(null), false, "resume requested", None),
            (
                false,
                &running,
                false,
                "resume requested",
                Some("not suspended: there is nothing to resume"),
            ),
            (true, &running, false, "resume requested", remains),
            (true, &running, true, "resumed: spec.suspend is false", None),
        ] {
            let task = task("x", json!({"suspend": suspend}), status.clone());
            let left = left.map(str::to_owned);
            assert_eq!(lifted(&task, spec), Lifted { done, left }, "{suspend} {status} {spec}");
        }
    }

    /// The condition names the author's suspension only; the counters show that of the failures.
    #[test]
    fn both_suspensions_are_lifted_together() {
        let status = json!({"consecutiveFailures": 3, "conditions": [condition("Suspended", "True", "Suspended")]});
        let task = task("x", json!({"suspend": true, "suspendAfterFailures": 3}), status);
        let lifted = lifted(&task, true);
        assert_eq!(
            lifted.done,
            "resumed: spec.suspend is false, and the end of the suspension by failures is requested"
        );
        assert_eq!(lifted.left, None);
    }
}
