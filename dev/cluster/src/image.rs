//! Images made on the spot, without a builder or a registry. Takes a static busybox and more files, gives a tar that
//! `ctr images import` takes, never anything that differs from one time to the next.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::json;

use crate::archive::{self, Layers};
use crate::layer::Layer;
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
        let config = json!({ "Entrypoint": self.command, "Env": ["PATH=/bin"], "User": self.user, "WorkingDir": "/" });
        archive::write(archive, &self.name, &config, &self.layer(busybox)?, Layers::Plain)?;
        Ok(())
    }

    fn layer(&self, busybox: &Path) -> Result<Layer> {
        let mut layer = Layer::default();
        for (folder, mode) in [("/dev", 0o755), ("/proc", 0o755), ("/sys", 0o755), ("/tmp", 0o1777)] {
            layer.folder(folder, mode)?;
        }
        let passwd = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
        layer.file("/etc/passwd", 0o644, passwd)?;
        layer.file("/etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")?;
        layer.copy(busybox, "/bin/busybox", 0o755)?;
        for applet in applets(busybox)? {
            layer.link(format!("/bin/{applet}"), "busybox")?;
        }
        for (from, to) in &self.files {
            layer.copy(from, to, 0o755)?;
        }
        Ok(layer)
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
