//! The metrics of each task, in Prometheus' text format.
//!
//! Samples go in, text comes out in parts of a bounded size, so that a response never holds the whole text. Label values are escaped
//! and cut. Decides nothing about tasks.

use crate::state::TaskSample;
use std::fmt::{Display, Write};

/// Tasks whose lines of one metric make up a part.
const TASKS_PER_PART: usize = 500;
/// Bytes of a label value, before it is escaped. Names of objects are shorter; a schedule may be longer.
const MAX_LABEL: usize = 256;

/// A metric of tasks. Each has the labels `namespace` and `task`.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its labels after `namespace` and `task`.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
    /// `gauge` or `counter`.
    pub kind: &'static str,
    write: fn(&mut Lines<'_>, &TaskSample),
}

/// Every metric of tasks.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "punctual_task_info",
        labels: &["schedule", "timezone", "concurrency_policy", "suspended"],
        help: "The task and its schedule; always 1. suspended is true if no slot starts, because of the spec or of failures",
        kind: GAUGE,
        write: |lines, task| {
            let suspended = if task.is_suspended { "true" } else { "false" };
            let values = [&*task.schedule, &*task.time_zone, task.concurrency_policy, suspended];
            lines.add(task, &values, 1);
        },
    },
    Family {
        name: "punctual_task_next_run_timestamp_seconds",
        labels: &[],
        help: "When the next run starts, in unix seconds; absent if no slot is left",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.next_run),
    },
    Family {
        name: "punctual_task_last_schedule_timestamp_seconds",
        labels: &[],
        help: "The latest slot that was started, in unix seconds",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.last_schedule),
    },
    Family {
        name: "punctual_task_last_success_timestamp_seconds",
        labels: &[],
        help: "When a run last succeeded, in unix seconds; absent until one has",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.last_success),
    },
    Family {
        name: "punctual_task_active",
        labels: &[],
        help: "Active runs, including those that wait for a retry",
        kind: GAUGE,
        write: |lines, task| lines.add(task, &[], task.active),
    },
    Family {
        name: "punctual_task_active_since_timestamp_seconds",
        labels: &[],
        help: "When the first Job of the longest active run was created, in unix seconds; absent while no run is active",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.active_since),
    },
    Family {
        name: "punctual_task_typical_run_seconds",
        labels: &[],
        help: "Median duration of the last 20 runs that succeeded, with their retries; absent until five have",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.typical_run),
    },
    Family {
        name: "punctual_task_queued",
        labels: &[],
        help: "Slots and requests that wait for capacity",
        kind: GAUGE,
        write: |lines, task| lines.add(task, &[], task.queued),
    },
    Family {
        name: "punctual_task_consecutive_failures",
        labels: &[],
        help: "Failed runs since the last successful one",
        kind: GAUGE,
        write: |lines, task| lines.add(task, &[], task.consecutive_failures),
    },
    Family {
        name: "punctual_task_slots_total",
        labels: &["outcome"],
        help: "Slots and requested runs by outcome, as the status counts them; Retrying counts further attempts",
        kind: "counter",
        write: |lines, task| {
            for (outcome, count) in TaskSample::OUTCOMES.iter().zip(task.slots) {
                lines.add(task, &[outcome.as_str()], count);
            }
        },
    },
    Family {
        name: "punctual_task_condition",
        labels: &["condition", "reason"],
        help: "1 if the condition is True, 0 if it is False; absent if it is Unknown or not in the status",
        kind: GAUGE,
        write: |lines, task| {
            for condition in &task.conditions {
                lines.add(task, &[condition.kind, condition.reason], u8::from(condition.holds));
            }
        },
    },
    Family {
        name: "punctual_task_last_run_duration_seconds",
        labels: &[],
        help: "Duration of the newest run that succeeded or failed, with its retries; absent if runHistoryLimit is 0",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.last_run.and_then(|run| run.duration)),
    },
    Family {
        name: "punctual_task_last_run_start_delay_seconds",
        labels: &[],
        help: "Time from the slot of that run to the creation of its first Job, jitter and queue included; absent if it was requested",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.last_run.and_then(|run| run.start_delay)),
    },
    Family {
        name: "punctual_task_last_run_success",
        labels: &[],
        help: "1 if that run succeeded, 0 if it failed",
        kind: GAUGE,
        write: |lines, task| lines.add_known(task, task.last_run.map(|run| i64::from(run.is_success))),
    },
];

const GAUGE: &str = "gauge";

/// The metrics of tasks at one moment.
#[derive(Debug, Default)]
pub struct TaskSeries {
    samples: Vec<TaskSample>,
}

impl TaskSeries {
    /// Of these tasks.
    #[must_use]
    pub fn new(samples: Vec<TaskSample>) -> Self {
        Self { samples }
    }

    /// Part `number` of the text, from 0: whole lines. Nothing after the last part.
    #[must_use]
    pub fn part(&self, number: usize) -> Option<String> {
        let blocks = self.samples.len().div_ceil(TASKS_PER_PART);
        let family = FAMILIES.get(number.checked_div(blocks)?)?;
        let block = number.checked_rem(blocks)?;
        let mut lines = Lines {
            family,
            text: String::new(),
        };
        if block == 0 {
            lines.describe();
        }
        for task in self.samples.chunks(TASKS_PER_PART).nth(block)? {
            (family.write)(&mut lines, task);
        }
        Some(lines.text)
    }
}

/// Lines of one metric. Writing to a string never fails.
struct Lines<'a> {
    family: &'a Family,
    text: String,
}

impl Lines<'_> {
    fn describe(&mut self) {
        let Family { name, help, kind, .. } = self.family;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A line with these values of the metric's own labels. A label without a value is left out, which means the same.
    fn add(&mut self, task: &TaskSample, values: &[&str], value: impl Display) {
        self.text.push_str(self.family.name);
        self.text.push('{');
        let own = self.family.labels.iter().copied().zip(values.iter().copied());
        for (label, value) in [("namespace", &*task.namespace), ("task", &*task.task)].into_iter().chain(own) {
            if value.is_empty() {
                continue;
            }
            if !self.text.ends_with('{') {
                self.text.push(',');
            }
            self.text.push_str(label);
            self.text.push_str("=\"");
            push_value(&mut self.text, value);
            self.text.push('"');
        }
        let _ = writeln!(self.text, "}} {value}");
    }

    fn add_known(&mut self, task: &TaskSample, value: Option<i64>) {
        if let Some(value) = value {
            self.add(task, &[], value);
        }
    }
}

/// Appends a label value, cut and escaped.
fn push_value(text: &mut String, value: &str) {
    let cut = value.floor_char_boundary(MAX_LABEL);
    let shown = value.get(..cut).unwrap_or_default();
    for character in shown.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    if shown.len() < value.len() {
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{ConditionSample, LastRun};

    fn sample(task: &str) -> TaskSample {
        TaskSample {
            namespace: "n".into(),
            task: task.into(),
            schedule: "0 3 * * *".into(),
            time_zone: "UTC".into(),
            concurrency_policy: "Allow",
            is_suspended: false,
            next_run: Some(1_798_797_600),
            last_schedule: None,
            last_success: None,
            active: 1,
            active_since: Some(1_798_797_000),
            typical_run: Some(75),
            queued: 0,
            consecutive_failures: 2,
            slots: [3, 1, 2, 0, 0, 0, 4],
            last_run: Some(LastRun {
                duration: Some(90),
                start_delay: Some(2),
                is_success: false,
            }),
            conditions: [ConditionSample {
                kind: "Ready",
                reason: "Accepted",
                holds: true,
            }]
            .into(),
        }
    }

    fn text(samples: Vec<TaskSample>) -> String {
        let series = TaskSeries::new(samples);
        (0..).map_while(|number| series.part(number)).collect()
    }

    #[test]
    fn a_task_is_shown_in_the_text_format() {
        let text = text(vec![sample("t")]);
        for line in [
            "# TYPE punctual_task_info gauge",
            r#"punctual_task_info{namespace="n",task="t",schedule="0 3 * * *",timezone="UTC",concurrency_policy="Allow",suspended="false"} 1"#,
            r#"punctual_task_next_run_timestamp_seconds{namespace="n",task="t"} 1798797600"#,
            r#"punctual_task_active{namespace="n",task="t"} 1"#,
            r#"punctual_task_active_since_timestamp_seconds{namespace="n",task="t"} 1798797000"#,
            r#"punctual_task_typical_run_seconds{namespace="n",task="t"} 75"#,
            r#"punctual_task_consecutive_failures{namespace="n",task="t"} 2"#,
            "# TYPE punctual_task_slots_total counter",
            r#"punctual_task_slots_total{namespace="n",task="t",outcome="Retrying"} 4"#,
            r#"punctual_task_condition{namespace="n",task="t",condition="Ready",reason="Accepted"} 1"#,
            r#"punctual_task_last_run_duration_seconds{namespace="n",task="t"} 90"#,
            r#"punctual_task_last_run_start_delay_seconds{namespace="n",task="t"} 2"#,
            r#"punctual_task_last_run_success{namespace="n",task="t"} 0"#,
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
        }
        assert!(
            !text.contains("\npunctual_task_last_success_timestamp_seconds{"),
            "it never succeeded"
        );
    }

    #[test]
    fn label_values_are_escaped_and_cut() {
        let mut odd = sample("t");
        odd.schedule = "\"a\\b\"\n{} ü".into();
        odd.time_zone = "ü".repeat(1_000).into();
        odd.concurrency_policy = "";
        let text = text(vec![odd]);
        let info = text.lines().find(|line| line.starts_with("punctual_task_info{")).unwrap();
        let zone = format!("{}…", "ü".repeat(MAX_LABEL / 2));
        let expected =
            format!(r#"punctual_task_info{{namespace="n",task="t",schedule="\"a\\b\"\n{{}} ü",timezone="{zone}",suspended="false"}} 1"#);
        assert_eq!(info, expected);
    }

    #[test]
    fn the_lines_of_a_metric_are_one_group() {
        let tasks = TASKS_PER_PART * 2 + 1;
        let text = text((0..tasks).map(|number| sample(&format!("t{number}"))).collect());
        let names = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split('{').next());
        let mut groups: Vec<&str> = names.collect();
        assert_eq!(groups.iter().filter(|name| **name == "punctual_task_active").count(), tasks);
        groups.dedup();
        groups.sort_unstable();
        let found = groups.len();
        groups.dedup();
        assert_eq!(found, groups.len(), "{groups:?}");
        assert_eq!(text.matches("# TYPE ").count(), FAMILIES.len());
    }

    #[test]
    fn without_tasks_there_is_no_text() {
        assert_eq!(text(Vec::new()), "");
    }
}
