//! Commands for a cluster that cannot be reached.

use crate::process::punctual;

/// A kubeconfig for a port that refuses connections.
fn nobody() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: none\nclusters: [{name: none, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: none, user: {}}]\ncontexts: [{name: none, context: {cluster: none, user: none}}]\n";
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn an_unreachable_cluster_is_one_line_of_error() {
    let file = nobody();
    let path = file.path().display().to_string();
    for args in [
        &["list"][..],
        &["list", "-A", "-o", "json"],
        &["history", "x"],
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
            said.err.starts_with("error: no cluster configured: neither a kubeconfig nor"),
            "{}",
            said.err
        );
        let said = punctual(&[args, &["--kubeconfig", "/nowhere"]].concat(), "");
        assert!(said.err.starts_with("error: cannot read --kubeconfig /nowhere: "), "{}", said.err);
        let said = punctual(&[args, &["--kubeconfig", &path, "--context", "other"]].concat(), "");
        assert_eq!(said.code, Some(1), "{args:?}");
        assert!(said.err.starts_with("error: ") && said.err.contains("other"), "{}", said.err);
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &["run-now"][..],
        &["run-now", "x", "--timeout", "1m"],
        &["run-now", "x", "--wait", "--timeout", "soon"],
        &["resume"],
        &["backfill", "x"],
        &["history"],
        &["history", "x", "y"],
        &["list", "-o", "xml"],
        &["convert", "-o", "table"],
    ] {
        assert_eq!(punctual(args, "").code, Some(2), "{args:?}");
    }
}
