//! POSTs a CloudEvent each to an address. Those of one task keep their order.

use super::super::event::{CONTENT_TYPE, cloud_event};
use super::super::message::Message;
use super::super::sink_config::Http;
use super::credential;
use super::failure::NotDelivered;
use super::lanes::in_lanes;
use super::timeouts::Timeouts;
use super::web::{self, AT_ONCE, Web};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE as CONTENT_TYPE_HEADER, HeaderValue};
use ring::hmac;
use std::fmt::Write;

/// Carries `sha256=` and the HMAC of the body in hexadecimal digits.
const SIGNATURE: &str = "X-Punctual-Signature";

/// A receiver of CloudEvents.
#[derive(Debug)]
pub struct HttpSink {
    config: Http,
    source: String,
    web: Web,
}

impl HttpSink {
    /// Connects when there is something to send.
    pub fn new(config: Http, source: &str, timeouts: Timeouts) -> Self {
        Self {
            config,
            source: source.into(),
            web: Web::new(timeouts),
        }
    }

    /// Sends messages, and returns when all of them are acknowledged.
    pub async fn deliver(&mut self, messages: &[Message]) -> Result<(), NotDelivered> {
        let url = web::address(&self.config.url).await?;
        let token = match &self.config.token {
            Some(token) => Some(bearer(&credential::read("tokenFile", token).await?)?),
            None => None,
        };
        let key = match &self.config.hmac_key {
            Some(key) => {
                let key = credential::read("hmacKeyFile", key).await?;
                Some(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))
            }
            None => None,
        };
        let client = self.web.client(self.config.ca.as_deref()).await?;
        let send = |index: usize| {
            let event = messages.get(index).map(|message| cloud_event(message, &self.source));
            let body = event.unwrap_or_default().to_string();
            let mut request = client.post(url.clone()).header(CONTENT_TYPE_HEADER, CONTENT_TYPE);
            if let Some(token) = &token {
                request = request.header(AUTHORIZATION, token.clone());
            }
            if let Some(key) = &key {
                request = request.header(SIGNATURE, signature(key, body.as_bytes()));
            }
            web::send(request.body(body), &url)
        };
        in_lanes(
            messages.len(),
            AT_ONCE,
            |index| messages.get(index).map(|message| &message.subject.uid),
            send,
        )
        .await
    }
}

fn bearer(token: &str) -> Result<HeaderValue, NotDelivered> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| NotDelivered::new("tokenFile: contains characters that an HTTP header cannot have"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn signature(key: &hmac::Key, body: &[u8]) -> String {
    let mut text = "sha256=".to_owned();
    for byte in hmac::sign(key, body).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature(&key, b"what do ya want for nothing?"), expected);
    }
}
