//! Why a pod or a container of a Job ended or does not begin, as a closed list.
//!
//! Kubernetes' own reasons go in; one of the causes comes out, each named by the word that Kubernetes uses where there is one. It
//! is a label for metrics and a key for decisions, never a sentence: words for people are in `Termination` and `Wait`.

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Why a pod or a container ended, or what it waits for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause { $($(#[$doc])* $name,)* }

        impl Cause {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word for it: stable, and the same in every voice.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

causes! {
    /// A container of the work exited with a code other than 0.
    Error,
    /// The kernel killed a container of the work for its use of memory.
    OOMKilled,
    /// The container runtime could not start a container's command.
    StartError,
    /// The kubelet lost track of a container: its node restarted, or the container was removed.
    ContainerStatusUnknown,
    /// The kubelet evicted the pod: its node is low on a resource, or the pod uses more than its limit of local storage.
    Evicted,
    /// Somebody drained the node, or called the eviction API.
    EvictionByEvictionAPI,
    /// The scheduler preempted the pod for one of a higher priority.
    PreemptionByScheduler,
    /// The kubelet preempted the pod for a critical one.
    Preempting,
    /// The pod does not tolerate a `NoExecute` taint of its node: not ready, unreachable, or an administrator's.
    DeletionByTaintManager,
    /// The pod does not tolerate a taint of a device that it uses.
    DeletionByDeviceTaintManager,
    /// The pod's node no longer exists.
    DeletionByPodGC,
    /// The kubelet terminated the pod for the good of its node.
    TerminationByKubelet,
    /// The pod's node shut down.
    NodeShutdown,
    /// The pod's node does not answer.
    NodeLost,
    /// Another controller disrupted the pod (condition `DisruptionTarget`).
    Disrupted,
    /// `activeDeadlineSeconds` of the pod or of the Job is over.
    DeadlineExceeded,
    /// The pod was deleted before its work had ended: by the Job controller, by Punctual, or by somebody.
    Deleted,
    /// The node had less room than the scheduler thought (`OutOfcpu`, `OutOfmemory`, …).
    OutOfResources,
    /// The pod does not match its node's labels.
    NodeAffinity,
    /// Admission by the kubelet failed for a reason that has no word of its own, often a device.
    UnexpectedAdmissionError,
    /// The kubelet refused the pod for another reason.
    AdmissionRejected,
    /// An image could not be pulled.
    ErrImagePull,
    /// An image could not be pulled, and is tried again later.
    ImagePullBackOff,
    /// An image is not on the node, and `imagePullPolicy` is `Never`.
    ErrImageNeverPull,
    /// The name of an image is not valid.
    InvalidImageName,
    /// An image on the node cannot be read.
    ImageInspectError,
    /// The registry of an image does not answer.
    RegistryUnavailable,
    /// The signature of an image was not accepted.
    SignatureValidationFailed,
    /// A ConfigMap, a Secret or a key that a container refers to is missing, or its settings contradict each other.
    CreateContainerConfigError,
    /// The container runtime could not create a container.
    CreateContainerError,
    /// The container runtime could not start a container, and is asked again later.
    RunContainerError,
    /// A container's `postStart` hook failed.
    PostStartHookError,
    /// A container fails again and again.
    CrashLoopBackOff,
    /// A container waits for a reason that has no word here.
    ContainerWaiting,
    /// No node takes the pod.
    Unschedulable,
    /// The pod has scheduling gates: a queueing system or a quota holds it.
    SchedulingGated,
    /// No kubelet has taken the pod that is bound to a node.
    NotAcknowledged,
    /// A volume or the network of the pod is missing, or its image is being pulled.
    ContainerCreating,
    /// An init container runs, or a sidecar has not started.
    Initializing,
    /// The Job has no pod.
    NoPod,
    /// The pod does not say why.
    Unknown,
}

impl Cause {
    /// Whether the cluster ended the pod, and not the program: nobody has to debug the program for it.
    #[must_use]
    pub const fn is_disruption(self) -> bool {
        matches!(
            self,
            Self::Evicted
                | Self::EvictionByEvictionAPI
                | Self::PreemptionByScheduler
                | Self::Preempting
                | Self::DeletionByTaintManager
                | Self::DeletionByDeviceTaintManager
                | Self::DeletionByPodGC
                | Self::TerminationByKubelet
                | Self::NodeShutdown
                | Self::NodeLost
                | Self::Disrupted
                | Self::ContainerStatusUnknown
        ) || self.is_rejection()
    }

    /// Whether a kubelet refused the pod: none of its containers began.
    #[must_use]
    pub const fn is_rejection(self) -> bool {
        matches!(
            self,
            Self::OutOfResources | Self::NodeAffinity | Self::UnexpectedAdmissionError | Self::AdmissionRejected
        )
    }

    /// Whether a container waits to be started again.
    pub(super) const fn is_backoff(self) -> bool {
        matches!(self, Self::CrashLoopBackOff | Self::RunContainerError)
    }

    /// `status.reason` of a pod that failed or whose node was lost.
    pub(super) fn of_pod(reason: &str, message: &str) -> Option<Self> {
        let cause = match reason {
            "Evicted" => Self::Evicted,
            "Preempting" => Self::Preempting,
            "DeadlineExceeded" => Self::DeadlineExceeded,
            "NodeLost" => Self::NodeLost,
            // A pod that ran is "Terminated"; a pod that comes too late is refused with "NodeShutdown".
            "Terminated" | "NodeShutdown" => Self::NodeShutdown,
            "NodeAffinity" => Self::NodeAffinity,
            "UnexpectedAdmissionError" => Self::UnexpectedAdmissionError,
            "" => return None,
            other if other.starts_with("OutOf") => Self::OutOfResources,
            _ if message.starts_with("Pod was rejected") => Self::AdmissionRejected,
            _ => return None,
        };
        Some(cause)
    }

    /// The reason of the condition `DisruptionTarget`.
    pub(super) fn of_disruption(reason: &str) -> Self {
        match reason {
            "EvictionByEvictionAPI" => Self::EvictionByEvictionAPI,
            "PreemptionByScheduler" => Self::PreemptionByScheduler,
            "DeletionByTaintManager" => Self::DeletionByTaintManager,
            "DeletionByDeviceTaintManager" => Self::DeletionByDeviceTaintManager,
            "DeletionByPodGC" => Self::DeletionByPodGC,
            "TerminationByKubelet" => Self::TerminationByKubelet,
            _ => Self::Disrupted,
        }
    }

    /// The reason of a container that has terminated.
    pub(super) fn of_exit(reason: &str) -> Self {
        match reason {
            "OOMKilled" => Self::OOMKilled,
            // containerd and CRI-O; Docker.
            "StartError" | "ContainerCannotRun" => Self::StartError,
            "ContainerStatusUnknown" => Self::ContainerStatusUnknown,
            _ => Self::Error,
        }
    }

    /// The reason of a container that waits; nothing if it says no more than that the pod is young.
    pub(super) fn of_waiting(reason: &str) -> Option<Self> {
        let cause = match reason {
            "" | "ContainerCreating" | "PodInitializing" => return None,
            "ErrImagePull" => Self::ErrImagePull,
            "ImagePullBackOff" => Self::ImagePullBackOff,
            "ErrImageNeverPull" => Self::ErrImageNeverPull,
            "InvalidImageName" => Self::InvalidImageName,
            "ImageInspectError" => Self::ImageInspectError,
            "RegistryUnavailable" => Self::RegistryUnavailable,
            "SignatureValidationFailed" => Self::SignatureValidationFailed,
            "CreateContainerConfigError" => Self::CreateContainerConfigError,
            "CreateContainerError" | "PreCreateHookError" | "PreStartHookError" => Self::CreateContainerError,
            "RunContainerError" => Self::RunContainerError,
            "PostStartHookError" => Self::PostStartHookError,
            "CrashLoopBackOff" => Self::CrashLoopBackOff,
            _ => Self::ContainerWaiting,
        };
        Some(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_cause_has_a_word_of_its_own_in_camel_case() {
        let words: HashSet<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(words.len(), Cause::ALL.len());
        for word in words {
            assert!(word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
            assert!(word.chars().all(|c| c.is_ascii_alphanumeric()), "{word}");
        }
    }
}
