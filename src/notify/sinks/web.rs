//! Sends requests over HTTP: what the sinks that speak it have in common.
//!
//! Redirects are not followed: a credential goes to the configured address only. Neither are the proxy variables of the environment, which
//! are meant for the way to the API server. Of an answer, a few kilobytes are read and dropped. No error names more of an address than its
//! scheme, host and port: the rest of it may be a secret.

use super::super::secret::Secret;
use super::credential;
use super::failure::{NotDelivered, root_cause};
use super::timeouts::Timeouts;
use super::tls::Trust;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use std::path::Path;
use std::time::Duration;

/// How many requests are under way at once.
pub const AT_ONCE: usize = 16;
/// So much of an answer is read, for the connection to be used again.
const MOST_OF_ANSWER: usize = 4 << 10;
/// So long is an answer waited for that was acknowledged by its head.
const REST_OF_ANSWER: Duration = Duration::from_secs(1);
/// A receiver that asks for more time is asked again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Shorter than most servers keep a connection open.
const IDLE: Duration = Duration::from_secs(15);

/// A client that is kept as long as it trusts the same.
#[derive(Debug)]
pub struct Web {
    timeouts: Timeouts,
    kept: Option<(Trust, Client)>,
}

impl Web {
    /// Connects when it is used.
    pub fn new(timeouts: Timeouts) -> Self {
        Self { timeouts, kept: None }
    }

    /// The client.
    pub async fn client(&mut self, ca: Option<&Path>) -> Result<Client, NotDelivered> {
        let trust = Trust::read(ca).await?;
        if let Some((kept, client)) = &self.kept
            && *kept == trust
        {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .tls_backend_preconfigured(trust.client()?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(self.timeouts.connect)
            .timeout(self.timeouts.request)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(AT_ONCE)
            .user_agent(concat!("punctual/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| NotDelivered::new(root_cause(&error)))?;
        self.kept = Some((trust, client.clone()));
        Ok(client)
    }
}

/// The configured address.
pub async fn address(secret: &Secret) -> Result<Url, NotDelivered> {
    let field = credential::address_field(secret);
    let text = credential::read(field, secret).await?;
    let wrong = |why| NotDelivered::new(format!("{field}: {why}"));
    let url = Url::parse(&text).map_err(|error| wrong(format!("is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("must begin with http:// or https://".into()));
    }
    Ok(url)
}

/// Sends a request to an address, and returns when the receiver has acknowledged it.
pub async fn send(request: RequestBuilder, to: &Url) -> Result<(), NotDelivered> {
    let place = place(to);
    let answer = request.send().await.map_err(|error| {
        let error = error.without_url();
        let cause = root_cause(&error);
        NotDelivered::new(match () {
            () if error.is_timeout() && error.is_connect() => format!("{place}: connection timed out"),
            () if error.is_timeout() => format!("{place}: request timed out"),
            () if error.is_connect() => format!("{place}: cannot connect: {cause}"),
            () => format!("{place}: {cause}"),
        })
    })?;
    let status = answer.status();
    if status.is_success() {
        drain(answer).await;
        return Ok(());
    }
    let mut refused = refusal(status, answer.headers(), to);
    refused.message = format!("{place}: {}", refused.message);
    drain(answer).await;
    Err(refused)
}

fn refusal(status: StatusCode, headers: &HeaderMap, to: &Url) -> NotDelivered {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mut refusal = NotDelivered::new(format!("answered {status}"));
    if status.is_redirection() {
        let target = text(LOCATION).and_then(|location| to.join(location).ok());
        let target = target.map_or_else(String::new, |target| format!(" to {}", place(&target)));
        refusal = NotDelivered::new(format!(
            "answered {status}, a redirect{target}: redirects are not followed: configure the final address"
        ));
    }
    refusal.is_final = matches!(status.as_u16(), 400 | 413 | 415 | 422);
    let seconds = text(RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok());
    refusal.after = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    refusal
}

/// Reads a small answer to its end. A large one, or one that does not end, costs its connection.
async fn drain(mut answer: Response) {
    if answer.content_length().is_some_and(|length| length > MOST_OF_ANSWER as u64) {
        return;
    }
    let rest = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = answer.chunk().await {
            read += chunk.len();
            if read > MOST_OF_ANSWER {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(REST_OF_ANSWER, rest).await;
}

/// What may be shown of an address.
fn place(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}
