//! The administrator's file: which sinks there are, and what goes where.
//!
//! A text in YAML goes in. What is right in it is used, whatever else is wrong: each mistake is told by the name of its sink or the
//! number of its route, the field, and the way out. No tenant can write it, and nothing in a task names a sink or an address.

use super::message::{Message, Subject, What};
use super::route::Route;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

/// A file of more bytes is not read: ConfigMaps have one megabyte at most.
pub const LARGEST_FILE: usize = 1 << 20;
/// So many sinks, so that each of them has a place in the book.
pub const MOST_SINKS: usize = 32;

/// Messages for people wait so long for others, unless the file says otherwise.
const GROUP_WAIT: Duration = Duration::from_secs(10);
const LONGEST_GROUP_WAIT: Duration = Duration::from_secs(3600);

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Each with a name of its own.
    pub sinks: Vec<SinkConfig>,
    /// What goes where.
    pub routes: Vec<Route>,
    /// Messages for people wait so long for others: a storm of failures is one message.
    pub group_wait: Duration,
    /// What in it cannot be used.
    pub wrong: Vec<WrongSink>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sinks: Vec::new(),
            routes: Vec::new(),
            group_wait: GROUP_WAIT,
            wrong: Vec::new(),
        }
    }
}

/// A mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSink {
    /// `sink "chat"` or `routes[0]`.
    pub place: String,
    /// What is wrong, and the way out.
    pub message: String,
}

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
}

/// A text that is given, or the file that holds it; a file is read anew for each delivery, so that a Secret may be rotated.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// As in the configuration.
    Text(String),
    /// In a file, for which a Secret is mounted.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
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
    /// `https://hc-ping.com/PING-KEY`; the slug `NAMESPACE-NAME` is appended.
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

impl Config {
    /// Reads the file's text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut config = Self::default();
        if text.len() > LARGEST_FILE {
            config.is_wrong("the file", format!("has {} bytes; at most {LARGEST_FILE} are read", text.len()));
            return config;
        }
        let root: Value = match serde_yaml::from_str(text) {
            Ok(Value::Null) => return config,
            Ok(root) => root,
            Err(error) => {
                config.is_wrong("the file", format!("is no YAML: {error}"));
                return config;
            }
        };
        let Some(fields) = root.as_mapping() else {
            config.is_wrong("the file", "must have the fields sinks and routes".into());
            return config;
        };
        for (field, value) in fields {
            match field.as_str() {
                Some("sinks") => config.read_sinks(value),
                Some("routes") => {}
                Some("groupWait") => config.read_group_wait(value),
                other => {
                    let name = other.unwrap_or("?");
                    config.is_wrong(
                        "the file",
                        format!("has an unknown field {name:?}; it has sinks, routes and groupWait"),
                    );
                }
            }
        }
        config.read_routes(fields.get("routes"));
        config
    }

    fn is_wrong(&mut self, place: &str, message: String) {
        self.wrong.push(WrongSink {
            place: place.into(),
            message,
        });
    }

    fn read_group_wait(&mut self, value: &Value) {
        let read = serde_yaml::from_value::<kube::core::Duration>(value.clone());
        match read.map(Duration::from) {
            Ok(wait) if wait <= LONGEST_GROUP_WAIT => self.group_wait = wait,
            _ => self.is_wrong("groupWait", "must be a duration of at most an hour, such as 10s".into()),
        }
    }

    fn read_sinks(&mut self, value: &Value) {
        let Some(list) = value.as_sequence() else {
            return self.is_wrong("sinks", "must be a list".into());
        };
        let mut names = HashSet::new();
        for (index, value) in list.iter().enumerate() {
            let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
            let place = if name.is_empty() {
                format!("sinks[{index}]")
            } else {
                format!("sink {name:?}")
            };
            let is_new = names.insert(name.to_owned());
            let read = match value.as_mapping() {
                _ if !is_label(name) => Err(format!("name: {name:?} is no DNS label: a to z, 0 to 9 and -, at most 63")),
                _ if !is_new => Err("name: another sink has it already".into()),
                _ if self.sinks.len() == MOST_SINKS => Err(format!("is one more than the {MOST_SINKS} that are possible")),
                None => Err("must have the fields name and one of http, slack, smtp, amqp, heartbeat".into()),
                Some(fields) => read_sink(fields),
            };
            match read {
                Ok(kind) => self.sinks.push(SinkConfig { name: name.into(), kind }),
                Err(message) => self.is_wrong(&place, message),
            }
        }
    }

    fn read_routes(&mut self, value: Option<&Value>) {
        let Some(value) = value else {
            // Who names no route wants everything that people should know, everywhere.
            self.routes = vec![Route::to_all(self.sinks.iter().map(|sink| sink.name.clone()))];
            return;
        };
        let Some(list) = value.as_sequence() else {
            return self.is_wrong("routes", "must be a list".into());
        };
        for (index, value) in list.iter().enumerate() {
            let place = format!("routes[{index}]");
            match Route::read(value) {
                Ok(route) => {
                    for name in &route.sinks {
                        let is_wrong_too = |wrong: &WrongSink| wrong.place == format!("sink {name:?}");
                        if self.sinks.iter().all(|sink| sink.name != *name) && !self.wrong.iter().any(is_wrong_too) {
                            self.wrong.push(WrongSink {
                                place: place.clone(),
                                message: format!("sinks: there is no sink {name:?}"),
                            });
                        }
                    }
                    self.routes.push(route);
                }
                Err(message) => self.is_wrong(&place, message),
            }
        }
    }

    /// What a sink gets of a task with these labels.
    #[must_use]
    pub fn wanted(&self, sink: &str, labels: &BTreeMap<String, String>) -> Wanted<'_> {
        let has = |route: &&Route| route.concerns(sink, labels);
        Wanted {
            routes: self.routes.iter().filter(has).collect(),
        }
    }
}

/// What a sink gets of one task.
#[derive(Debug)]
pub struct Wanted<'a> {
    routes: Vec<&'a Route>,
}

impl Wanted<'_> {
    /// Whether it gets this message.
    #[must_use]
    pub fn takes(&self, message: &Message) -> bool {
        let takes = |route: &&Route| (route.each || !message.is_repeat) && route.names(message.what, &message.subject);
        self.routes.iter().any(takes)
    }

    /// Whether it gets to know of this at all.
    #[must_use]
    pub fn names(&self, what: What, subject: &Subject) -> bool {
        self.routes.iter().any(|route| route.names(what, subject))
    }
}

fn read_sink(fields: &serde_yaml::Mapping) -> Result<Kind, String> {
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
    // The parser's words may quote a value, and a value may be a credential that somebody put into the wrong place.
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

fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len()) && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

/// The outcomes of which people are told unless a route says otherwise: what goes wrong, and that it goes well again.
pub const USUAL: [What; 8] = [
    What::Failed,
    What::Cancelled,
    What::Missed,
    What::Recovered,
    What::Suspended,
    What::Overdue,
    What::Stalled,
    What::Gap,
];
