//! A receiver over HTTP that answers as a test says, and keeps what it was sent.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// How it answers; `None` is never.
type Answer = Arc<dyn Fn(&Seen) -> Option<Response<Body>> + Send + Sync>;

#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Answer,
}

impl Receiver {
    pub async fn start(answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static) -> Receiver {
        Receiver::start_with(None, answer).await
    }

    pub async fn start_with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let receiver = Receiver {
            port: listener.local_addr().expect("an address").port(),
            seen: Arc::default(),
            answer: Arc::new(answer),
        };
        let acceptor = tls.map(TlsAcceptor::from);
        let accepting = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (receiver, acceptor) = (accepting.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => receiver.serve(stream).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                receiver.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        receiver
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let answer = service_fn(|request: Request<hyper::body::Incoming>| async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(Body::new(body), 1 << 20).await.unwrap_or_default();
            let seen = Seen {
                method: head.method,
                path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
                headers: head.headers,
                body,
            };
            self.seen.lock().unwrap().push(seen.clone());
            match (self.answer)(&seen) {
                Some(response) => Ok::<_, Infallible>(response),
                None => std::future::pending().await,
            }
        });
        // A client that goes away is no fault of the receiver.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
    }

    /// What it was sent.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An answer without a body.
#[allow(clippy::unnecessary_wraps, reason = "it is what a receiver is given")]
pub fn status(code: u16) -> Option<Response<Body>> {
    Some(Response::builder().status(code).body(Body::empty()).expect("a response"))
}

/// An answer with a header.
#[allow(clippy::unnecessary_wraps, reason = "it is what a receiver is given")]
pub fn with_header(code: u16, name: &str, value: &str) -> Option<Response<Body>> {
    let response = Response::builder().status(code).header(name, value);
    Some(response.body(Body::empty()).expect("a response"))
}
