//! Serves one connection: one request, one response, then close.
//!
//! A stream is read, answered and closed within its deadline. A peer that does not read its response is reset, so that the kernel
//! buffers nothing after the connection is gone: buffered bytes are bounded by the number of connections.

use super::connections::Id;
use super::limits::Limits;
use super::routes::{self, Health};
use super::table::{Table, lock};
use axum::Router;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// Bytes read and discarded after the response, so that a peer that is still sending sees the response and not a reset.
const DISCARDED: usize = 64 * 1024;

/// Configuration that all connections share. Cloning shares.
#[derive(Clone)]
pub struct Exchange {
    limits: Limits,
    http: http1::Builder,
    routes: Router,
    table: Table,
}

/// Removes the connection from the table when it is dropped.
struct Open {
    table: Table,
    id: Id,
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.table).remove(self.id);
    }
}

impl Exchange {
    pub fn new(health: impl Health, limits: Limits, table: Table) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_buf_size(limits.head)
            // Probes open a new connection each time and scrapes come twice a minute, so keep-alive has no use here.
            .keep_alive(false);
        Self {
            limits,
            http,
            routes: routes::routes(health),
            table,
        }
    }

    /// Serves one connection until the peer closes it, its deadline passes, or it is evicted.
    pub async fn run(self, id: Id, stream: TcpStream, mut evicted: oneshot::Receiver<()>) {
        let _open = Open {
            table: self.table.clone(),
            id,
        };
        let deadline = Instant::now() + self.limits.exchange_time;
        let mut connection = self.http.serve_connection(TokioIo::new(stream), self.service(id));
        let must_reset = tokio::select! {
            biased;
            _ = &mut evicted => true,
            served = timeout_at(deadline, &mut connection) => served.map_or(true, timed_out),
        };
        let mut stream = connection.into_parts().io.into_inner();
        let has_closed = !must_reset
            && tokio::select! {
                biased;
                _ = &mut evicted => false,
                closed = timeout_at(deadline, peer_closes(&mut stream)) => closed.unwrap_or(false),
            };
        if !has_closed {
            // After a normal close the kernel would keep unread bytes for minutes, outside all limits.
            let _ = stream.set_zero_linger();
        }
    }

    /// The service that answers the request.
    fn service(&self, id: Id) -> impl HttpService<Incoming, ResBody = axum::body::Body, Error = Infallible, Future: Send> + use<> {
        let routes = TowerToHyperService::new(self.routes.clone());
        let table = self.table.clone();
        service_fn(move |request: hyper::Request<Incoming>| {
            lock(&table).request_received(id);
            let response = request.body().is_end_stream().then(|| routes.call(request));
            async move {
                match response {
                    Some(response) => response.await,
                    None => Ok(routes::body_not_accepted()),
                }
            }
        })
    }
}

/// Whether the head did not arrive in time. There is no response to read then.
fn timed_out(served: hyper::Result<()>) -> bool {
    served.is_err_and(|error| error.is_timeout())
}

/// Shuts down the write side and waits until the peer closes its side, which shows that it has read the response. False if the peer
/// keeps sending.
async fn peer_closes(stream: &mut TcpStream) -> bool {
    if stream.shutdown().await.is_err() {
        return false;
    }
    let (mut buffer, mut discarded) = ([0; 4096], 0);
    while discarded <= DISCARDED {
        match stream.read(&mut buffer).await {
            Ok(0) => return true,
            Ok(more) => discarded += more,
            Err(_) => return false,
        }
    }
    false
}
