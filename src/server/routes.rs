//! Routes of the server: three paths, no request bodies.
//!
//! Takes requests and returns responses. Concurrent scrapes share one collection of the metrics, and nothing of it is kept between scrapes.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream::{self, StreamExt};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::Mutex;
use tokio::task::JoinError;

/// Pages that are being sent at once. Another scrape gets the newest of them.
const PAGES: usize = 2;

/// What the server reports about the process.
pub trait Health: Send + Sync + 'static {
    /// Whether tasks and Jobs are listed and no shutdown has begun.
    fn is_ready(&self) -> bool;

    /// The metrics, as they are now.
    fn scrape(&self) -> Box<dyn Page>;
}

/// The metrics at one moment, in Prometheus' text format. The text is made while it is sent, in parts.
pub trait Page: Send + Sync + 'static {
    /// Part `number` of the text, from 0. Nothing after the last part.
    fn part(&self, number: usize) -> Option<String>;
}

impl Health for crate::controller::Health {
    fn is_ready(&self) -> bool {
        self.is_ready()
    }

    fn scrape(&self) -> Box<dyn Page> {
        Box::new(self.scrape())
    }
}

impl Page for crate::controller::Scrape {
    fn part(&self, number: usize) -> Option<String> {
        self.part(number)
    }
}

/// `/livez`, `/readyz` and `/metrics`.
pub fn routes(health: impl Health) -> Router {
    let shared = Arc::new(Shared {
        health: Arc::new(health),
        scrapes: Arc::default(),
        collected: Arc::default(),
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
    health: Arc<dyn Health>,
    /// Number of scrapes received.
    scrapes: Arc<AtomicU64>,
    collected: Arc<Mutex<Collected>>,
}

/// The pages that are being sent. Nothing is kept when they are.
#[derive(Default)]
struct Collected {
    /// The newest one last.
    pages: Vec<Weak<dyn Page>>,
    /// The number of scrapes received when the newest page was collected: it is fresh for these.
    fresh_for: u64,
}

impl Collected {
    /// The page for scrape `number`, if one that is there serves it.
    fn page_for(&mut self, number: u64) -> Option<Arc<dyn Page>> {
        self.pages.retain(|page| page.strong_count() > 0);
        let is_served = self.fresh_for >= number || self.pages.len() >= PAGES;
        self.pages.last().filter(|_| is_served).and_then(Weak::upgrade)
    }
}

impl Shared {
    /// A page collected after the call. One is collected at a time and serves every scrape that waits: a thousand concurrent scrapes
    /// cost two. While clients are slow to read as many as [`PAGES`], a scrape gets the newest of them.
    ///
    /// # Errors
    /// When collecting it panicked.
    async fn page(&self) -> Result<Arc<dyn Page>, JoinError> {
        let number = self.scrapes.fetch_add(1, Ordering::SeqCst) + 1;
        // The lock goes along: a client that leaves does not let another collection begin beside this one.
        let mut collected = self.collected.clone().lock_owned().await;
        if let Some(page) = collected.page_for(number) {
            return Ok(page);
        }
        let (health, scrapes) = (self.health.clone(), self.scrapes.clone());
        let collecting = tokio::task::spawn_blocking(move || {
            let received = scrapes.load(Ordering::SeqCst);
            let page: Arc<dyn Page> = health.scrape().into();
            collected.pages.push(Arc::downgrade(&page));
            collected.fresh_for = received;
            page
        });
        collecting.await
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

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let page = match shared.page().await {
        Ok(page) => page,
        Err(defect) => {
            tracing::error!("failed to collect metrics (a bug in the operator): {defect}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let first = page.part(0).unwrap_or_default();
    let body = match page.part(1) {
        None => Body::from(first),
        Some(second) => {
            let rest = stream::unfold((page, 2), |(page, number)| async move {
                let part = page.part(number)?;
                Some((part, (page, number + 1)))
            });
            let parts = stream::iter([first, second]).chain(rest);
            Body::from_stream(parts.map(Ok::<_, Infallible>))
        }
    };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::atomic::AtomicUsize;

    /// Counts how often the metrics are collected.
    #[derive(Clone, Default)]
    struct Counting(Arc<AtomicUsize>);

    struct Number(usize);

    impl Page for Number {
        fn part(&self, number: usize) -> Option<String> {
            (number == 0).then(|| format!("page {}\n", self.0))
        }
    }

    impl Health for Counting {
        fn is_ready(&self) -> bool {
            true
        }

        fn scrape(&self) -> Box<dyn Page> {
            Box::new(Number(self.0.fetch_add(1, Ordering::SeqCst) + 1))
        }
    }

    fn shared() -> (Arc<AtomicUsize>, Shared) {
        let health = Counting::default();
        let count = health.0.clone();
        let shared = Shared {
            health: Arc::new(health),
            scrapes: Arc::default(),
            collected: Arc::default(),
        };
        (count, shared)
    }

    async fn page(shared: &Shared) -> (Arc<dyn Page>, String) {
        let page = shared.page().await.unwrap();
        let text = page.part(0).unwrap();
        (page, text)
    }

    #[tokio::test]
    async fn concurrent_scrapes_share_one_collection() {
        let (count, shared) = shared();
        let busy = shared.collected.lock().await;
        let mut waiting = Box::pin(join_all((0..1_000).map(|_| page(&shared))));
        assert!(futures::poll!(&mut waiting).is_pending(), "they wait");
        drop(busy);
        let pages = waiting.await;
        assert!(pages.iter().all(|(_, text)| text == "page 1\n"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_scrape_never_gets_a_page_from_before_it() {
        let (_, shared) = shared();
        let (first, text) = page(&shared).await;
        assert_eq!(text, "page 1\n");
        assert_eq!(page(&shared).await.1, "page 2\n");
        drop(first);
    }

    #[tokio::test]
    async fn slow_clients_share_a_bounded_number_of_pages() {
        let (_, shared) = shared();
        let (first, _) = page(&shared).await;
        let (second, _) = page(&shared).await;
        let (third, text) = page(&shared).await;
        assert_eq!(text, "page 2\n", "the newest of those that are being sent");
        drop((second, third));
        assert_eq!(page(&shared).await.1, "page 3\n");
        drop(first);
    }

    #[tokio::test]
    async fn nothing_is_kept_between_scrapes() {
        let (_, shared) = shared();
        let page = Arc::downgrade(&page(&shared).await.0);
        assert!(page.upgrade().is_none());
    }
}
