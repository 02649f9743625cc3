//! Decides whether requests to a URL go through a proxy, from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, as Go's programs do.
//!
//! kube's own decision compares `NO_PROXY` with the address of the proxy, and rejects entries that Go ignores.

use http::Uri;
use std::net::IpAddr;

/// The variables of the environment, upper case before lower case.
#[derive(Clone, Debug, Default)]
pub struct ProxyEnvironment {
    /// The proxy for `https://` URLs.
    pub https: Option<String>,
    /// The proxy for `http://` URLs.
    pub http: Option<String>,
    /// Hosts that are reached without a proxy.
    pub none: Option<String>,
}

impl ProxyEnvironment {
    /// The environment of the process.
    pub fn of_process() -> Self {
        let variable = |name: &str| {
            let value = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
            value(name).or_else(|| value(&name.to_ascii_lowercase()))
        };
        Self {
            https: variable("HTTPS_PROXY"),
            http: variable("HTTP_PROXY"),
            none: variable("NO_PROXY"),
        }
    }

    /// The proxy for a URL, if there is one.
    pub fn proxy_for(&self, url: &Uri) -> Option<&str> {
        let proxy = match url.scheme_str() {
            Some("http") => self.http.as_deref(),
            _ => self.https.as_deref(),
        }?;
        let host = url.host()?.trim_matches(['[', ']']);
        let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
        let direct = is_local(host) || self.none.as_deref().is_some_and(|list| matches_any(list, host, port));
        (!direct).then_some(proxy)
    }
}

/// Parses the URL of a proxy; one without a scheme is HTTP.
///
/// # Errors
/// When it is not a URL, or of a scheme that is not supported.
pub fn parse(proxy: &str) -> Result<Uri, String> {
    let proxy = proxy.trim();
    let url = match proxy.contains("://") {
        true => proxy.to_owned(),
        false => format!("http://{proxy}"),
    };
    let url = url.replacen("socks5h://", "socks5://", 1);
    let uri: Uri = url
        .trim_end_matches('/')
        .parse()
        .map_err(|error| format!("invalid proxy {proxy:?}: {error}"))?;
    match uri.scheme_str() {
        Some("http" | "socks5") if uri.host().is_some() => Ok(uri),
        _ => Err(format!("unsupported proxy {proxy:?}: use http:// or socks5://")),
    }
}

/// Hosts on this machine never go through a proxy.
fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an entry of the list matches: `*`, an address, a CIDR, a domain with its subdomains, or `.domain` for subdomains only.
fn matches_any(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    list.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
        if entry.is_empty() {
            return false;
        }
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            let network = network.parse::<IpAddr>().ok().zip(bits.parse::<u32>().ok());
            return network
                .zip(address)
                .is_some_and(|((network, bits), address)| contains(network, bits, address));
        }
        let (name, entry_port) = split_port(&entry);
        if entry_port.is_some_and(|entry_port| entry_port != port) {
            return false;
        }
        match (name.parse::<IpAddr>(), address) {
            (Ok(entry), Some(address)) => entry == address,
            (Ok(_), None) => false,
            (Err(_), _) => {
                let name = name.strip_prefix('*').unwrap_or(name);
                match name.strip_prefix('.') {
                    Some(domain) => host.strip_suffix(domain).is_some_and(|start| start.ends_with('.')),
                    None => host
                        .strip_suffix(name)
                        .is_some_and(|start| start.is_empty() || start.ends_with('.')),
                }
            }
        }
    })
}

/// Host and port of an entry such as `example.org:8443`, `[::1]:443` or `::1`.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (name, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (name, port.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= 32 => {
            let shift = 32 - bits;
            network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= 128 => {
            let shift = 128 - bits;
            network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_direct(none: &str, url: &str) -> bool {
        let environment = ProxyEnvironment {
            https: Some("http://proxy:3128".into()),
            http: None,
            none: Some(none.into()),
        };
        environment.proxy_for(&url.parse().unwrap()).is_none()
    }

    /// F10
    #[test]
    fn no_proxy_is_compared_with_the_server_as_in_go() {
        for (none, url, direct) in [
            ("", "https://127.0.0.1:6443", true),
            ("", "https://localhost:6443", true),
            ("", "https://[::1]:6443", true),
            ("", "https://10.1.2.3", false),
            ("*", "https://api.example.org", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("0.0.0.0/0", "https://11.1.2.3", true),
            ("fd00::/8", "https://[fd12::1]:6443", true),
            ("10.1.2.3", "https://10.1.2.3:6443", true),
            ("10.1.2.3:443", "https://10.1.2.3:6443", false),
            ("example.org", "https://api.example.org:6443", true),
            ("example.org", "https://badexample.org", false),
            (".example.org", "https://example.org", false),
            (".example.org", "https://API.Example.org", true),
            ("*.example.org", "https://api.example.org", true),
            ("api.example.org:6443", "https://api.example.org:6443", true),
            ("a b, ,,/,proxy:x, api.example.org", "https://api.example.org", true),
            ("", "http://api.example.org", true),
        ] {
            assert_eq!(is_direct(none, url), direct, "{none} {url}");
        }
    }

    #[test]
    fn a_proxy_without_a_scheme_is_http() {
        assert_eq!(parse("proxy:3128"), Ok("http://proxy:3128".parse().unwrap()));
        assert_eq!(parse("socks5h://proxy:1080/"), Ok("socks5://proxy:1080".parse().unwrap()));
        assert_eq!(
            parse("https://proxy"),
            Err("unsupported proxy \"https://proxy\": use http:// or socks5://".into())
        );
        assert!(parse("http://").is_err());
    }
}
