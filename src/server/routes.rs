//! What the server answers.
//!
//! A request becomes a response: three paths, no bodies. The metrics are rendered once for all who wait for them.

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
    /// Whether the first lists are in and the process is not leaving.
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

/// The answer to a request that has a body: nothing here takes one, so it is not read.
pub fn no_bodies() -> Response {
    let told = "requests to this port have no body: send GET /livez, /readyz or /metrics\n";
    (StatusCode::PAYLOAD_TOO_LARGE, told).into_response()
}

struct Shared {
    health: Box<dyn Health>,
    /// How many scrapes have come.
    scrapes: AtomicU64,
    rendered: Mutex<Rendered>,
}

/// The newest text.
#[derive(Default)]
struct Rendered {
    text: Bytes,
    /// The scrapes up to this number had come when the text was rendered: for them it is fresh.
    fresh_for: u64,
}

impl Shared {
    /// A text that was rendered after the call. One is rendered at a time, for all who wait: a thousand scrapes at once cost two
    /// renders and hold two texts.
    async fn metrics(&self) -> Bytes {
        let number = self.scrapes.fetch_add(1, Ordering::SeqCst) + 1;
        let mut rendered = self.rendered.lock().await;
        if rendered.fresh_for < number {
            let come = self.scrapes.load(Ordering::SeqCst);
            rendered.text = self.health.metrics().into();
            rendered.fresh_for = come;
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
            "not ready: the first lists are not in, or the process is leaving\n",
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
    async fn a_thousand_scrapes_that_wait_are_answered_by_one_render() {
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
    async fn a_scrape_never_gets_a_text_from_before_it_asked() {
        let (_, shared) = shared();
        assert_eq!(shared.metrics().await, "render 1\n");
        assert_eq!(shared.metrics().await, "render 2\n");
    }
}
