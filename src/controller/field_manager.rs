//! The name under which the operator writes.
//!
//! The API server keeps it in managed fields, and events name it as their source. Holds nothing else.

/// Name of the operator in managed fields and as the source of events.
pub const FIELD_MANAGER: &str = "punctual";
