//! Where the programs are. Takes a release, gives paths, first from `KUBEBUILDER_ASSETS`, else built once into the
//! cache, never from the PATH: a `kubectl` there may be old or a vendor's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::Result;
use crate::cache::{cache_dir, filled_once};
use crate::gobuild;
use crate::modules::Module;
use crate::release::Release;

/// A program that a cluster is made of, or that works on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Etcd,
    ApiServer,
    ControllerManager,
    Scheduler,
    Kubelet,
    Kubectl,
    Helm,
    Kwok,
}

impl Tool {
    /// All of them, in the order in which they are needed.
    pub const ALL: [Tool; 8] = [
        Tool::Etcd,
        Tool::ApiServer,
        Tool::ControllerManager,
        Tool::Scheduler,
        Tool::Kubelet,
        Tool::Kubectl,
        Tool::Helm,
        Tool::Kwok,
    ];

    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Etcd => "etcd",
            Tool::ApiServer => "kube-apiserver",
            Tool::ControllerManager => "kube-controller-manager",
            Tool::Scheduler => "kube-scheduler",
            Tool::Kubelet => "kubelet",
            Tool::Kubectl => "kubectl",
            Tool::Helm => "helm",
            Tool::Kwok => "kwok",
        }
    }

    fn module(self, release: Release) -> Module {
        match self {
            Tool::Etcd => Module::Etcd,
            Tool::Helm => Module::Helm,
            Tool::Kwok => Module::Kwok,
            _ => Module::Kubernetes(release),
        }
    }
}

/// The programs of one release; what is missing is built when it is first asked for.
#[derive(Clone, Debug)]
pub struct Binaries {
    release: Release,
    assets: Option<PathBuf>,
}

impl Binaries {
    /// Chooses the release: `wanted`, else `K8S`, else what `KUBEBUILDER_ASSETS` holds, else the default one.
    /// `KUBEBUILDER_ASSETS` is used when its API server is of that minor version: mixed versions make a cluster that
    /// nobody has.
    pub fn choose(wanted: Option<Release>) -> Result<Binaries> {
        let wanted = match wanted {
            Some(release) => Some(release),
            None => Release::from_env()?,
        };
        let assets = match std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()) {
            Some(dir) => Some(std::path::absolute(dir)?),
            None => None,
        };
        Binaries::from_assets(wanted, assets, version_of)
    }

    fn from_assets(wanted: Option<Release>, assets: Option<PathBuf>, version_of: impl Fn(&Path) -> Result<String>) -> Result<Binaries> {
        let default = Binaries {
            release: wanted.unwrap_or(Release::DEFAULT),
            assets: None,
        };
        let Some(dir) = assets else { return Ok(default) };
        let missing: Vec<&str> = [Tool::Etcd, Tool::ApiServer, Tool::Kubectl]
            .into_iter()
            .map(Tool::name)
            .filter(|name| !dir.join(name).is_file())
            .collect();
        if !missing.is_empty() {
            eprintln!("KUBEBUILDER_ASSETS={} has no {}: not used", dir.display(), missing.join(", "));
            return Ok(default);
        }
        let found = version_of(&dir.join(Tool::ApiServer.name()))?;
        match (Release::parse(&found), wanted) {
            (Ok(release), None) => Ok(Binaries {
                release,
                assets: Some(dir),
            }),
            (Ok(release), Some(wanted)) if release == wanted => Ok(Binaries {
                release,
                assets: Some(dir),
            }),
            (_, _) => {
                eprintln!("KUBEBUILDER_ASSETS={} is Kubernetes {found}: not used", dir.display());
                Ok(default)
            }
        }
    }

    /// The minor version these are of.
    pub fn release(&self) -> Release {
        self.release
    }

    /// The path of a program, built now if it is nowhere yet.
    pub fn path(&self, tool: Tool) -> Result<PathBuf> {
        if let Some(path) = self.assets.as_ref().map(|dir| dir.join(tool.name())).filter(|path| path.is_file()) {
            return Ok(path);
        }
        let module = tool.module(self.release);
        let bin = cache_dir()?.join("bin");
        let folder = filled_once(&bin, &module.folder(), |dir| gobuild::build(module, dir))?;
        let path = folder.join(tool.name());
        if !path.is_file() {
            bail!("{} is missing: remove {} and run this again", path.display(), folder.display());
        }
        Ok(path)
    }

    /// Makes sure that all programs are there, and gives them.
    pub fn all(&self) -> Result<Vec<(Tool, PathBuf)>> {
        Tool::ALL.into_iter().map(|tool| Ok((tool, self.path(tool)?))).collect()
    }
}

/// What `kube-apiserver --version` says: `v1.37.2` of `Kubernetes v1.37.2`.
fn version_of(program: &Path) -> Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot run {} of KUBEBUILDER_ASSETS", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split_whitespace().last().unwrap_or_default().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    fn choose(wanted: Option<Release>, dir: &Path) -> Binaries {
        Binaries::from_assets(wanted, Some(dir.into()), |_| Ok("v1.35.3".into())).unwrap()
    }

    #[test]
    fn assets_come_first_and_choose_the_release() {
        let dir = assets(&["etcd", "kube-apiserver", "kubectl"]);
        let found = choose(None, dir.path());
        assert_eq!(found.release(), Release::V1_35);
        assert_eq!(found.path(Tool::Kubectl).unwrap(), dir.path().join("kubectl"));
    }

    #[test]
    fn assets_of_another_version_than_asked_for_are_left_alone() {
        let dir = assets(&["etcd", "kube-apiserver", "kubectl"]);
        let found = choose(Some(Release::V1_36), dir.path());
        assert_eq!((found.release(), found.assets), (Release::V1_36, None));
    }

    #[test]
    fn assets_without_an_api_server_are_left_alone() {
        let dir = assets(&["etcd", "kubectl"]);
        let found = choose(None, dir.path());
        assert_eq!((found.release(), found.assets), (Release::DEFAULT, None));
    }
}
