//! Sends the traces of slots to an OpenTelemetry collector, over HTTP or gRPC. Headers the exporter reads from the environment.

use super::super::message::Message;
use super::super::trace::spans;
use super::super::trace_env::{Protocol, TraceEnv};
use super::credential::{self, read_ca};
use super::failure::{NotDelivered, root_cause};
use super::timeouts::Timeouts;
use super::web::Web;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;
use tonic::transport::{Certificate, ClientTlsConfig};

/// So many outcomes are one request.
pub const MOST: usize = 256;
/// The service, unless the environment names another.
const SERVICE: &str = "punctual";

/// A collector.
#[derive(Debug)]
pub struct TracesSink {
    config: TraceEnv,
    timeouts: Timeouts,
    web: Web,
    exporter: Option<SpanExporter>,
}

impl TracesSink {
    /// Connects when there is something to send.
    pub fn new(config: TraceEnv, timeouts: Timeouts) -> Self {
        Self {
            config,
            timeouts,
            web: Web::new(timeouts),
            exporter: None,
        }
    }

    /// Sends the spans of these messages, and returns when the collector has taken them.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        // After a failure it connects anew, with the certificates of then.
        let exporter = match self.exporter.take() {
            Some(exporter) => exporter,
            None => self.connect().await?,
        };
        let all = messages.iter().flat_map(spans).collect();
        match tokio::time::timeout(self.timeouts.request, exporter.export(all)).await {
            Ok(Ok(())) => self.exporter = Some(exporter),
            Ok(Err(error)) => return Err(NotDelivered::new(without_addresses(&root_cause(&error)))),
            Err(_) => return Err(NotDelivered::new("the collector: request timed out")),
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<SpanExporter, NotDelivered> {
        let ca = self.config.certificate.as_deref();
        let endpoint = match &self.config.endpoint {
            Some(endpoint) => Some(credential::read("the endpoint", endpoint).await?),
            None => None,
        };
        let built = match self.config.protocol {
            Protocol::Http => {
                let client = self.web.client(ca).await?;
                let builder = SpanExporter::builder().with_http().with_http_client(client);
                let builder = builder.with_protocol(opentelemetry_otlp::Protocol::HttpBinary);
                at(endpoint, builder).with_timeout(self.timeouts.request).build()
            }
            Protocol::Grpc => {
                let tls = match ca {
                    Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read_ca(path).await?)),
                    None => ClientTlsConfig::new().with_webpki_roots(),
                };
                let builder = SpanExporter::builder().with_tonic().with_tls_config(tls);
                at(endpoint, builder).with_timeout(self.timeouts.request).build()
            }
        };
        let mut exporter = built.map_err(|error| NotDelivered::new(without_addresses(&error.to_string())))?;
        let resource = Resource::builder();
        let resource = if self.config.is_named {
            resource
        } else {
            resource.with_service_name(SERVICE)
        };
        exporter.set_resource(&resource.build());
        Ok(exporter)
    }
}

fn at<B: WithExportConfig>(endpoint: Option<String>, builder: B) -> B {
    match endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    }
}

/// The address may hold a credential.
fn without_addresses(text: &str) -> String {
    let is_address = |word: &&str| word.contains("://");
    let words: Vec<&str> = text
        .split(' ')
        .map(|word| if is_address(&word) { "(address)" } else { word })
        .collect();
    format!("the collector: {}", words.join(" "))
}
