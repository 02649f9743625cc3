//! Publishes to a broker that speaks AMQP 0-9-1: a CloudEvent each, and each is confirmed by the broker.
//!
//! One connection is kept, and opened anew after an error, or when the address or the trusted authorities change. A message that the broker
//! would drop because no queue is bound comes back, and counts as not delivered.

use super::super::event::{CONTENT_TYPE, cloud_event};
use super::super::message::Message;
use super::super::sink_config::Amqp;
use super::broker_stream;
use super::credential;
use super::failure::{NotDelivered, root_cause};
use super::timeouts::Timeouts;
use super::tls::Trust;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{LongString, ShortString};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, PublisherConfirm};
use rustls::pki_types::ServerName;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{timeout, timeout_at};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// How many messages are unconfirmed at once.
pub const MOST: usize = 100;
/// `delivery_mode`: the broker writes the message to its disk.
const PERSISTENT: u8 = 2;
/// The longest text of this kind in AMQP, in bytes.
const SHORT: usize = 255;

/// A broker.
pub struct AmqpSink {
    config: Amqp,
    source: String,
    timeouts: Timeouts,
    open: Option<Open>,
}

/// An open connection, and what it was opened with.
struct Open {
    address: String,
    trust: Trust,
    place: String,
    connection: Connection,
    channel: Channel,
}

impl AmqpSink {
    /// Connects when there is something to publish.
    pub fn new(config: Amqp, source: &str, timeouts: Timeouts) -> Self {
        Self {
            config,
            source: source.into(),
            timeouts,
            open: None,
        }
    }

    /// Publishes messages, and returns when all of them are confirmed.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        // What the library logs may hold the password, and what matters of it is in the error.
        self.deliver_silently(messages).with_subscriber(NoSubscriber::new()).await
    }

    async fn deliver_silently(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        let field = credential::address_field(&self.config.url);
        let address = credential::read(field, &self.config.url).await?;
        let trust = Trust::read(self.config.ca.as_deref()).await?;
        let is_usable = |open: &Open| open.address == address && open.trust == trust && open.connection.status().connected();
        let open = match self.open.take().filter(is_usable) {
            Some(open) => open,
            None => open(field, address, trust, self.timeouts.connect).await?,
        };
        let mut delivered = 0;
        for batch in messages.chunks(MOST) {
            if let Err(error) = self.publish(&open.channel, batch).await {
                // Confirmations that come late must not be taken for those of the next delivery.
                let close = open.connection.close(200, "".into());
                let _ = timeout(self.timeouts.connect, close).await;
                return Err(NotDelivered {
                    delivered: delivered + error.delivered,
                    message: format!("{}: {}", open.place, error.message),
                    ..error
                });
            }
            delivered += batch.len();
        }
        self.open = Some(open);
        Ok(())
    }

    async fn publish(&self, channel: &Channel, messages: &[Message]) -> Result<(), NotDelivered> {
        let deadline = tokio::time::Instant::now() + self.timeouts.request;
        let mut failure = None;
        let mut confirms: Vec<PublisherConfirm> = Vec::new();
        for message in messages {
            match timeout_at(deadline, self.publish_one(channel, message)).await {
                Ok(Ok(confirm)) => confirms.push(confirm),
                Ok(Err(error)) => failure = Some(root_cause(&error)),
                Err(_) => failure = Some("the broker did not accept messages in time".into()),
            }
            if failure.is_some() {
                break;
            }
        }
        let answers = confirms.into_iter().map(|confirm| timeout_at(deadline, confirm));
        let mut answers: Vec<_> = futures::future::join_all(answers)
            .await
            .into_iter()
            .map(|answer| match answer {
                Ok(Ok(Confirmation::Ack(returned))) => {
                    Answer::Taken(returned.and_then(|returned| returned.delivery.properties.message_id().clone()))
                }
                Ok(Ok(Confirmation::Nack(_))) => Answer::Refused("the broker refused the message (nack): see its log".into()),
                Ok(Ok(Confirmation::NotRequested)) => Answer::Refused("the broker does not confirm messages".into()),
                Ok(Err(error)) => Answer::Refused(root_cause(&error)),
                Err(_) => Answer::Refused("the broker did not confirm the message in time".into()),
            })
            .collect();
        answers.extend(failure.map(Answer::Refused));
        self.judge(messages, &answers)
    }

    async fn publish_one(&self, channel: &Channel, message: &Message) -> lapin::Result<PublisherConfirm> {
        let properties = BasicProperties::default()
            .with_message_id(short(&message.id))
            .with_type(short(&message.what.event_type()))
            .with_content_type(short(CONTENT_TYPE))
            .with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let body = cloud_event(message, &self.source).to_string();
        let key = short(&routing_key(&self.config.routing_key, message));
        let exchange = short(&self.config.exchange);
        channel.basic_publish(exchange, key, options, body.as_bytes(), properties).await
    }

    /// What the answers say of the messages.
    fn judge(&self, messages: &[Message], answers: &[Answer]) -> Result<(), NotDelivered> {
        // The library hands a returned message to whichever confirmation comes next, so only its id says which one it is.
        let returned: HashSet<&str> = answers
            .iter()
            .filter_map(|answer| match answer {
                Answer::Taken(Some(id)) => Some(id.as_str()),
                _ => None,
            })
            .collect();
        let is_returned = |message: &Message| returned.contains(short(&message.id).as_str());
        let is_complete = answers.len() == messages.len() && answers.iter().all(|answer| matches!(answer, Answer::Taken(_)));
        let delivered = match (is_complete, returned.is_empty()) {
            (true, true) => return Ok(()),
            // Without all confirmations, not all returned messages may be known.
            (false, false) => 0,
            _ => messages
                .iter()
                .zip(answers)
                .take_while(|(message, answer)| matches!(answer, Answer::Taken(_)) && !is_returned(message))
                .count(),
        };
        let refusal = answers.iter().find_map(|answer| match answer {
            Answer::Refused(why) => Some(why.clone()),
            Answer::Taken(_) => None,
        });
        let first_returned = messages.iter().find(|message| is_returned(message));
        let unroutable = first_returned.map(|message| {
            let key = routing_key(&self.config.routing_key, message);
            format!(
                "exchange {:?}: no queue is bound for the routing key {key:?}: bind one",
                self.config.exchange
            )
        });
        let why = unroutable.or(refusal).unwrap_or_else(|| "not confirmed".into());
        Err(NotDelivered {
            delivered,
            ..NotDelivered::new(why)
        })
    }
}

/// What the broker said of a message.
enum Answer {
    /// Confirmed; with the id of a message that came back.
    Taken(Option<ShortString>),
    Refused(String),
}

async fn open(field: &str, address: String, trust: Trust, most: Duration) -> Result<Open, NotDelivered> {
    // The parser's words may quote the address.
    let wrong = || NotDelivered::new(format!("{field}: is not an address such as amqps://user:password@host:5671/vhost"));
    let uri: AMQPUri = address.parse().map_err(|_| wrong())?;
    let host = uri.authority.host.clone();
    let (scheme, tls) = match uri.scheme {
        AMQPScheme::AMQP => ("amqp", None),
        AMQPScheme::AMQPS => {
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| wrong())?;
            ("amqps", Some((Arc::new(trust.client()?), name)))
        }
    };
    let place = format!("{scheme}://{host}:{}", uri.authority.port);
    let runtime = broker_stream::runtime(tls);
    let opened = timeout(most, async {
        let resolved = tokio::net::lookup_host((host.trim_matches(['[', ']']), uri.authority.port));
        let addresses: Vec<SocketAddr> = resolved.await.map_err(|error| error.to_string())?.collect();
        let options = ConnectionProperties::default().with_connection_name(LongString::from("punctual"));
        let connect = async move |_, runtime: broker_stream::BrokerRuntime| {
            AsyncTcpStream::connect(&runtime, addresses.clone())
                .await
                .map_err(lapin::Error::from)
        };
        let connection = Connection::connector(uri, runtime, connect, options);
        let connection = connection.await.map_err(|error| root_cause(&error))?;
        let channel = connection.create_channel().await.map_err(|error| root_cause(&error))?;
        let confirm = channel.confirm_select(ConfirmSelectOptions::default());
        confirm.await.map_err(|error| root_cause(&error))?;
        Ok((connection, channel))
    });
    match opened.await {
        Ok(Ok((connection, channel))) => Ok(Open {
            address,
            trust,
            place,
            connection,
            channel,
        }),
        Ok(Err::<_, String>(why)) => Err(NotDelivered::new(format!("{place}: {why}"))),
        Err(_) => Err(NotDelivered::new(format!("{place}: connection timed out"))),
    }
}

/// The key of a message. A dot separates words in it, so those of a name become `_`, which no name contains.
fn routing_key(pattern: &str, message: &Message) -> String {
    let word = |text: &str| text.replace('.', "_");
    pattern
        .replace("{namespace}", &word(&message.subject.namespace))
        .replace("{task}", &word(&message.subject.name))
        .replace("{outcome}", message.what.as_str())
}

/// A text that AMQP has room for.
fn short(text: &str) -> ShortString {
    let fits = text
        .char_indices()
        .map(|(start, c)| start + c.len_utf8())
        .take_while(|end| *end <= SHORT);
    let end = fits.last().unwrap_or_default();
    ShortString::try_new(text.get(..end).unwrap_or_default()).unwrap_or_default()
}
