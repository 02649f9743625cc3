//! What outlives a run. Takes a folder's name and a way to fill it, gives the folder whole, never half: it is filled
//! beside its place, under a lock, and renamed into it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::Result;

/// `$PUNCTUAL_CACHE`, else `$XDG_CACHE_HOME/punctual`, else `~/.cache/punctual`.
pub fn cache_dir() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let dir = if let Some(dir) = set("PUNCTUAL_CACHE") {
        dir
    } else if let Some(dir) = set("XDG_CACHE_HOME") {
        dir.join("punctual")
    } else if let Some(home) = set("HOME") {
        home.join(".cache/punctual")
    } else {
        bail!("no place for the cache: set PUNCTUAL_CACHE to a directory");
    };
    std::path::absolute(&dir).with_context(|| format!("the cache directory {}", dir.display()))
}

/// Opens (and makes) a file to be locked; its folder too.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// Gives `root/name`, filled by `fill` if it is not there yet. Only one process at a time fills it; the others wait.
/// A `fill` that fails or is killed leaves nothing at `root/name`.
pub(crate) fn filled_once(root: &Path, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let place = root.join(name);
    if place.is_dir() {
        return Ok(place);
    }
    let lock = lock_file(&root.join(format!(".{name}.lock")))?;
    if lock.try_lock().is_err() {
        eprintln!("waiting for another process that is making {name}");
        lock.lock().with_context(|| format!("cannot lock {name} in {}", root.display()))?;
    }
    if place.is_dir() {
        return Ok(place);
    }
    let prefix = format!(".{name}.part-");
    for left in fs::read_dir(root)?
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with(&prefix))
    {
        fs::remove_dir_all(left.path()).with_context(|| format!("cannot remove {}", left.path().display()))?;
    }
    let part = tempfile::Builder::new().prefix(&prefix).tempdir_in(root)?;
    fill(part.path())?;
    let part = part.keep();
    fs::rename(&part, &place).with_context(|| format!("cannot rename {} to {}", part.display(), place.display()))?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_was_interrupted_is_not_taken_for_whole() {
        let root = tempfile::tempdir().unwrap();
        let half = root.path().join(".thing-1.part-killed");
        fs::create_dir(&half).unwrap();
        fs::write(half.join("a"), "half").unwrap();
        let failed = filled_once(root.path(), "thing-1", |dir| {
            fs::write(dir.join("a"), "half")?;
            bail!("the disk is full")
        });
        assert!(failed.is_err());
        assert!(!root.path().join("thing-1").exists());
        let place = filled_once(root.path(), "thing-1", |dir| Ok(fs::write(dir.join("a"), "whole")?)).unwrap();
        assert_eq!(fs::read_to_string(place.join("a")).unwrap(), "whole");
        assert!(!half.exists(), "what the killed one left is cleared away");
    }

    #[test]
    fn two_at_once_fill_it_once() {
        let root = tempfile::tempdir().unwrap();
        let times = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    filled_once(root.path(), "thing-2", |dir| {
                        times.fetch_add(1, Ordering::SeqCst);
                        Ok(fs::write(dir.join("a"), "whole")?)
                    })
                    .unwrap()
                });
            }
        });
        assert_eq!(times.load(Ordering::SeqCst), 1);
    }
}
