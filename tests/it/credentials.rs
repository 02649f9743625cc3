//! Certificates that change while the operator runs. The real API server, behind TLS of the test's own.

use crate::harness::{Authority, Fault, Operator, Proxy, TlsFront, World, at, until};
use punctual::clock::Clock;
use punctual::controller::{LoadedClient, connect, reloading};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// A client of that server, by the CA in a file.
fn load(url: &str, ca: &Path) -> anyhow::Result<LoadedClient> {
    let mut config = kube::Config::new(url.parse()?);
    let certificates = pem::parse_many(std::fs::read(ca)?)?;
    config.root_cert = Some(certificates.into_iter().map(pem::Pem::into_contents).collect());
    config.default_retry = false;
    let client = connect(config, None)?;
    let files = vec![ca.to_owned()];
    Ok(LoadedClient { client, files })
}

/// F13: nobody restarts the operator.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_ca_is_trusted_once_its_file_changes() {
    let world = World::new("f13").await;
    let proxy = Proxy::start(world.access.client.clone(), |_, _| Fault::None).await;
    let (old, new) = (Authority::new(), Authority::new());
    let front = TlsFront::start(proxy.address(), &old).await;
    let dir = tempfile::tempdir().unwrap();
    let (url, ca) = (front.url(), dir.path().join("ca.crt"));
    std::fs::write(&ca, old.pem()).unwrap();
    let file = ca.clone();
    let client = reloading(move || load(&url, &file), Duration::from_millis(50), Clock::System).expect("a client");
    world.task("minutely", json!({"concurrencyPolicy": "Forbid"})).await;
    let operator = Operator::start(client.clone(), &world.namespace, at("2027-01-01T10:00:30Z"));
    world.settled("minutely").await;
    operator.set("2027-01-01T10:01:00Z");
    world.end_job("minutely-1798797660", 0, "").await;
    world
        .status("minutely", "the end of the first run", |status| status.succeeded == 1)
        .await;

    front.rotate(&new);
    // A connection that was open fails in its own way; a new one meets the certificate that the old CA did not sign.
    until("the new certificate not to be trusted", || async {
        let error = client.apiserver_version().await.err()?;
        format!("{error:?}").contains("InvalidCertificate").then_some(())
    })
    .await;
    // A file that is half written changes nothing, nor does it end the reading.
    std::fs::write(&ca, "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    operator.set("2027-01-01T10:02:00Z");
    let before = operator.metric("punctual_watch_errors_total{resource=\"jobs\"}");
    until("the watch to fail once more", || async {
        (operator.metric("punctual_watch_errors_total{resource=\"jobs\"}") > before).then_some(())
    })
    .await;
    assert_eq!(world.job_names().await, ["minutely-1798797660"]);

    std::fs::write(&ca, new.pem()).unwrap();
    world.end_job("minutely-1798797720", 0, "").await;
    let status = world
        .status("minutely", "the end of the second run", |status| status.succeeded == 2)
        .await;
    assert_eq!((status.started, status.missed, status.skipped), (2, 0, 0));
    operator.stop().await;
}
