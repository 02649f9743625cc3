//! A real RabbitMQ.

use crate::logs;
use crate::messages::{SOURCE, failures, message, sink};
use crate::rabbitmq::RabbitMq;
use lapin::options::{BasicAckOptions, BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use punctual::notify::{Amqp, Message, NotDelivered, Secret, SinkKind, What, cloud_event};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

fn amqp(url: String, exchange: &str) -> Amqp {
    Amqp {
        url: Secret::Text(url),
        exchange: exchange.into(),
        routing_key: "punctual.{namespace}.{task}.{outcome}".into(),
        ca: None,
    }
}

async fn error_of(config: Amqp, messages: &[Message]) -> NotDelivered {
    let error = sink(SinkKind::Amqp(config)).deliver(messages).await.unwrap_err();
    assert!(!error.is_final, "{error:?}");
    error
}

/// A consumer of a topic exchange: a durable queue gets what matches the pattern.
struct Consumer {
    channel: Channel,
    _connection: Connection,
}

impl Consumer {
    async fn of(broker: &RabbitMq) -> Consumer {
        let connection = Connection::connect(&broker.url(), ConnectionProperties::default()).await.unwrap();
        Consumer {
            channel: connection.create_channel().await.unwrap(),
            _connection: connection,
        }
    }

    async fn bind(&self, pattern: &str) {
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let none = FieldTable::default;
        self.channel
            .exchange_declare("runs".into(), ExchangeKind::Topic, durable, none())
            .await
            .unwrap();
        let durable = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        self.channel.queue_declare("inbox".into(), durable, none()).await.unwrap();
        let options = QueueBindOptions::default();
        self.channel
            .queue_bind("inbox".into(), "runs".into(), pattern.into(), options, none())
            .await
            .unwrap();
    }

    /// Takes all that is there.
    async fn take(&self) -> Vec<lapin::message::Delivery> {
        let mut taken = Vec::new();
        while let Some(got) = self.channel.basic_get("inbox".into(), BasicGetOptions::default()).await.unwrap() {
            got.delivery.ack(BasicAckOptions::default()).await.unwrap();
            taken.push(got.delivery);
        }
        taken
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_confirmed_by_a_real_broker() {
    let Some(broker) = RabbitMq::start().await else { return };
    let consumer = Consumer::of(&broker).await;
    consumer.bind("punctual.prod.a_b.#").await;
    events_are_read_back(&broker, &consumer).await;
    unroutable_events_come_back(&broker, &consumer).await;
    tls_needs_the_authority(&broker, &consumer).await;
    credentials_stay_secret(&broker).await;
}

async fn events_are_read_back(broker: &RabbitMq, consumer: &Consumer) {
    let messages: Vec<_> = (0..250).map(|minute| message(What::Failed, "a.b", minute)).collect();
    sink(SinkKind::Amqp(amqp(broker.url(), "runs"))).deliver(&messages).await.unwrap();
    let taken = consumer.take().await;
    assert_eq!(taken.len(), messages.len());
    for (delivery, message) in taken.iter().zip(&messages) {
        assert_eq!(delivery.routing_key.as_str(), "punctual.prod.a_b.Failed");
        let properties = &delivery.properties;
        assert_eq!(properties.message_id().as_ref().unwrap().as_str(), message.id);
        assert_eq!(properties.kind().as_ref().unwrap().as_str(), "dev.punctual.run.failed.v1alpha1");
        assert_eq!(properties.content_type().as_ref().unwrap().as_str(), punctual::notify::CONTENT_TYPE);
        assert_eq!(*properties.delivery_mode(), Some(2));
        let event: Value = serde_json::from_slice(&delivery.data).unwrap();
        assert_eq!(event, cloud_event(message, SOURCE));
    }
}

/// Whatever the order of confirmations, none of these counts as delivered.
async fn unroutable_events_come_back(broker: &RabbitMq, consumer: &Consumer) {
    let mut config = amqp(broker.url(), "runs");
    let no_queue = "exchange \"runs\": no queue is bound for the routing key \"punctual.prod.other.Failed\": bind one";
    for unroutable in [0, 1, 7, 99] {
        let mut messages: Vec<_> = (0..100).map(|minute| message(What::Failed, "a.b", minute)).collect();
        messages[unroutable] = message(What::Failed, "other", 0);
        let mut sink = sink(SinkKind::Amqp(config.clone()));
        let error = sink.deliver(&messages).await.unwrap_err();
        assert!(error.message.ends_with(no_queue), "{error:?}");
        assert_eq!((error.delivered, error.is_final), (unroutable, false), "{error:?}");
        // The same sink goes on once a queue is there.
        sink.deliver(&messages[..unroutable]).await.unwrap();
        consumer.take().await;
    }
    config.exchange = "missing".into();
    let error = error_of(config, &failures(3)).await;
    assert!(error.message.contains("missing"), "{error:?}");
    assert_eq!(error.delivered, 0);
}

async fn tls_needs_the_authority(broker: &RabbitMq, consumer: &Consumer) {
    let mut config = amqp(broker.tls_url(), "runs");
    let one = [message(What::Failed, "a.b", 0)];
    let error = error_of(config.clone(), &one).await;
    assert!(
        error.message.starts_with("amqps://localhost:") && error.message.contains("UnknownIssuer: set caFile"),
        "{error:?}"
    );
    config.ca = Some(broker.ca());
    sink(SinkKind::Amqp(config)).deliver(&one).await.unwrap();
    assert_eq!(consumer.take().await.len(), 1);
}

async fn credentials_stay_secret(broker: &RabbitMq) {
    logs::capture();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    fs::write(&file, broker.url().replace("r1ght", "amqp-s3cret")).unwrap();
    let mut config = amqp(String::new(), "runs");
    config.url = Secret::File(file.clone());
    let mut sink = sink(SinkKind::Amqp(config));
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.contains("ACCESS_REFUSED"), "{error:?}");
    assert!(!format!("{error:?} {sink:?}").contains("amqp-s3cret"), "{error:?} {sink:?}");
    logs::hold_no("amqp-s3cret");
    fs::write(&file, "amqp://punctual:amqp-s3cret@[").unwrap();
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert!(error.message.starts_with("urlFile: is not an address"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_gets_every_event_later() {
    let Some(mut broker) = RabbitMq::start().await else { return };
    Consumer::of(&broker).await.bind("#").await;
    let messages = failures(3000);
    let mut sink = sink(SinkKind::Amqp(amqp(broker.url(), "runs")));
    let (mut left, mut acknowledged) = (messages.as_slice(), 0);
    let mut interruptions = 0;
    while !left.is_empty() {
        let batch = &left[..left.len().min(100)];
        let outcome = if acknowledged == 1000 && interruptions == 0 {
            // It dies while events are under way.
            let (outcome, ()) = tokio::join!(sink.deliver(batch), async { broker.kill() });
            outcome
        } else {
            sink.deliver(batch).await
        };
        let delivered = match outcome {
            Ok(()) => batch.len(),
            Err(error) => {
                assert!(!error.is_final && !error.message.contains("r1ght"), "{error:?}");
                interruptions += 1;
                assert!(interruptions < 20, "{error:?}");
                if interruptions == 1 {
                    // Nobody is there.
                    let error = sink.deliver(batch).await.unwrap_err();
                    assert!(error.message.contains("Connection refused") && error.delivered == 0, "{error:?}");
                    broker.start_again().await;
                }
                error.delivered
            }
        };
        acknowledged += delivered;
        left = &left[delivered..];
    }
    assert!(interruptions > 0, "the broker was killed too late");
    let taken = Consumer::of(&broker).await.take().await;
    let id = |delivery: &lapin::message::Delivery| delivery.properties.message_id().as_ref().unwrap().as_str().to_owned();
    let ids: BTreeSet<String> = taken.iter().map(id).collect();
    assert_eq!(ids, messages.iter().map(|message| message.id.clone()).collect());
    // Only what was under way may have come twice.
    assert!(taken.len() <= messages.len() + 100, "{}", taken.len());
}

#[tokio::test]
async fn a_broker_that_does_not_answer_costs_a_bounded_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = amqp(format!("amqp://u:s3cret@127.0.0.1:{port}"), "");
    let mut sink = crate::messages::hasty_sink(SinkKind::Amqp(config));
    let error = sink.deliver(&failures(1)).await.unwrap_err();
    assert_eq!(error.message, format!("amqp://127.0.0.1:{port}: connection timed out"));
}
