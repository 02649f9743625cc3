//! What a real node needs from the distribution. Takes nothing, gives the paths of containerd, runc, the CNI plugins and
//! a static busybox, installing what is missing where it may; never touches what is there.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::Result;
use crate::cache::{cache_dir, lock_file};
use crate::elf::is_static;

/// The programs of a node, as found.
pub(crate) struct Packages {
    pub containerd: PathBuf,
    pub ctr: PathBuf,
    pub cni_plugins: PathBuf,
    pub busybox: PathBuf,
}

/// Finds them; as root on a distribution with apt, installs what is missing.
pub(crate) fn ensure() -> Result<Packages> {
    let Err(missing) = find() else {
        return find().map_err(|_| unreachable!("found a moment ago"));
    };
    let way_out = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !is_root() || program("apt-get").is_none() {
        bail!("{} missing: {way_out} (or what your distribution calls them)", missing.join(", "));
    }
    let lock = lock_file(&cache_dir()?.join("packages.lock"))?;
    lock.lock()?;
    if let Err(missing) = find() {
        eprintln!(
            "installing {} from the distribution's packages, about 10 seconds, only the first time",
            missing.join(", ")
        );
        apt_get(&["update", "-q"])?;
        let mut args = vec!["install", "-q", "-y", "--no-install-recommends"];
        args.extend(missing);
        apt_get(&args)?;
    }
    find().or_else(|missing| bail!("{} missing even after {way_out}", missing.join(", ")))
}

fn find() -> Result<Packages, Vec<&'static str>> {
    let containerd = program("containerd").zip(program("ctr"));
    let runc = program("runc");
    let plugins = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"]
        .map(PathBuf::from)
        .into_iter()
        .find(|dir| ["ptp", "host-local", "loopback"].iter().all(|plugin| dir.join(plugin).exists()));
    let busybox = program("busybox").filter(|path| is_static(path));
    let mut missing = Vec::new();
    for (name, absent) in [
        ("containerd", containerd.is_none()),
        ("runc", runc.is_none()),
        ("containernetworking-plugins", plugins.is_none()),
        ("busybox-static", busybox.is_none()),
    ] {
        if absent {
            missing.push(name);
        }
    }
    match (containerd, runc, plugins, busybox) {
        (Some((containerd, ctr)), Some(_), Some(cni_plugins), Some(busybox)) => Ok(Packages {
            containerd,
            ctr,
            cni_plugins,
            busybox,
        }),
        _ => Err(missing),
    }
}

pub(crate) fn is_root() -> bool {
    // SAFETY: always succeeds and touches nothing.
    unsafe { libc::geteuid() == 0 }
}

/// A program on the PATH or where daemons are kept.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(daemons)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

fn apt_get(args: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("apt-get {} failed: {}", args.join(" "), said.trim());
    }
    Ok(())
}
