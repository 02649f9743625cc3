//! Where messages leave the process.
//!
//! Messages go in, in order; that all of them were acknowledged comes out, or how many, and why not the others. A sink keeps connections,
//! and no messages. No error and no `Debug` output names a credential.

mod amqp;
mod broker_stream;
mod credential;
mod failure;
mod heartbeat;
mod http;
mod lanes;
mod slack;
mod smtp;
mod timeouts;
mod tls;
mod traces;
mod web;

use super::message::Message;
use super::sink_config::{Kind, SinkConfig};
use amqp::AmqpSink;
use heartbeat::HeartbeatSink;
use http::HttpSink;
use slack::SlackSink;
use smtp::SmtpSink;
use std::fmt;
use traces::TracesSink;

pub use failure::NotDelivered;
pub use timeouts::Timeouts;

/// A sink that is in use.
pub struct Sink {
    config: SinkConfig,
    receiver: Receiver,
}

enum Receiver {
    Http(HttpSink),
    Slack(SlackSink),
    Smtp(SmtpSink),
    // It keeps much more than the others.
    Amqp(Box<AmqpSink>),
    Heartbeat(HeartbeatSink),
    Traces(Box<TracesSink>),
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sink").field(&self.config.name).finish()
    }
}

impl Sink {
    /// A sink. `source` names this installation, in events.
    #[must_use]
    pub fn new(config: SinkConfig, source: &str) -> Self {
        Self::with_timeouts(config, source, Timeouts::default())
    }

    /// The same with other timeouts.
    #[must_use]
    pub fn with_timeouts(config: SinkConfig, source: &str, timeouts: Timeouts) -> Self {
        let receiver = match config.kind.clone() {
            Kind::Http(http) => Receiver::Http(HttpSink::new(http, source, timeouts)),
            Kind::Slack(slack) => Receiver::Slack(SlackSink::new(slack, timeouts)),
            Kind::Smtp(smtp) => Receiver::Smtp(SmtpSink::new(smtp, timeouts)),
            Kind::Amqp(amqp) => Receiver::Amqp(Box::new(AmqpSink::new(amqp, source, timeouts))),
            Kind::Heartbeat(heartbeat) => Receiver::Heartbeat(HeartbeatSink::new(heartbeat, timeouts)),
            Kind::Traces(config) => Receiver::Traces(Box::new(TracesSink::new(config, timeouts))),
        };
        Self { config, receiver }
    }

    /// How many messages it takes at once, at most.
    #[must_use]
    pub fn most(&self) -> usize {
        match self.receiver {
            Receiver::Http(_) | Receiver::Heartbeat(_) => 64,
            Receiver::Slack(_) => slack::MOST,
            Receiver::Smtp(_) => smtp::MOST,
            Receiver::Amqp(_) => amqp::MOST,
            Receiver::Traces(_) => traces::MOST,
        }
    }

    /// Whether several messages are one for people: then it is worth to wait for more.
    #[must_use]
    pub fn groups(&self) -> bool {
        matches!(self.receiver, Receiver::Slack(_) | Receiver::Smtp(_))
    }

    /// Sends messages, and returns when the receiver has acknowledged all of them.
    ///
    /// # Errors
    /// How many were acknowledged, and why not all.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        if messages.is_empty() {
            return Ok(());
        }
        match &mut self.receiver {
            Receiver::Http(sink) => sink.deliver(messages).await,
            Receiver::Slack(sink) => sink.deliver(messages).await,
            Receiver::Smtp(sink) => sink.deliver(messages).await,
            Receiver::Amqp(sink) => sink.deliver(messages).await,
            Receiver::Heartbeat(sink) => sink.deliver(messages).await,
            Receiver::Traces(sink) => sink.deliver(messages).await,
        }
    }
}
