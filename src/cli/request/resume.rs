//! `punctual resume`: requests the end of a suspension by failures.

use super::annotate::{annotate, exit_code, new_value, print_line, print_objects};
use crate::api::RESUME;
use crate::cli::cluster::{self, Target};
use crate::cli::output::{self, Format};
use crate::cli::task::Task;
use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub struct Resume {
    /// Names of the tasks
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Print the objects
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    target: Target,
}

/// Requests the end of a suspension by failures.
pub fn resume(args: &Resume) -> Result<ExitCode> {
    cluster::block_on(async {
        let cluster = args.target.connect().await?;
        let mut objects = Vec::new();
        let mut failed = false;
        for name in &args.names {
            let name = cluster::bare_name(name);
            match annotate(&cluster, name, RESUME, &new_value()).await {
                Ok(object) => {
                    print_line(args.output, &format!("{} resume requested", cluster::full_name(name)))?;
                    if let Some(warning) = nothing_to_resume(&Task::of(object.clone())) {
                        output::print_error(&format!("warning: {name}: {warning}"));
                    }
                    objects.push(object);
                }
                Err(error) => {
                    failed = true;
                    cluster::print_error(&error);
                }
            }
        }
        print_objects(args.output, objects)?;
        Ok(exit_code(failed))
    })
}

/// Why the request has no effect, as far as the status shows.
fn nothing_to_resume(task: &Task) -> Option<&'static str> {
    if task.fields.as_ref().is_some_and(|fields| fields.suspend) {
        return Some("spec.suspend is true, which resume does not change: set it to false");
    }
    (task.status.is_some() && task.suspended().is_none()).then_some("not suspended by failures: there is nothing to resume")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::task::tests::{condition, task};
    use serde_json::{Value, json};

    #[test]
    fn resume_warns_if_there_is_nothing_to_resume() {
        let of = |spec: Value, status: Value| nothing_to_resume(&task("x", spec, status));
        let paused = json!({"conditions": [condition("Suspended", "True", "TooManyFailures")]});
        assert_eq!(of(json!({}), paused), None);
        assert_eq!(of(json!({}), json!(null)), None);
        let running = json!({"conditions": [condition("Suspended", "False", "NotSuspended")]});
        assert!(of(json!({}), running).unwrap().contains("nothing to resume"));
        assert!(of(json!({"suspend": true}), json!({})).unwrap().contains("spec.suspend is true"));
    }
}
