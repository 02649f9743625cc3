//! HTTPS before a plain HTTP server on loopback, with a certificate of an authority that a test can replace.
//!
//! Takes the server's address, gives an address that speaks TLS. Never looks into what passes.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Authority {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server on loopback with a certificate of this authority.
    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("a configuration");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// The side that speaks TLS.
pub struct TlsFront {
    address: SocketAddr,
    acceptor: watch::Sender<TlsAcceptor>,
    accepting: JoinHandle<()>,
}

impl TlsFront {
    /// Before the server at this address.
    pub async fn start(server: SocketAddr, authority: &Authority) -> TlsFront {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let acceptor = watch::Sender::new(authority.acceptor());
        let acceptors = acceptor.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, acceptors.clone()));
            }
        });
        TlsFront {
            address,
            acceptor,
            accepting,
        }
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Ends all connections; new ones see a certificate of this authority.
    pub fn rotate(&self, authority: &Authority) {
        self.acceptor.send_replace(authority.acceptor());
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, server: SocketAddr, mut acceptors: watch::Receiver<TlsAcceptor>) {
    let acceptor = acceptors.borrow_and_update().clone();
    let pass = async {
        if let Ok(mut client) = acceptor.accept(client).await
            && let Ok(mut server) = TcpStream::connect(server).await
        {
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    };
    tokio::select! {
        () = pass => {}
        _ = acceptors.changed() => {}
    }
}
