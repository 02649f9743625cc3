//! What is scheduled, in words that fit both schedulers, and its manifests for each.
//!
//! Input: a number of tasks, their slots, policy and Jobs. Output: manifests of ScheduledTasks or CronJobs. Never talks to a cluster.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::peer::Peer;

/// What a task does while an earlier run is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    Allow,
    Forbid,
    Replace,
    Queue,
}

impl Policy {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Allow => "Allow",
            Policy::Forbid => "Forbid",
            Policy::Replace => "Replace",
            Policy::Queue => "Queue",
        }
    }
}

/// When the tasks of a workload are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// All tasks at each of these slots, once.
    Slots(Vec<Timestamp>),
    /// As many tasks as slots: each task at its own.
    OwnSlot(Vec<Timestamp>),
    /// All tasks at so many slots, one a minute, from the first on. A session is shorter than an hour, so the expression may name more
    /// instants of the day than these.
    EveryMinute { first: Timestamp, minutes: u32 },
    /// Not while the benchmark runs.
    Never,
}

/// What the Jobs are. None has pods: schedulers are measured, not nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Suspended for ever.
    Suspended,
    /// Needs no pod to be complete, so the Job controller completes it at once.
    Empty,
    /// Suspended until [`COMPLETE_JOB`] is applied.
    CompletedLater,
}

/// The patch that completes a Job of [`JobKind::CompletedLater`]: an indexed Job may lose all its indexes.
pub const COMPLETE_JOB: &str = r#"{"spec":{"completions":0,"parallelism":0,"suspend":false}}"#;

/// Tasks of one kind in a namespace of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub namespace: String,
    pub tasks: usize,
    pub policy: Policy,
    pub when: When,
    pub job: JobKind,
    /// Number of finished Jobs that are kept.
    pub history: u32,
    /// Size of an additional environment variable of the template, in bytes.
    pub padding: usize,
}

impl Workload {
    /// Suspended Jobs under `Allow`, never due.
    pub fn new(namespace: impl Into<String>, tasks: usize) -> Workload {
        Workload {
            namespace: namespace.into(),
            tasks,
            policy: Policy::Allow,
            when: When::Never,
            job: JobKind::Suspended,
            history: 3,
            padding: 0,
        }
    }

    /// The manifests for one scheduler. Fails where a CronJob cannot say the same.
    pub fn manifests(&self, peer: Peer) -> Result<Vec<Value>> {
        let shared = match (&self.when, peer) {
            (When::OwnSlot(slots), _) => {
                ensure!(slots.len() == self.tasks, "{} tasks for {} slots", self.tasks, slots.len());
                None
            }
            (when, peer) => Some(schedules(when, peer)?),
        };
        (0..self.tasks)
            .map(|number| {
                let schedules = match (&shared, &self.when) {
                    (Some(shared), _) => shared.clone(),
                    (None, When::OwnSlot(slots)) => schedules(&When::Slots(slots.get(number).copied().into_iter().collect()), peer)?,
                    (None, _) => bail!("a task without a schedule"),
                };
                Ok(self.manifest(peer, number, &schedules))
            })
            .collect()
    }

    fn manifest(&self, peer: Peer, number: usize, schedules: &[String]) -> Value {
        let (api_version, kind) = match peer {
            Peer::Ours => ("punctual.dev/v1alpha1", "ScheduledTask"),
            _ => ("batch/v1", "CronJob"),
        };
        let mut spec = json!({
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": self.policy.name(),
            "successfulJobsHistoryLimit": self.history,
            "jobTemplate": {"spec": self.job_spec()},
        });
        match schedules {
            [one] => spec["schedule"] = json!(one),
            several => {
                spec["schedules"] = json!(several);
                // On a slow machine a slot may come while the one before it is being started. Each of them counts.
                spec["missedRunPolicy"] = json!("All");
            }
        }
        json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": format!("task-{number:05}"), "namespace": self.namespace},
            "spec": spec,
        })
    }

    /// The spec of the Jobs.
    pub fn job_spec(&self) -> Value {
        let mut container = json!({"name": "main", "image": "example.com/none:1", "command": ["true"]});
        if self.padding > 0 {
            container["env"] = json!([{"name": "PADDING", "value": "x".repeat(self.padding)}]);
        }
        let mut spec = json!({
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        });
        match self.job {
            JobKind::Suspended => spec["suspend"] = json!(true),
            JobKind::Empty => spec["completions"] = json!(0),
            JobKind::CompletedLater => {
                spec["suspend"] = json!(true);
                spec["completionMode"] = json!("Indexed");
                spec["completions"] = json!(1);
                spec["parallelism"] = json!(1);
            }
        }
        spec
    }
}

fn schedules(when: &When, peer: Peer) -> Result<Vec<String>> {
    let expressions: Vec<String> = match when {
        When::Slots(slots) => slots.iter().map(|slot| at(*slot, peer)).collect::<Result<_>>()?,
        When::EveryMinute { first, minutes } => vec![every_minute(*first, *minutes, peer)?],
        When::Never => vec!["0 0 29 2 *".to_owned()],
        When::OwnSlot(_) => bail!("each task has a schedule of its own"),
    };
    if peer != Peer::Ours && expressions.len() != 1 {
        bail!("a CronJob has one schedule, not {}", expressions.len());
    }
    Ok(expressions)
}

/// A slot as an expression that names this one alone within the year.
fn at(slot: Timestamp, peer: Peer) -> Result<String> {
    let local: DateTime = Offset::UTC.to_datetime(slot);
    let fields = format!("{} {} {} {} *", local.minute(), local.hour(), local.day(), local.month());
    with_second(u32::try_from(local.second())?, &fields, peer)
}

/// One expression for slots a minute apart. If they cross an hour it names minutes of both hours, of which those that are no slots are in
/// the past or an hour away.
fn every_minute(first: Timestamp, minutes: u32, peer: Peer) -> Result<String> {
    ensure!(minutes <= 50, "{minutes} minutes are too many for one expression");
    let local = |minute: u32| Offset::UTC.to_datetime(first + SignedDuration::from_mins(minute.into()));
    let list = |field: fn(DateTime) -> i8| {
        let values: BTreeSet<i8> = (0..minutes).map(|minute| field(local(minute))).collect();
        let texts: Vec<String> = values.iter().map(i8::to_string).collect();
        texts.join(",")
    };
    let fields = format!("{} {} * * *", list(DateTime::minute), list(DateTime::hour));
    with_second(u32::try_from(local(0).second())?, &fields, peer)
}

fn with_second(second: u32, fields: &str, peer: Peer) -> Result<String> {
    match (peer, second) {
        (Peer::Ours, second) => Ok(format!("{second} {fields}")),
        (_, 0) => Ok(fields.to_owned()),
        (_, second) => bail!("a CronJob is due at whole minutes, not at second {second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn both_schedulers_get_the_same_work() {
        let workload = Workload {
            policy: Policy::Forbid,
            when: When::Slots(vec![slot("2026-11-26T13:05:00Z")]),
            ..Workload::new("herd", 2)
        };
        let (ours, theirs) = (
            workload.manifests(Peer::Ours).unwrap(),
            workload.manifests(Peer::CronJobTuned).unwrap(),
        );
        assert_eq!(ours[1]["spec"]["schedule"], "0 5 13 26 11 *");
        assert_eq!(theirs[1]["spec"]["schedule"], "5 13 26 11 *");
        for field in ["concurrencyPolicy", "jobTemplate", "timeZone", "successfulJobsHistoryLimit"] {
            assert_eq!(ours[1]["spec"][field], theirs[1]["spec"][field], "{field}");
        }
        assert_eq!((&ours[1]["kind"], &theirs[1]["kind"]), (&json!("ScheduledTask"), &json!("CronJob")));
        assert_eq!(ours[1]["metadata"], theirs[1]["metadata"]);
    }

    #[test]
    fn a_cronjob_has_no_seconds_and_one_schedule() {
        let odd = Workload {
            when: When::Slots(vec![slot("2026-11-26T13:05:07Z")]),
            ..Workload::new("herd", 1)
        };
        assert!(odd.manifests(Peer::CronJobDefault).is_err());
        assert!(odd.manifests(Peer::Ours).is_ok());
        let several = Workload {
            when: When::Slots(vec![slot("2026-11-26T13:05:00Z"), slot("2026-11-26T13:06:00Z")]),
            ..odd
        };
        assert!(several.manifests(Peer::CronJobDefault).is_err());
        let ours = several.manifests(Peer::Ours).unwrap();
        assert_eq!(ours[0]["spec"]["schedules"], json!(["0 5 13 26 11 *", "0 6 13 26 11 *"]));
        assert_eq!(ours[0]["spec"]["missedRunPolicy"], "All");
    }

    #[test]
    fn each_task_may_have_its_own_slot() {
        let workload = Workload {
            when: When::OwnSlot(vec![slot("2026-11-26T13:05:01Z"), slot("2026-11-26T13:05:02Z")]),
            ..Workload::new("lone", 2)
        };
        let manifests = workload.manifests(Peer::Ours).unwrap();
        assert_eq!(manifests[0]["spec"]["schedule"], "1 5 13 26 11 *");
        assert_eq!(manifests[1]["spec"]["schedule"], "2 5 13 26 11 *");
        assert!(Workload { tasks: 3, ..workload }.manifests(Peer::Ours).is_err());
    }

    #[test]
    fn every_minute_may_cross_an_hour() {
        let workload = Workload {
            when: When::EveryMinute {
                first: slot("2026-11-26T13:58:10Z"),
                minutes: 4,
            },
            ..Workload::new("steady", 1)
        };
        assert_eq!(
            workload.manifests(Peer::Ours).unwrap()[0]["spec"]["schedule"],
            "10 0,1,58,59 13,14 * * *"
        );
        assert!(workload.manifests(Peer::CronJobTuned).is_err());
    }

    #[test]
    fn padding_enlarges_the_template() {
        let padded = Workload {
            padding: 4096,
            ..Workload::new("large", 1)
        };
        assert!(padded.job_spec().to_string().len() > 4096);
        assert!(Workload::new("small", 1).job_spec().to_string().len() < 400);
    }
}
