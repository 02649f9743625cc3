//! Credentials appear in no error, no `Debug` output and no log.

use crate::authority::Authority;
use crate::logs;
use crate::messages::{failures, sink};
use crate::receiver::{Receiver, status};
use punctual::notify::{Heartbeat, Http, Secret, SinkKind, Slack};
use std::fs;

const SECRET: &str = "t0p-s3cret";

#[tokio::test]
async fn requests_tell_no_secret() {
    logs::capture();
    let authority = Authority::new();
    let plain = Receiver::start(|_| status(500)).await;
    let encrypted = Receiver::start_with(Some(authority.server()), |_| status(200)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).unwrap();
        Secret::File(folder.path().join(name))
    };
    let token = file("token", format!("token-{SECRET}"));
    for origin in [
        format!("http://127.0.0.1:{}", plain.port),
        format!("https://localhost:{}", encrypted.port),
        format!("http://127.0.0.1:{}", crate::free_port()),
        "http://[".into(),
        "gopher://x".into(),
    ] {
        let address = format!("{origin}/{SECRET}?key={SECRET}").replace("://", &format!("://user:{SECRET}@"));
        for url in [Secret::Text(address.clone()), file("url", address.clone())] {
            let http = Http {
                url: url.clone(),
                token: Some(token.clone()),
                hmac_key: Some(token.clone()),
                ca: None,
            };
            let slack = Slack {
                url: url.clone(),
                ca: None,
            };
            let heartbeat = Heartbeat {
                url,
                create: true,
                ca: None,
            };
            for kind in [SinkKind::Http(http), SinkKind::Slack(slack), SinkKind::Heartbeat(heartbeat)] {
                let mut sink = sink(kind.clone());
                let error = sink.deliver(&failures(1)).await.unwrap_err();
                let told = format!("{error:?} {sink:?} {kind:?}");
                assert!(!told.contains(SECRET), "{told}");
            }
        }
    }
    assert!(plain.seen().iter().any(|seen| seen.headers.contains_key("authorization")));
    logs::hold_no(SECRET);
}
