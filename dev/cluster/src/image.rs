//! Images made on the spot, without a builder or a registry. Takes a static busybox and more files, gives a tar that
//! `ctr images import` takes, never anything that differs from one time to the next.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{Result, packages};

/// The image that every real node has: a shell and busybox's applets (cat, grep, awk, sed, tail, date, …).
pub const BUSYBOX_IMAGE: &str = "punctual.dev/busybox:local";
/// The image that holds a pod's namespaces.
pub(crate) const PAUSE_IMAGE: &str = "punctual.dev/pause:local";

/// An image: busybox and what is added to it.
#[derive(Clone, Debug)]
pub struct Image {
    name: String,
    files: Vec<(PathBuf, PathBuf)>,
    command: Vec<String>,
    user: String,
}

impl Image {
    /// An image with busybox that runs a shell as root.
    pub fn new(name: &str) -> Image {
        Image {
            name: name.into(),
            files: Vec::new(),
            command: vec!["/bin/sh".into()],
            user: String::new(),
        }
    }

    /// With an executable file of this machine at an absolute path in the image. Link it statically, or bring its libraries too.
    pub fn file(mut self, from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Image {
        self.files.push((from.into(), to.into()));
        self
    }

    /// With this entrypoint.
    pub fn command<S: Into<String>>(mut self, command: impl IntoIterator<Item = S>) -> Image {
        self.command = command.into_iter().map(Into::into).collect();
        self
    }

    /// As this user, `65532:65532` say.
    pub fn user(mut self, user: &str) -> Image {
        self.user = user.into();
        self
    }

    /// Its name, as pods say it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes the archive.
    pub fn write(&self, archive: &Path) -> Result<()> {
        self.write_with(&packages::ensure()?.busybox, archive)
    }

    fn write_with(&self, busybox: &Path, archive: &Path) -> Result<()> {
        let layer = self.layer(busybox)?;
        let config = json!({
            "architecture": architecture()?,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": { "Entrypoint": self.command, "Env": ["PATH=/bin"], "User": self.user, "WorkingDir": "/" },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(&layer))] },
        })
        .to_string();
        let config_name = format!("{}.json", sha256(config.as_bytes()));
        let manifest = json!([{ "Config": config_name, "RepoTags": [self.name], "Layers": ["layer.tar"] }]).to_string();
        let file = File::create(archive).with_context(|| format!("cannot write {}", archive.display()))?;
        let mut tar = tar::Builder::new(file);
        for (name, bytes) in [
            (config_name.as_str(), config.as_bytes()),
            ("layer.tar", &layer),
            ("manifest.json", manifest.as_bytes()),
        ] {
            add(&mut tar, name, 0o644, bytes)?;
        }
        tar.into_inner()?;
        Ok(())
    }

    fn layer(&self, busybox: &Path) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (dir, mode) in [
            ("bin", 0o755),
            ("dev", 0o755),
            ("etc", 0o755),
            ("proc", 0o755),
            ("sys", 0o755),
            ("tmp", 0o1777),
        ] {
            let mut header = header(tar::EntryType::Directory, mode, 0);
            tar.append_data(&mut header, format!("{dir}/"), std::io::empty())?;
        }
        add(
            &mut tar,
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
        )?;
        add(&mut tar, "etc/group", 0o644, b"root:x:0:\nnogroup:x:65534:\n")?;
        add(&mut tar, "bin/busybox", 0o755, &fs::read(busybox)?)?;
        for applet in applets(busybox)? {
            let mut header = header(tar::EntryType::Symlink, 0o777, 0);
            tar.append_link(&mut header, format!("bin/{applet}"), "busybox")?;
        }
        for (from, to) in &self.files {
            let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
            let Ok(to) = to.strip_prefix("/") else {
                bail!("{} is not an absolute path in the image", to.display())
            };
            add(&mut tar, &to.display().to_string(), 0o755, &bytes)?;
        }
        Ok(tar.into_inner()?)
    }
}

fn applets(busybox: &Path) -> Result<Vec<String>> {
    let output = Command::new(busybox)
        .arg("--list")
        .output()
        .with_context(|| format!("cannot run {}", busybox.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let names: Vec<String> = text
        .lines()
        .filter(|name| !name.is_empty() && *name != "busybox")
        .map(String::from)
        .collect();
    if !names.iter().any(|name| name == "sh") {
        bail!("{} has no sh", busybox.display());
    }
    Ok(names)
}

fn add<W: std::io::Write>(tar: &mut tar::Builder<W>, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = header(tar::EntryType::Regular, mode, u64::try_from(bytes.len())?);
    tar.append_data(&mut header, name, bytes)?;
    Ok(())
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
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
