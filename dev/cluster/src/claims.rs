//! Names that only one living process may hold: a port, a subnet, a cluster's id. Takes candidates, gives the first
//! free one as a locked file, never leaves one taken by a process that is gone: the kernel drops its lock.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cache::{cache_dir, lock_file};
use crate::{Result, cgroup};

/// A name held as long as this value lives.
pub(crate) struct Claim {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Claim {
    /// Holds the first of `names` that nobody holds and that `usable` agrees to.
    pub fn first_of(names: impl Iterator<Item = String>, usable: impl Fn(&str) -> bool) -> Result<Claim> {
        let dir = runs()?;
        let _turn = turn(&dir)?;
        for name in names {
            let path = dir.join(format!("{name}.lock"));
            let lock = lock_file(&path)?;
            if lock.try_lock().is_ok() {
                if usable(&name) {
                    return Ok(Claim { name, path, _lock: lock });
                }
                let _ = fs::remove_file(&path);
            }
        }
        bail!("all candidates are taken: see who holds the locks in {}", dir.display())
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Ok(_turn) = self.path.parent().map_or_else(|| bail!("no parent"), turn) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `CACHE/run`: locks, and the directories of clusters that were given none.
pub(crate) fn runs() -> Result<PathBuf> {
    let dir = cache_dir()?.join("run");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

fn turn(dir: &Path) -> Result<File> {
    let lock = lock_file(&dir.join("turn"))?;
    lock.lock().with_context(|| format!("cannot lock {}/turn", dir.display()))?;
    Ok(lock)
}

/// Eight hexadecimal digits that nobody else has.
pub(crate) fn random_id() -> Result<String> {
    let mut bytes = [0_u8; 4];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Clears away what clusters left whose process is gone: directories, cgroups, locks.
pub(crate) fn sweep() -> Result<()> {
    let dir = runs()?;
    let _turn = turn(&dir)?;
    for entry in fs::read_dir(&dir)?.flatten() {
        let path = entry.path();
        let Some(name) = entry.file_name().to_string_lossy().strip_suffix(".lock").map(String::from) else {
            continue;
        };
        let lock = lock_file(&path)?;
        if lock.try_lock().is_err() {
            continue; // it lives
        }
        if let Some(id) = name.strip_prefix("cluster-") {
            cgroup::remove(id)?;
            remove_dir(&dir.join(id))?;
        }
        let _ = fs::remove_file(&path);
    }
    Ok(())
}

/// Removes a directory that dying processes may still write to.
pub(crate) fn remove_dir(dir: &Path) -> Result<()> {
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(_) if tries < 100 => tries += 1,
            Err(error) => return Err(error).with_context(|| format!("cannot remove {}", dir.display())),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Writes a file that only its owner reads.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}
