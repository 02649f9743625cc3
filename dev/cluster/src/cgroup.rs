//! The cgroup of a node. Takes a cluster's id, gives a cgroup of its own under every hierarchy (v1) or the one (v2),
//! never touches another's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::Result;

const MOUNT: &str = "/sys/fs/cgroup";

/// The cgroup's path inside a hierarchy.
pub(crate) fn name(id: &str) -> String {
    format!("/punctual-{id}")
}

/// The controllers that a kubelet does not go without.
const NEEDED: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// Where cgroups can be made: the roots of the hierarchies.
pub(crate) fn roots() -> Vec<PathBuf> {
    let mount = Path::new(MOUNT);
    if is_v2() {
        return vec![mount.to_path_buf()];
    }
    let mut roots: Vec<PathBuf> = fs::read_dir(mount)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) // not the links such as cpu -> cpu,cpuacct
        .map(|entry| entry.path())
        .filter(|path| path.join("cgroup.procs").exists())
        .collect();
    roots.sort();
    roots
}

pub(crate) fn is_v2() -> bool {
    Path::new(MOUNT).join("cgroup.controllers").exists()
}

/// Says why no cgroup can be made here.
pub(crate) fn obstacle() -> Option<String> {
    let missing: Vec<&str> = if is_v2() {
        let have = fs::read_to_string(Path::new(MOUNT).join("cgroup.controllers")).unwrap_or_default();
        NEEDED
            .into_iter()
            .filter(|name| !have.split_whitespace().any(|other| other == *name))
            .collect()
    } else {
        NEEDED
            .into_iter()
            .filter(|name| !Path::new(MOUNT).join(name).join("cgroup.procs").exists())
            .collect()
    };
    if !missing.is_empty() {
        return Some(format!("{MOUNT} has no controller {}", missing.join(", ")));
    }
    let trial = format!("trial-{}", std::process::id());
    let made = make(&trial);
    let gone = remove(&trial);
    made.and(gone).err().map(|error| format!("cgroups cannot be made: {error:#}"))
}

/// Makes the cgroup of `id`.
pub(crate) fn make(id: &str) -> Result<()> {
    for root in roots() {
        let dir = root.join(name(id).trim_start_matches('/'));
        if is_v2() {
            delegate(&root)?;
        }
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        if is_v2() {
            delegate(&dir)?;
        }
        for file in ["cpuset.cpus", "cpuset.mems"] {
            // A new cgroup of v1 has neither, and takes no process before it has both.
            let (from, to) = (root.join(file), dir.join(file));
            if !is_v2() && to.exists() {
                fs::write(&to, fs::read(&from)?).with_context(|| format!("cannot write {}", to.display()))?;
            }
        }
    }
    Ok(())
}

/// Hands the needed controllers down to the children of `dir` (v2).
fn delegate(dir: &Path) -> Result<()> {
    let file = dir.join("cgroup.subtree_control");
    for controller in NEEDED.into_iter().chain(["io"]) {
        let have = fs::read_to_string(&file).unwrap_or_default();
        if have.split_whitespace().any(|other| other == controller) {
            continue;
        }
        let wrote = fs::write(&file, format!("+{controller}"));
        if controller != "io" {
            wrote.with_context(|| format!("cannot write +{controller} to {}", file.display()))?;
        }
    }
    Ok(())
}

/// Removes the cgroup of `id` with all below it; one that is not there is fine. Waits for processes that are dying.
pub(crate) fn remove(id: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    for dir in roots().into_iter().map(|root| root.join(name(id).trim_start_matches('/'))) {
        while dir.exists() {
            let tried = remove_tree(&dir);
            if let Err(error) = tried {
                if Instant::now() > deadline {
                    bail!("cannot remove the cgroup {}: {error}", dir.display());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    Ok(())
}

/// The directories of `id`'s cgroup that are there.
pub(crate) fn left(id: &str) -> Vec<PathBuf> {
    roots()
        .into_iter()
        .map(|root| root.join(name(id).trim_start_matches('/')))
        .filter(|dir| dir.exists())
        .collect()
}

fn remove_tree(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)?.flatten() {
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}
