//! The operator's image, as `Dockerfile` makes it, without Docker. Takes the binary, gives an archive of it with just what it
//! needs to run: loader, libraries, CA certificates, a user. Never a shell, a package manager, or a file of the user's home.
//!
//! In a cluster the operator trusts the CA of its service account alone. The system's certificates are there for a
//! kubeconfig without a CA, and because the base of `Dockerfile` has them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::json;

use crate::Result;
use crate::archive::{self, Layers, Size};
use crate::elf;
use crate::layer::Layer;

/// Where distributions keep the certificates that they trust.
const CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// As a number: a kubelet cannot tell whether a name is root's.
const USER: &str = "65532:65532";

/// The image of an operator that was built.
#[derive(Clone, Debug)]
pub struct OperatorImage {
    binary: PathBuf,
    repository: String,
    version: String,
    revision: String,
}

impl OperatorImage {
    /// Of this binary, which is asked for its version; that is the tag.
    pub fn new(binary: impl Into<PathBuf>, repository: &str, revision: &str) -> Result<OperatorImage> {
        let binary = binary.into();
        let output = Command::new(&binary)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_string();
        let Some(version) = said.strip_prefix("punctual ").filter(|_| output.status.success()) else {
            bail!("{} --version says {said:?}, not its version", binary.display());
        };
        Ok(OperatorImage {
            version: version.into(),
            binary,
            repository: repository.into(),
            revision: revision.into(),
        })
    }

    /// Its name, as pods say it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.repository, self.version)
    }

    /// Its version, which is its tag.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Writes the archive.
    pub fn write(&self, archive: &Path, layers: Layers) -> Result<Size> {
        let mut layer = Layer::default();
        for (folder, mode) in [
            ("/dev", 0o755),
            ("/proc", 0o755),
            ("/sys", 0o755),
            ("/tmp", 0o1777),
            ("/home/nonroot", 0o755),
        ] {
            layer.folder(folder, mode)?;
        }
        let passwd = "root:x:0:0:root:/root:/sbin/nologin\n\
                      nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n\
                      nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";
        layer.file("/etc/passwd", 0o644, passwd)?;
        layer.file("/etc/group", 0o644, "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n")?;
        // glibc looks for names of hosts where this says.
        layer.file("/etc/nsswitch.conf", 0o644, "hosts: files dns\n")?;
        let Some(bundle) = CERTIFICATES.iter().map(Path::new).find(|path| path.is_file()) else {
            bail!("no CA certificates: install the package ca-certificates");
        };
        layer.copy(bundle, CERTIFICATES[0], 0o644)?;
        for library in elf::needed_by(&self.binary)? {
            layer.copy(&library, &library, 0o755)?;
        }
        layer.copy(&self.binary, "/usr/local/bin/punctual", 0o755)?;
        let config = json!({
            "Entrypoint": ["/usr/local/bin/punctual"],
            "Cmd": ["controller"],
            "Env": ["PATH=/usr/local/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
            "ExposedPorts": { "8080/tcp": {} },
            "User": USER,
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "punctual",
                "org.opencontainers.image.description": "Scheduled tasks for Kubernetes: every slot is accounted for",
                "org.opencontainers.image.licenses": "Apache-2.0",
                "org.opencontainers.image.version": self.version,
                "org.opencontainers.image.revision": self.revision,
            },
        });
        archive::write(archive, &self.name(), &config, &layer, layers)
    }
}
