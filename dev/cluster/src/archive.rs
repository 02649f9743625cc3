//! Image archives. Takes a name, settings and a layer, gives an OCI layout in a tar, which `ctr images import`, `skopeo` and
//! `podman load` take, and `docker load` too: its `manifest.json` names the same blobs. Never talks to a registry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::layer::{Layer, add};

/// Whether the layer is compressed: for the network, yes; for a node on this machine it only costs time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layers {
    Plain,
    Gzip,
}

/// How big an image is, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// What a registry stores and a node pulls: layer, config and manifest.
    pub pulled: u64,
    /// What lies on a node's disk.
    pub unpacked: u64,
}

/// Writes the archive of an image with this `config` (what OCI calls so: `Entrypoint`, `User`, `Labels`…).
pub(crate) fn write(archive: &Path, name: &str, config: &Value, layer: &Layer, layers: Layers) -> Result<Size> {
    write_for(architecture()?, archive, name, config, layer, layers)
}

/// The same for an architecture in OCI's words, `amd64` say.
pub(crate) fn write_for(architecture: &str, archive: &Path, name: &str, config: &Value, layer: &Layer, layers: Layers) -> Result<Size> {
    let plain = layer.tar()?;
    let unpacked = u64::try_from(plain.len())?;
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(&plain))] },
    })
    .to_string()
    .into_bytes();
    let (kind, layer) = match layers {
        Layers::Plain => ("tar", plain),
        Layers::Gzip => ("tar+gzip", gzip(&plain)?),
    };
    let blob = |kind: &str, bytes: &[u8]| described(&format!("application/vnd.oci.image.{kind}"), bytes);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json", &config),
        "layers": [blob(&format!("layer.v1.{kind}"), &layer)],
    })
    .to_string()
    .into_bytes();
    let mut entry = blob("manifest.v1+json", &manifest);
    entry["annotations"] = json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag(name)? });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    let docker = json!([{ "Config": path_of(&config), "RepoTags": [name], "Layers": [path_of(&layer)] }]);

    let pulled = config.len() + layer.len() + manifest.len();
    let mut files: BTreeMap<String, Vec<u8>> = [config, layer, manifest].map(|bytes| (path_of(&bytes), bytes)).into();
    files.insert("index.json".into(), index.to_string().into_bytes());
    files.insert("manifest.json".into(), docker.to_string().into_bytes());
    files.insert("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
    save(archive, &files)?;
    Ok(Size {
        pulled: u64::try_from(pulled)?,
        unpacked,
    })
}

/// Writes the files of an archive, sorted by name.
pub(crate) fn save(archive: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let file = File::create(archive).with_context(|| format!("cannot write {}", archive.display()))?;
    let mut tar = tar::Builder::new(file);
    for (path, bytes) in files {
        add(&mut tar, path, 0o644, bytes)?;
    }
    tar.into_inner()?;
    Ok(())
}

/// The descriptor of a blob.
pub(crate) fn described(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len() })
}

/// `0.1.0` of `punctual.dev/punctual:0.1.0`.
fn tag(name: &str) -> Result<&str> {
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.is_empty() && !tag.contains('/') => Ok(tag),
        _ => bail!("{name} has no tag"),
    }
}

/// Where an archive has this blob.
pub(crate) fn path_of(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", sha256(bytes))
}

/// Without time and name of a file, so that the same bytes give the same bytes.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("images for {other} are not made here"),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_archive() {
        let dir = tempfile::tempdir().unwrap();
        let mut layer = Layer::default();
        layer.file("/etc/passwd", 0o644, "nobody").unwrap();
        let archives = ["one", "two"].map(|name| {
            let path = dir.path().join(name);
            write(&path, "example.test/x:1", &json!({ "User": "1:1" }), &layer, Layers::Gzip).unwrap();
            std::fs::read(path).unwrap()
        });
        assert_eq!(archives[0], archives[1]);
        assert!(write(&dir.path().join("x"), "localhost:5000/x", &json!({}), &layer, Layers::Plain).is_err());
    }
}
