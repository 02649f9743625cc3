//! What the API server answers, sorted by what it means for what is known.

use crate::api::ScheduledTaskStatus;
use crate::plan::{Exit, JobObject, Pods};
use jiff::SignedDuration;
use std::sync::Arc;

/// The answer to a request.
pub type Answer = Result<Reply, Failure>;

/// The answer to a request that was carried out.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The Job that was created or found.
    Job(Box<FoundJob>),
    /// What the pods of a Job say.
    Pods {
        /// How the container that decided ended.
        exit: Exit,
        /// How far the work is.
        pods: Pods,
        /// No pod runs any more.
        is_final: bool,
    },
    /// The status was written.
    Written {
        /// `resourceVersion` of the task that came back.
        version: String,
        /// Its status: a CRD that is older than this operator drops fields.
        kept: Arc<ScheduledTaskStatus>,
    },
    /// It is done; there is nothing more to say.
    Done,
}

/// A Job under a name that was asked for, whether it is the task's or not.
#[derive(Clone, Debug)]
pub struct FoundJob {
    /// The Job.
    pub object: JobObject,
    /// Whether namespace, owner UID and owner name are those of the task.
    pub is_owned: bool,
    /// Who created it and when, for people.
    pub made_by: String,
}

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The object does not exist (any more).
    #[error("not found: {0}")]
    NotFound(String),
    /// Somebody else was first: a newer version, another UID, or a name that is taken.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The API server refused; asking again at once gives the same answer.
    #[error("{0}")]
    Refused(String),
    /// It was not carried out, and the API server asks to be asked again after this time.
    #[error("{message}")]
    Later {
        /// What it said.
        message: String,
        /// How long to wait at least.
        after: SignedDuration,
    },
    /// No answer, or one that leaves open whether the request was carried out.
    #[error("{0}")]
    Unanswered(String),
}

/// What an error of the API server says of itself: HTTP code, reason, message, and after how many seconds to ask again.
#[derive(Clone, Copy, Debug)]
pub struct ErrorStatus<'a> {
    /// HTTP status code.
    pub code: u16,
    /// `metav1.StatusReason`, or what the client made of a body that is no `Status`.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
    /// `details.retryAfterSeconds`.
    pub retry_after: Option<u32>,
}

/// Policies may refuse with any code, also with one that means something else elsewhere: their words come before codes.
const DENIALS: [&str; 2] = ["denied the request", "denied request"];
/// An API server or a quota that has just started: it will take the request in a moment.
const NOT_READY: [&str; 3] = [
    "not yet ready to handle request",
    "status unknown for quota",
    "resource quota evaluation timed out",
];
/// etcd refuses for certain, and for good.
const TOO_LARGE: [&str; 2] = ["request is too large", "trying to send message larger than max"];
/// etcd refuses for certain, until somebody helps it.
const ETCD_FULL: [&str; 2] = ["database space exceeded", "too many requests"];

impl Failure {
    /// What an error of the API server means. Sources: `k8s.io/apiserver` `admission/plugin/webhook/errors`,
    /// `endpoints/handlers/responsewriters`, `storage/errors`; etcd `api/v3rpc/rpctypes`.
    #[must_use]
    pub fn of_status(status: &ErrorStatus) -> Self {
        let ErrorStatus { code, reason, message, .. } = *status;
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let words = message.to_owned();
        let later = Self::Later {
            message: format!("{code} {message}"),
            after: SignedDuration::from_secs(status.retry_after.unwrap_or(0).into()),
        };
        match code {
            400.. if says(&DENIALS) => Self::Refused(words),
            404 if reason == "NotFound" => Self::NotFound(words),
            409 => Self::Conflict(words),
            // Nobody's template is to blame for our credentials, nor for an API server that asks for time.
            401 | 429 => later,
            403 | 500 if says(&NOT_READY) => later,
            500 if says(&TOO_LARGE) => Self::Refused(format!("the object is too large for etcd (1.5 MiB): {message}")),
            500 if says(&ETCD_FULL) => later,
            // Whether etcd carries out what it did not answer, nobody knows.
            500 if message.contains("etcdserver:") => Self::Unanswered(format!("{code} {message}")),
            // Admission failed before anything was stored: a webhook that cannot be called, or whose patch does not apply.
            500 if reason == "InternalError" || message.contains("failed calling webhook") => Self::Refused(words),
            500 if message.starts_with("Internal Server Error:") => later,
            503 if message.contains("shutting down") => later,
            500..=599 => Self::Unanswered(format!("{code} {message}")),
            _ => Self::Refused(words),
        }
    }

    /// What was said of a Job whose manifest has so many bytes. When etcd refuses a large Job, the API server tries again with the
    /// labels of the first try on it, and then says something about `controller-uid`, which nobody set.
    #[must_use]
    pub fn of_create(self, bytes: usize) -> Self {
        match self {
            Self::Refused(message) if message.contains("controller-uid") && bytes > LARGE => Self::Refused(format!(
                "the Job is too large: {bytes} bytes of JSON, and etcd takes 1.5 MiB with managed fields; shorten the template"
            )),
            other => other,
        }
    }
}

/// Smaller manifests are not too large, whatever is said of them.
const LARGE: usize = 700 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// F04, F26: every class of answer, in the API server's own words.
    #[test]
    fn each_answer_means_what_the_api_server_means_by_it() {
        let webhook = "Internal error occurred: failed calling webhook \"w\": context deadline exceeded";
        let patch = "Internal error occurred: add operation does not apply: doc is missing path: \"/spec/no/child\": missing value";
        let denied = "admission webhook \"w\" denied the request: not on Fridays";
        let policy = "jobs.batch \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no";
        let modified = "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified";
        for (code, reason, message, class) in [
            (400, "BadRequest", "strict decoding error: unknown field \"spec.new\"", "refused"),
            (401, "Unauthorized", "Unauthorized", "later"),
            (401, "Unauthorized", denied, "refused"),
            (
                403,
                "Forbidden",
                "jobs.batch is forbidden: User \"u\" cannot create resource \"jobs\"",
                "refused",
            ),
            (403, "Forbidden", "exceeded quota: q, requested: count/jobs.batch=1", "refused"),
            (
                403,
                "Forbidden",
                "unable to create new content in namespace n because it is being terminated",
                "refused",
            ),
            (
                403,
                "Forbidden",
                "jobs.batch \"x\" is forbidden: not yet ready to handle request",
                "later",
            ),
            (
                403,
                "Forbidden",
                "status unknown for quota: q, resources: count/jobs.batch",
                "later",
            ),
            (403, "Forbidden", policy, "refused"),
            (404, "NotFound", "jobs.batch \"x\" not found", "not found"),
            (404, "NotFound", denied, "refused"),
            (404, "Failed to parse error data", "404 page not found", "refused"),
            (409, "AlreadyExists", "jobs.batch \"x\" already exists", "conflict"),
            (409, "Conflict", modified, "conflict"),
            (409, "Conflict", denied, "refused"),
            (413, "RequestEntityTooLarge", "limit is 3145728", "refused"),
            (
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format",
                "refused",
            ),
            (422, "Invalid", "Job.batch \"x\" is invalid: spec.template", "refused"),
            (422, "Invalid", policy, "refused"),
            (
                429,
                "Failed to parse error data",
                "Too many requests, please try again later.",
                "later",
            ),
            (429, "TooManyRequests", "storage is (re)initializing", "later"),
            (429, "TooManyRequests", denied, "refused"),
            (500, "InternalError", webhook, "refused"),
            (500, "InternalError", patch, "refused"),
            (500, "InternalError", denied, "refused"),
            (
                500,
                "InternalError",
                "Internal error occurred: resource quota evaluation timed out",
                "later",
            ),
            (500, "", "etcdserver: request is too large", "refused"),
            (
                500,
                "",
                "rpc error: code = ResourceExhausted desc = trying to send message larger than max",
                "refused",
            ),
            (500, "", "etcdserver: mvcc: database space exceeded", "later"),
            (500, "", "etcdserver: too many requests", "later"),
            (
                500,
                "",
                "etcdserver: request timed out, possibly due to previous leader failure",
                "unanswered",
            ),
            (500, "", "etcdserver: leader changed", "unanswered"),
            (
                500,
                "ServerTimeout",
                "The create operation against jobs.batch could not be completed at this time",
                "unanswered",
            ),
            (
                500,
                "Failed to parse error data",
                "Internal Server Error: \"/apis/batch\": no answer",
                "later",
            ),
            (
                500,
                "Failed to parse error data",
                "This request caused apiserver to panic.",
                "unanswered",
            ),
            (502, "Failed to parse error data", "error trying to reach service", "unanswered"),
            (503, "ServiceUnavailable", "apiserver is shutting down", "later"),
            (503, "Failed to parse error data", "no healthy upstream", "unanswered"),
            (
                504,
                "Timeout",
                "request did not complete within requested timeout - context deadline exceeded",
                "unanswered",
            ),
            (504, "Timeout", denied, "refused"),
        ] {
            let status = ErrorStatus {
                code,
                reason,
                message,
                retry_after: None,
            };
            let read = match Failure::of_status(&status) {
                Failure::NotFound(_) => "not found",
                Failure::Conflict(_) => "conflict",
                Failure::Refused(_) => "refused",
                Failure::Later { .. } => "later",
                Failure::Unanswered(_) => "unanswered",
            };
            assert_eq!(read, class, "{code} {reason} {message}");
        }
    }

    /// F26: the words of the API server name a label that nobody set.
    #[test]
    fn a_job_that_etcd_does_not_take_is_called_too_large() {
        let said = "Job.batch \"x\" is invalid: [spec.template.metadata.labels[controller-uid]: Invalid value: {}";
        let of = |bytes| Failure::Refused(said.into()).of_create(bytes).to_string();
        assert!(of(1_280_000).starts_with("the Job is too large: 1280000 bytes"));
        assert_eq!(of(2_000), said);
    }
}
