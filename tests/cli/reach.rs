//! Kubeconfigs, proxies, and clusters that cannot be reached.

use crate::process::{Output, punctual, run_with};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

/// A kubeconfig for a server, with further fields of the cluster.
fn kubeconfig(server: &str, more: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: none\nclusters: [{{name: none, cluster: {{server: '{server}'{more}}}}}]\nusers: [{{name: none, user: {{}}}}]\ncontexts: [{{name: none, context: {{cluster: none, user: none}}}}]\n"
    );
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn an_unreachable_cluster_is_one_line_of_error() {
    // A port that refuses connections.
    let file = kubeconfig("http://127.0.0.1:1", "");
    let path = file.path().display().to_string();
    for args in [
        &["list"][..],
        &["list", "-A", "-o", "json"],
        &["list", "x", "-w"],
        &["history", "x"],
        &["logs", "x"],
        &["suspend", "x"],
        &["run-now", "x", "--wait"],
        &["resume", "x"],
        &["backfill", "x", "2026-11-01/2026-11-02"],
    ] {
        let said = punctual(&[args, &["--kubeconfig", &path]].concat(), "");
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{args:?}");
        assert_eq!(
            said.err, "Unable to connect to the server http://127.0.0.1:1: Connection refused (os error 111)\n",
            "{args:?}"
        );
        let said = punctual(args, "");
        assert_eq!(said.code, Some(1), "{args:?}");
        assert!(
            said.err
                .starts_with("error: no cluster configured: use --kubeconfig, or set $KUBECONFIG ("),
            "{}",
            said.err
        );
        let said = punctual(&[args, &["--kubeconfig", "/nowhere"]].concat(), "");
        assert!(said.err.starts_with("error: cannot read --kubeconfig /nowhere: "), "{}", said.err);
        let said = punctual(&[args, &["--kubeconfig", &path, "--context", "other"]].concat(), "");
        assert_eq!(
            (said.code, said.err.as_str()),
            (Some(1), "error: context \"other\" does not exist in the kubeconfig\n")
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &["run-now"][..],
        &["run-now", "x", "--timeout", "1m"],
        &["run-now", "x", "--wait", "--timeout", "soon"],
        &["resume"],
        &["suspend"],
        &["logs"],
        &["list", "x", "-A"],
        &["list", "x", "-l", "app=shop"],
        &["backfill", "x"],
        &["history"],
        &["history", "x", "y"],
        &["list", "-o", "xml"],
        &["convert", "-o", "table"],
    ] {
        assert_eq!(punctual(args, "").code, Some(2), "{args:?}");
    }
}

/// The first line that a proxy gets, if it gets one, and the output of `punctual list` with this kubeconfig and environment.
fn through_proxy(server: &str, proxy_url: bool, environment: &dyn Fn(&str) -> Vec<(&'static str, String)>) -> (Option<String>, Output) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let more = if proxy_url {
        format!(", proxy-url: '{proxy}'")
    } else {
        String::new()
    };
    let file = kubeconfig(server, &more);
    let path = file.path().display().to_string();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().ok()?;
        let mut request = [0; 1024];
        let read = stream.read(&mut request).ok()?;
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
        let text = String::from_utf8_lossy(&request[..read]).into_owned();
        text.lines().next().map(str::to_owned)
    });
    let program = Path::new(env!("CARGO_BIN_EXE_punctual"));
    let said = run_with(program, &["list", "--kubeconfig", &path], "", &environment(&proxy));
    // The thread ends also where nobody asks.
    let _ = std::net::TcpStream::connect(proxy.trim_start_matches("http://"));
    (asked.join().unwrap(), said)
}

/// F10
#[test]
fn a_proxy_is_used_as_by_kubectl() {
    let https = |more: Option<(&'static str, &'static str)>| {
        move |proxy: &str| {
            let mut all = vec![("HTTPS_PROXY", proxy.to_owned())];
            all.extend(more.map(|(name, value)| (name, value.to_owned())));
            all
        }
    };
    let connect = Some("CONNECT cluster.invalid:6443 HTTP/1.1".to_owned());
    let remote = "https://cluster.invalid:6443";
    let (asked, said) = through_proxy(remote, false, &https(None));
    assert_eq!(asked, connect, "{said:?}");
    assert_eq!(said.code, Some(1));
    let (asked, said) = through_proxy(remote, false, &|proxy| vec![("https_proxy", proxy.to_owned())]);
    assert_eq!(asked, connect, "{said:?}");
    // The kubeconfig's own proxy applies whatever NO_PROXY says.
    let (asked, said) = through_proxy(remote, true, &|_| vec![("NO_PROXY", "*".to_owned())]);
    assert_eq!(asked, connect, "{said:?}");
    // NO_PROXY names the server, with entries that Go ignores.
    let (asked, said) = through_proxy(remote, false, &https(Some(("NO_PROXY", "10.0.0.0/8, ,a b,cluster.invalid"))));
    assert!(asked.is_none_or(|line| line.is_empty()), "{said:?}");
    assert!(
        said.err
            .starts_with("Unable to connect to the server https://cluster.invalid:6443: "),
        "{}",
        said.err
    );
    // Go never sends requests to loopback through a proxy.
    let (asked, said) = through_proxy("https://127.0.0.1:1", false, &https(None));
    assert!(asked.is_none_or(|line| line.is_empty()), "{said:?}");
    assert_eq!(
        said.err,
        "Unable to connect to the server https://127.0.0.1:1: Connection refused (os error 111)\n"
    );
}
