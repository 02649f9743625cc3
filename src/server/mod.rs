//! HTTP server for `/livez`, `/readyz` and `/metrics`.
//!
//! Serves what the controller reports about itself and never accesses the cluster. The port has no authentication, so everything
//! that a peer can make large is limited ([`Limits`], `docs/limits.md`): a connection carries one request, and when there are too
//! many connections, one from the address with the most connections is closed for the new one.

mod connections;
mod exchange;
mod limits;
mod routes;
mod table;

pub use routes::{Health, Page};

use exchange::Exchange;
use limits::Limits;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use table::{Table, lock};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

/// Completed connections that the kernel queues until they are accepted.
const BACKLOG: u32 = 1024;
/// Kernel receive buffer per connection; the kernel doubles the value for its own overhead.
const RECEIVE_BUFFER: u32 = 16 * 1024;
/// Pause after a failed accept when no connection could be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Opens the listening socket. `/livez` answers while the process runs; `/readyz` when tasks and Jobs are listed and no shutdown has begun.
///
/// # Errors
/// When the address cannot be bound.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    // Connections inherit it. Unread bytes are kernel memory that is charged to the container.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the process exits.
pub async fn serve(listener: TcpListener, health: impl Health) {
    Server::new(health, Limits::default()).run(listener).await;
}

/// The open connections and the configuration that serves them.
struct Server {
    limits: Limits,
    exchange: Exchange,
    table: Table,
    running: JoinSet<()>,
    /// Whether connections have been evicted since the table was last less than half full: logged once.
    crowded: bool,
}

impl Server {
    fn new(health: impl Health, limits: Limits) -> Self {
        let table = table::empty();
        Self {
            limits,
            exchange: Exchange::new(health, limits, table.clone()),
            table,
            running: JoinSet::new(),
            crowded: false,
        }
    }

    async fn run(mut self, listener: TcpListener) {
        loop {
            tokio::select! {
                accepted = listener.accept() => self.accepted(accepted).await,
                Some(ended) = self.running.join_next() => self.ended(&ended),
            }
        }
    }

    async fn accepted(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, peer)) => {
                while self.running.len() >= self.limits.connections {
                    self.make_way().await;
                }
                let (handle, evicted) = oneshot::channel();
                let id = lock(&self.table).add(peer.ip(), handle);
                self.running.spawn(self.exchange.clone().run(id, stream, evicted));
            }
            // The peer has already gone: this affects this connection only.
            Err(error) if is_of_the_peer(&error) => {}
            // Out of file descriptors or memory. The next connection may be a probe, so an open one is closed for it.
            Err(error) => {
                tracing::debug!("failed to accept a connection on the metrics port: {error}");
                if !self.make_way().await {
                    tracing::warn!("failed to accept connections on the metrics port, retrying: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Closes one connection and waits until it, or another, is gone. False if none is open.
    async fn make_way(&mut self) -> bool {
        if !self.crowded {
            self.crowded = true;
            let open = self.running.len();
            tracing::warn!(
                open,
                "too many connections to the metrics port: closing the oldest ones of the busiest address"
            );
        }
        drop(lock(&self.table).evict());
        match self.running.join_next().await {
            Some(ended) => {
                self.ended(&ended);
                true
            }
            None => false,
        }
    }

    fn ended(&mut self, ended: &Result<(), JoinError>) {
        if let Err(defect) = ended {
            tracing::error!("a request to the metrics port panicked (a bug in the operator): {defect}");
        }
        if self.running.len() < self.limits.connections / 2 {
            self.crowded = false;
        }
    }
}

/// Whether a connection could not be accepted because of its peer.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests;
