//! Reads what is secret, and what is trusted, anew for each delivery, so that both may be rotated.
//!
//! The content of a file comes out, or an error that names the field and the path, and never the content.

use super::super::secret::Secret;
use super::failure::NotDelivered;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A credential of more bytes is not read.
const LARGEST_CREDENTIAL: usize = 16 << 10;
/// A file of certificates of more bytes is not read: those of all public authorities have less.
const LARGEST_CA: usize = 1 << 20;

/// The text of a credential, without white space around it. `field` is the name of the file's field in the configuration.
pub async fn read(field: &str, secret: &Secret) -> Result<String, NotDelivered> {
    match secret {
        Secret::Text(text) => Ok(text.trim().to_owned()),
        Secret::File(path) => {
            let bytes = contents(field, path, LARGEST_CREDENTIAL).await?;
            let text = String::from_utf8(bytes).map_err(|_| cannot_be_used(field, path, "is not text in UTF-8"))?;
            match text.trim() {
                "" => Err(cannot_be_used(field, path, "is empty")),
                text => Ok(text.to_owned()),
            }
        }
    }
}

/// The name of the field that holds an address.
pub fn address_field(address: &Secret) -> &'static str {
    match address {
        Secret::Text(_) => "url",
        Secret::File(_) => "urlFile",
    }
}

/// The text of a file of certificates.
pub async fn read_ca(path: &Path) -> Result<Vec<u8>, NotDelivered> {
    contents("caFile", path, LARGEST_CA).await
}

/// What is wrong with a file.
pub fn cannot_be_used(field: &str, path: &Path, why: &str) -> NotDelivered {
    NotDelivered::new(format!("{field}: {} {why}", path.display()))
}

async fn contents(field: &str, path: &Path, most: usize) -> Result<Vec<u8>, NotDelivered> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || bounded(&owned, most)).await;
    let outcome = read.unwrap_or_else(|_| Err("cannot be read".into()));
    outcome.map_err(|why| cannot_be_used(field, path, &why))
}

fn bounded(path: &PathBuf, most: usize) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    // Opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("is not a file".into());
    }
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > most {
        return Err(format!("is larger than {most} bytes"));
    }
    Ok(bytes)
}
