//! Sends one mail for all messages of a delivery, through the administrator's mail server.
//!
//! Whatever the server refuses, for now (4xx) or for good (5xx), is tried again: a mailbox that is full or a sender that is not allowed is
//! corrected by people, and nothing is lost until then. A mail whose acknowledgement was lost is sent twice, with the same `Message-ID`.

use super::super::message::Message;
use super::super::sink_config::{Smtp, SmtpTls};
use super::super::text::{Digest, subject};
use super::credential;
use super::failure::{NotDelivered, root_cause};
use super::timeouts::Timeouts;
use super::tls::Trust;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use ring::digest;
use std::fmt::Write;

/// How many messages are one mail.
pub const MOST: usize = 1000;
const MOST_LINES: usize = 200;

/// A mail server.
#[derive(Debug)]
pub struct SmtpSink {
    config: Smtp,
    timeouts: Timeouts,
}

impl SmtpSink {
    /// Connects when there is something to send.
    pub fn new(config: Smtp, timeouts: Timeouts) -> Self {
        Self { config, timeouts }
    }

    /// Sends one mail, and returns when the server has taken it.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        let place = format!("{}:{}", self.config.server, self.config.port);
        let mail = self.mail(messages)?;
        let transport = self.transport().await?;
        let sent = tokio::time::timeout(self.timeouts.mail, transport.send(mail));
        match sent.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(NotDelivered::new(format!("{place}: {}", self.explained(&error)))),
            Err(_) => Err(NotDelivered::new(format!("{place}: the server did not accept the mail in time"))),
        }
    }

    fn explained(&self, error: &lettre::transport::smtp::Error) -> String {
        let mut cause = root_cause(error);
        if let Some(code) = error.status() {
            let hint = match u16::from(code) {
                535 => ": check usernameFile and passwordFile",
                530 => ": the server asks for a login: set username and passwordFile",
                _ => "",
            };
            cause = format!("answered {code} {cause}{hint}");
        } else if error.is_timeout() {
            cause = "request timed out".into();
        } else if cause.contains("STARTTLS") {
            cause.push_str(": the server does not offer it; set tls: tls, or tls: none in a network that you trust");
        }
        cause
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, NotDelivered> {
        let tls = match self.config.tls {
            SmtpTls::None => Tls::None,
            SmtpTls::StartTls => Tls::Required(self.tls().await?),
            SmtpTls::Tls => Tls::Wrapper(self.tls().await?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.config.server)
            .port(self.config.port)
            .timeout(Some(self.timeouts.connect))
            .tls(tls);
        if let Some((name, password)) = &self.config.login {
            let name = credential::read("usernameFile", name).await?;
            let password = credential::read("passwordFile", password).await?;
            transport = transport.credentials(Credentials::new(name, password));
        }
        Ok(transport.build())
    }

    async fn tls(&self) -> Result<TlsParameters, NotDelivered> {
        let cannot = |error: lettre::transport::smtp::Error| NotDelivered::new(root_cause(&error));
        let mut parameters = TlsParameters::builder(self.config.server.clone());
        match Trust::read(self.config.ca.as_deref()).await? {
            Trust::Public => parameters = parameters.certificate_store(CertificateStore::WebpkiRoots),
            Trust::Own(certificates) => {
                parameters = parameters.certificate_store(CertificateStore::None);
                for certificate in certificates {
                    parameters = parameters.add_root_certificate(Certificate::from_der(certificate).map_err(cannot)?);
                }
            }
        }
        parameters.build_rustls().map_err(cannot)
    }

    fn mail(&self, messages: &[Message]) -> Result<lettre::Message, NotDelivered> {
        let from = mailbox("from", &self.config.from)?;
        let id = message_id(messages, from.email.domain());
        let mut mail: MessageBuilder = lettre::Message::builder().from(from);
        for to in &self.config.to {
            mail = mail.to(mailbox("to", to)?);
        }
        // Keeps out-of-office replies away.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        mail.subject(subject(messages))
            .message_id(Some(id))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(body(messages))
            .map_err(|error| NotDelivered::new(root_cause(&error)))
    }
}

fn mailbox(field: &str, text: &str) -> Result<Mailbox, NotDelivered> {
    let wrong = |_| {
        NotDelivered::new(format!(
            "{field}: {text:?} is not a mail address such as \"Punctual <punctual@example.com>\""
        ))
    };
    text.parse().map_err(wrong)
}

/// The same messages have the same `Message-ID`.
fn message_id(messages: &[Message], domain: &str) -> String {
    let first = messages.first().map_or("", |message| &message.id);
    let mut id = "<".to_owned();
    for byte in digest::digest(&digest::SHA256, first.as_bytes()).as_ref().iter().take(16) {
        let _ = write!(id, "{byte:02x}");
    }
    let _ = write!(id, ".{}@{domain}>", messages.len());
    id
}

fn body(messages: &[Message]) -> String {
    let digest = Digest::of(messages, MOST_LINES);
    let mut text = String::new();
    for line in &digest.lines {
        let _ = writeln!(text, "{}", line.sentence());
        if let Some(logs) = &line.logs {
            let _ = writeln!(text, "    {logs}");
        }
    }
    if digest.hidden > 0 {
        let _ = writeln!(text, "and {} more", digest.hidden);
    }
    text
}
