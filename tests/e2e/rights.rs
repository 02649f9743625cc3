//! What the operator may do, by the roles that are bound to it, and what it did, by the API server's audit log. Takes both,
//! gives what was denied and what was never used. Never asks the operator.

use super::ground::Ground;
use super::release::{NAME, NAMESPACE};
use crate::harness::audit::{Request, requests, service_account};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject};
use kube::Api;
use kube::api::ListParams;
use std::collections::BTreeSet;
use std::fmt;

/// One thing that may be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    verb: String,
    /// `group/resource/subresource`
    what: String,
    /// Everywhere if nothing.
    namespace: Option<String>,
    /// Any if empty.
    names: Vec<String>,
}

impl Right {
    fn covers(&self, request: &Request) -> bool {
        self.verb == request.verb
            && self.what == request.what
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == request.namespace)
            && (self.names.is_empty() || self.names.contains(&request.name))
    }

    /// What a right is for that no request uses here: an admission plugin, on in OpenShift, asks for one when a Job names its owner;
    /// lists are asked for where the API server does not stream them (the feature `WatchList` is off).
    pub fn is_for(&self) -> Option<&'static str> {
        match (self.verb.as_str(), self.what.as_str()) {
            (_, "punctual.dev/scheduledtasks/finalizers") => Some("asked for by OwnerReferencesPermissionEnforcement"),
            ("list", "punctual.dev/scheduledtasks" | "batch/jobs") => Some("for an API server that streams no lists"),
            _ => None,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.what)?;
        if !self.names.is_empty() {
            write!(f, " named {}", self.names.join(", "))?;
        }
        self.namespace.as_ref().map_or(Ok(()), |namespace| write!(f, " in {namespace}"))
    }
}

impl Ground {
    /// What the operator did since then.
    pub fn requests(&self, since: u64) -> Vec<Request> {
        requests(&self.cluster.audit_log(), &service_account(NAMESPACE, NAME), since)
    }

    /// Fails if the operator was denied anything since then.
    pub fn assert_nothing_denied(&self, since: u64) {
        let denied: Vec<String> = self
            .requests(since)
            .iter()
            .filter(|request| request.denied)
            .map(ToString::to_string)
            .collect();
        assert!(denied.is_empty(), "denied: {denied:#?}");
    }
}

/// All rights of the operator's ServiceAccount, by the bindings that name it.
pub async fn rights(client: &kube::Client) -> BTreeSet<Right> {
    let everything = ListParams::default();
    let is_ours = |subjects: &Option<Vec<Subject>>| {
        let ours = |subject: &Subject| subject.name == NAME && subject.namespace.as_deref() == Some(NAMESPACE);
        subjects.iter().flatten().any(ours)
    };
    let mut rights = BTreeSet::new();
    let cluster_wide: Api<ClusterRoleBinding> = Api::all(client.clone());
    for binding in cluster_wide.list(&everything).await.expect("bindings").items {
        if is_ours(&binding.subjects) {
            let roles: Api<ClusterRole> = Api::all(client.clone());
            let role = roles.get(&binding.role_ref.name).await.expect("a role");
            rights.extend(role.rules.iter().flatten().flat_map(|rule| of_rule(rule, None)));
        }
    }
    let bindings: Api<RoleBinding> = Api::all(client.clone());
    for binding in bindings.list(&everything).await.expect("bindings").items {
        if is_ours(&binding.subjects) {
            let namespace = binding.metadata.namespace.expect("a namespace");
            let roles: Api<Role> = Api::namespaced(client.clone(), &namespace);
            let role = roles.get(&binding.role_ref.name).await.expect("a role");
            rights.extend(role.rules.iter().flatten().flat_map(|rule| of_rule(rule, Some(&namespace))));
        }
    }
    rights
}

fn of_rule(rule: &PolicyRule, namespace: Option<&str>) -> Vec<Right> {
    let (groups, resources) = (rule.api_groups.iter().flatten(), rule.resources.iter().flatten());
    let whats = groups.flat_map(|group| resources.clone().map(move |resource| format!("{group}/{resource}")));
    let right = |what: &String, verb: &String| Right {
        verb: verb.clone(),
        what: what.clone(),
        namespace: namespace.map(str::to_owned),
        names: rule.resource_names.clone().unwrap_or_default(),
    };
    whats
        .flat_map(|what| rule.verbs.iter().map(move |verb| right(&what, verb)).collect::<Vec<_>>())
        .collect()
}

/// The rights that no request used.
pub fn unused(rights: &BTreeSet<Right>, requests: &[Request]) -> Vec<Right> {
    let used = |right: &&Right| !requests.iter().any(|request| right.covers(request));
    rights.iter().filter(used).cloned().collect()
}
