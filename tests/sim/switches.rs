//! What the generator and the world leave out, each by name, until it is built or mended.
//!
//! Takes nothing, gives constants. A switch that is off says why.

/// `jitter`, `startAt`, `endAt`, `exclude`, `schedules`: on, `src/schedule` heeds them.
pub const SCHEDULE_FEATURES: bool = true;

/// A Job counts as suspended until the Job controller takes its condition `Suspended` back. Off: only `spec.suspend` counts.
pub const THE_CONDITION_TELLS: bool = true;

/// A replica that takes the lease lists tasks and Jobs before it plans. Off: it plans from whatever its watches told it.
pub const A_NEW_LEADER_LISTS: bool = false;
