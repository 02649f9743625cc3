//! Two teams and an operator. Takes a name, gives the victim's namespace, the attacker's, and the chart installed for both.

use crate::harness::{Operator, Pace, World, at, client, cluster};
use cluster::{Cluster, Tool};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

/// All of the chart that is about rights, and the policy.
const TEMPLATES: [&str; 4] = ["serviceaccount", "rbac", "rbac-leader-election", "admission-policy"];
/// The chart's name for everything.
const NAME: &str = "punctual";

/// Where a test takes place.
pub struct Ground {
    /// The namespace of who is attacked; its rights are the administrator's.
    pub victim: World,
    /// The namespace of who attacks.
    pub attacker: World,
    /// The operator's: tenants see nothing of it.
    system: World,
    kubeconfig: PathBuf,
    client: kube::Client,
}

impl Ground {
    /// Two namespaces, and the chart installed for them, with its admission policy.
    pub async fn new(name: &str) -> Ground {
        Self::with(name, &TEMPLATES).await
    }

    /// The same without the policy: what a cluster is whose administrator has switched it off.
    pub async fn without_policy(name: &str) -> Ground {
        Self::with(name, &TEMPLATES[..3]).await
    }

    async fn with(name: &str, templates: &'static [&'static str]) -> Ground {
        let victim = World::new(&format!("{name}-a")).await;
        let attacker = World::new(&format!("{name}-b")).await;
        let system = World::new(&format!("{name}-system")).await;
        let teams = format!("watchNamespaces={{{},{}}}", victim.namespace, attacker.namespace);
        let own = system.namespace.clone();
        let install = move || {
            let cluster = cluster();
            people_have_rights(cluster);
            apply(cluster, &rendered(cluster, &own, &["--set", &teams], templates));
            cluster.kubeconfig_for_service_account(&own, NAME).expect("a token")
        };
        let kubeconfig = tokio::task::spawn_blocking(install).await.expect("installed");
        Ground {
            client: client(&kubeconfig).await,
            victim,
            attacker,
            system,
            kubeconfig,
        }
    }

    /// An operator that leads, with a clock that the test sets.
    pub async fn operator(&self, now: &str) -> Operator {
        let terms = Pace::DEFAULT.terms("operator", &self.system.namespace);
        let operator = Operator::start_in(self.client.clone(), self.teams(), at(now), Some(terms));
        crate::harness::until("the operator to lead", || async { operator.leads().then_some(()) }).await;
        operator
    }

    /// The namespaces that the operator looks after.
    pub fn teams(&self) -> Vec<String> {
        vec![self.victim.namespace.clone(), self.attacker.namespace.clone()]
    }

    /// Arguments of the operator as a process.
    pub fn arguments(&self) -> Vec<String> {
        let words = [
            "controller",
            "--log-format=json",
            "--metrics-addr=127.0.0.1:0",
            "--leader-elect",
            "--watch-namespaces",
            &self.teams().join(","),
            "--leader-elect-resource-namespace",
            &self.system.namespace,
            "--kubeconfig",
            &self.kubeconfig.display().to_string(),
        ];
        words.map(str::to_owned).to_vec()
    }
}

/// A tenant: a ServiceAccount in that namespace which may do that there, and nothing else anywhere.
pub async fn tenant(world: &World, name: &str, rules: Value) -> World {
    let (roles, bindings): (Api<Role>, Api<RoleBinding>) = (namespaced(world), namespaced(world));
    let role = json!({"metadata": {"name": name}, "rules": rules});
    let role = serde_json::from_value(role).expect("a role");
    roles.create(&PostParams::default(), &role).await.expect("the role is taken");
    bind(&bindings, world, name, &json!({"kind": "Role", "name": name})).await;
    as_account(world, name).await
}

/// A tenant with the cluster's role of that name in that namespace: `edit`, for instance.
pub async fn tenant_as(world: &World, name: &str, cluster_role: &str) -> World {
    bind(
        &namespaced(world),
        world,
        name,
        &json!({"kind": "ClusterRole", "name": cluster_role}),
    )
    .await;
    as_account(world, name).await
}

/// Who may make Jobs, and nothing else.
pub async fn maker_of_jobs(world: &World) -> World {
    let rules = json!([{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "delete"]}]);
    tenant(world, "jobs-only", rules).await
}

/// Makes a Job by the rights of that world.
pub async fn make(world: &World, job: Value) -> Job {
    let name = job["metadata"]["name"].to_string();
    let job = serde_json::from_value(job).expect("a Job");
    let made = world.jobs().create(&PostParams::default(), &job).await;
    made.unwrap_or_else(|error| panic!("Job {name} is taken: {error}"))
}

async fn as_account(world: &World, name: &str) -> World {
    let accounts: Api<ServiceAccount> = namespaced(world);
    let account = serde_json::from_value(json!({"metadata": {"name": name}})).expect("an account");
    accounts
        .create(&PostParams::default(), &account)
        .await
        .expect("the account is taken");
    let (of, name) = (world.namespace.clone(), name.to_owned());
    let token = move || cluster().kubeconfig_for_service_account(&of, &name).expect("a token");
    let kubeconfig = tokio::task::spawn_blocking(token).await.expect("a token");
    World {
        client: client(&kubeconfig).await,
        ..world.clone()
    }
}

async fn bind(bindings: &Api<RoleBinding>, world: &World, name: &str, role: &Value) {
    let mut role = role.clone();
    role["apiGroup"] = "rbac.authorization.k8s.io".into();
    let subject = json!({"kind": "ServiceAccount", "name": name, "namespace": world.namespace});
    let binding = json!({"metadata": {"name": name}, "roleRef": role, "subjects": [subject]});
    let binding = serde_json::from_value(binding).expect("a binding");
    bindings
        .create(&PostParams::default(), &binding)
        .await
        .expect("the binding is taken");
}

pub fn namespaced<K>(world: &World) -> Api<K>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(world.client.clone(), &world.namespace)
}

/// The chart's additions to the cluster's roles view, edit and admin.
fn people_have_rights(cluster: &Cluster) {
    static GIVEN: OnceLock<()> = OnceLock::new();
    GIVEN.get_or_init(|| apply(cluster, &rendered(cluster, "punctual-system", &[], &["rbac-aggregate"])));
}

fn rendered(cluster: &Cluster, namespace: &str, values: &[&str], templates: &[&str]) -> Vec<u8> {
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/punctual");
    let mut helm = std::process::Command::new(cluster.tool(Tool::Helm).expect("helm"));
    helm.args(["template", NAME])
        .arg(chart)
        .args(["--namespace", namespace])
        .args(values);
    helm.args(templates.iter().map(|name| format!("--show-only=templates/{name}.yaml")));
    let rendered = helm.output().expect("helm runs");
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    rendered.stdout
}

fn apply(cluster: &Cluster, manifests: &[u8]) {
    let mut apply = cluster.kubectl();
    let apply = apply.args(["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut apply = apply.spawn().expect("kubectl runs");
    let mut input = apply.stdin.take().expect("a pipe");
    input.write_all(manifests).expect("written");
    drop(input);
    assert!(apply.wait().expect("kubectl ends").success(), "the chart is not taken");
}
