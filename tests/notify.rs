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
#[path = "notify/servers.rs"]
mod servers;
#[path = "notify/slack.rs"]
mod slack;
#[path = "notify/smtp.rs"]
mod smtp;
#[path = "notify/traces.rs"]
mod traces;

use servers::{PATIENCE, free_port, packages, until_open};
