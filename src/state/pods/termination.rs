//! How a run ended, as a value and as a sentence.
//!
//! Kubernetes' words and the program's go in, bounded and printable; the sentence that stands in the ledger comes out. A program's
//! own last words come first. Where they are missing and the status cannot tell more, the sentence names the next step.

use super::Cause;

/// The failure that decided a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// Its class.
    pub cause: Cause,
    /// Kubernetes' own word for it, of which there are more than causes: `OutOfnvidia.com/gpu`.
    pub reason: String,
    /// The program's exit code. None if no program decided: the 137 of an eviction is the kubelet's.
    pub exit_code: Option<i32>,
    /// The container's last words, or what Kubernetes says of the pod.
    pub message: Option<String>,
    /// The container that decided, if one did.
    pub container: Option<String>,
    /// It is an init container.
    pub is_init: bool,
    /// The pod.
    pub pod: String,
}

impl Termination {
    /// What people read.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (pod, what) = (&self.pod, self.container());
        let words = self.message.as_deref();
        let and = |text: String| words.map_or(text.clone(), |words| format!("{text}: {words}"));
        match self.cause {
            Cause::Error => match (words, self.is_init) {
                (Some(words), false) => words.to_owned(),
                (Some(words), true) => format!("{what}: {words}"),
                (None, _) => format!("{what} of pod {pod} exited with code {}", self.exit_code.unwrap_or_default()),
            },
            Cause::OOMKilled => and(format!("OOMKilled: {what} of pod {pod} ran out of memory")),
            Cause::StartError => and(format!("StartError: {what} could not be started")),
            Cause::ContainerStatusUnknown => {
                format!("ContainerStatusUnknown: the node lost {what}, its exit code is not known; kubectl describe pod {pod}")
            }
            Cause::Deleted => match (words, self.exit_code) {
                (Some(words), _) => words.to_owned(),
                (None, Some(code)) => format!("{what} of pod {pod} was stopped, with exit code {code}"),
                (None, None) => format!("pod {pod} was deleted before its work ended"),
            },
            Cause::Unknown => format!("{}; kubectl describe pod {pod}", and(format!("pod {pod} failed"))),
            // The words of a wait begin with the pod, and have its reason.
            _ if self.is_wait() => words.unwrap_or_default().to_owned(),
            _ => match words {
                Some(words) => format!("{}: {words}", self.word()),
                None => format!("{}: kubectl describe pod {pod}", self.word()),
            },
        }
    }

    fn container(&self) -> String {
        let kind = if self.is_init { "init container" } else { "container" };
        match &self.container {
            Some(name) => format!("{kind} {name}"),
            None => "a container".into(),
        }
    }

    fn is_wait(&self) -> bool {
        !self.cause.is_disruption() && self.cause != Cause::DeadlineExceeded
    }

    /// The word of the cause, or Kubernetes' own where the cause stands for several.
    fn word(&self) -> &str {
        match self.cause {
            Cause::OutOfResources | Cause::AdmissionRejected | Cause::Disrupted if !self.reason.is_empty() => &self.reason,
            cause => cause.as_str(),
        }
    }
}
