//! Messages to send, and sinks to send them with.

use punctual::notify::{Message, Sink, SinkConfig, SinkKind, Subject, Timeouts, What};
use serde_json::json;
use std::time::Duration;

/// The name of the installation.
pub const SOURCE: &str = "https://cluster.test/punctual";

/// A message about the run of a minute.
pub fn message(what: What, task: &str, minute: i64) -> Message {
    let time = jiff::Timestamp::from_second(1_795_658_400 + minute * 60).expect("a time");
    let run = json!({
        "slot": time.to_string(), "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": what.as_str(), "reason": "JobFailed",
        "job": format!("{task}-{minute}"), "exitCode": 3,
    });
    Message {
        what,
        subject: Subject {
            namespace: "prod".into(),
            name: task.into(),
            uid: format!("uid-of-{task}"),
        },
        id: format!("uid-of-{task}/{minute}/{}", what.as_str()),
        sequence: Some(minute + 1),
        slots: 1,
        time,
        is_repeat: false,
        reason: "JobFailed".into(),
        text: "disk full".into(),
        run: Some(serde_json::from_value(run).expect("a run")),
        lost: Vec::new(),
    }
}

/// Failures of one task.
pub fn failures(count: i64) -> Vec<Message> {
    (0..count).map(|minute| message(What::Failed, "report", minute)).collect()
}

/// A sink that waits no longer than a test can.
pub fn sink(kind: SinkKind) -> Sink {
    let config = SinkConfig { name: "test".into(), kind };
    Sink::with_timeouts(config, SOURCE, Timeouts::default())
}

/// A sink that waits for nobody.
pub fn hasty_sink(kind: SinkKind) -> Sink {
    let brief = Duration::from_millis(300);
    let timeouts = Timeouts {
        connect: brief,
        request: brief,
        mail: brief,
    };
    let config = SinkConfig { name: "test".into(), kind };
    Sink::with_timeouts(config, SOURCE, timeouts)
}
