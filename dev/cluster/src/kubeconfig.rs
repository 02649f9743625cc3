//! Kubeconfig files. Takes a cluster's address, CA and a way to log in, gives a file that kubectl, Helm and kube read,
//! never one that others may read: it holds a credential.

use std::path::Path;

use serde_json::{Value, json};

use crate::Result;
use crate::claims::write_private;
use crate::pki::Identity;

/// Who the bearer of a kubeconfig is.
pub(crate) enum Login<'a> {
    Token(&'a str),
    Certificate(&'a Identity),
}

/// Writes a kubeconfig with one context, `punctual`. It is JSON, which is YAML too.
pub(crate) fn write(path: &Path, url: &str, ca_pem: &str, login: &Login) -> Result<()> {
    let user: Value = match login {
        Login::Token(token) => json!({ "token": token }),
        Login::Certificate(identity) => json!({
            "client-certificate-data": base64(identity.certificate.as_bytes()),
            "client-key-data": base64(identity.key.as_bytes()),
        }),
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "punctual",
        "clusters": [{ "name": "punctual", "cluster": {
            "server": url, "certificate-authority-data": base64(ca_pem.as_bytes()),
        }}],
        "users": [{ "name": "punctual", "user": user }],
        "contexts": [{ "name": "punctual", "context": { "cluster": "punctual", "user": "punctual" } }],
    });
    write_private(path, format!("{config:#}\n").as_bytes())
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = (word >> (18 - 6 * digit)) & 63;
            text.push(if digit > chunk.len() { '=' } else { DIGITS[value as usize] as char });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_padded() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
