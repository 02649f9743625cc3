//! CloudEvents over HTTP.

use crate::authority::Authority;
use crate::messages::{SOURCE, failures, hasty_sink, message, sink};
use crate::receiver::{Receiver, status, with_header};
use axum::body::{Body, Bytes};
use axum::http::Response;
use punctual::notify::{Http, NotDelivered, Secret, SinkKind, What};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

fn http(url: String) -> Http {
    Http {
        url: Secret::Text(url),
        token: None,
        hmac_key: None,
        ca: None,
    }
}

fn to(receiver: &Receiver) -> Http {
    http(format!("http://127.0.0.1:{}/hook/s3cret?key=s3cret", receiver.port))
}

async fn error_of(receiver: &Receiver) -> NotDelivered {
    let error = sink(SinkKind::Http(to(receiver))).deliver(&failures(1)).await.unwrap_err();
    assert!(!error.message.contains("s3cret"), "{error:?}");
    assert!(error.message.contains(&format!("http://127.0.0.1:{}", receiver.port)), "{error:?}");
    error
}

#[tokio::test]
async fn an_event_is_signed_and_carries_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        Some(Secret::File(folder.path().join(name)))
    };
    let receiver = Receiver::start(|_| status(202)).await;
    let mut config = to(&receiver);
    config.token = file("token", "t0ken\n");
    config.hmac_key = file("key", "k3y\n");
    let mut sink = sink(SinkKind::Http(config));
    let one = message(What::Failed, "report", 0);
    sink.deliver(std::slice::from_ref(&one)).await.unwrap();

    let seen = receiver.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/hook/s3cret?key=s3cret"));
    let header = |name: &str| seen.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!(header("authorization"), "Bearer t0ken");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"k3y");
    let signature = header("x-punctual-signature").strip_prefix("sha256=").unwrap();
    let signature: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap())
        .collect();
    ring::hmac::verify(&key, &seen.body, &signature).expect("the signature of these bytes");
    let event: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(event, punctual::notify::cloud_event(&one, SOURCE));

    // A rotated Secret is a file with another content.
    file("token", "n3w");
    sink.deliver(&failures(1)).await.unwrap();
    assert_eq!(receiver.seen()[1].headers["authorization"], "Bearer n3w");
}

#[tokio::test]
async fn many_messages_arrive_once_and_each_task_in_order() {
    let receiver = Receiver::start(|_| status(200)).await;
    let messages: Vec<_> = (0..64).map(|n| message(What::Failed, &format!("task-{}", n % 20), n)).collect();
    sink(SinkKind::Http(to(&receiver))).deliver(&messages).await.unwrap();
    let mut arrived: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for seen in receiver.seen() {
        let event: Value = serde_json::from_slice(&seen.body).unwrap();
        let task = arrived.entry(event["subject"].as_str().unwrap().into()).or_default();
        task.push(event["data"]["sequence"].as_u64().unwrap());
    }
    assert_eq!(arrived.values().map(Vec::len).sum::<usize>(), 64);
    assert!(arrived.values().all(|sequence| sequence.is_sorted()), "{arrived:?}");
}

#[tokio::test]
async fn at_most_sixteen_requests_are_under_way() {
    let receiver = Receiver::start(|_| None).await;
    let messages: Vec<_> = (0..64).map(|n| message(What::Failed, &format!("task-{n}"), n)).collect();
    let error = hasty_sink(SinkKind::Http(to(&receiver))).deliver(&messages).await.unwrap_err();
    assert!(error.message.ends_with("request timed out"), "{error:?}");
    assert_eq!((error.delivered, error.is_final), (0, false));
    assert_eq!(receiver.seen().len(), 16);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_failure_counts() {
    let answers = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| status(if answers.fetch_add(1, Ordering::SeqCst) < 3 { 200 } else { 500 })).await;
    let error = sink(SinkKind::Http(to(&receiver))).deliver(&failures(10)).await.unwrap_err();
    assert_eq!((error.delivered, error.is_final), (3, false), "{error:?}");
    assert!(error.message.ends_with("answered 500 Internal Server Error"), "{error:?}");
    assert_eq!(receiver.seen().len(), 4, "those of one task are sent one after the other");
}

#[tokio::test]
async fn only_what_the_receiver_cannot_take_is_final() {
    for (code, is_final) in [
        (400, true),
        (413, true),
        (415, true),
        (422, true),
        (401, false),
        (403, false),
        (404, false),
        (410, false),
    ] {
        let receiver = Receiver::start(move |_| status(code)).await;
        let error = error_of(&receiver).await;
        assert_eq!(error.is_final, is_final, "{error:?}");
        assert!(error.message.contains(&code.to_string()), "{error:?}");
    }
}

#[tokio::test]
async fn a_receiver_may_ask_for_time() {
    for (value, after) in [("7", Some(7)), ("100000", Some(3600)), ("soon", None)] {
        let receiver = Receiver::start(move |_| with_header(503, "Retry-After", value)).await;
        let error = error_of(&receiver).await;
        assert_eq!((error.after, error.is_final), (after.map(Duration::from_secs), false));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let receiver = Receiver::start(|seen| with_header(307, "Location", &seen.path)).await;
    let error = error_of(&receiver).await;
    assert!(error.message.contains("redirects are not followed"), "{error:?}");
    assert_eq!(receiver.seen().len(), 1);
    let receiver = Receiver::start(|_| with_header(301, "Location", "https://new.test/s3cret")).await;
    let error = error_of(&receiver).await;
    assert!(error.message.contains("a redirect to https://new.test:"), "{error:?}");
    assert!(!error.is_final);
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_not_read() {
    const CHUNK: usize = 64 << 10;
    for (code, has_length) in [(200, true), (200, false), (500, true), (500, false)] {
        let sent = Arc::new(AtomicU64::new(0));
        let counter = sent.clone();
        let receiver = Receiver::start(move |_| {
            let counter = counter.clone();
            let chunks = (0..(1 << 30) / CHUNK).map(move |_| {
                counter.fetch_add(CHUNK as u64, Ordering::SeqCst);
                Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; CHUNK]))
            });
            let mut response = Response::builder().status(code);
            if has_length {
                response = response.header("Content-Length", 1_u64 << 30);
            }
            Some(response.body(Body::from_stream(futures::stream::iter(chunks))).unwrap())
        })
        .await;
        let outcome = sink(SinkKind::Http(to(&receiver))).deliver(&failures(1)).await;
        assert_eq!(outcome.is_ok(), code == 200);
        // What the kernel takes before somebody reads it.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 64 << 20, "{sent} bytes");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_an_acknowledgement() {
    let receiver = Receiver::start(|_| {
        let body = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        Some(Response::new(Body::from_stream(body)))
    })
    .await;
    hasty_sink(SinkKind::Http(to(&receiver))).deliver(&failures(2)).await.unwrap();
    assert_eq!(receiver.seen().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_goes_away_is_named() {
    let mut config = http(format!("http://127.0.0.1:{}/s3cret", crate::free_port()));
    let error = sink(SinkKind::Http(config.clone())).deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.contains("cannot connect: Connection refused"), "{error:?}");
    config.url = Secret::Text("http://nowhere.invalid/s3cret".into());
    let error = sink(SinkKind::Http(config)).deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.starts_with("http://nowhere.invalid: cannot connect: "), "{error:?}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_its_file() {
    let authority = Authority::new();
    let receiver = Receiver::start_with(Some(authority.server()), |_| status(200)).await;
    let mut config = http(format!("https://localhost:{}/s3cret", receiver.port));
    let error = sink(SinkKind::Http(config.clone())).deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.contains("UnknownIssuer: set caFile"), "{error:?}");
    config.ca = Some(authority.file("ca.pem"));
    let mut trusting = sink(SinkKind::Http(config.clone()));
    trusting.deliver(&failures(1)).await.unwrap();
    // The file is read anew, and so is what it trusts.
    fs::copy(Authority::new().file("ca.pem"), authority.file("ca.pem")).unwrap();
    let error = trusting.deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.contains("invalid peer certificate"), "{error:?}");
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let receiver = Receiver::start(|_| status(200)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let large = vec![b'x'; (16 << 10) + 1];
    let cases: [(&str, PathBuf, &str); 7] = [
        ("tokenFile", folder.path().join("missing"), "cannot be read: No such file"),
        ("tokenFile", folder.path().into(), "is not a file"),
        ("tokenFile", file("empty", b" \n"), "is empty"),
        ("tokenFile", file("large", &large), "is larger than 16384 bytes"),
        ("tokenFile", file("binary", b"s3cret\xff"), "is not text"),
        ("caFile", file("ca", b"s3cret"), "contains no certificate"),
        ("caFile", folder.path().join("no-ca"), "cannot be read: No such file"),
    ];
    for (field, path, why) in cases {
        let mut config = to(&receiver);
        match field {
            "caFile" => config.ca = Some(path.clone()),
            _ => config.token = Some(Secret::File(path.clone())),
        }
        let error = sink(SinkKind::Http(config)).deliver(&failures(1)).await.unwrap_err();
        let expected = format!("{field}: {} {why}", path.display());
        assert!(error.message.starts_with(&expected), "{} instead of {expected}", error.message);
        assert!(!error.message.contains("s3cret"), "{error:?}");
    }
    let mut config = to(&receiver);
    config.token = Some(Secret::File(file("lines", b"s3c\nret")));
    let error = sink(SinkKind::Http(config.clone())).deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.starts_with("tokenFile: contains characters"), "{error:?}");
    config.url = Secret::File(file("url", b"ftp://s3cret.test"));
    let error = sink(SinkKind::Http(config)).deliver(&failures(1)).await.unwrap_err();
    assert_eq!(error.message, "urlFile: must begin with http:// or https://");
    assert!(receiver.seen().is_empty());
}
