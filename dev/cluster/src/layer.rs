//! The files of an image. Takes files, folders and links, gives one tar, never one that differs from one time to the next:
//! entries are sorted, times are 0, everything is root's.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};

use crate::Result;

/// The one layer of an image.
#[derive(Default)]
pub(crate) struct Layer {
    entries: BTreeMap<String, Entry>,
}

enum Entry {
    Folder(u32),
    File(u32, Vec<u8>),
    Link(String),
}

impl Layer {
    pub fn folder(&mut self, path: impl AsRef<Path>, mode: u32) -> Result<()> {
        self.put(path.as_ref(), Entry::Folder(mode))
    }

    pub fn file(&mut self, path: impl AsRef<Path>, mode: u32, bytes: impl Into<Vec<u8>>) -> Result<()> {
        self.put(path.as_ref(), Entry::File(mode, bytes.into()))
    }

    pub fn link(&mut self, path: impl AsRef<Path>, to: &str) -> Result<()> {
        self.put(path.as_ref(), Entry::Link(to.into()))
    }

    /// A file of this machine; links are followed.
    pub fn copy(&mut self, from: &Path, path: impl AsRef<Path>, mode: u32) -> Result<()> {
        let bytes = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.file(path, mode, bytes)
    }

    fn put(&mut self, path: &Path, entry: Entry) -> Result<()> {
        let Ok(path) = path.strip_prefix("/") else {
            bail!("{} is not an absolute path in the image", path.display())
        };
        for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            self.entries.entry(name(above)?).or_insert(Entry::Folder(0o755));
        }
        self.entries.insert(name(path)?, entry);
        Ok(())
    }

    /// The tar. A folder comes before what is in it: its name is shorter.
    pub fn tar(&self) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, entry) in &self.entries {
            match entry {
                Entry::Folder(mode) => {
                    let mut header = header(tar::EntryType::Directory, *mode, 0);
                    tar.append_data(&mut header, format!("{name}/"), std::io::empty())?;
                }
                Entry::File(mode, bytes) => add(&mut tar, name, *mode, bytes)?,
                Entry::Link(to) => {
                    let mut header = header(tar::EntryType::Symlink, 0o777, 0);
                    tar.append_link(&mut header, name, to)?;
                }
            }
        }
        Ok(tar.into_inner()?)
    }
}

fn name(path: &Path) -> Result<String> {
    let name = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(name.to_owned())
}

/// Adds a file to a tar, root's, of time 0.
pub(crate) fn add<W: std::io::Write>(tar: &mut tar::Builder<W>, name: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = header(tar::EntryType::Regular, mode, u64::try_from(bytes.len())?);
    tar.append_data(&mut header, name, bytes)?;
    Ok(())
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_their_files_and_the_order_of_the_calls_does_not_matter() {
        let mut one = Layer::default();
        one.file("/usr/bin/b", 0o755, "b").unwrap();
        one.link("/usr/bin/a", "b").unwrap();
        one.folder("/tmp", 0o1777).unwrap();
        let mut two = Layer::default();
        two.folder("/tmp", 0o1777).unwrap();
        two.link("/usr/bin/a", "b").unwrap();
        two.file("/usr/bin/b", 0o755, "b").unwrap();
        let tar = one.tar().unwrap();
        assert_eq!(tar, two.tar().unwrap());
        let mut archive = tar::Archive::new(&tar[..]);
        let names = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string());
        assert_eq!(names.collect::<Vec<_>>(), ["tmp/", "usr/", "usr/bin/", "usr/bin/a", "usr/bin/b"]);
        assert!(one.file("relative", 0o644, "").is_err());
    }
}
