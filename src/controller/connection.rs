//! The connection to the API server, with a last look before a write leaves.
//!
//! A configuration goes in; a client comes out. The body of a request that carries a [`Fence`] goes to the socket only while the fence
//! is open, which is asked when the connection takes the bytes: a process that was stopped after it had decided to write, and wakes
//! when another replica has long done so, sends nothing. What was sent and is not received is given up in time, too: the kernel
//! would go on sending it for minutes.

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower::{BoxError, ServiceBuilder, ServiceExt};

/// Asked in the moment in which a request leaves: whether it may. Travels in the request's extensions.
#[derive(Clone)]
pub(super) struct Fence(Arc<dyn Fn() -> bool + Send + Sync>);

impl Fence {
    pub(super) fn new(is_open: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_open))
    }
}

/// A body that is sent only while its fence is open.
struct Fenced {
    body: Body,
    fence: Option<Fence>,
}

/// The fence was closed: no byte of the body was sent, and a request without its body changes nothing.
#[derive(Debug, thiserror::Error)]
#[error("this process no longer leads: the request was not sent")]
struct Closed;

impl HttpBody for Fenced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.fence.as_ref().is_some_and(|fence| !fence.0()) {
            return Poll::Ready(Some(Err(Closed.into())));
        }
        Pin::new(&mut self.body).poll_frame(context).map_err(BoxError::from)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// The client of this configuration. What is sent and not received `in_flight` later is given up, with its connection.
///
/// Behind a proxy this is kube's own client, which looks less late: the bytes are the proxy's then.
///
/// # Errors
/// When the configuration is not one of a client: a certificate that cannot be read, a credential plugin that fails.
pub fn connect(config: kube::Config, in_flight: Option<Duration>) -> Result<kube::Client, kube::Error> {
    if config.proxy_url.is_some() {
        return kube::Client::try_from(config);
    }
    // Only kube knows when the certificate of a plugin expires.
    let valid_until = match config.auth_info.exec {
        Some(_) => *kube::Client::try_from(config.clone())?.valid_until(),
        None => None,
    };
    let mut socket = HttpConnector::new();
    socket.enforce_http(false);
    give_up_after(in_flight, &mut socket);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(socket)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_request(fenced)
        .map_err(BoxError::from)
        .service(HttpClient::builder(TokioExecutor::new()).build(connector));
    Ok(kube::Client::new(service.boxed(), config.default_namespace).with_valid_until(valid_until))
}

fn fenced(mut request: http::Request<Body>) -> http::Request<Fenced> {
    let fence = request.extensions_mut().remove();
    request.map(|body| Fenced { body, fence })
}

#[cfg(target_os = "linux")]
fn give_up_after(in_flight: Option<Duration>, socket: &mut HttpConnector) {
    socket.set_tcp_user_timeout(in_flight);
}

/// Elsewhere the kernel has no such setting. The operator's image is Linux.
#[cfg(not(target_os = "linux"))]
fn give_up_after(_: Option<Duration>, _: &mut HttpConnector) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    /// A server that nothing is known of but its socket, and a client of it.
    async fn pair(in_flight: Option<Duration>) -> (TcpListener, kube::Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        (listener, connect(kube::Config::new(url), in_flight).unwrap())
    }

    fn post(body: Vec<u8>, fence: Option<Fence>) -> http::Request<Body> {
        let mut request = http::Request::post("/jobs").body(Body::from(body)).unwrap();
        fence.and_then(|fence| request.extensions_mut().insert(fence));
        request
    }

    /// What arrives until the client closes the connection, or has sent this much.
    async fn received(listener: &TcpListener, enough: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut all = Vec::new();
        while stream.read_buf(&mut all).await.unwrap_or(0) > 0 && !String::from_utf8_lossy(&all).contains(enough) {}
        String::from_utf8(all).unwrap()
    }

    #[tokio::test]
    async fn a_body_leaves_only_while_its_fence_is_open() {
        let cases = [(None, true), (Some(Fence::new(|| true)), true), (Some(Fence::new(|| false)), false)];
        for (fence, leaves) in cases {
            let (listener, client) = pair(None).await;
            let sent = tokio::spawn(async move { client.send(post(b"a Job".to_vec(), fence)).await });
            assert_eq!(received(&listener, "a Job").await.contains("a Job"), leaves);
            let error = sent.await.unwrap().unwrap_err();
            let told = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            assert_eq!(
                told.map(ToString::to_string).any(|text| text == Closed.to_string()),
                !leaves,
                "{error:?}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_sent_and_not_received_is_given_up_in_time() {
        let (_never_reads, client) = pair(Some(Duration::from_millis(200))).await;
        // More than the kernels of both sides hold.
        let sent = client.send(post(vec![b'x'; 1 << 26], None));
        let given_up = tokio::time::timeout(Duration::from_secs(60), sent).await.expect("an end");
        assert!(given_up.is_err());
    }
}
