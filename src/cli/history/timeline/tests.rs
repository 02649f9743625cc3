//! Timelines of fixed statuses at a fixed time.

use super::*;
use crate::cli::task::tests::{condition, task};
use serde_json::{Value, json};

const PLAIN: Canvas = Canvas {
    width: None,
    colour: false,
};

fn timeline(status: Value, canvas: Canvas) -> String {
    let now = "2026-11-24T01:34:00Z".parse().unwrap();
    format(&task("nightly", json!({}), status), now, canvas)
}

fn record(slot: &str, outcome: &str, reason: &str, more: Value) -> Value {
    let mut record = json!({"slot": slot, "slots": 1, "trigger": "Schedule", "attempts": 1, "outcome": outcome, "reason": reason});
    for (name, value) in more.as_object().unwrap() {
        record[name.as_str()] = value.clone();
    }
    record
}

fn busy() -> Value {
    json!({
        "conditions": [condition("Ready", "True", "Accepted"), condition("Healthy", "False", "JobFailed")],
        "queued": [{"slot": "2026-11-24T01:33:00Z", "trigger": "Manual", "job": "nightly-m1"}],
        "active": [
            {"slot": "2026-11-24T01:00:00Z", "trigger": "Schedule", "attempt": 3, "job": "nightly-0", "started": "2026-11-24T01:00:01Z",
             "exitCodes": [1, null], "retryAt": "2026-11-24T01:35:00Z"},
            {"slot": "2026-11-24T01:30:00Z", "trigger": "Schedule", "attempt": 1, "job": "nightly-1", "uid": "u", "started": "2026-11-24T01:30:01Z",
             "message": "waits for its pod"},
        ],
        "recentRuns": [
            record("2026-11-23T01:30:00Z", "Succeeded", "JobCompleted",
                json!({"job": "nightly-2", "started": "2026-11-23T01:30:01Z", "finished": "2026-11-23T01:42:01Z"})),
            record("2026-11-22T01:30:00Z", "Failed", "JobFailed",
                json!({"attempts": 3, "job": "nightly-3-3", "started": "2026-11-22T01:31:30Z", "finished": "2026-11-22T01:31:35Z",
                    "exitCode": 137, "exitCodes": [1, null, 137], "message": "out of\nmemory \u{1b}[31mand more"})),
            record("2026-11-21T01:30:00Z", "Skipped", "PreviousRunActive",
                json!({"attempts": 0, "slots": 12, "firstSlot": "2026-11-10T01:30:00Z", "message": "12 slots not started"})),
            record("2026-11-09T01:30:00Z", "Missed", "StartingDeadlineExceeded", json!({"attempts": 0})),
            record("2026-08-01T00:30:00Z", "Cancelled", "Replaced",
                json!({"trigger": "Backfill", "job": "nightly-4", "started": "2026-11-08T01:30:00Z", "finished": "2026-11-08T01:36:00Z"})),
        ],
    })
}

#[test]
fn queued_and_active_runs_precede_finished_ones() {
    assert_eq!(
        timeline(busy(), PLAIN),
        "\
nightly: 30 2 * * * in Europe/Paris, Failing, next run in 23h (2026-11-25T01:30:00Z)

SLOT                  TRIGGER   OUTCOME    TIMELINE          TOOK   START  ATTEMPTS  EXIT     REASON                    JOB          MESSAGE
2026-11-24T01:33:00Z  Manual    Queued     …
2026-11-24T01:30:00Z  Schedule  Running    █▶                3m59s  +1s    1                                            nightly-1    waits for its pod
2026-11-24T01:00:00Z  Schedule  Retrying   ███████████████▶  33m    +1s    2         1,?                                             attempt 3 in 60s
2026-11-23T01:30:00Z  Schedule  Succeeded  ██████            12m    +1s    1                  JobCompleted              nightly-2
2026-11-22T01:30:00Z  Schedule  Failed     █                 5s     +90s   3         1,?,137  JobFailed                 nightly-3-3  out of memory \\u{1b}[31mand more
2026-11-21T01:30:00Z  Schedule  Skipped    · ×12                                              PreviousRunActive                      since 2026-11-10T01:30:00Z: 12 slots not started
2026-11-09T01:30:00Z  Schedule  Missed     ·                                                  StartingDeadlineExceeded
2026-08-01T00:30:00Z  Backfill  Cancelled  ███               6m            1                  Replaced                  nightly-4
"
    );
}

#[test]
fn a_terminal_gets_colours_and_lines_of_its_width() {
    let canvas = Canvas {
        width: Some(80),
        colour: true,
    };
    let text = timeline(busy(), canvas);
    assert!(text.contains("\x1b[32mSucceeded\x1b[0m"), "{text}");
    assert!(text.contains("\x1b[31m█\x1b[0m"), "{text}");
    for line in text.lines().skip(2) {
        let plain = ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[36m", "\x1b[0m"]
            .iter()
            .fold(line.to_owned(), |line, code| line.replace(code, ""));
        assert!(plain.chars().count() <= 80, "{plain}");
    }
}

#[test]
fn a_narrow_terminal_keeps_exit_reason_message_and_job() {
    let narrow = |width| Canvas {
        width: Some(width),
        colour: false,
    };
    assert_eq!(
        timeline(busy(), narrow(80)),
        "\
nightly: 30 2 * * * in Europe/Paris, Failing, next run in 23h (2026-11-25T01:30:00Z)

SLOT                  OUTCOME    TIMELINE  TOOK   EXIT     REASON
2026-11-24T01:33:00Z  Queued     …
2026-11-24T01:30:00Z  Running    ▶         3m59s
    job/nightly-1: waits for its pod
2026-11-24T01:00:00Z  Retrying   ███████▶  33m    1,?
    attempt 3 in 60s
2026-11-23T01:30:00Z  Succeeded  ███       12m             JobCompleted
    job/nightly-2
2026-11-22T01:30:00Z  Failed     █         5s     1,?,137  JobFailed
    job/nightly-3-3: out of memory \\u{1b}[31mand more
2026-11-21T01:30:00Z  Skipped    · ×12                     PreviousRunActive
    since 2026-11-10T01:30:00Z: 12 slots not started
2026-11-09T01:30:00Z  Missed     ·                         StartingDeadlineExce…
2026-08-01T00:30:00Z  Cancelled  ██        6m              Replaced
    job/nightly-4
"
    );
    for width in 40..200 {
        let text = timeline(busy(), narrow(width));
        let lines = text.lines().skip(2);
        assert!(lines.clone().all(|line| line.chars().count() <= width), "{width}\n{text}");
        assert!(
            width < 60 || text.contains("nightly-3-3") && text.contains("1,?,137"),
            "{width}\n{text}"
        );
    }
}

#[test]
fn the_second_line_says_what_is_wrong() {
    assert_eq!(
        timeline(json!({"conditions": [condition("Ready", "False", "JobRefused")]}), PLAIN),
        "nightly: 30 2 * * * in Europe/Paris, NotReady(JobRefused), next run in 23h (2026-11-25T01:30:00Z)\n  JobRefused it is\n\nno runs yet\n"
    );
    let paused = json!({
        "conditions": [condition("Ready", "True", "Accepted"), condition("Suspended", "True", "TooManyFailures")],
        "backfill": {"from": "2026-11-01T00:00:00Z", "until": "2026-11-08T00:00:00Z", "remaining": 7},
    });
    assert_eq!(
        timeline(paused, PLAIN),
        "nightly: 30 2 * * * in Europe/Paris, Suspended(TooManyFailures), no next run\n  TooManyFailures it is\n  backfill in progress: 7 slots from 2026-11-01T00:00:00Z to 2026-11-08T00:00:00Z remain\n\nno runs yet\n"
    );
}

#[test]
fn a_refused_request_is_shown_until_the_next_one() {
    let refused = json!({"lastRefusedRequest": {"annotation": "punctual.dev/resume", "value": "1", "at": "2026-11-24T01:33:00Z", "message": "nothing to resume"}});
    let now = "2026-11-24T01:34:00Z".parse().unwrap();
    let mut asked = task("nightly", json!({}), refused);
    assert!(!format(&asked, now, PLAIN).contains("refused"));
    asked.object["metadata"]["annotations"] = json!({"punctual.dev/resume": "1"});
    assert!(format(&asked, now, PLAIN).contains("\n  refused 60s ago: nothing to resume\n"));
}
