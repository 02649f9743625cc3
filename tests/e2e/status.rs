//! Who writes the status: the chart's second admission policy on a real API server, as it comes, and as two operators have it that
//! look after namespaces of their own.

use super::ground::{Ground, chart, ground, running, said};
use super::release::{NAME, NAMESPACE};
use crate::harness::until;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes a status by kubectl, as somebody; only as a trial.
fn write(ground: &Ground, kubeconfig: &Path, namespace: &str, verb: &str) -> Result<String, String> {
    let mut kubectl = ground.cluster.kubectl();
    kubectl
        .env("KUBECONFIG", kubeconfig)
        .args([verb, "-n", namespace, "--subresource=status"]);
    let manifest = tempfile::NamedTempFile::with_suffix(".json").expect("a file");
    if verb == "patch" {
        kubectl.args([
            "stask",
            "guarded",
            "--dry-run=server",
            "--type=merge",
            "-p",
            r#"{"status":{"missed":7}}"#,
        ]);
    } else {
        let stored = ground
            .kubectl(&["get", "stask", "guarded", "-n", namespace, "-o", "json"])
            .expect("a task");
        let mut task: Value = serde_json::from_str(&stored).expect("JSON");
        task["status"]["missed"] = json!(7);
        std::fs::write(manifest.path(), task.to_string()).expect("written");
        kubectl.args(["--dry-run=server", "-f"]).arg(manifest.path());
    }
    said(&mut kubectl)
}

/// Gives a user the right to write statuses there; gives a kubeconfig of theirs.
fn writer(ground: &Ground, namespace: &str, user: &str, group: Option<&str>) -> PathBuf {
    let name = user.rsplit(':').next().expect("a name");
    let role = ["create", "role", name, "-n", namespace, "--verb=get,list,update,patch"];
    let resources = "--resource=scheduledtasks.punctual.dev,scheduledtasks.punctual.dev/status";
    ground.kubectl(&[&role[..], &[resources]].concat()).expect("a role");
    let bound = [format!("--role={name}"), format!("--user={user}")];
    let binding = ["create", "rolebinding", name, "-n", namespace, &bound[0], &bound[1]];
    ground.kubectl(&binding).expect("a binding");
    ground.cluster.kubeconfig_for(user, group).expect("a certificate")
}

/// A task that is never due.
fn guarded() -> Value {
    json!({"schedule": "0 0 1 1 *", "jobTemplate": running("true")})
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_operator_writes_a_status_not_even_an_administrator() {
    let Some(ground) = ground() else { return };
    let release = ground.standard().await;
    let world = ground.world("status").await;
    let namespace = world.namespace.as_str();
    world.task("guarded", guarded()).await;
    world
        .status("guarded", "the operator's own write", |status| !status.conditions.is_empty())
        .await;
    let mallory = writer(ground, namespace, "mallory", None);
    for (user, kubeconfig) in [("mallory", &mallory), ("admin", &ground.cluster.kubeconfig())] {
        for verb in ["patch", "replace"] {
            // Rights and policy reach the API server's own caches a moment after they are stored.
            let refusal = until("a refusal by the policy", || async {
                write(ground, kubeconfig, namespace, verb)
                    .err()
                    .filter(|said| said.contains("ledger"))
            })
            .await;
            let words = format!(
                "may not write the status of ScheduledTask \"guarded\" in namespace \"{namespace}\": it is the ledger of the \
                 operator, system:serviceaccount:{NAMESPACE}:{NAME}. The value admissionPolicy.status of its chart names others who may"
            );
            assert!(refusal.contains(&words), "{user}, {verb}: {refusal}");
            if user == "mallory" {
                assert!(refusal.contains("user \"mallory\" may not"), "{refusal}");
            }
        }
    }
    // Whom the policy on tasks admits still edits the task itself.
    world.edit("guarded", json!({"suspend": true})).await;
    world.settled("guarded").await;
    ground.assert_nothing_denied(release.since);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_stored_as_the_chart_renders_them() {
    let Some(ground) = ground() else { return };
    let _release = ground.standard().await;
    let rendered = ground
        .helm(&["get", "manifest", NAME, "--namespace", NAMESPACE])
        .expect("a manifest");
    let mut compared = 0;
    for document in serde_yaml::Deserializer::from_str(&rendered) {
        let object: Value = serde::Deserialize::deserialize(document).expect("YAML");
        let kind = object["kind"].as_str().unwrap_or_default();
        if !kind.starts_with("ValidatingAdmissionPolicy") {
            continue;
        }
        let name = object["metadata"]["name"].as_str().expect("a name");
        let stored: Value = serde_json::from_str(&ground.kubectl(&["get", kind, name, "-o", "json"]).expect("stored")).expect("JSON");
        assert_eq!(stored["spec"], object["spec"], "{kind} {name}");
        let warnings = &stored["status"]["typeChecking"]["expressionWarnings"];
        assert!(warnings.is_null(), "{name}: {warnings}");
        compared += 1;
    }
    assert_eq!(compared, 4, "two policies and their bindings");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_of_namespaces_of_their_own_guard_these_only_and_admit_whom_their_values_name() {
    let Some(ground) = ground() else { return };
    let _turn = ground.alone().await;
    // What a release leaves: the CRD, with Helm's marks of ownership, and no policy.
    ground.install(&chart(), &[]);
    ground.remove();
    let chart = chart().display().to_string();
    let mut guards = Vec::new();
    for (release, values) in [
        ("one", "admissionPolicy.status.users={restorer}"),
        ("two", "admissionPolicy.status.groups={restorers}"),
    ] {
        let world = ground.world(release).await;
        let place = format!("watchNamespaces={{{}}}", world.namespace);
        let only = ["--show-only", "templates/admission-policy.yaml", "--set", &place, "--set", values];
        let base = ["template", release, &chart, "--namespace", "operators"];
        let policies = ground.helm(&[&base[..], &only].concat()).expect("rendered");
        let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
        std::fs::write(file.path(), policies).expect("written");
        ground
            .kubectl(&["apply", "-f", &file.path().display().to_string()])
            .expect("applied");
        world.task("guarded", guarded()).await;
        guards.push((world, file));
    }
    let [(one, _), (two, _)] = &guards[..] else { unreachable!() };
    // The operators' users, by the names of their ServiceAccounts, and two who restore backups.
    let of = |release: &str| format!("system:serviceaccount:operators:{release}-punctual");
    for (user, group, here, there) in [
        (of("one"), None, true, false),
        (of("two"), None, false, true),
        ("restorer".to_owned(), None, true, false),
        ("member".to_owned(), Some("restorers"), false, true),
    ] {
        for (namespace, admitted) in [(&one.namespace, here), (&two.namespace, there)] {
            let kubeconfig = writer(ground, namespace, &user, group);
            until(&format!("{user} to be admitted ({admitted}) in {namespace}"), || async {
                match write(ground, &kubeconfig, namespace, "patch") {
                    Ok(_) => admitted.then_some(()),
                    Err(said) => (!admitted && said.contains("it is the ledger of the operator")).then_some(()),
                }
            })
            .await;
        }
    }
    for (_, file) in &guards {
        ground
            .kubectl(&["delete", "-f", &file.path().display().to_string()])
            .expect("deleted");
    }
}
