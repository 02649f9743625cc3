//! How images come to a real node. Takes an archive, gives it to the node's containerd, in whose mount namespace alone it can
//! be reached. Never a registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::Result;

/// The way to one node's containerd. As JSON it serves another process, too.
#[derive(Clone, Debug)]
pub(crate) struct Importer {
    /// A process of the node's mount namespace.
    pub pid: u32,
    pub ctr: PathBuf,
    pub snapshotter: String,
}

impl Importer {
    pub fn to_json(&self) -> Value {
        json!({ "pid": self.pid, "ctr": self.ctr, "snapshotter": self.snapshotter })
    }

    pub fn from_json(value: &Value) -> Option<Importer> {
        Some(Importer {
            pid: value["pid"].as_u64()?.try_into().ok()?,
            ctr: value["ctr"].as_str()?.into(),
            snapshotter: value["snapshotter"].as_str()?.into(),
        })
    }

    pub fn import(&self, archive: &Path) -> Result<()> {
        let mut ctr = Command::new("nsenter");
        ctr.arg(format!("--mount=/proc/{}/ns/mnt", self.pid)).arg(&self.ctr);
        ctr.args(["-n", "k8s.io", "images", "import", "--snapshotter", &self.snapshotter])
            .arg(std::path::absolute(archive)?);
        let output = ctr.output().context("cannot run nsenter (util-linux)")?;
        if !output.status.success() {
            bail!(
                "cannot import {}: {}",
                archive.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }
}
