//! Joins image archives of several architectures into one, whose tag names an image index.
//!
//! The input are archives of `make image`, one per architecture; the output is an archive from which `skopeo copy --all` pushes all of
//! them under one tag, so that each node pulls the image of its architecture. An archive whose program is not of the architecture that it
//! claims is rejected. Never talks to a registry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::archive::{described, path_of, save};
use crate::{Result, elf};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Joins the archives into one at `out`. Returns name and architectures of the image.
pub fn join(archives: &[impl AsRef<Path>], out: &Path) -> Result<(String, Vec<String>)> {
    let (mut blobs, mut manifests) = (BTreeMap::new(), BTreeMap::new());
    let mut name: Option<(String, Value)> = None;
    for path in archives.iter().map(AsRef::as_ref) {
        let archive = Archive::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let platform = archive.architecture().with_context(|| path.display().to_string())?;
        let annotations = archive.manifest["annotations"].clone();
        let its = annotations["io.containerd.image.name"].as_str().unwrap_or_default().to_owned();
        match &name {
            Some((known, _)) if *known != its => bail!("{} is {its}, the other archive is {known}", path.display()),
            _ => name = Some((its, annotations)),
        }
        let mut manifest = archive.manifest.clone();
        manifest["annotations"].take();
        manifest["platform"] = json!({ "architecture": platform, "os": "linux" });
        if manifests.insert(platform.clone(), manifest).is_some() {
            bail!("two archives are for {platform}");
        }
        blobs.extend(archive.files.into_iter().filter(|(path, _)| path.starts_with("blobs/")));
    }
    let Some((name, annotations)) = name else {
        bail!("no archive is given")
    };
    let list: Vec<Value> = manifests.values().map(without_null).collect();
    let inner = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": list })
        .to_string()
        .into_bytes();
    let mut entry = described(INDEX, &inner);
    entry["annotations"] = annotations;
    blobs.insert(path_of(&inner), inner);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    blobs.insert("index.json".into(), index.to_string().into_bytes());
    blobs.insert("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
    save(out, &blobs)?;
    Ok((name, manifests.into_keys().collect()))
}

fn without_null(manifest: &Value) -> Value {
    let fields = manifest.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The files of an archive of one image.
struct Archive {
    files: BTreeMap<String, Vec<u8>>,
    /// Its only entry of `index.json`.
    manifest: Value,
}

impl Archive {
    fn read(path: &Path) -> Result<Archive> {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(File::open(path)?).entries()? {
            let mut entry = entry?;
            let (name, mut bytes) = (entry.path()?.to_string_lossy().into_owned(), Vec::new());
            entry.read_to_end(&mut bytes)?;
            files.insert(name, bytes);
        }
        let index: Value = serde_json::from_slice(files.get("index.json").context("it has no index.json")?)?;
        let [manifest] = index["manifests"].as_array().map_or(&[][..], Vec::as_slice) else {
            bail!("it does not contain exactly one image");
        };
        let manifest = manifest.clone();
        Ok(Archive { files, manifest })
    }

    /// The blob that a descriptor names.
    fn blob(&self, descriptor: &Value) -> Result<&[u8]> {
        let digest = descriptor["digest"].as_str().unwrap_or_default();
        let bytes = self.files.get(&format!("blobs/{}", digest.replace(':', "/")));
        let bytes = bytes.with_context(|| format!("the blob {digest} is missing"))?;
        if format!("blobs/{}", digest.replace(':', "/")) != path_of(bytes) {
            bail!("the blob {digest} has other content");
        }
        Ok(bytes)
    }

    /// The architecture that the image claims and its program has.
    fn architecture(&self) -> Result<String> {
        let manifest: Value = serde_json::from_slice(self.blob(&self.manifest)?)?;
        let config: Value = serde_json::from_slice(self.blob(&manifest["config"])?)?;
        let claimed = config["architecture"].as_str().unwrap_or_default();
        let program = config["config"]["Entrypoint"][0].as_str().context("the image has no entrypoint")?;
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let bytes = self.blob(layer)?;
            let is_gzip = layer["mediaType"].as_str().is_some_and(|kind| kind.ends_with("gzip"));
            let plain: Box<dyn Read + '_> = if is_gzip {
                Box::new(GzDecoder::new(bytes))
            } else {
                Box::new(Cursor::new(bytes))
            };
            for entry in tar::Archive::new(plain).entries()? {
                let mut entry = entry?;
                if entry.path()?.to_string_lossy().trim_start_matches(['.', '/']) != program.trim_start_matches('/') {
                    continue;
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                let built = elf::architecture(&bytes).with_context(|| format!("{program} of the image"))?;
                if built != claimed {
                    bail!("the image claims to be for {claimed}, its {program} is for {built}");
                }
                return Ok(built.to_owned());
            }
        }
        bail!("the image has no {program}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{self, Layers};
    use crate::layer::Layer;

    /// The header of an ELF program for a machine (62 is amd64, 183 arm64).
    fn program(machine: u8) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        header[16] = 2;
        header[18] = machine;
        header[20] = 1;
        header
    }

    fn image(folder: &Path, file: &str, name: &str, claimed: &str, machine: u8) -> std::path::PathBuf {
        let mut layer = Layer::default();
        layer.file("/usr/local/bin/punctual", 0o755, program(machine)).unwrap();
        let config = json!({ "Entrypoint": ["/usr/local/bin/punctual"] });
        let path = folder.join(file);
        archive::write_for(claimed, &path, name, &config, &layer, Layers::Gzip).unwrap();
        path
    }

    /// F22: one tag for amd64 and arm64, and the program of each is of that architecture.
    #[test]
    fn archives_of_two_architectures_become_one_index() {
        let folder = tempfile::tempdir().unwrap();
        let name = "example.test/punctual:1.2.3";
        let amd64 = image(folder.path(), "amd64", name, "amd64", 62);
        let arm64 = image(folder.path(), "arm64", name, "arm64", 183);
        let out = folder.path().join("index");
        let joined = join(&[&arm64, &amd64], &out).unwrap();
        assert_eq!(joined, (name.to_owned(), vec!["amd64".to_owned(), "arm64".to_owned()]));

        let archive = Archive::read(&out).unwrap();
        assert_eq!(archive.manifest["annotations"]["org.opencontainers.image.ref.name"], "1.2.3");
        assert_eq!(archive.manifest["mediaType"], INDEX);
        let inner: Value = serde_json::from_slice(archive.blob(&archive.manifest).unwrap()).unwrap();
        for (n, architecture) in ["amd64", "arm64"].into_iter().enumerate() {
            let manifest = &inner["manifests"][n];
            assert_eq!(manifest["platform"], json!({ "architecture": architecture, "os": "linux" }));
            let single = Archive {
                files: archive.files.clone(),
                manifest: manifest.clone(),
            };
            assert_eq!(single.architecture().unwrap(), architecture);
        }
        assert_eq!(inner["manifests"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn archives_that_do_not_fit_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let name = "example.test/punctual:1.2.3";
        let amd64 = image(folder.path(), "amd64", name, "amd64", 62);
        let again = image(folder.path(), "again", name, "amd64", 62);
        let false_claim = image(folder.path(), "false", name, "arm64", 62);
        let other = image(folder.path(), "other", "example.test/punctual:1.2.4", "arm64", 183);
        let out = folder.path().join("out");
        let said = |archives: &[&std::path::PathBuf]| format!("{:#}", join(archives, &out).unwrap_err());
        assert!(said(&[&amd64, &again]).contains("two archives are for amd64"));
        assert!(said(&[&amd64, &false_claim]).contains("claims to be for arm64, its /usr/local/bin/punctual is for amd64"));
        assert!(said(&[&amd64, &other]).contains("is example.test/punctual:1.2.4, the other archive is example.test/punctual:1.2.3"));
        assert!(said(&[]).contains("no archive"));
        assert!(!out.exists());
    }
}
