//! `/livez`, `/readyz` and `/metrics`, for anybody who can reach the port.
//!
//! Serves what the controller reports about itself, and never touches the cluster. The port has no authentication, so everything
//! that a peer can make large is bounded ([`Limits`], `docs/limits.md`): a connection carries one request, and where there are too
//! many connections, one of the address that has the most gives way to the new one.

mod connections;
mod exchange;
mod routes;

pub use routes::Health;

use connections::Connections;
use exchange::Exchange;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 1024;
/// What the kernel keeps of a connection that is not read; it doubles this for its own overhead.
const RECEIVE_BUFFER: u32 = 16 * 1024;
/// How long to wait before accepting again when it failed and no connection could give way.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What peers may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections that are open at once.
    pub connections: usize,
    /// Bytes of a request's head.
    pub head: usize,
    /// Time from the connection until the head is complete.
    pub head_time: Duration,
    /// Time from the connection until its end.
    pub exchange_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            head: 16 * 1024,
            head_time: Duration::from_secs(5),
            exchange_time: Duration::from_secs(10),
        }
    }
}

/// Begins to listen. `/livez` says that the process runs, `/readyz` that the first lists are in and it is not leaving.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    // Connections inherit it. What they send while nobody reads is memory of the kernel, and counts for the container.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, health: impl Health) {
    Server::new(health, Limits::default()).run(listener).await;
}

/// The open connections and what they are served with.
struct Server {
    limits: Limits,
    exchange: Exchange,
    table: Table,
    running: JoinSet<()>,
    /// Whether connections have given way since less than half of the table was taken: it is logged once.
    crowded: bool,
}

/// The open connections. Dropping the sender of one closes it.
type Table = Arc<Mutex<Connections<oneshot::Sender<()>>>>;

impl Server {
    fn new(health: impl Health, limits: Limits) -> Self {
        let table = Table::new(Mutex::new(Connections::new()));
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
            // The peer has left already: that is about this one connection.
            Err(error) if is_of_the_peer(&error) => {}
            // Out of file descriptors or memory. The next connection may be a probe: one that is open gives way to it.
            Err(error) => {
                tracing::debug!("cannot accept a connection to the metrics port: {error}");
                if !self.make_way().await {
                    tracing::warn!("cannot accept connections to the metrics port, trying again: {error}");
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
                "too many connections to the metrics port: the oldest of the busiest address give way"
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
            tracing::error!("a request to the metrics port has met a defect: {defect}");
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

fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
