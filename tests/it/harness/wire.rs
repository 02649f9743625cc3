//! The wire between one process and the API server, which a test can cut: TCP is passed on as it is, so the process keeps its
//! certificate and its name.
//!
//! Takes a kubeconfig, gives one that goes through the wire. Never looks into what passes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the wire is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Everything passes.
    Up,
    /// Nothing passes and nothing is said: what was sent is lost, connections are reset when the link is up again.
    Silent,
    /// Connections are reset, new ones as well.
    Refused,
}

/// A wire on loopback.
pub struct Wire {
    link: watch::Sender<Link>,
    kubeconfig: PathBuf,
    _dir: tempfile::TempDir,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A wire to the API server of `kubeconfig`, which listens at `url` (`https://127.0.0.1:PORT`).
    pub async fn start(kubeconfig: &Path, url: &str) -> Wire {
        let server: SocketAddr = url.trim_start_matches("https://").parse().expect("an address on loopback");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let here = format!("https://{}", listener.local_addr().expect("an address"));
        let dir = tempfile::tempdir().expect("a directory");
        let through = dir.path().join("kubeconfig");
        let text = std::fs::read_to_string(kubeconfig).expect("a kubeconfig");
        assert!(text.contains(url), "{text}");
        std::fs::write(&through, text.replace(url, &here)).expect("a kubeconfig");
        let link = watch::Sender::new(Link::Up);
        let states = link.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, states.clone()));
            }
        });
        Wire {
            link,
            kubeconfig: through,
            _dir: dir,
            accepting,
        }
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Cuts the wire, or mends it.
    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection. Who lived through a cut is reset: nothing is delivered late.
async fn carry(mut client: TcpStream, server: SocketAddr, mut link: watch::Receiver<Link>) {
    let _ = client.set_zero_linger();
    if *link.borrow() == Link::Up
        && let Ok(mut server) = TcpStream::connect(server).await
    {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        tokio::select! {
            // An end that both sides know of is no fault.
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = link.wait_for(|link| *link != Link::Up) => {}
        }
    }
    let _ = link.wait_for(|link| *link != Link::Silent).await;
}
