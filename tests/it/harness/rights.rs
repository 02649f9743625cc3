//! What replicas may do: what the chart gives them, read from `deploy/punctual.yaml`, bound in one namespace.
//!
//! Takes a namespace, gives rights to the group of its replicas. Never one that the chart does not give.

use super::{World, until};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding};
use kube::api::{Api, PostParams};
use serde::Deserialize;
use serde_json::{Value, json};

impl World {
    /// The group of a namespace's replicas.
    pub fn replicas_of(namespace: &str) -> String {
        format!("replicas-of-{namespace}")
    }

    /// Gives the group of replicas what they need for tasks.
    pub async fn allow_tasks(&self) {
        self.allow("tasks", chart_rules("ClusterRole", "punctual")).await;
    }

    /// Gives the group of replicas what they need for the lease.
    pub async fn allow_lease(&self) {
        self.allow("lease", chart_rules("Role", "punctual-leader-election")).await;
    }

    async fn allow(&self, name: &str, rules: Vec<PolicyRule>) {
        let roles: Api<Role> = Api::namespaced(self.client.clone(), &self.namespace);
        let role = json!({"metadata": {"name": name}, "rules": rules});
        roles
            .create(&PostParams::default(), &serde_json::from_value(role).unwrap())
            .await
            .expect("a role");
        let bindings: Api<RoleBinding> = Api::namespaced(self.client.clone(), &self.namespace);
        let binding = json!({"metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": Self::replicas_of(&self.namespace)}]});
        bindings
            .create(&PostParams::default(), &serde_json::from_value(binding).unwrap())
            .await
            .expect("a binding");
    }

    /// The lease of this namespace, if there is one.
    pub async fn lease(&self) -> Option<Lease> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.namespace);
        leases.get_opt("punctual").await.expect("leases can be read")
    }

    /// Who holds the lease.
    pub async fn holder(&self) -> Option<String> {
        let holder = self.lease().await?.spec?.holder_identity?;
        (!holder.is_empty()).then_some(holder)
    }

    /// Waits until somebody else than `not` holds the lease.
    pub async fn holder_other_than(&self, not: &str) -> String {
        until(&format!("another holder than {not}"), || async {
            self.holder().await.filter(|holder| holder != not)
        })
        .await
    }
}

/// The rules of a role in the chart.
fn chart_rules(kind: &str, name: &str) -> Vec<PolicyRule> {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/punctual.yaml"));
    let documents = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).expect("YAML"));
    let is_it = |object: &Value| object["kind"] == kind && object["metadata"]["name"] == name;
    let role = documents.into_iter().find(is_it).expect("the chart has this role");
    serde_json::from_value(role["rules"].clone()).expect("rules")
}
