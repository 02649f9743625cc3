//! The runtime of the AMQP library: it opens connections, with TLS if it is asked for, and logs nothing.
//!
//! The library's own TLS brings forty crates for formats that nobody needs here; this one is that of all other sinks. At the level `trace`,
//! the library logs each frame, and one of them holds the password.

use async_compat::{Compat, CompatExt};
use async_rs::Tokio;
use async_rs::traits::{Executor, Reactor};
use async_rs::util::{RuntimeParts, Task};
use futures::Stream;
use futures::io::{AsyncRead, AsyncWrite};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::cell::OnceCell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

/// What a connection is, encrypted or not.
trait Connection: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Connection for T {}

/// What the AMQP library reads and writes.
pub struct BrokerStream(Compat<Box<dyn Connection>>);

/// The runtime that the AMQP library works with.
pub type BrokerRuntime = async_rs::Runtime<RuntimeParts<Silent, Opener>>;

/// Opens connections.
#[derive(Clone, Debug)]
pub struct Opener {
    tokio: Tokio,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// A runtime of the current one whose connections are encrypted if `tls` says how, and to whom.
pub fn runtime(tls: Option<(Arc<ClientConfig>, ServerName<'static>)>) -> BrokerRuntime {
    let tokio = Tokio::current();
    let opener = Opener { tokio: tokio.clone(), tls };
    async_rs::Runtime::new(RuntimeParts::new(Silent(tokio), opener))
}

thread_local! {
    /// As long as it is there, the thread logs nothing.
    static SILENCE: OnceCell<DefaultGuard> = const { OnceCell::new() };
}

/// Runs what the library does in the background.
#[derive(Clone, Debug)]
pub struct Silent(Tokio);

impl Executor for Silent {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        // Only the thread that the library starts for a connection does this, before it reads or writes.
        SILENCE.with(|silence| {
            silence.get_or_init(|| set_default(NoSubscriber::new()));
        });
        self.0.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, future: F) -> Task<Self::Task<T>> {
        self.0.spawn(future.with_subscriber(NoSubscriber::new()))
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, work: F) -> Task<Self::Task<T>> {
        self.0
            .spawn_blocking(|| tracing::subscriber::with_default(NoSubscriber::new(), work))
    }
}

impl Reactor for Opener {
    type TcpStream = BrokerStream;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(&self, address: SocketAddr) -> impl Future<Output = io::Result<BrokerStream>> + Send + 'static {
        let tls = self.tls.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Connection> = match tls {
                Some((config, name)) => Box::new(TlsConnector::from(config).connect(name, stream).await?),
                None => Box::new(stream),
            };
            Ok(BrokerStream(stream.compat()))
        }
    }
}

mod io_traits {
    use super::BrokerStream;
    use futures::io::{AsyncRead, AsyncWrite};
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    impl AsyncRead for BrokerStream {
        fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_read(context, buffer)
        }
    }

    impl AsyncWrite for BrokerStream {
        fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(context, buffer)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(context)
        }

        fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_close(context)
        }
    }
}
