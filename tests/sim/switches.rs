//! What the generator and the world leave out, each by name, until it is built or mended.
//!
//! Takes nothing, gives constants. A switch that is off says why.

/// `jitter`, `startAt`, `endAt`, `exclude`, `schedules`: off until `src/schedule` heeds them.
pub const SCHEDULE_FEATURES: bool = false;

/// A replica that takes the lease lists tasks and Jobs before it plans. Off: it plans from whatever its watches told it.
pub const A_NEW_LEADER_LISTS: bool = false;
