//! The commands beside kubectl on a real API server: how manifests are read, and kubeconfigs that kubectl accepts.

use crate::cli::{owned, run};
use crate::harness::{World, cluster};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/yaml")
}

fn kubectl() -> PathBuf {
    cluster().kubectl().get_program().into()
}

/// Why kubectl and the API server disagree with a line of `expected.tsv`, if they do.
async fn disagreement(namespace: &str, line: &str) -> Option<String> {
    let mut columns = line.split('\t');
    let (name, decision) = (columns.next()?, columns.next()?);
    let file = corpus().join(format!("{name}.yaml")).display().to_string();
    let kubeconfig = cluster().kubeconfig().display().to_string();
    let create = [
        "create",
        "--dry-run=server",
        "-n",
        namespace,
        "--kubeconfig",
        &kubeconfig,
        "-f",
        &file,
    ];
    let created = run(kubectl(), owned(&create), None).await;
    let decided = match created.code {
        Some(0) => "accepted",
        _ if created.err.contains("no objects passed to") => "nothing",
        _ => "rejected",
    };
    if decided != decision {
        return Some(format!("{name} is {decided}: {}{}", created.out, created.err));
    }
    let (pointer, value) = columns.next().zip(columns.next())?;
    let annotate = [
        "annotate",
        "--local",
        "--dry-run=client",
        "-o",
        "json",
        "-f",
        &file,
        "read=by-kubectl",
    ];
    let read = run(kubectl(), owned(&annotate), None).await;
    let object: Value = serde_json::from_str(&read.out).unwrap_or_default();
    let expected = (value != "absent").then(|| serde_json::from_str::<Value>(value).expect("JSON"));
    let found = object.pointer(pointer);
    (found != expected.as_ref()).then(|| format!("{name}: {pointer} is {found:?} and not {expected:?}: {}", read.err))
}

/// F18
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_and_the_api_server_agree_with_the_corpus() {
    let world = World::new("cli-yaml").await;
    let table = std::fs::read_to_string(corpus().join("expected.tsv")).expect("a table");
    let answers = stream::iter(table.lines().map(|line| disagreement(&world.namespace, line))).buffer_unordered(3);
    let wrong: Vec<String> = answers.filter_map(|answer| async { answer }).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The kubeconfig of the cluster with other fields in its only cluster and user.
fn kubeconfig(dir: &Path, change: impl FnOnce(&mut Value)) -> String {
    let text = std::fs::read_to_string(cluster().kubeconfig()).expect("a kubeconfig");
    let mut config: Value = serde_yaml::from_str(&text).expect("YAML");
    change(&mut config);
    let path = dir.join("kubeconfig");
    std::fs::write(&path, config.to_string()).expect("written");
    path.display().to_string()
}

async fn list(kubeconfig: &str) -> String {
    let said = run(
        env!("CARGO_BIN_EXE_punctual").into(),
        owned(&["list", "--kubeconfig", kubeconfig]),
        None,
    )
    .await;
    assert_eq!(
        (said.code, said.out.as_str(), said.err.lines().count()),
        (Some(1), "", 1),
        "{}",
        said.err
    );
    said.err
}

/// F32
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_and_a_wrong_ca_are_explained() {
    let dir = tempfile::tempdir().expect("a directory");
    let claims = URL_SAFE_NO_PAD.encode(json!({"exp": 1_700_000_000}).to_string());
    let expired = kubeconfig(dir.path(), |config| {
        config["users"][0]["user"] = json!({"auth-provider": {"name": "oidc", "config": {
            "client-id": "kubernetes", "idp-issuer-url": "https://127.0.0.1:5556", "refresh-token": "x", "id-token": format!("e30.{claims}.x")}}});
    });
    assert_eq!(
        list(&expired).await,
        "error: You must be logged in to the server (Unauthorized): the id-token in the kubeconfig expired at 2023-11-14T22:13:20Z: run kubectl once to refresh it, or use an exec plugin such as kubelogin\n"
    );
    let certificate = std::fs::read(cluster().dir().join("pki/apiserver.crt")).expect("the server's certificate");
    let leaf = kubeconfig(dir.path(), |config| {
        let cluster = &mut config["clusters"][0]["cluster"];
        cluster.as_object_mut().expect("fields").remove("certificate-authority");
        cluster["certificate-authority-data"] = json!(STANDARD.encode(certificate));
    });
    let says = list(&leaf).await;
    assert!(
        says.ends_with(
            ": certificate-authority-data in the kubeconfig must be the CA that signed the server's certificate, not that certificate itself\n"
        ),
        "{says}"
    );
}
