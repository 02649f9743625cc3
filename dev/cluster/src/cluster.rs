//! A cluster as one value. Takes options, gives a running cluster and the ways into it, never leaves a process, mount,
//! cgroup or temporary file behind when it is dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::claims::{self, Claim};
use crate::importer::Importer;
use crate::kubeconfig::{self, Login};
use crate::node::NodeParts;
use crate::node_choice::{Node, NodeChoice};
use crate::options::Options;
use crate::plane::{self, Site};
use crate::ports::Port;
use crate::subnet::Subnet;
use crate::{Binaries, Component, Image, Release, Result, Tool, cgroup, pki::Pki};

/// A running cluster. Dropping it ends it. One in a `static` is never dropped: its processes end with this process all
/// the same, and the next start clears its directory away.
pub struct Cluster {
    // Dropped in this order: the node first, then who it talks to.
    node: NodeParts,
    scheduler: Option<Component>,
    controller_manager: Option<Component>,
    api_server: Component,
    etcd: Component,
    site: Site,
    _ports: Vec<Port>,
    id: Claim,
    own_dir: bool,
}

impl Cluster {
    /// Starts a cluster and waits until it is ready.
    pub fn start(options: Options) -> Result<Cluster> {
        claims::sweep()?;
        let binaries = Binaries::choose(options.release)?;
        let mut tries = 0;
        loop {
            match Cluster::start_once(&options, &binaries) {
                // Someone who knows nothing of our claims took a port between our look and the bind.
                Err(error) if tries < 3 && format!("{error:#}").contains("address already in use") => tries += 1,
                result => return result,
            }
        }
    }

    fn start_once(options: &Options, binaries: &Binaries) -> Result<Cluster> {
        let id = claims::random_id()?;
        let claim = Claim::first_of([format!("cluster-{id}")].into_iter(), |_| true)?;
        let dir = match &options.dir {
            Some(dir) => std::path::absolute(dir)?,
            None => claims::runs()?.join(&id),
        };
        if dir.join("etcd").exists() {
            bail!("{} holds another cluster's data: choose an empty directory", dir.display());
        }
        fs::create_dir_all(dir.join("logs")).with_context(|| format!("cannot make {}", dir.display()))?;
        let ports: Vec<Port> = (0..5).map(|_| Port::claim()).collect::<Result<_>>()?;
        let [client, peer, secure, manager, scheduler] = &ports[..] else {
            bail!("five ports")
        };
        let token = format!(
            "{}{}{}{}",
            claims::random_id()?,
            claims::random_id()?,
            claims::random_id()?,
            claims::random_id()?
        );
        let subnet = Arc::new(Subnet::claim()?);
        let pki = Pki::make(&dir.join("pki"), subnet.gateway())?;
        let site = Site {
            dir,
            binaries: binaries.clone(),
            pki,
            token,
            url: secure.url("https"),
            subnet,
        };
        kubeconfig::write(&site.admin_kubeconfig(), &site.url, site.pki.ca_pem(), &Login::Token(&site.token))?;

        let etcd = plane::etcd(&site, client, peer, options)?;
        let api_server = plane::api_server(&site, secure, client, options)?;
        let controller_manager = match options.controller_manager {
            true => Some(plane::controller_manager(&site, manager, options)?),
            false => None,
        };
        let mut cluster = Cluster {
            node: NodeParts::none(),
            scheduler: None,
            controller_manager,
            api_server,
            etcd,
            site,
            id: claim,
            own_dir: options.dir.is_none(),
            _ports: Vec::new(),
        };
        cluster.etcd.start()?;
        cluster.api_server.start()?;
        if let Some(manager) = &cluster.controller_manager {
            manager.launch()?;
        }
        if options.node != NodeChoice::None {
            let part = plane::scheduler(&cluster.site, scheduler)?;
            part.launch()?;
            cluster.scheduler = Some(part);
            cluster.node = NodeParts::start(options.node, &cluster.site, secure.number, &id)?;
        }
        for part in cluster.controller_manager.iter().chain(&cluster.scheduler) {
            part.wait_ready()?;
        }
        cluster._ports = ports;
        Ok(cluster)
    }

    /// The administrator's kubeconfig; its only context is `punctual`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.site.admin_kubeconfig()
    }

    /// `https://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.site.url
    }

    /// The certificate, PEM, that the API server's is signed with.
    pub fn ca_pem(&self) -> &str {
        self.site.pki.ca_pem()
    }

    /// The administrator's bearer token (user `admin`, group `system:masters`).
    pub fn token(&self) -> &str {
        &self.site.token
    }

    /// Data, keys, kubeconfigs and logs.
    pub fn dir(&self) -> &Path {
        &self.site.dir
    }

    /// The id that its cgroups and its claims carry.
    pub fn id(&self) -> &str {
        self.id.name().trim_start_matches("cluster-")
    }

    /// The audit log: a JSON object a line, one line a finished request, times in microseconds.
    pub fn audit_log(&self) -> PathBuf {
        self.site.audit_log()
    }

    /// The release that runs.
    pub fn release(&self) -> Release {
        self.site.binaries.release()
    }

    /// The path of a program of the same release (Helm, kubectl, …), built now if need be.
    pub fn tool(&self, tool: Tool) -> Result<PathBuf> {
        self.site.binaries.path(tool)
    }

    /// This release's kubectl as administrator.
    pub fn kubectl(&self) -> Command {
        self.command(Tool::Kubectl)
    }

    /// This release's Helm as administrator; built now if need be.
    pub fn helm(&self) -> Result<Command> {
        self.tool(Tool::Helm)?;
        Ok(self.command(Tool::Helm))
    }

    fn command(&self, tool: Tool) -> Command {
        let program = self.tool(tool).unwrap_or_else(|_| tool.name().into());
        let mut command = Command::new(program);
        command.env("KUBECONFIG", self.kubeconfig());
        command
    }

    /// A kubeconfig for `user`, in one `group` if any, by client certificate: no rights but those that RBAC gives. Two
    /// calls for one user give the same path.
    pub fn kubeconfig_for(&self, user: &str, group: Option<&str>) -> Result<PathBuf> {
        let identity = self.site.pki.identity(user, group)?;
        self.write_kubeconfig(user, &Login::Certificate(&identity))
    }

    /// A kubeconfig for a service account that exists, by a token of a day.
    pub fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let mut create = self.kubectl();
        let output = create.args(["create", "token", name, "-n", namespace, "--duration=24h"]).output()?;
        if !output.status.success() {
            bail!(
                "no token for {namespace}/{name}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let token = String::from_utf8_lossy(&output.stdout).trim().to_string();
        self.write_kubeconfig(&format!("{namespace}:{name}"), &Login::Token(&token))
    }

    fn write_kubeconfig(&self, who: &str, login: &Login) -> Result<PathBuf> {
        let safe = who.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        let path = self.site.dir.join(format!("{safe}.kubeconfig"));
        kubeconfig::write(&path, &self.site.url, self.site.pki.ca_pem(), login)?;
        Ok(path)
    }

    /// etcd.
    pub fn etcd(&self) -> &Component {
        &self.etcd
    }

    /// The API server.
    pub fn api_server(&self) -> &Component {
        &self.api_server
    }

    /// The controller manager, if there is one.
    pub fn controller_manager(&self) -> Option<&Component> {
        self.controller_manager.as_ref()
    }

    /// The scheduler, if there is a node.
    pub fn scheduler(&self) -> Option<&Component> {
        self.scheduler.as_ref()
    }

    /// What really runs the pods.
    pub fn node(&self) -> &Node {
        self.node.kind()
    }

    /// Brings an image to the node; pods then name it with `imagePullPolicy: Never`. Nothing to do without a real node.
    pub fn import(&self, image: &Image) -> Result<()> {
        self.node.import(image)
    }

    pub(crate) fn importer(&self) -> Option<Importer> {
        self.node.importer()
    }

    /// Brings an image archive (`docker save`, or OCI) to the node.
    pub fn import_archive(&self, tar: &Path) -> Result<()> {
        self.node.import_archive(tar)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.node.end();
        for part in self
            .scheduler
            .iter()
            .chain(&self.controller_manager)
            .chain([&self.api_server, &self.etcd])
        {
            let _ = part.kill();
        }
        let mut left = cgroup::remove(self.id());
        if self.own_dir {
            left = left.and_then(|()| claims::remove_dir(&self.site.dir));
        }
        if let Err(error) = left {
            eprintln!("the cluster is gone but left something: {error:#}; the next start clears it away");
        }
    }
}
