//! What a program needs to be started. Takes an ELF file, gives the loader and the shared libraries that it and they name,
//! as they are found on this machine; never runs it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use object::Endianness;
use object::elf::{DT_NEEDED, EM_AARCH64, EM_X86_64, FileHeader64, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::Result;

/// What one file names.
struct Named {
    interpreter: Option<PathBuf>,
    libraries: Vec<String>,
}

/// Whether it can be started without any other file.
pub(crate) fn is_static(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| named(&bytes).is_ok_and(|named| named.interpreter.is_none() && named.libraries.is_empty()))
}

/// The architecture that a program was built for, in OCI's words.
pub(crate) fn architecture(program: &[u8]) -> Result<&'static str> {
    let header = FileHeader64::<Endianness>::parse(program).context("it is no ELF file of 64 bits")?;
    match header.e_machine(header.endian()?) {
        EM_X86_64 => Ok("amd64"),
        EM_AARCH64 => Ok("arm64"),
        other => bail!("it is built for machine {other}, not for amd64 or arm64"),
    }
}

/// The loader and all libraries, at the paths where the loader looks for them.
pub(crate) fn needed_by(program: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![program.to_owned()];
    while let Some(path) = open.pop() {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let named = named(&bytes).with_context(|| format!("{} is no ELF file of 64 bits", path.display()))?;
        let libraries = named.libraries.iter().map(|name| library(name));
        for path in named.interpreter.map(Ok).into_iter().chain(libraries) {
            let path = path.with_context(|| format!("{} needs it", path_name(program)))?;
            // The loader is named twice: by its path in the program, by its name in the libraries.
            if !found.iter().any(|other: &PathBuf| other.file_name() == path.file_name()) {
                found.insert(path.clone());
                open.push(path);
            }
        }
    }
    Ok(found)
}

fn path_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn named(bytes: &[u8]) -> Result<Named, object::read::Error> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    let mut named = Named {
        interpreter: None,
        libraries: Vec::new(),
    };
    for segment in header.program_headers(endian, bytes)? {
        if segment.p_type(endian) == PT_INTERP {
            named.interpreter = segment.interpreter(endian, bytes)?.map(|path| text(path).into());
        }
    }
    let sections = header.sections(endian, bytes)?;
    if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries.iter().filter(|entry| entry.tag(endian) == DT_NEEDED) {
            named.libraries.push(text(entry.string(endian, strings)?));
        }
    }
    Ok(named)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where the system's loader looks without being told: first where Debian has libraries, then where others do.
fn library(name: &str) -> Result<PathBuf> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let places = [
        format!("/lib/{triplet}"),
        format!("/usr/lib/{triplet}"),
        "/lib64".into(),
        "/usr/lib64".into(),
        "/lib".into(),
        "/usr/lib".into(),
    ];
    match places.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("the library {name} is in none of {}", places.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_test_needs_a_loader_and_libc_and_is_not_static() {
        let own = std::env::current_exe().unwrap();
        let names: Vec<String> = needed_by(&own).unwrap().iter().map(|path| path_name(path)).collect();
        assert!(names.iter().any(|name| name.starts_with("ld-")), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("libc.so")), "{names:?}");
        assert_eq!(
            names.iter().collect::<BTreeSet<_>>().len(),
            names.len(),
            "one file twice: {names:?}"
        );
        assert!(!is_static(&own));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert!(needed_by(Path::new("/etc/passwd")).is_err());
        assert!(!is_static(Path::new("/etc/passwd")));
    }
}
