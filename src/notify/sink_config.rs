//! What the administrator's file says of one sink.
//!
//! The fields of a sink go in, its configuration comes out, or what is wrong in them: the field and the way out, and never a value, which
//! may be a credential that somebody put into the wrong place.

use super::secret::Secret;
use super::trace_env::TraceEnv;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;
use std::path::PathBuf;

/// Where messages go.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkConfig {
    /// Its name: a DNS label.
    pub name: String,
    /// Of which kind it is.
    pub kind: Kind,
}

/// The kinds of sinks.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A CloudEvent each.
    Http(Http),
    /// A chat.
    Slack(Slack),
    /// Mail.
    Smtp(Smtp),
    /// A broker that speaks AMQP 0-9-1, such as RabbitMQ.
    Amqp(Amqp),
    /// A monitor that speaks the protocol of healthchecks.io.
    Heartbeat(Heartbeat),
    /// An OpenTelemetry collector, as the environment says; no file names it.
    Traces(TraceEnv),
}

/// A CloudEvent each, structured JSON, as one POST.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Where to. `http` or `https`.
    pub url: Secret,
    /// `Authorization: Bearer …`
    pub token: Option<Secret>,
    /// `X-Punctual-Signature: sha256=…`, the HMAC of the body.
    pub hmac_key: Option<Secret>,
    /// Certificates of the authorities that are trusted instead of the public ones, in PEM.
    pub ca: Option<PathBuf>,
}

/// An incoming webhook of Slack, Mattermost, Rocket.Chat or whoever takes the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Slack {
    /// The webhook.
    pub url: Secret,
    /// As for [`Http`].
    pub ca: Option<PathBuf>,
}

/// Mail, through a server of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Smtp {
    /// Its host name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How it is secured.
    pub tls: SmtpTls,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// To log in with.
    pub login: Option<(Secret, Secret)>,
    /// As for [`Http`].
    pub ca: Option<PathBuf>,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// Plain first, then TLS; a server that does not offer it gets no mail.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// A broker that speaks AMQP 0-9-1: a CloudEvent each, confirmed by the broker.
#[derive(Clone, Debug, PartialEq)]
pub struct Amqp {
    /// `amqp://user:password@host:5672/vhost` or `amqps://…`
    pub url: Secret,
    /// Name of the exchange; the default exchange, if empty.
    pub exchange: String,
    /// With `{namespace}`, `{task}` and `{outcome}` filled in.
    pub routing_key: String,
    /// As for [`Http`].
    pub ca: Option<PathBuf>,
}

/// A dead-man switch outside of the cluster, with the protocol of healthchecks.io: `URL/SLUG`, `/start`, `/fail` or `/EXITCODE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// `https://hc-ping.com/PING-KEY`; the slug `NAMESPACE_NAME` is appended.
    pub url: Secret,
    /// Whether checks that are not there are created.
    pub create: bool,
    /// As for [`Http`].
    pub ca: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HttpFields {
    url: Option<String>,
    url_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    hmac_key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SlackFields {
    url: Option<String>,
    url_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SmtpFields {
    server: String,
    port: Option<u16>,
    #[serde(default)]
    tls: SmtpTls,
    from: String,
    to: Vec<String>,
    username: Option<String>,
    username_file: Option<PathBuf>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AmqpFields {
    url: Option<String>,
    url_file: Option<PathBuf>,
    #[serde(default)]
    exchange: String,
    routing_key: Option<String>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HeartbeatFields {
    url: Option<String>,
    url_file: Option<PathBuf>,
    #[serde(default)]
    create: bool,
    ca_file: Option<PathBuf>,
}

/// Reads the fields of a sink.
///
/// # Errors
/// What is wrong in them.
pub fn read_sink(fields: &serde_yaml::Mapping) -> Result<Kind, String> {
    const KINDS: &str = "http, slack, smtp, amqp, heartbeat";
    let kinds: Vec<(&str, &Value)> = fields
        .iter()
        .filter_map(|(field, value)| Some((field.as_str()?, value)))
        .filter(|(field, _)| *field != "name")
        .collect();
    let [(kind, value)] = kinds[..] else {
        return Err(format!("must have exactly one of {KINDS}"));
    };
    match kind {
        "http" => {
            let read: HttpFields = fields_of(kind, value)?;
            Ok(Kind::Http(Http {
                url: web_address(kind, read.url, read.url_file)?,
                token: read.token_file.map(Secret::File),
                hmac_key: read.hmac_key_file.map(Secret::File),
                ca: read.ca_file,
            }))
        }
        "slack" => {
            let read: SlackFields = fields_of(kind, value)?;
            Ok(Kind::Slack(Slack {
                url: web_address(kind, read.url, read.url_file)?,
                ca: read.ca_file,
            }))
        }
        "smtp" => smtp(fields_of(kind, value)?),
        "amqp" => {
            let read: AmqpFields = fields_of(kind, value)?;
            Ok(Kind::Amqp(Amqp {
                url: address(kind, read.url, read.url_file, &["amqp", "amqps"])?,
                exchange: read.exchange,
                routing_key: read.routing_key.unwrap_or_else(|| "punctual.{namespace}.{task}.{outcome}".into()),
                ca: read.ca_file,
            }))
        }
        "heartbeat" => {
            let read: HeartbeatFields = fields_of(kind, value)?;
            Ok(Kind::Heartbeat(Heartbeat {
                url: web_address(kind, read.url, read.url_file)?,
                create: read.create,
                ca: read.ca_file,
            }))
        }
        other => Err(format!("{other:?} is no kind of sink; there are {KINDS}")),
    }
}

fn fields_of<T: DeserializeOwned>(kind: &str, value: &Value) -> Result<T, String> {
    serde_yaml::from_value(value.clone()).map_err(|error| format!("{kind}: {}", without_values(&error.to_string())))
}

fn without_values(message: &str) -> String {
    let mut quoted = message.split('"');
    let first = quoted.next().unwrap_or_default().to_owned();
    quoted
        .enumerate()
        .fold(first, |text, (index, part)| if index % 2 == 0 { text + "…" } else { text + part })
}

fn web_address(kind: &str, url: Option<String>, file: Option<PathBuf>) -> Result<Secret, String> {
    address(kind, url, file, &["http", "https"])
}

fn address(kind: &str, url: Option<String>, file: Option<PathBuf>, schemes: &[&str]) -> Result<Secret, String> {
    match (url, file) {
        (None, Some(file)) => Ok(Secret::File(file)),
        (Some(url), None) => {
            let is_known = schemes.iter().any(|scheme| url.starts_with(&format!("{scheme}://")));
            let begins = format!("{}://", schemes.join(":// or "));
            is_known
                .then_some(Secret::Text(url))
                .ok_or(format!("{kind}.url: must begin with {begins}"))
        }
        _ => Err(format!("{kind}: needs url, or urlFile if the address is a secret, and not both")),
    }
}

fn smtp(read: SmtpFields) -> Result<Kind, String> {
    let username = match (read.username, read.username_file) {
        (Some(name), None) => Some(Secret::Text(name)),
        (None, file) => file.map(Secret::File),
        _ => return Err("smtp: username and usernameFile cannot both be set".into()),
    };
    let login = match (username, read.password_file) {
        (None, None) => None,
        (Some(name), Some(file)) => Some((name, Secret::File(file))),
        _ => return Err("smtp: a username needs passwordFile, and the other way round".into()),
    };
    if read.to.is_empty() {
        return Err("smtp.to: names no recipient".into());
    }
    let usual = match read.tls {
        SmtpTls::StartTls => 587,
        SmtpTls::Tls => 465,
        SmtpTls::None => 25,
    };
    Ok(Kind::Smtp(Smtp {
        server: read.server,
        port: read.port.unwrap_or(usual),
        tls: read.tls,
        from: read.from,
        to: read.to,
        login,
        ca: read.ca_file,
    }))
}
