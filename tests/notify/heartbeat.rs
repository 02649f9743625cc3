//! A dead-man switch, with a receiver that keeps to <https://healthchecks.io/docs/http_api/>.

use crate::messages::{message, sink};
use crate::receiver::{Receiver, Seen, status};
use axum::body::Body;
use axum::http::{Method, Response};
use punctual::notify::{Heartbeat, Message, Secret, SinkKind, What};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What the other side makes of pings: the state of each check by its slug.
#[derive(Clone, Default)]
struct Checks(Arc<Mutex<BTreeMap<String, Check>>>);

#[derive(Debug, Default, PartialEq)]
struct Check {
    /// `new`, `started`, `up` or `down`.
    state: &'static str,
    /// Run ids of starts that wait for their end.
    open: Vec<String>,
    pings: usize,
}

impl Checks {
    /// The documented answers: 200, 400 for what is no ping, 404 for what is not there.
    fn ping(&self, seen: &Seen) -> Option<Response<Body>> {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (slug, signal) = match parts[..] {
            ["pingkey", slug] => (slug, ""),
            ["pingkey", slug, signal] => (slug, signal),
            _ => return status(404),
        };
        let is_slug = slug
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
        if seen.method != Method::POST || !is_slug || seen.body.len() > 10_000 {
            return status(400);
        }
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let mut checks = self.0.lock().unwrap();
        if !checks.contains_key(slug) && parameter("create") != Some("1") {
            return status(404);
        }
        let check = checks.entry(slug.to_owned()).or_insert(Check {
            state: "new",
            ..Check::default()
        });
        let run = parameter("rid").unwrap_or_default();
        let is_uuid = run.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && run.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
        if !is_uuid {
            return status(400);
        }
        check.pings += 1;
        let ends = |check: &mut Check, state| {
            check.open.retain(|open| open != run);
            check.state = state;
        };
        match signal {
            "start" => {
                check.open.push(run.to_owned());
                check.state = "started";
            }
            "" | "0" => ends(check, "up"),
            "fail" => ends(check, "down"),
            "log" => {}
            code if code.parse::<u8>().is_ok() => ends(check, "down"),
            _ => return status(404),
        }
        status(200)
    }
}

async fn receiver(checks: &Checks) -> Receiver {
    let checks = checks.clone();
    Receiver::start(move |seen| checks.ping(seen)).await
}

fn heartbeat(receiver: &Receiver, create: bool) -> SinkKind {
    SinkKind::Heartbeat(Heartbeat {
        url: Secret::Text(format!("http://127.0.0.1:{}/pingkey/", receiver.port)),
        create,
        ca: None,
    })
}

fn paths(receiver: &Receiver) -> Vec<String> {
    receiver
        .seen()
        .iter()
        .map(|seen| seen.path.split('?').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn start_and_end_of_a_run_are_one_run_of_the_check() {
    let checks = Checks::default();
    let receiver = receiver(&checks).await;
    let mut sink = sink(heartbeat(&receiver, true));
    sink.deliver(&[message(What::Started, "report", 0)]).await.unwrap();
    assert_eq!(checks.0.lock().unwrap()["prod_report"].state, "started");
    sink.deliver(&[message(What::Succeeded, "report", 0)]).await.unwrap();
    let expected = Check {
        state: "up",
        open: Vec::new(),
        pings: 2,
    };
    assert_eq!(checks.0.lock().unwrap()["prod_report"], expected);
    // In one delivery, in order.
    let run = [message(What::Started, "report", 1), message(What::Failed, "report", 1)];
    sink.deliver(&run).await.unwrap();
    let state = checks.0.lock().unwrap()["prod_report"].state;
    assert_eq!(state, "down");
    assert!(checks.0.lock().unwrap()["prod_report"].open.is_empty());
    assert_eq!(paths(&receiver)[2..], ["/pingkey/prod_report/start", "/pingkey/prod_report/3"]);
    assert!(
        receiver.seen()[3]
            .body
            .starts_with(b"prod/report: run of 2026-11-26T02:01:00Z failed with exit code 3 (JobFailed): disk full\n")
    );
}

#[tokio::test]
async fn each_outcome_has_its_signal() {
    let code = |code: Option<i32>| {
        let mut message = message(What::Failed, "report", 0);
        message.run.as_mut().unwrap().exit_code = code;
        message
    };
    let of = |what| message(what, "report", 0);
    let cases: Vec<(Message, Option<&str>)> = vec![
        (code(Some(255)), Some("/255")),
        (code(Some(0)), Some("/fail")),
        (code(Some(256)), Some("/fail")),
        (code(Some(-1)), Some("/fail")),
        (code(None), Some("/fail")),
        (of(What::Succeeded), Some("")),
        (of(What::Skipped), Some("/log")),
        (of(What::Retrying), Some("/log")),
        (of(What::Cancelled), Some("/log")),
        (of(What::Missed), None),
        (of(What::Overdue), None),
    ];
    for (message, signal) in cases {
        let receiver = receiver(&Checks::default()).await;
        sink(heartbeat(&receiver, true))
            .deliver(std::slice::from_ref(&message))
            .await
            .unwrap();
        let expected: Vec<String> = signal.iter().map(|signal| format!("/pingkey/prod_report{signal}")).collect();
        assert_eq!(paths(&receiver), expected, "{:?}", message.what);
    }
}

#[tokio::test]
async fn a_missing_check_is_named_with_its_way_out() {
    let receiver = receiver(&Checks::default()).await;
    let failed = [message(What::Failed, "a.b", 0)];
    let error = sink(heartbeat(&receiver, false)).deliver(&failed).await.unwrap_err();
    assert!(
        error
            .message
            .ends_with("there is no check \"prod_a_b\": create it, or set create: true"),
        "{error:?}"
    );
    assert!(!error.is_final && !error.message.contains("pingkey"));
    sink(heartbeat(&receiver, true)).deliver(&failed).await.unwrap();
}

#[tokio::test]
async fn a_body_is_at_most_ten_thousand_bytes() {
    let receiver = receiver(&Checks::default()).await;
    let mut long = message(What::Failed, "report", 0);
    long.text = "é\u{1b}".repeat(9000);
    sink(heartbeat(&receiver, true)).deliver(&[long]).await.unwrap();
    let body = String::from_utf8(receiver.seen()[0].body.to_vec()).unwrap();
    assert!(
        body.len() <= 10_000 && body.len() > 9_990 && !body.contains('\u{1b}'),
        "{}",
        body.len()
    );
    assert!(body.ends_with("\nkubectl logs --namespace prod job/report-0"));
}

#[tokio::test]
async fn an_end_waits_for_its_start() {
    let receiver = Receiver::start(|_| status(500)).await;
    let run = [message(What::Started, "report", 0), message(What::Succeeded, "report", 0)];
    let error = sink(heartbeat(&receiver, true)).deliver(&run).await.unwrap_err();
    assert_eq!((error.delivered, paths(&receiver)), (0, vec!["/pingkey/prod_report/start".into()]));
}
