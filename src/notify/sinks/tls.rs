//! Which servers are trusted: those of the public authorities, or those of the authorities in a file.

use super::credential::{cannot_be_used, read_ca};
use super::failure::NotDelivered;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// The trusted authorities. Two of them are equal if they trust the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The public ones, as Mozilla lists them.
    Public,
    /// Those of a file, as certificates in DER.
    Own(Vec<Vec<u8>>),
}

impl Trust {
    /// Reads the file anew, if there is one.
    pub async fn read(ca: Option<&Path>) -> Result<Self, NotDelivered> {
        let Some(path) = ca else { return Ok(Self::Public) };
        let text = read_ca(path).await?;
        let Ok(blocks) = pem::parse_many(text) else {
            return Err(cannot_be_used("caFile", path, "is not PEM"));
        };
        let certificates = blocks.into_iter().filter(|block| block.tag() == "CERTIFICATE");
        let certificates: Vec<Vec<u8>> = certificates.map(pem::Pem::into_contents).collect();
        match roots_of(&certificates) {
            Ok(roots) if roots.is_empty() => Err(cannot_be_used("caFile", path, "contains no certificate")),
            Ok(_) => Ok(Self::Own(certificates)),
            Err(error) => Err(cannot_be_used(
                "caFile",
                path,
                &format!("contains a certificate that cannot be used: {error}"),
            )),
        }
    }

    /// How to connect to who is trusted.
    pub fn client(&self) -> Result<ClientConfig, NotDelivered> {
        let roots = match self {
            Self::Public => RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Self::Own(certificates) => roots_of(certificates).map_err(|error| NotDelivered::new(error.to_string()))?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| NotDelivered::new(error.to_string()))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn roots_of(certificates: &[Vec<u8>]) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(CertificateDer::from(certificate.as_slice()))?;
    }
    Ok(roots)
}
