//! What real servers need: their packages, and ports of their own.

use crate::debian;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;

/// A server that does not come up in this time never will.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of unpacked packages; nothing, where there is no apt, and then that is said.
pub fn packages(name: &'static str, names: &'static [&'static str]) -> Option<PathBuf> {
    debian::unpacked(name, names)
}

/// A port of the loopback that nobody listens at.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Waits until somebody listens.
pub async fn until_open(port: u16) -> bool {
    let open = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, open).await.is_ok()
}
