//! Who is compared: Punctual, and the CronJob controller with two sets of flags.

use crate::audit::Request;

/// The namespace of the operator: its account, its Lease and its claims log.
pub const OPERATOR_NAMESPACE: &str = "punctual-system";
/// The operator's ServiceAccount, with the rights that the chart gives it.
pub const OPERATOR_ACCOUNT: &str = "punctual";

/// A scheduler under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Punctual.
    Ours,
    /// The CronJob controller with faster flags than anybody has by default.
    CronJobTuned,
    /// The CronJob controller as it is delivered.
    CronJobDefault,
}

impl Peer {
    /// In headings.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Ours => "Punctual",
            Peer::CronJobTuned => "CronJob, tuned",
            Peer::CronJobDefault => "CronJob, default flags",
        }
    }

    /// In names of namespaces.
    pub fn short_name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::CronJobTuned => "tuned",
            Peer::CronJobDefault => "default",
        }
    }

    /// Whether this scheduler sent the request.
    pub fn sent(self, request: &Request) -> bool {
        match self {
            Peer::Ours => request.user == format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}"),
            // All controllers of the controller manager are one user; the user agent tells them apart.
            Peer::CronJobTuned | Peer::CronJobDefault => request.agent.ends_with("cronjob-controller"),
        }
    }
}

/// How the controller manager of a cluster is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manager {
    /// 1,000 queries a second, a burst of 2,000, 50 CronJobs at once.
    Tuned,
    /// Kubernetes' own defaults: 20 queries a second, a burst of 30, 5 CronJobs at once.
    Default,
}

impl Manager {
    /// The flags, which win over those that the cluster sets by itself.
    pub fn flags(self) -> Vec<String> {
        let (qps, burst, syncs) = match self {
            Manager::Tuned => (1000, 2000, 50),
            Manager::Default => (20, 30, 5),
        };
        vec![
            format!("--kube-api-qps={qps}"),
            format!("--kube-api-burst={burst}"),
            format!("--concurrent-cron-job-syncs={syncs}"),
        ]
    }
}
