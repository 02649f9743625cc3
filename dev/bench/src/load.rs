//! Many requests at once: the ceiling R, and whatever a session needs to create.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http::Request;
use serde_json::Value;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Connections with which objects are created.
const CONNECTIONS: usize = 32;
/// How often a request that failed is sent again, with a pause between.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// A client of its own connections.
pub async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    let file = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let mut config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await?;
    // A ceiling with retries would be none.
    config.default_retry = false;
    config.read_timeout = Some(Duration::from_secs(60));
    Ok(kube::Client::try_from(config)?)
}

fn request(method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>> {
    Ok(Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", content_type)
        .body(body)?)
}

/// Sends one request and returns the answer's body.
pub async fn send(client: &kube::Client, method: &str, path: &str, content_type: &str, body: &[u8]) -> Result<String> {
    let mut tries = 0;
    loop {
        match client.request_text(request(method, path, content_type, body.to_vec())?).await {
            Ok(answer) => return Ok(answer),
            // It exists: an earlier try was not answered.
            Err(kube::Error::Api(status)) if status.code == 409 && tries > 0 => return Ok(String::new()),
            Err(error) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(error).with_context(|| format!("{method} {path}"));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Creates objects at a path, as fast as the API server takes them.
pub async fn create_all(client: &kube::Client, path: &str, objects: Vec<Value>) -> Result<()> {
    let bodies: Vec<Vec<u8>> = objects.iter().map(|object| object.to_string().into_bytes()).collect();
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, path, bodies, next) = (client.clone(), path.to_owned(), bodies.clone(), next.clone());
        workers.spawn(async move {
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                send(&client, "POST", &path, "application/json", body).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}

/// POSTs objects over so many connections, each of which is open before the clock starts. Returns POSTs a second.
pub async fn posts_per_second(kubeconfig: &Path, path: &str, objects: Vec<Value>, connections: usize) -> Result<f64> {
    let client = client(kubeconfig).await?;
    let count = objects.len();
    let bodies: Vec<Vec<u8>> = objects.iter().map(|object| object.to_string().into_bytes()).collect();
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (client, path, bodies) = (client.clone(), path.to_owned(), bodies.clone());
        let (next, ready) = (next.clone(), ready.clone());
        workers.spawn(async move {
            let warm = client
                .request_text(request("GET", "/version", "application/json", Vec::new())?)
                .await;
            ready.wait().await;
            warm.context("the API server does not answer")?;
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                client
                    .request_text(request("POST", &path, "application/json", body.clone())?)
                    .await?;
            }
            anyhow::Ok(())
        });
    }
    ready.wait().await;
    let start = Instant::now();
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    let elapsed = start.elapsed().as_secs_f64();
    if elapsed <= 0.0 {
        bail!("no time passed");
    }
    Ok(count as f64 / elapsed)
}
