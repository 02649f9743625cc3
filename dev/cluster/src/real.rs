//! A real node: containerd and the kubelet in a PID and a mount namespace of their own, in the machine's network. Takes
//! a control plane, gives a Ready node, never leaves a container, mount, interface or cgroup behind: when the
//! namespace's first process dies, the kernel ends the rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::forwarder::Forwarder;
use crate::image::{BUSYBOX_IMAGE, PAUSE_IMAGE};
use crate::importer::Importer;
use crate::packages;
use crate::plane::Site;
use crate::ports::Port;
use crate::process::{Component, Probe};
use crate::subnet::Subnet;
use crate::{Image, Result, Tool, cgroup, kwok, nodeconfig};

/// Kernel settings that the kubelet or a CNI plugin would change for the whole machine.
const SYSCTLS: &str = "net/ipv4/ip_forward net/ipv6/conf/all/forwarding vm/overcommit_memory vm/panic_on_oom kernel/panic \
                       kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes";

/// The node's processes and what it holds.
pub(crate) struct RealNode {
    processes: Component,
    dir: PathBuf,
    ctr: PathBuf,
    subnet: Arc<Subnet>,
    snapshotter: &'static str,
    _forwarder: Option<Forwarder>,
    _ports: [Port; 2],
}

impl RealNode {
    /// Why there can be none here, if so.
    pub fn obstacle() -> Option<String> {
        if !packages::is_root() {
            return Some("containers need root here; run as root (sudo) for a real node".into());
        }
        let trial = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "true"])
            .output();
        match trial {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                return Some(format!(
                    "no namespaces can be made: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                ));
            }
            Err(error) => return Some(format!("unshare (util-linux) cannot be run: {error}")),
        }
        cgroup::obstacle().or_else(|| packages::ensure().err().map(|error| format!("{error:#}")))
    }

    /// Starts it and waits until it is Ready. Its pods reach the API server, which is on this port of loopback.
    pub fn start(site: &Site, api_server: u16, id: &str) -> Result<RealNode> {
        if let Some(obstacle) = RealNode::obstacle() {
            bail!("{obstacle}");
        }
        let packages = packages::ensure()?;
        let dir = site.dir.join("node");
        fs::create_dir_all(dir.join("images"))?;
        fs::create_dir_all(dir.join("net.d"))?;
        let ports = [Port::claim()?, Port::claim()?];
        let forwarder = match Forwarder::start(site.subnet.gateway(), api_server) {
            Ok(forwarder) => Some(forwarder),
            Err(error) => {
                // Most pods do not need it, so a machine that serves that port everywhere still gets a node.
                eprintln!("pods will not reach the API server: {error:#}");
                None
            }
        };
        let snapshotter = snapshotter(&dir);
        Image::new(PAUSE_IMAGE)
            .command(["/bin/sleep", "2147483647"])
            .write(&dir.join("images/pause.tar"))?;
        Image::new(BUSYBOX_IMAGE).write(&dir.join("images/busybox.tar"))?;
        fs::write(dir.join("containerd.toml"), nodeconfig::containerd(&dir, &packages, snapshotter))?;
        fs::write(
            dir.join("net.d/10-punctual.conflist"),
            nodeconfig::network(&site.subnet).to_string(),
        )?;
        fs::write(dir.join("kubelet.json"), nodeconfig::kubelet(site, id, &ports).to_string())?;
        fs::write(dir.join("node.sh"), include_str!("node.sh"))?;
        cgroup::make(id)?;

        let kubeconfig = site.kubeconfig_of("system:node:localhost", "kubelet.kubeconfig")?;
        let mut args: Vec<String> = [
            "--pid",
            "--fork",
            "--kill-child",
            "--mount",
            "--mount-proc",
            "--propagation",
            "private",
            "env",
        ]
        .map(String::from)
        .to_vec();
        for (name, value) in [
            ("DIR", &dir),
            ("LOGS", &site.logs()),
            ("SYSCTLS", &SYSCTLS.into()),
            ("CONTAINERD", &packages.containerd),
            ("CTR", &packages.ctr),
            ("KUBELET", &site.binaries.path(Tool::Kubelet)?),
            ("KUBELET_KUBECONFIG", &kubeconfig),
            ("SNAPSHOTTER", &snapshotter.into()),
        ] {
            args.push(format!("{name}={}", value.display()));
        }
        args.extend(["sh".into(), dir.join("node.sh").display().to_string()]);
        let (kubectl, admin) = (site.binaries.path(Tool::Kubectl)?, site.admin_kubeconfig());
        let probe: Probe = Box::new(move || {
            let mut command = Command::new(&kubectl);
            command.env("KUBECONFIG", &admin);
            kwok::node_ready(command, "localhost")
        });
        let unshare = packages::program("unshare").context("unshare (util-linux) is not on the PATH")?;
        let processes = Component::new("node", unshare, args, &site.logs(), probe);
        let node = RealNode {
            processes,
            dir,
            ctr: packages.ctr,
            subnet: site.subnet.clone(),
            snapshotter,
            _forwarder: forwarder,
            _ports: ports,
        };
        node.processes.start().with_context(|| {
            let logs = site.logs();
            format!("see also {0}/containerd.log and {0}/kubelet.log", logs.display())
        })?;
        Ok(node)
    }

    pub fn import(&self, image: &Image) -> Result<()> {
        let archive = self
            .dir
            .join("images")
            .join(format!("{}.tar", image.name().replace(['/', ':'], "_")));
        image.write(&archive)?;
        self.import_archive(&archive)
    }

    pub fn import_archive(&self, archive: &Path) -> Result<()> {
        self.importer()?.import(archive)
    }

    /// The way of images to it, for other processes.
    pub fn importer(&self) -> Result<Importer> {
        Ok(Importer {
            pid: self.processes.pid().context("the node does not run")?,
            ctr: self.ctr.clone(),
            snapshotter: self.snapshotter.into(),
        })
    }
}

impl Drop for RealNode {
    fn drop(&mut self) {
        let first = self.processes.pid().and_then(child_of);
        let _ = self.processes.kill();
        // The first process is gone only when all others are; interfaces go a little after the containers.
        let deadline = Instant::now() + Duration::from_secs(30);
        while (first.is_some_and(lives) || self.subnet.is_routed()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The only child of a process.
fn child_of(pid: u32) -> Option<u32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Whether a process is there and no zombie.
fn lives(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// overlayfs where it can be mounted (not on top of another overlay), else copies.
fn snapshotter(dir: &Path) -> &'static str {
    let trial = dir.join("overlay-trial");
    let script = r#"mkdir -p "$0"/l "$0"/u "$0"/w "$0"/m && mount -t overlay o -o "lowerdir=$0/l,upperdir=$0/u,workdir=$0/w" "$0"/m"#;
    let mounted = Command::new("unshare").args(["--mount", "sh", "-c", script]).arg(&trial).output();
    let _ = fs::remove_dir_all(&trial);
    if mounted.is_ok_and(|output| output.status.success()) {
        "overlayfs"
    } else {
        "native"
    }
}
