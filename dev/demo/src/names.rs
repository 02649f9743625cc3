//! Names of the objects that the demo creates.

/// The namespace of the examples.
pub const NAMESPACE: &str = "punctual-demo";
/// The CRD that it installs.
pub const CRD: &str = "scheduledtasks.punctual.dev";
