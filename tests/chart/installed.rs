//! `helm install` against a real API server.

use super::dependency::depending_chart;
use super::helm::{CRD, NAMESPACE, chart, read, root};
use super::server::Server;

/// F08, F23: namespaces that are numbers, and release names with a dot or a leading digit, install.
#[test]
fn unusual_names_of_namespaces_and_releases_install() {
    let server = Server::shared();
    let chart = chart().display().to_string();
    for namespace in ["4711", "1e3"] {
        server.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace:?}}}}}"));
    }
    let watched = "--set-string=watchNamespaces={4711,1e3}";
    for (release, namespace, mode) in [
        ("12345", "12345", "--set=rbac.aggregateRoles=true"),
        ("prod.punctual", "3240286e-210077", "--set=replicaCount=1"),
        ("2nd", "1e3", watched),
        ("on", "null", watched),
    ] {
        let args = [
            "install",
            release,
            &chart,
            "-n",
            namespace,
            "--create-namespace",
            "--set=crds.enabled=false",
            mode,
        ];
        server.helm(&args).unwrap_or_else(|said| panic!("{release} in {namespace}: {said}"));
        server
            .helm(&["uninstall", release, "-n", namespace])
            .unwrap_or_else(|said| panic!("{release} in {namespace}: {said}"));
    }
}

/// F03: a watched namespace that does not exist yet does not stop the installation; the notes name it, and an upgrade completes it.
#[test]
fn a_missing_watched_namespace_is_named_in_the_notes() {
    let server = Server::shared();
    let chart = chart().display().to_string();
    let run = |verb: &str| {
        let mut args = vec![
            verb,
            "f03",
            &chart,
            "-n",
            "f03",
            "--set=crds.enabled=false",
            "--set=watchNamespaces={f03-a,f03-b}",
        ];
        args.extend(["--create-namespace"].iter().filter(|_| verb == "install"));
        server.helm(&args).unwrap_or_else(|said| panic!("helm {verb}: {said}"))
    };
    let role = |namespace: &str| server.kubectl(&["get", "role,rolebinding", "f03-punctual", "-n", namespace], "");
    server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: f03-a}}");
    let notes = run("install");
    assert!(
        notes.contains("These watched namespaces do not exist or are being deleted: f03-b."),
        "{notes}"
    );
    role("f03-a").expect("the namespace that exists has its role");
    server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: f03-b}}");
    let notes = run("upgrade");
    assert!(!notes.contains("do not exist"), "{notes}");
    role("f03-b").expect("the other namespace has its role now");
    // Nothing completes the deletion here, as with a finalizer that is never removed.
    server
        .kubectl(&["delete", "namespace", "f03-b", "--wait=false"], "")
        .expect("deleted");
    let notes = run("upgrade");
    assert!(notes.contains("being deleted: f03-b."), "{notes}");
    server.helm(&["uninstall", "f03", "-n", "f03"]).expect("uninstalled");
}

const TASK: &str = r#"apiVersion: punctual.dev/v1alpha1
kind: ScheduledTask
metadata: {name: nightly}
spec:
  schedule: "30 2 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: "busybox:1.36"}]}}}}
"#;

/// F25: a release with the operator and its first tasks: what docs/install.md says fails, and its two ways that work.
#[test]
fn a_task_in_the_operators_release_needs_the_crd_first() {
    let page = read("docs/install.md");
    let words = r#"no matches for kind "ScheduledTask""#;
    assert!(
        page.contains(words) && page.contains("--set punctual.crds.enabled=false"),
        "the page says it"
    );
    let folder = depending_chart("condition: punctual.enabled", "punctual: {enabled: true}\n");
    std::fs::create_dir(folder.path().join("templates")).expect("a folder");
    std::fs::write(folder.path().join("templates/task.yaml"), TASK).expect("written");
    let shop = folder.path().display().to_string();
    let install = |server: &Server, more: &[&str]| {
        let args = [&["install", "shop", &shop, "-n", "shop", "--create-namespace"], more].concat();
        server.helm(&args)
    };

    let server = Server::start();
    let said = install(&server, &[]).expect_err("the kind does not exist");
    assert!(said.contains(words), "{said}");
    server.apply(&read(CRD));
    server.wait_for_tasks();
    install(&server, &["--set", "punctual.crds.enabled=false"]).expect("the CRD was applied first");

    let server = Server::start();
    let chart = chart().display().to_string();
    server
        .helm(&["install", "punctual", &chart, "-n", NAMESPACE, "--create-namespace"])
        .expect("a release of its own");
    server.wait_for_tasks();
    install(&server, &["--set", "punctual.enabled=false"]).expect("the operator has a release of its own");
}

/// `kubectl apply -f examples/` is accepted again, and changes nothing.
#[test]
fn examples_can_be_applied_twice() {
    let server = Server::start();
    server.apply(&read(CRD));
    server.wait_for_tasks();
    let examples = root().join("examples").display().to_string();
    let apply = || {
        server
            .kubectl(&["apply", "-f", &examples], "")
            .unwrap_or_else(|said| panic!("{said}"))
    };
    let (first, second) = (apply(), apply());
    assert!(first.lines().all(|line| line.ends_with(" created")), "{first}");
    assert!(second.lines().all(|line| line.ends_with(" unchanged")), "{second}");
    assert!(first.lines().count() >= 5, "{first}");
}
