//! A proxy before the API server that loses answers, refuses, or tells when a write passes: how networks fail.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// What happens to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It passes, and so does its answer.
    None,
    /// It is done, and the answer is an error that says nothing.
    AnswerLost,
    /// It is not done, and the sender waits for an answer that does not come.
    HeldBefore,
    /// It is done, and the sender waits for an answer that does not come.
    HeldAfter,
}

type Judge = Box<dyn FnMut(&Method, &str) -> Fault + Send>;

/// A proxy on loopback.
pub struct Proxy {
    address: SocketAddr,
    kubeconfig: PathBuf,
    _dir: tempfile::TempDir,
    serving: tokio::task::JoinHandle<()>,
    watches: watch::Sender<bool>,
    /// Each write that met a fault: method, path, fault.
    pub hit: tokio::sync::Mutex<mpsc::UnboundedReceiver<(Method, String, Fault)>>,
}

struct Shared {
    client: kube::Client,
    judge: Mutex<Judge>,
    hits: mpsc::UnboundedSender<(Method, String, Fault)>,
    watches: watch::Receiver<bool>,
}

impl Proxy {
    /// Asks `judge` about each write (POST, PUT, PATCH, DELETE; dry runs and events pass) before it is passed on.
    pub async fn start(client: kube::Client, judge: impl FnMut(&Method, &str) -> Fault + Send + 'static) -> Proxy {
        let (hits, hit) = mpsc::unbounded_channel();
        let (watches, flow) = watch::channel(true);
        let shared = Arc::new(Shared {
            watches: flow,
            client,
            judge: Mutex::new(Box::new(judge)),
            hits,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            let routes = Router::new().fallback(pass).with_state(shared);
            let _ = axum::serve(listener, routes).await;
        });
        let dir = tempfile::tempdir().expect("a directory");
        let kubeconfig = dir.path().join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxy\nclusters: [{{name: proxy, cluster: {{server: 'http://{address}'}}}}]\nusers: [{{name: proxy, user: {{}}}}]\ncontexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\n"
        );
        std::fs::write(&kubeconfig, text).expect("a kubeconfig");
        Proxy {
            address,
            kubeconfig,
            _dir: dir,
            serving,
            watches,
            hit: tokio::sync::Mutex::new(hit),
        }
    }

    /// Where it listens, without TLS.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// From now on watches stay open and tell nothing, until they flow again.
    pub fn silence_watches(&self, silent: bool) {
        self.watches.send_replace(!silent);
    }

    /// A client that goes through the proxy.
    pub async fn client(&self) -> kube::Client {
        super::world::client(&self.kubeconfig).await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let path = parts.uri.path().to_owned();
    let write = parts.method != Method::GET && !query.contains("dryRun") && !path.ends_with("/events");
    let fault = if write {
        (shared.judge.lock().unwrap())(&parts.method, &path)
    } else {
        Fault::None
    };
    let method = parts.method.clone();
    if fault == Fault::HeldBefore {
        let _ = shared.hits.send((method, path, fault));
        return std::future::pending().await;
    }
    let Ok(body) = axum::body::to_bytes(body, 16 << 20).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    parts.headers.remove("host");
    parts.headers.remove("authorization");
    let answer = shared
        .client
        .send(http::Request::from_parts(parts, kube::client::Body::from(body)))
        .await;
    match fault {
        Fault::None => match answer {
            Ok(answer) if query.contains("watch=") => answer.map(|body| slow(Body::new(body), shared.watches.clone())).into_response(),
            Ok(answer) => answer.map(Body::new).into_response(),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        },
        Fault::AnswerLost => {
            let _ = shared.hits.send((method, path, fault));
            (StatusCode::GATEWAY_TIMEOUT, "the answer was lost").into_response()
        }
        Fault::HeldBefore | Fault::HeldAfter => {
            let _ = shared.hits.send((method, path, fault));
            std::future::pending().await
        }
    }
}

/// The body of a watch, passed on while watches flow.
fn slow(body: Body, flow: watch::Receiver<bool>) -> Body {
    Body::from_stream(body.into_data_stream().then(move |bytes| {
        let mut flow = flow.clone();
        async move {
            let _ = flow.wait_for(|flows| *flows).await;
            bytes
        }
    }))
}
