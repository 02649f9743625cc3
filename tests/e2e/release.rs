//! The chart, installed. Takes turns: tests that need the chart as it comes share one release; a test that installs its own, or
//! removes one, has the cluster alone. Never leaves a release to the next test but the shared one.

use super::ground::{Ground, chart};
use crate::harness::until;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use std::path::Path;
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

pub const NAMESPACE: &str = "punctual-system";
pub const NAME: &str = "punctual";
const PODS: &str = "app.kubernetes.io/component=controller";

/// The release that tests share: the chart as it comes.
pub struct Standard {
    /// Where the audit log was when it was installed.
    pub since: u64,
    _turn: RwLockReadGuard<'static, ()>,
}

/// A cluster without a release, for one test alone.
pub struct Alone {
    pub ground: &'static Ground,
    _turn: RwLockWriteGuard<'static, ()>,
}

impl Ground {
    /// The chart as it comes, shared.
    pub async fn standard(&'static self) -> Standard {
        let turn = self.turn.read().await;
        let mut installed = self.standard.lock().await;
        let since = match *installed {
            Some(since) => since,
            None => {
                let since = self.now();
                self.install(&chart(), &[]);
                *installed = Some(since);
                since
            }
        };
        Standard { since, _turn: turn }
    }

    /// The cluster alone, without a release.
    pub async fn alone(&'static self) -> Alone {
        let turn = self.turn.write().await;
        if self.standard.lock().await.take().is_some() {
            self.remove();
        }
        Alone { ground: self, _turn: turn }
    }

    /// `helm install`, and waits until all pods are ready.
    pub fn install(&self, chart: &Path, values: &[&str]) {
        self.bring("install", chart, &[&["--create-namespace"], values].concat());
    }

    /// `helm upgrade`, and waits until all pods are ready.
    pub fn upgrade(&self, chart: &Path, values: &[&str]) {
        self.bring("upgrade", chart, values);
    }

    fn bring(&self, verb: &str, chart: &Path, values: &[&str]) {
        let chart = chart.display().to_string();
        let first = [verb, NAME, &chart, "--namespace", NAMESPACE, "--wait", "--timeout", "3m"];
        let done = self.helm(&[&first, values].concat());
        if let Err(said) = done {
            let pods = self.kubectl(&["describe", "pods", "-n", NAMESPACE]).unwrap_or_default();
            let logs = self.kubectl(&["logs", "-n", NAMESPACE, "-l", PODS, "--tail=20", "--prefix"]);
            panic!("helm {verb}: {said}\n{pods}\n{}", logs.unwrap_or_default());
        }
    }

    /// Ends the pods, then uninstalls: as long as pods live, they need the rights that an uninstall takes away.
    pub fn remove(&self) {
        let deployment = format!("deployment/{NAME}");
        let _ = self.kubectl(&["scale", "-n", NAMESPACE, &deployment, "--replicas=0"]);
        let _ = self.kubectl(&["wait", "-n", NAMESPACE, "--for=delete", "pod", "-l", PODS, "--timeout=60s"]);
        let _ = self.helm(&["uninstall", NAME, "--namespace", NAMESPACE, "--wait", "--ignore-not-found"]);
        let (lease, claims) = (format!("lease/{NAME}"), format!("configmap/{NAME}-claims"));
        let _ = self.kubectl(&["delete", &lease, &claims, "-n", NAMESPACE, "--ignore-not-found"]);
    }

    /// Names of the operator's pods that are there.
    pub async fn operators(&self, client: &kube::Client) -> Vec<Pod> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
        pods.list(&ListParams::default().labels(PODS)).await.expect("pods").items
    }

    /// The pod that holds the Lease, once one does that is not `other`.
    pub async fn leader(&self, client: &kube::Client, other: &str) -> String {
        let leases: Api<Lease> = Api::namespaced(client.clone(), NAMESPACE);
        until("a leader", || async {
            let holder = leases.get_opt(NAME).await.expect("the Lease can be read")?.spec?.holder_identity?;
            let there = self.operators(client).await;
            let lives = there.iter().any(|pod| pod.metadata.name.as_deref() == Some(&holder));
            (lives && holder != other).then_some(holder)
        })
        .await
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.ground.remove();
    }
}
