//! A cluster that outlives the shell that asked for it. A detached process, the keeper, holds it, in one fixed place of
//! the cache; takes up and down, gives the way in, never leaves anything: whatever kills the keeper ends its cluster.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cache::{cache_dir, lock_file};
use crate::importer::Importer;
use crate::logtail::tail;
use crate::real::RealNode;
use crate::{Binaries, Cluster, Node, NodeChoice, Options, Result, Tool, cgroup, claims};

/// How to reach the kept cluster.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The kubectl of the same release.
    pub kubectl: PathBuf,
    /// Who runs its pods, in words.
    pub node: String,
    /// Whether it was up before.
    pub was_up: bool,
    id: String,
    importer: Option<Importer>,
}

impl Kept {
    /// The cluster that is kept, if there is one.
    pub fn find() -> Result<Option<Kept>> {
        let place = Place::find()?;
        Ok(if place.is_kept()? { place.kept(true) } else { None })
    }

    /// Brings an image archive to its node; says whether there is a real one.
    pub fn import_archive(&self, tar: &Path) -> Result<bool> {
        match &self.importer {
            Some(importer) => importer.import(tar).map(|()| true),
            None => Ok(false),
        }
    }
}

/// The keeper's files.
struct Place {
    dir: PathBuf,
}

impl Place {
    fn find() -> Result<Place> {
        let dir = cache_dir()?.join("cluster");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Place { dir })
    }

    /// Locked as long as a keeper lives; its text is the keeper's process id.
    fn lock(&self) -> PathBuf {
        self.dir.join("keeper.lock")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("keeper.log")
    }

    /// The cluster's own directory.
    fn site(&self) -> PathBuf {
        self.dir.join("site")
    }

    /// Written when the cluster is ready.
    fn ready(&self) -> PathBuf {
        self.dir.join("ready.json")
    }

    fn is_kept(&self) -> Result<bool> {
        Ok(lock_file(&self.lock())?.try_lock_shared().is_err())
    }

    fn kept(&self, was_up: bool) -> Option<Kept> {
        let value: Value = serde_json::from_str(&fs::read_to_string(self.ready()).ok()?).ok()?;
        let text = |name: &str| value[name].as_str().map(String::from);
        Some(Kept {
            kubeconfig: text("kubeconfig")?.into(),
            kubectl: text("kubectl")?.into(),
            node: text("node")?,
            id: text("id")?,
            importer: Importer::from_json(&value["importer"]),
            was_up,
        })
    }
}

/// Brings the kept cluster up, unless it is up, and waits until it is ready. `keeper` is a command that calls [`keep`]
/// with the same choice; it goes on in the background.
pub fn up(mut keeper: Command, node: NodeChoice) -> Result<Kept> {
    let place = Place::find()?;
    let turn = lock_file(&place.dir.join("up.lock"))?;
    turn.lock()?;
    if place.is_kept()? {
        if let Some(kept) = place.kept(true) {
            return Ok(kept);
        }
        bail!("a cluster is on its way up or down: try again, or end it with `make cluster-down`");
    }
    prepare(node)?; // here, where people see what it says
    clear(&place)?;
    let log = fs::File::create(place.log())?;
    keeper.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // SAFETY: setsid is async-signal-safe; it lets the keeper go on when the terminal closes.
    unsafe {
        keeper.pre_exec(|| {
            if libc::setsid() < 0 {
                Err(std::io::Error::last_os_error())
            } else {
                Ok(())
            }
        })
    };
    let mut child = keeper.spawn().context("cannot start the keeper")?;
    loop {
        if let Some(kept) = place.kept(false) {
            return Ok(kept);
        }
        if let Some(status) = child.try_wait()? {
            bail!("the cluster did not come up ({status}):\n{}", tail(&place.log(), 40));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Makes sure that what a cluster needs is there.
fn prepare(node: NodeChoice) -> Result<()> {
    let binaries = Binaries::choose(None)?;
    let kwok = match node {
        NodeChoice::Kwok => true,
        NodeChoice::RealOrKwok => RealNode::obstacle().is_some(),
        NodeChoice::None | NodeChoice::Real => false,
    };
    for tool in Tool::ALL {
        let wanted = match tool {
            Tool::Helm => false,
            Tool::Kwok => kwok,
            _ => true,
        };
        if wanted {
            binaries.path(tool)?;
        }
    }
    Ok(())
}

/// The keeper: holds a cluster until SIGTERM, SIGINT or SIGHUP. Runs alone in its process.
pub fn keep(node: NodeChoice) -> Result<()> {
    let signals = block_signals();
    let place = Place::find()?;
    let mut lock = lock_file(&place.lock())?;
    let mut tries = 0;
    while lock.try_lock().is_err() {
        if tries == 20 {
            bail!("another keeper has {}", place.dir.display());
        }
        tries += 1; // someone may be asking whether there is a keeper, which takes the lock for a moment
        std::thread::sleep(Duration::from_millis(50));
    }
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    let cluster = Cluster::start(Options {
        node,
        dir: Some(place.site()),
        fsync: true,
        ..Options::default()
    })?;
    let ready = json!({
        "id": cluster.id(),
        "kubeconfig": cluster.kubeconfig(),
        "kubectl": cluster.tool(Tool::Kubectl)?,
        "importer": cluster.importer().map(|importer| importer.to_json()),
        "node": match cluster.node() {
            Node::None => "no node: pods stay Pending".to_string(),
            Node::Real => "a real node: real containers".to_string(),
            Node::Kwok { reason } => format!("KWOK: pods complete on paper, no container runs, because {reason}"),
        },
    });
    let part = place.dir.join("ready.part");
    fs::write(&part, ready.to_string())?;
    fs::rename(&part, place.ready())?;
    wait_for(&signals);
    drop(cluster);
    fs::remove_file(place.ready())?;
    claims::remove_dir(&place.site())
}

/// Ends the kept cluster and makes sure that nothing of it is left; says whether there was one.
pub fn down() -> Result<bool> {
    let place = Place::find()?;
    let kept = place.kept(true);
    let was_up = place.is_kept()?;
    for (signal, patience) in [(libc::SIGTERM, 90), (libc::SIGKILL, 30)] {
        let deadline = Instant::now() + Duration::from_secs(patience);
        let mut told = false;
        while place.is_kept()? && Instant::now() < deadline {
            if let (false, Ok(pid)) = (told, fs::read_to_string(place.lock()).unwrap_or_default().parse::<libc::pid_t>()) {
                // SAFETY: the keeper holds its lock, so the process is alive and its own.
                unsafe { libc::kill(pid, signal) };
                told = true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    if place.is_kept()? {
        bail!("the keeper does not end: see {}", place.log().display());
    }
    clear(&place)?;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let left = left_of(&place.site(), kept.as_ref().map(|kept| kept.id.as_str()));
        if left.is_empty() {
            return Ok(was_up);
        }
        if Instant::now() > deadline {
            bail!("the cluster left behind:\n{}", left.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Clears away what a keeper left that was killed.
fn clear(place: &Place) -> Result<()> {
    claims::sweep()?;
    let _ = fs::remove_file(place.ready());
    claims::remove_dir(&place.site())
}

/// Processes, mounts and cgroups of a cluster that should be gone.
fn left_of(site: &Path, id: Option<&str>) -> Vec<String> {
    let site = site.display().to_string();
    let mut left = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(&format!("{site}/")) && entry.file_name().to_string_lossy() != std::process::id().to_string() {
            left.push(format!("process {}: {command}", entry.file_name().to_string_lossy()));
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    left.extend(
        mounts
            .lines()
            .filter(|line| line.contains(&format!("{site}/")))
            .map(|line| format!("mount {line}")),
    );
    left.extend(id.into_iter().flat_map(cgroup::left).map(|dir| format!("cgroup {}", dir.display())));
    left
}

fn block_signals() -> libc::sigset_t {
    // SAFETY: the set is initialised before use, and this thread is the process's only one.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(&mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        set
    }
}

fn wait_for(signals: &libc::sigset_t) {
    let mut signal = 0;
    // SAFETY: both point to live values.
    unsafe { libc::sigwait(signals, &mut signal) };
}
