//! Routes of the server: three paths, no request bodies.
//!
//! Takes requests and returns responses. Concurrent scrapes share one rendering of the metrics.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// What the server reports about the process.
pub trait Health: Send + Sync + 'static {
    /// Whether tasks and Jobs are listed and no shutdown has begun.
    fn is_ready(&self) -> bool;

    /// The metrics, in Prometheus' text format.
    fn metrics(&self) -> String;
}

impl Health for crate::controller::Health {
    fn is_ready(&self) -> bool {
        self.is_ready()
    }

    fn metrics(&self) -> String {
        self.metrics()
    }
}

/// `/livez`, `/readyz` and `/metrics`.
pub fn routes(health: impl Health) -> Router {
    let shared = Arc::new(Shared {
        health: Box::new(health),
        scrapes: AtomicU64::new(0),
        rendered: Mutex::default(),
    });
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

/// The response to a request with a body. No route accepts one, so it is not read.
pub fn body_not_accepted() -> Response {
    let message = "request body not accepted: use GET /livez, /readyz or /metrics\n";
    (StatusCode::PAYLOAD_TOO_LARGE, message).into_response()
}

struct Shared {
    health: Box<dyn Health>,
    /// Number of scrapes received.
    scrapes: AtomicU64,
    rendered: Mutex<Rendered>,
}

/// The latest rendering.
#[derive(Default)]
struct Rendered {
    text: Bytes,
    /// The number of scrapes received when the text was rendered: it is fresh for these.
    fresh_for: u64,
}

impl Shared {
    /// A text rendered after the call. One rendering runs at a time and serves every scrape that waits: a thousand concurrent scrapes
    /// cost two renderings and hold two texts.
    async fn metrics(&self) -> Bytes {
        let number = self.scrapes.fetch_add(1, Ordering::SeqCst) + 1;
        let mut rendered = self.rendered.lock().await;
        if rendered.fresh_for < number {
            let received = self.scrapes.load(Ordering::SeqCst);
            rendered.text = self.health.metrics().into();
            rendered.fresh_for = received;
        }
        rendered.text.clone()
    }
}

async fn ready(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    if shared.health.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: tasks and Jobs are not listed yet, or the operator is shutting down\n",
        )
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let text = Body::from(shared.metrics().await);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::atomic::AtomicUsize;

    /// Counts how often the metrics are rendered.
    #[derive(Clone, Default)]
    struct Counting(Arc<AtomicUsize>);

    impl Health for Counting {
        fn is_ready(&self) -> bool {
            true
        }

        fn metrics(&self) -> String {
            format!("render {}\n", self.0.fetch_add(1, Ordering::SeqCst) + 1)
        }
    }

    fn shared() -> (Arc<AtomicUsize>, Shared) {
        let health = Counting::default();
        let count = health.0.clone();
        let shared = Shared {
            health: Box::new(health),
            scrapes: AtomicU64::new(0),
            rendered: Mutex::default(),
        };
        (count, shared)
    }

    #[tokio::test]
    async fn concurrent_scrapes_share_one_rendering() {
        let (renders, shared) = shared();
        let busy = shared.rendered.lock().await;
        let mut waiting = Box::pin(join_all((0..1_000).map(|_| shared.metrics())));
        assert!(futures::poll!(&mut waiting).is_pending(), "they wait");
        drop(busy);
        let texts = waiting.await;
        assert!(texts.iter().all(|text| *text == "render 1\n"));
        assert_eq!(renders.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_scrape_never_gets_an_older_text() {
        let (_, shared) = shared();
        assert_eq!(shared.metrics().await, "render 1\n");
        assert_eq!(shared.metrics().await, "render 2\n");
    }
}
