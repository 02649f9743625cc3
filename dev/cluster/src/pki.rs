//! Keys and certificates of one cluster. Takes a directory, gives a CA, the API server's certificate, the key that
//! signs service account tokens, and certificates for users, never a key that anyone else may read.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::Result;
use crate::claims::write_private;

/// The keys of a cluster, as files in one directory.
pub(crate) struct Pki {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
}

/// A user's certificate and key, PEM.
pub(crate) struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Pki {
    /// With an API server that pods reach at `service`, too.
    pub fn make(dir: &Path, service: Ipv4Addr) -> Result<Pki> {
        fs::create_dir_all(dir)?;
        let key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name = named("punctual-cluster", None);
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca_pem = ca.self_signed(&key)?.pem();
        fs::write(dir.join("ca.crt"), &ca_pem)?;
        write_private(&dir.join("ca.key"), key.serialize_pem().as_bytes())?;
        let pki = Pki {
            dir: dir.into(),
            issuer: Issuer::new(ca, key),
            ca_pem,
        };

        let service = service.to_string();
        let names = [
            "localhost",
            "127.0.0.1",
            &service,
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ];
        let mut server = CertificateParams::new(names.map(String::from).to_vec())?;
        server.distinguished_name = named("kube-apiserver", None);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        pki.store("apiserver", &pki.sign(server)?)?;
        pki.store(
            "kubelet-client",
            &pki.identity("kube-apiserver-kubelet-client", Some("system:masters"))?,
        )?;

        let service_accounts = KeyPair::generate()?;
        write_private(&pki.path("sa.key"), service_accounts.serialize_pem().as_bytes())?;
        fs::write(pki.path("sa.pub"), service_accounts.public_key_pem())?;
        Ok(pki)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A certificate that the API server takes as `user` in `group`.
    pub fn identity(&self, user: &str, group: Option<&str>) -> Result<Identity> {
        let mut client = CertificateParams::default();
        client.distinguished_name = named(user, group);
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(client)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Identity> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity {
            certificate,
            key: key.serialize_pem(),
        })
    }

    fn store(&self, name: &str, identity: &Identity) -> Result<()> {
        fs::write(self.path(&format!("{name}.crt")), &identity.certificate)?;
        write_private(&self.path(&format!("{name}.key")), identity.key.as_bytes())
    }
}

fn named(user: &str, group: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, user);
    if let Some(group) = group {
        name.push(DnType::OrganizationName, group);
    }
    name
}
