//! Sends one request and says what its response means.
//!
//! A request goes in; the object or a classified error comes out. kube's client drops the headers of an error, and with them the
//! `Retry-After` of responses whose body is plain text: those of API priority and fairness, and of a server that shuts down.

use super::error::Error;
use crate::state::{ErrorStatus, Failure};
use http::StatusCode;
use http::header::RETRY_AFTER;
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;

/// Sends a request and reads the object in the response.
///
/// # Errors
/// When there is no response, or not the object: see the variants.
pub async fn request<T: DeserializeOwned>(client: &kube::Client, request: http::Request<Vec<u8>>) -> Result<T, Error> {
    let response = client.send(request.map(Body::from)).await?;
    let code = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = response.into_body().collect_bytes().await?;
    if code.is_client_error() || code.is_server_error() {
        return Err(failure(code, retry_after, &body).into());
    }
    // It was carried out, but what came of it is unknown.
    serde_json::from_slice(&body).map_err(|error| Error::Unanswered(format!("unreadable response: {error}")))
}

fn failure(code: StatusCode, header: Option<u32>, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    // A proxy may answer JSON of its own, in which nothing is a Status.
    let status = serde_json::from_slice::<Status>(body).ok().filter(|status| status.code != 0);
    let details = status.as_ref().and_then(|status| status.details.as_ref());
    let in_body = details.map(|details| details.retry_after_seconds);
    Failure::of_status(&ErrorStatus {
        code: code.as_u16(),
        reason: status.as_ref().map_or("", |status| &status.reason),
        message: status.as_ref().map_or(text.trim(), |status| &status.message),
        retry_after: header.max(in_body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::response::IntoResponse;
    use std::time::Duration;

    /// A client of a server that always responds with this.
    async fn client_of(response: impl IntoResponse + Clone + Send + Sync + 'static) -> kube::Client {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let routes = Router::new().fallback(move || async move { response });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let mut config = kube::Config::new(url.parse().expect("an address"));
        config.default_retry = false;
        kube::Client::try_from(config).expect("a client")
    }

    async fn error_of(response: impl IntoResponse + Clone + Send + Sync + 'static) -> Error {
        let client = client_of(response).await;
        let sent = request::<serde_json::Value>(&client, http::Request::get("/").body(Vec::new()).expect("a request"));
        sent.await.expect_err("an error")
    }

    /// F04: API priority and fairness answers in plain text, with the time in a header alone.
    #[tokio::test]
    async fn the_time_that_the_api_server_asks_for_is_read_from_the_header() {
        let text = "Too many requests, please try again later.\n";
        let of_server = (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")], text);
        let Error::Later { after, message } = error_of(of_server).await else {
            panic!("not later")
        };
        assert_eq!(
            (after, message.as_str()),
            (Duration::from_secs(7), "429 Too many requests, please try again later.")
        );
        let status = r#"{"kind": "Status", "status": "Failure", "code": 429, "reason": "TooManyRequests", "message": "storage is (re)initializing", "details": {"retryAfterSeconds": 9}}"#;
        let of_storage = (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], status);
        assert!(matches!(error_of(of_storage).await, Error::Later { after, .. } if after == Duration::from_secs(9)));
        // Nobody is made to wait for ever.
        let far = (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "86400")], text);
        assert!(matches!(error_of(far).await, Error::Later { after, .. } if after == Duration::from_secs(60)));
        let odd = (
            StatusCode::TOO_MANY_REQUESTS,
            [(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT")],
            text,
        );
        assert!(matches!(error_of(odd).await, Error::Later { after, .. } if after.is_zero()));
    }

    /// F04: the JSON of a proxy is not a refusal of the API server.
    #[tokio::test]
    async fn json_of_a_proxy_leaves_open_whether_the_request_was_carried_out() {
        let of_proxy = (StatusCode::BAD_GATEWAY, r#"{"message": "no healthy upstream", "request_id": "1"}"#);
        assert!(
            matches!(error_of(of_proxy).await, Error::Unanswered(message) if message.contains("502") && message.contains("no healthy upstream"))
        );
        assert!(matches!(
            error_of((StatusCode::OK, "<html>sign in</html>")).await,
            Error::Unanswered(_)
        ));
        assert!(matches!(error_of((StatusCode::FOUND, "")).await, Error::Unanswered(_)));
    }

    #[tokio::test]
    async fn a_connection_that_fails_says_why() {
        let config = kube::Config::new("http://127.0.0.1:1".parse().expect("an address"));
        let client = kube::Client::try_from(config).expect("a client");
        let sent = request::<serde_json::Value>(&client, http::Request::get("/").body(Vec::new()).expect("a request"));
        let error = sent.await.expect_err("nobody listens").to_string();
        assert!(error.contains("Connection refused"), "{error}");
    }
}
