//! The name under which the operator writes.
//!
//! The API server keeps it in managed fields, and events name it as their source.

use kube::api::PostParams;

/// Name of the operator in managed fields and as the source of events.
pub const FIELD_MANAGER: &str = "punctual";

/// Parameters of a write under that name.
#[must_use]
pub fn post_params(dry_run: bool) -> PostParams {
    PostParams {
        dry_run,
        field_manager: Some(FIELD_MANAGER.into()),
    }
}
