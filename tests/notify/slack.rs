//! A chat with an incoming webhook.

use crate::messages::{failures, message, sink};
use crate::receiver::{Receiver, status};
use punctual::notify::{Secret, SinkKind, Slack, What};
use serde_json::{Value, json};

#[tokio::test]
async fn all_messages_of_a_delivery_are_one_text() {
    let receiver = Receiver::start(|_| status(200)).await;
    let mut sink = sink(SinkKind::Slack(Slack {
        url: Secret::Text(format!("http://127.0.0.1:{}/services/T0/B0/X", receiver.port)),
        ca: None,
    }));
    assert!(sink.groups());
    let mut evil = message(What::Failed, "report", 0);
    evil.text = "<!channel> `@all`".into();
    sink.deliver(&[evil, message(What::Recovered, "report", 1)]).await.unwrap();
    sink.deliver(&failures(1000)).await.unwrap();
    let texts: Vec<Value> = receiver
        .seen()
        .iter()
        .map(|seen| serde_json::from_slice(&seen.body).unwrap())
        .collect();
    let first = "prod/report: run of 2026-11-26T02:00:00Z failed with exit code 3 (JobFailed): `&lt;!channel&gt; '@all'`\n\
                 prod/report: run of 2026-11-26T02:01:00Z succeeded after failures (JobFailed): `disk full`";
    let storm = "prod/report: 1000 runs failed, the last one of 2026-11-26T18:39:00Z with exit code 3 (JobFailed): `disk full`";
    assert_eq!(texts, [json!({ "text": first }), json!({ "text": storm })]);
    assert_eq!(receiver.seen()[0].headers["content-type"], "application/json");
}
