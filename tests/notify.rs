//! Notifications, from a message to what a receiver has: real brokers and mail servers, and receivers that speak the documented protocols.
//!
//! No cluster is needed. Where Debian's packages cannot be had, tests that need them say so, and fail if `CI` is `true`.

#[path = "notify/amqp.rs"]
mod amqp;
#[path = "notify/authority.rs"]
mod authority;
#[path = "chart/debian.rs"]
mod debian;
#[path = "notify/exim.rs"]
mod exim;
#[path = "notify/heartbeat.rs"]
mod heartbeat;
#[path = "notify/http.rs"]
mod http;
#[path = "notify/logs.rs"]
mod logs;
#[path = "notify/messages.rs"]
mod messages;
#[path = "notify/rabbitmq.rs"]
mod rabbitmq;
#[path = "notify/receiver.rs"]
mod receiver;
#[path = "notify/secrets.rs"]
mod secrets;
#[path = "notify/slack.rs"]
mod slack;
#[path = "notify/smtp.rs"]
mod smtp;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;

/// A server that does not come up in this time never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of unpacked packages; nothing, where there is no apt, and then that is said.
fn packages(name: &'static str, names: &'static [&'static str]) -> Option<PathBuf> {
    debian::unpacked(name, names)
}

/// A port of the loopback that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Waits until somebody listens.
async fn until_open(port: u16) -> bool {
    let open = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, open).await.is_ok()
}
