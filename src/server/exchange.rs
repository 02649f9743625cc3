//! One connection: one request, one answer, and the end.
//!
//! A stream is read, answered and closed within its time. Nothing of it is left in the kernel: a peer that does not take its
//! answer is reset, so bytes that wait for it are bounded by the number of connections.

use super::connections::Id;
use super::routes::{self, Health};
use super::{Limits, Table, lock};
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

/// Bytes that are read and thrown away after the answer, so that a peer that still sends sees the answer and not a reset.
const DISCARDED: usize = 64 * 1024;

/// How each connection is served. Cloning shares.
#[derive(Clone)]
pub struct Exchange {
    limits: Limits,
    http: http1::Builder,
    routes: Router,
    table: Table,
}

/// Takes a connection out of the table, however it ends.
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
            // A probe connects anew each time, a scrape comes twice a minute. So there is nothing to pipeline and nothing that idles.
            .keep_alive(false);
        Self {
            limits,
            http,
            routes: routes::routes(health),
            table,
        }
    }

    /// Serves one connection until the peer leaves, its time is over, or it gives way to another.
    pub async fn run(self, id: Id, stream: TcpStream, mut evicted: oneshot::Receiver<()>) {
        let _open = Open {
            table: self.table.clone(),
            id,
        };
        let deadline = Instant::now() + self.limits.exchange_time;
        let mut connection = self.http.serve_connection(TokioIo::new(stream), self.answers(id));
        let is_over = tokio::select! {
            biased;
            _ = &mut evicted => true,
            served = timeout_at(deadline, &mut connection) => served.map_or(true, is_too_slow),
        };
        let mut stream = connection.into_parts().io.into_inner();
        let has_left = !is_over
            && tokio::select! {
                biased;
                _ = &mut evicted => false,
                left = timeout_at(deadline, leaves(&mut stream)) => left.unwrap_or(false),
            };
        if !has_left {
            // Closed as usual, the kernel would keep what the peer has not taken for minutes, beyond every bound here.
            let _ = stream.set_zero_linger();
        }
    }

    /// What answers the request.
    fn answers(&self, id: Id) -> impl HttpService<Incoming, ResBody = axum::body::Body, Error = Infallible, Future: Send> + use<> {
        let routes = TowerToHyperService::new(self.routes.clone());
        let table = self.table.clone();
        service_fn(move |request: hyper::Request<Incoming>| {
            lock(&table).asked(id);
            let answer = request.body().is_end_stream().then(|| routes.call(request));
            async move {
                match answer {
                    Some(answer) => answer.await,
                    None => Ok(routes::no_bodies()),
                }
            }
        })
    }
}

/// Whether it ended because the head did not come in time: there was no answer then to be taken.
fn is_too_slow(served: hyper::Result<()>) -> bool {
    served.is_err_and(|error| error.is_timeout())
}

/// Ends the answer and waits until the peer has closed its side, which says that it has the answer. False if it sends on instead.
async fn leaves(stream: &mut TcpStream) -> bool {
    if stream.shutdown().await.is_err() {
        return false;
    }
    let (mut scrap, mut discarded) = ([0; 4096], 0);
    while discarded <= DISCARDED {
        match stream.read(&mut scrap).await {
            Ok(0) => return true,
            Ok(more) => discarded += more,
            Err(_) => return false,
        }
    }
    false
}
